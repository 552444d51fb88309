//! Sends a ticket to another queue, by hand.

use super::check_etag;
use crate::domain::context::{Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::{Definition, TransferPlacement, permits};
use crate::domain::{Micros, Precondition, PreconditionKind as Kind, Refusal, Role, State, Ticket, text, workflow};

#[derive(Debug, Clone)]
pub struct TransferTicket {
    pub ticket: i64,
    /// Its id.
    pub queue: String,
    pub reason: String,
    pub etag: String,
}

impl TransferTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        self.decide_with(set, context, text::required)
    }

    /// With another rule for the reason.
    pub(super) fn decide_with(
        &self,
        set: &WorkingSet,
        context: &Context<'_>,
        check_reason: fn(&mut Violations, &str, &str, usize),
    ) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        check_role(context, "transferring a ticket", &rules.transfer().roles)?;
        let mut violations = Violations::default();
        check_queue(&mut violations, rules, &self.queue);
        check_reason(&mut violations, "reason", &self.reason, text::REASON_MAX);
        violations.settle()?;
        let failures = self.objections(rules, context, before);
        if !failures.is_empty() {
            let ticket = context.ticket_name(before.id);
            return Err(Refusal::TransferRefused { ticket, queue: self.queue.clone(), failures });
        }
        let mut after = Ticket::clone(before);
        after.more.hand_placed = true;
        send(rules, &mut after, &self.queue, context.now);
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        Ok(Decision::of_ticket(TicketChange { reason: self.reason.clone(), ..TicketChange::new(before, after) }))
    }

    /// What stands against it, all at once.
    fn objections(&self, rules: &Definition, context: &Context<'_>, ticket: &Ticket) -> Vec<Precondition> {
        let mut failures = Vec::new();
        let mut object =
            |kind, subject: String, description| failures.push(Precondition { kind, subject, description });
        let name = context.ticket_name(ticket.id);
        if ticket.state == State::Closed {
            object(
                Kind::Status,
                name.clone(),
                format!("the status `{}` is closed; a closed ticket stays", ticket.status),
            );
        }
        if ticket.queue == self.queue {
            object(Kind::Queue, name.clone(), format!("it is in the queue `{}` already", ticket.queue));
        }
        let leads_to = rules.queue(&ticket.queue).map_or(&[][..], |queue| &queue.transfers_to);
        if ticket.queue != self.queue && !leads_to.is_empty() && !leads_to.contains(&self.queue) {
            let listed = text::listed(leads_to.iter().map(String::as_str));
            object(Kind::Queue, name.clone(), format!("from the queue `{}` it goes only to: {listed}", ticket.queue));
        }
        let is_agents = context.actor.role == Role::Agent && rules.transfer().claimed_only;
        if is_agents && ticket.assignee != context.actor.subject {
            object(Kind::Assignee, name, "an agent transfers only a ticket that it has; claim it first".to_owned());
        }
        failures
    }
}

/// A queue that takes tickets.
pub(super) fn check_queue(violations: &mut Violations, rules: &Definition, id: &str) {
    let open = || text::listed(rules.queues().iter().filter(|queue| !queue.retired).map(|queue| queue.id.as_str()));
    match rules.queue(id) {
        Some(queue) if !queue.retired => {}
        Some(_) => violations.add("queue", format!("the queue `{id}` is retired; there are {}", open())),
        None if id.is_empty() => violations.add("queue", format!("is required: one of {}", open())),
        None => violations.add("queue", format!("there is no queue {}; there are {}", text::shown(id), open())),
    }
}

/// Refuses all but these roles of the staff.
pub(super) fn check_role(context: &Context<'_>, what: &str, roles: &[Role]) -> Result<(), Refusal> {
    context.staff_only(what)?;
    if permits(roles, context.actor.role) {
        return Ok(());
    }
    Err(Refusal::RoleNotAllowed { what: what.to_owned(), role: context.actor.role, allowed: roles.to_vec() })
}

/// Sends a ticket to another queue as the helpdesk's policy says: whose it is then, and its place.
pub(super) fn send(rules: &Definition, ticket: &mut Ticket, queue: &str, now: Micros) {
    if !rules.transfer().keep_assignee {
        ticket.assignee.clear();
    }
    queue.clone_into(&mut ticket.queue);
    match rules.transfer().placement {
        TransferPlacement::Requeue => ticket.queue_time = Some(now),
        TransferPlacement::KeepPlace => {}
    }
}
