//! A member of the staff, and what tickets they take.

use super::definition::Definition;
use super::{Micros, Ticket};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    pub id: String,
    /// As in `Ticket.assignee`; unique in the helpdesk, never changes.
    pub subject: String,
    pub display_name: String,
    /// Ids, sorted; empty: all.
    pub queues: Vec<String>,
    /// Sorted; empty: all.
    pub skills: Vec<String>,
    pub active: bool,
    pub create_time: Micros,
    pub update_time: Micros,
    pub revision: i64,
}

impl Agent {
    /// Changes with every revision of the agent.
    pub fn etag(&self) -> String {
        format!("\"a{:x}\"", self.revision)
    }

    pub fn works(&self, queue: &str) -> bool {
        self.queues.is_empty() || self.queues.iter().any(|own| own == queue)
    }

    /// Whether it takes only some of the tickets of a queue.
    pub fn is_choosy(&self, rules: &Definition, queue: &str) -> bool {
        !self.skills.is_empty() && rules.skill_field(queue).is_some()
    }

    /// Whether it has the skill that a ticket needs in its queue, if it needs any.
    pub fn has_skill_for(&self, rules: &Definition, ticket: &Ticket) -> bool {
        if !self.is_choosy(rules, &ticket.queue) {
            return true;
        }
        rules.skills_for(ticket).iter().any(|skill| skill.is_empty() || self.skills.contains(skill))
    }
}
