//! Which queue a ticket goes to.

use super::{Condition, Definition, Facts};

/// A routing rule; one without a condition always holds.
#[derive(Debug)]
pub struct Rule {
    pub when: Option<Condition>,
    /// None: the rule gives only a priority, and the search for a queue goes on.
    pub queue: Option<String>,
    pub priority: Option<String>,
}

/// What the routing rules say of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    pub queue: String,
    /// The priority that a rule gives to a ticket without one; None when it has one or no rule gives any. The
    /// definition's default is the caller's to apply.
    pub priority: Option<String>,
}

impl Definition {
    /// In the order in which they are tried.
    pub fn routing(&self) -> &[Rule] {
        &self.routing
    }

    /// Tries the rules in order: the first that holds and names a queue ends the search.
    pub fn route(&self, facts: &Facts<'_>) -> Routed {
        let mut priority = None;
        let wants_priority = facts.ticket.priority.is_empty();
        for rule in &self.routing {
            if rule.when.as_ref().is_some_and(|condition| !condition.holds(facts)) {
                continue;
            }
            if wants_priority && priority.is_none() {
                priority.clone_from(&rule.priority);
            }
            if let Some(queue) = &rule.queue {
                return Routed { queue: queue.clone(), priority };
            }
        }
        Routed { queue: self.spec.default_queue.clone(), priority }
    }

    /// Whether any rule's condition reads a path, such as `fields.type`, `priority`, `channel` or `actor.role`.
    pub fn routes_by(&self, path: &str) -> bool {
        let conditions = self.routing.iter().filter_map(|rule| rule.when.as_ref());
        conditions.flat_map(Condition::paths).any(|read| read == path)
    }
}
