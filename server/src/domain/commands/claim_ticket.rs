//! Takes a ticket that waits: exactly one claimer wins.

use std::sync::Arc;

use super::check_etag;
use crate::domain::context::{Context, Decision, TicketChange, WorkingSet};
use crate::domain::definition::{Definition, Trigger};
use crate::domain::{Precondition, Refusal, State, Ticket, workflow};

#[derive(Debug, Clone)]
pub struct ClaimTicket {
    pub ticket: i64,
    pub etag: String,
}

impl ClaimTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        context.staff_only("claiming a ticket")?;
        if before.assignee == context.actor.subject {
            return Ok(Decision::unchanged(before));
        }
        if !before.assignee.is_empty() {
            return Err(Refusal::AlreadyClaimed {
                ticket: context.ticket_name(before.id),
                assignee: before.assignee.clone(),
            });
        }
        if before.state == State::Closed {
            return Err(Refusal::TicketNotReady {
                ticket: context.ticket_name(before.id),
                failures: vec![Precondition {
                    kind: "STATUS",
                    subject: context.ticket_name(before.id),
                    description: format!("the status `{}` is closed; a closed ticket is not claimed", before.status),
                }],
            });
        }
        Ok(claim(rules, set, context, before))
    }
}

/// What any claim does.
pub(super) fn claim(rules: &Definition, set: &WorkingSet, context: &Context<'_>, before: &Arc<Ticket>) -> Decision {
    let mut after = Ticket::clone(before);
    after.assignee.clone_from(&context.actor.subject);
    let number = after.number.is_empty().then(|| set.next_number(rules));
    if let Some((_, text)) = &number {
        after.number.clone_from(text);
    }
    let taken = workflow::take_triggered(context, rules, Trigger::Claim, &mut after);
    workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
    let change = TicketChange::new(before, after).with(taken);
    Decision { number: number.map(|(number, _)| number), ..Decision::of_ticket(change) }
}
