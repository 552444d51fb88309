//! Claims the first ticket that waits in a queue.

use std::collections::BTreeSet;

use super::claim_ticket::{check_works, give};
use crate::domain::context::{Answer, Context, Decision, WorkingSet};
use crate::domain::{Agent, Micros, Refusal};

#[derive(Debug, Clone)]
pub struct ClaimNextTicket {
    /// Its id.
    pub queue: String,
    /// How long the caller has waited for a ticket.
    pub waited: Micros,
}

impl ClaimNextTicket {
    pub(super) fn check_role(context: &Context<'_>) -> Result<(), Refusal> {
        context.staff_only("claiming a ticket")
    }

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        Self::check_role(context)?;
        if rules.queue(&self.queue).is_none() {
            let name = format!("helpdesks/{}/queues/{}", context.helpdesk, self.queue);
            return Err(context.not_found("Queue", &name));
        }
        let agent = set.agents.get(&context.actor.subject);
        if let Some(agent) = agent {
            check_works(agent, &self.queue)?;
        }
        let agent = agent.filter(|agent| agent.is_choosy(rules, &self.queue));
        let first = match agent {
            None => set.waiting.get(&self.queue).and_then(BTreeSet::first),
            Some(agent) => self.first_for(set, agent),
        };
        match first.and_then(|(_, id)| set.tickets.get(id)) {
            Some(ticket) => {
                let given = give(rules, set, context, ticket, &context.actor.subject);
                Ok(Decision { waited: self.waited, ..given })
            }
            None if agent.is_some() && !set.idle.contains(&self.queue) => {
                Ok(Decision { answer: Answer::NoneFits, ..Decision::default() })
            }
            None => Ok(Decision::default()),
        }
    }

    /// The first that waits of those that the agent has the skill for, or that need none.
    fn first_for<'s>(&self, set: &'s WorkingSet, agent: &Agent) -> Option<&'s (String, i64)> {
        let by_skill = set.skilled.get(&self.queue)?;
        let skills = agent.skills.iter().map(String::as_str).chain([""]);
        skills.filter_map(|skill| by_skill.get(skill)?.first()).min()
    }
}
