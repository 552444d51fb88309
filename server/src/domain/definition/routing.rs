//! Which queue a ticket goes to.

use super::{Condition, Definition, Facts};
use crate::domain::{Actor, Ticket};

/// A routing rule; one without a condition always holds.
#[derive(Debug)]
pub struct Rule {
    pub when: Option<Condition>,
    /// None: the rule gives only a priority, and the search for a queue goes on.
    pub queue: Option<String>,
    pub priority: Option<String>,
}

/// Where a ticket goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    pub queue: String,
    /// Its own, or that of the first rule that gives one, or the definition's default.
    pub priority: String,
}

impl Definition {
    /// In the order in which they are tried.
    pub fn routing(&self) -> &[Rule] {
        &self.routing
    }

    /// Where a ticket goes by the rules: the first that holds and names a queue ends the search. A ticket without a priority
    /// gets one first; then the rules see it with that one, as they will whenever it is routed again.
    pub fn route(&self, ticket: &Ticket, actor: &Actor) -> Routed {
        let (queue, given) = self.search(&Facts::new(ticket, actor));
        if !ticket.priority.is_empty() {
            return Routed { queue, priority: ticket.priority.clone() };
        }
        let priority = given.map_or_else(|| self.default_priority().to_owned(), Clone::clone);
        if priority.is_empty() || !self.routes_by("priority") {
            return Routed { queue, priority };
        }
        let ticket = Ticket { priority, ..ticket.clone() };
        let (queue, _) = self.search(&Facts::new(&ticket, actor));
        Routed { queue, priority: ticket.priority }
    }

    /// The queue that the rules name, and the first priority of those up to there.
    fn search(&self, facts: &Facts<'_>) -> (String, Option<&String>) {
        let mut priority = None;
        for rule in &self.routing {
            if rule.when.as_ref().is_some_and(|condition| !condition.holds(facts)) {
                continue;
            }
            priority = priority.or(rule.priority.as_ref());
            if let Some(queue) = &rule.queue {
                return (queue.clone(), priority);
            }
        }
        (self.spec.default_queue.clone(), priority)
    }

    /// Whether any rule's condition reads a path, such as `fields.type`, `priority`, `channel` or `actor.role`.
    pub fn routes_by(&self, path: &str) -> bool {
        let conditions = self.routing.iter().filter_map(|rule| rule.when.as_ref());
        conditions.flat_map(Condition::paths).any(|read| read == path)
    }
}
