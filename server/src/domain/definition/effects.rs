//! What a transition does to a ticket besides moving it.

use super::Definition;
use super::spec::{Assignment, LinkEffect, QueuePlace, Recipient};
use crate::domain::context::Context;
use crate::domain::{Notification, Ticket};

/// Every id is known and every value is as it is kept. Empty texts: nothing is done.
#[derive(Debug, Default)]
pub struct Effects {
    /// An empty value removes.
    pub fields: Vec<(String, String)>,
    pub priority: String,
    pub clear_solution: bool,
    pub assign: Assignment,
    pub queue: String,
    pub route: bool,
    pub queue_place: QueuePlace,
    pub notifications: Vec<Notice>,
    pub link: Option<LinkEffect>,
}

/// Somebody to tell.
#[derive(Debug)]
pub struct Notice {
    pub recipient: Recipient,
    /// The id of the field that names whom; empty with other recipients.
    pub field: String,
    pub message: String,
}

impl Effects {
    /// Does it to a ticket that stands in its new status, and returns whom to tell. The place in the queue is the caller's,
    /// who knows where the ticket comes from; so is the link, which changes another ticket too.
    ///
    /// Fields come before the routing that looks at them, and whom to tell comes last: it is whoever has the ticket then.
    pub fn apply(&self, context: &Context<'_>, rules: &Definition, ticket: &mut Ticket) -> Vec<Notification> {
        for (id, value) in &self.fields {
            if value.is_empty() {
                ticket.fields.remove(id);
            } else {
                ticket.fields.insert(id.clone(), value.clone());
            }
        }
        if !self.priority.is_empty() {
            ticket.priority.clone_from(&self.priority);
        }
        if self.clear_solution {
            ticket.solution.clear();
        }
        match self.assign {
            Assignment::Keep => {}
            Assignment::Actor => ticket.assignee.clone_from(&context.actor.subject),
            Assignment::Nobody => ticket.assignee.clear(),
        }
        if self.route {
            ticket.queue = rules.route(ticket, context.actor).queue;
        } else if !self.queue.is_empty() {
            ticket.queue.clone_from(&self.queue);
        }
        if self.route || !self.queue.is_empty() {
            ticket.more.hand_placed = false;
        }
        self.notifications.iter().filter_map(|notice| notice.to(ticket)).collect()
    }
}

impl Notice {
    /// None when there is nobody to tell.
    fn to(&self, ticket: &Ticket) -> Option<Notification> {
        let (recipient, address) = match self.recipient {
            Recipient::Assignee if !ticket.assignee.is_empty() => (Recipient::Assignee, ticket.assignee.as_str()),
            Recipient::Assignee | Recipient::Queue => (Recipient::Queue, ticket.queue.as_str()),
            Recipient::Requester => (Recipient::Requester, ticket.requester.as_str()),
            Recipient::Field => (Recipient::Field, ticket.fields.get(&self.field).map_or("", String::as_str)),
        };
        let message = self.message.clone();
        (!address.is_empty()).then(|| Notification { recipient, address: address.to_owned(), message })
    }
}
