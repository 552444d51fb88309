//! Takes a link off two tickets.

use super::link_tickets::pair;
use crate::domain::context::{Context, Decision, WorkingSet};
use crate::domain::{LinkKind, Refusal, Ticket, links};

#[derive(Debug, Clone)]
pub struct UnlinkTickets {
    pub ticket: i64,
    pub other: i64,
    /// What the other is to this one; None: whatever it is.
    pub kind: Option<LinkKind>,
    pub reason: String,
    pub etag: String,
}

impl UnlinkTickets {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let before = pair(set, context, self.ticket, self.other, &self.reason, &self.etag)?;
        let (mut after, mut other_after) = (Ticket::clone(before.one), Ticket::clone(before.other));
        if !links::unbind(&mut after, self.kind, &mut other_after) {
            return Ok(Decision::unchanged(before.one));
        }
        before.settle(set, context, after, other_after, &self.reason)
    }
}
