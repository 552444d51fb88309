//! Registers an agent.

use crate::domain::context::{Answer, Context, Decision, Violations, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::{Agent, Refusal, Role, text};

#[derive(Debug, Clone, Default)]
pub struct CreateAgent {
    pub id: String,
    pub subject: String,
    pub display_name: String,
    pub queues: Vec<String>,
    pub skills: Vec<String>,
    pub active: bool,
}

const QUEUES_MAX: usize = 100;
const SKILLS_MAX: usize = 50;

impl CreateAgent {
    pub(super) fn check_role(context: &Context<'_>) -> Result<(), Refusal> {
        check_role(context, "registering an agent")
    }

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        Self::check_role(context)?;
        let mut violations = Violations::default();
        if !text::is_id(&self.id, "-") {
            violations.add(
                "agent_id",
                format!("{} is not an id; write 1 to 63 of a-z, 0-9 and -, a letter first", text::shown(&self.id)),
            );
        }
        text::line(&mut violations, "agent.subject", &self.subject, text::SUBJECT_OF_KEY_MAX);
        let agent = Agent {
            id: self.id.clone(),
            subject: self.subject.trim().to_owned(),
            display_name: display_name(&mut violations, &self.display_name),
            queues: queues(&mut violations, rules, &self.queues),
            skills: skills(&mut violations, rules, &self.skills),
            active: self.active,
            create_time: context.now,
            update_time: context.now,
            revision: set.last_revision + 1,
        };
        violations.settle()?;
        if set.agents.values().any(|other| other.id == agent.id) {
            return Err(Refusal::AlreadyExists { kind: "Agent", name: context.agent_name(&agent.id) });
        }
        if let Some(other) = set.agents.values().find(|other| other.subject == agent.subject) {
            return Err(Refusal::SubjectTaken { subject: agent.subject, agent: context.agent_name(&other.id) });
        }
        Ok(Decision { agent: Some(agent.clone()), answer: Answer::Agent(agent), ..Decision::default() })
    }
}

/// Who works the queues is for those to say who lead them.
pub(super) fn check_role(context: &Context<'_>, what: &str) -> Result<(), Refusal> {
    let allowed = [Role::Supervisor, Role::Admin];
    if allowed.contains(&context.actor.role) {
        return Ok(());
    }
    Err(Refusal::RoleNotAllowed { what: what.to_owned(), role: context.actor.role, allowed: allowed.to_vec() })
}

pub(super) fn display_name(violations: &mut Violations, wanted: &str) -> String {
    text::optional(violations, "agent.display_name", wanted, text::DISPLAY_NAME_MAX);
    wanted.to_owned()
}

/// Ids of queues, sorted and without repetition.
pub(super) fn queues(violations: &mut Violations, rules: &Definition, wanted: &[String]) -> Vec<String> {
    if wanted.len() > QUEUES_MAX {
        violations.add("agent.queues", format!("has {} queues; at most {QUEUES_MAX} are taken", wanted.len()));
        return Vec::new();
    }
    for (place, id) in wanted.iter().enumerate().filter(|(_, id)| rules.queue(id).is_none()) {
        let known = text::listed(rules.queues().iter().map(|queue| queue.id.as_str()));
        violations
            .add(format!("agent.queues[{place}]"), format!("there is no queue {}; there are {known}", text::shown(id)));
    }
    sorted(wanted)
}

/// Choices that are skills in some queue, sorted and without repetition.
pub(super) fn skills(violations: &mut Violations, rules: &Definition, wanted: &[String]) -> Vec<String> {
    if wanted.len() > SKILLS_MAX {
        violations.add("agent.skills", format!("has {} skills; at most {SKILLS_MAX} are taken", wanted.len()));
        return Vec::new();
    }
    for (place, skill) in wanted.iter().enumerate().filter(|(_, skill)| !rules.is_skill(skill)) {
        let known = text::listed(rules.skill_values());
        let known = if known.is_empty() {
            "no queue of this helpdesk asks for any".to_owned()
        } else {
            format!("there are {known}")
        };
        violations.add(format!("agent.skills[{place}]"), format!("there is no skill {}; {known}", text::shown(skill)));
    }
    sorted(wanted)
}

fn sorted(texts: &[String]) -> Vec<String> {
    let mut texts = texts.to_vec();
    texts.sort();
    texts.dedup();
    texts
}
