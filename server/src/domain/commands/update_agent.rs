//! Changes the fields of an agent that a mask names.

use super::create_agent::{check_role, display_name, queues, skills};
use crate::domain::context::{Answer, Context, Decision, Violations, WorkingSet};
use crate::domain::{Agent, Refusal};

/// A part is present when the mask names it.
#[derive(Debug, Clone, Default)]
pub struct UpdateAgent {
    pub id: String,
    pub display_name: Option<String>,
    pub queues: Option<Vec<String>>,
    pub skills: Option<Vec<String>>,
    pub active: Option<bool>,
    pub etag: String,
}

impl UpdateAgent {
    pub(super) fn check_role(context: &Context<'_>) -> Result<(), Refusal> {
        check_role(context, "changing an agent")
    }

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        Self::check_role(context)?;
        let name = context.agent_name(&self.id);
        let Some(before) = set.agents.values().find(|agent| agent.id == self.id) else {
            return Err(context.not_found("Agent", &name));
        };
        if !self.etag.is_empty() && self.etag != before.etag() {
            return Err(Refusal::EtagMismatch { kind: "Agent", name, sent: self.etag.clone(), current: before.etag() });
        }
        let mut violations = Violations::default();
        let mut after = before.clone();
        if let Some(wanted) = &self.display_name {
            after.display_name = display_name(&mut violations, wanted);
        }
        if let Some(wanted) = &self.queues {
            after.queues = queues(&mut violations, rules, wanted);
        }
        if let Some(wanted) = &self.skills {
            after.skills = skills(&mut violations, rules, wanted);
        }
        after.active = self.active.unwrap_or(before.active);
        violations.settle()?;
        if after == *before {
            return Ok(Decision { answer: Answer::Agent(after), ..Decision::default() });
        }
        let after = Agent { update_time: context.now, revision: set.last_revision + 1, ..after };
        Ok(Decision { agent: Some(after.clone()), answer: Answer::Agent(after), ..Decision::default() })
    }
}
