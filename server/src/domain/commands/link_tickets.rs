//! Links a ticket to another.

use std::sync::Arc;

use super::check_etag;
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::{Link, LinkKind, Refusal, Ticket, links, text, workflow};

#[derive(Debug, Clone)]
pub struct LinkTickets {
    pub ticket: i64,
    pub other: i64,
    /// What the other is to this one.
    pub kind: LinkKind,
    pub reason: String,
    pub etag: String,
}

impl LinkTickets {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let before = pair(set, context, self.ticket, self.other, &self.reason, &self.etag)?;
        let Pair { one, other } = &before;
        let is_there = |link: &Link| link.kind == self.kind && link.ticket == other.id;
        if one.more.links.iter().any(is_there) {
            return Ok(Decision::unchanged(one));
        }
        let failures = links::objections(set, context, one, self.kind, other);
        if !failures.is_empty() {
            return Err(Refusal::LinkRefused { ticket: context.ticket_name(one.id), failures });
        }
        let (mut after, mut other_after) = (Ticket::clone(one), Ticket::clone(other));
        links::bind(&mut after, self.kind, &mut other_after);
        before.settle(set, context, after, other_after, &self.reason)
    }
}

/// The two tickets of a link, as they are before it changes.
pub(super) struct Pair<'s> {
    pub(super) one: &'s Arc<Ticket>,
    pub(super) other: &'s Arc<Ticket>,
}

/// Two tickets that the caller may link, or unlink.
pub(super) fn pair<'s>(
    set: &'s WorkingSet,
    context: &Context<'_>,
    ticket: i64,
    other: i64,
    reason: &str,
    etag: &str,
) -> Result<Pair<'s>, Refusal> {
    let one = set.ticket(ticket, context)?;
    let other = set.ticket(other, context)?;
    check_etag(context, one, etag)?;
    context.staff_only("linking and unlinking tickets")?;
    let mut violations = Violations::default();
    if one.id == other.id {
        violations.add("other_ticket", "is the ticket itself; name another one");
    }
    text::optional(&mut violations, "reason", reason, text::REASON_MAX);
    violations.settle()?;
    Ok(Pair { one, other })
}

impl Pair<'_> {
    /// Both change in one revision; the one that was named first is the answer.
    pub(super) fn settle(
        &self,
        set: &WorkingSet,
        context: &Context<'_>,
        mut one: Ticket,
        mut other: Ticket,
        reason: &str,
    ) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        for ticket in [&mut one, &mut other] {
            workflow::settle(rules, ticket, set.last_revision + 1, context.now);
        }
        let change = |before: &Arc<Ticket>, after: Ticket| TicketChange {
            reason: reason.to_owned(),
            ..TicketChange::new(before, after)
        };
        let one = change(self.one, one);
        let answer = Answer::Ticket(Arc::clone(&one.after));
        Ok(Decision { tickets: vec![one, change(self.other, other)], answer, ..Decision::default() })
    }
}
