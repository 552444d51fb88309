//! Notes that the staff have read a ticket.

use super::check_etag;
use crate::domain::context::{Context, Decision, TicketChange, WorkingSet};
use crate::domain::definition::Trigger;
use crate::domain::{Refusal, Ticket, workflow};

#[derive(Debug, Clone)]
pub struct MarkTicketRead {
    pub ticket: i64,
    pub etag: String,
}

impl MarkTicketRead {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        context.staff_only("marking a ticket as read")?;
        if before.more.read_time.is_some() {
            return Ok(Decision::unchanged(before));
        }
        let mut after = Ticket::clone(before);
        after.more.read_time = Some(context.now);
        let taken = workflow::take_triggered(set, context, rules, Trigger::Read, &mut after);
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        Ok(Decision::of_ticket(TicketChange::new(before, after)).with(taken))
    }
}
