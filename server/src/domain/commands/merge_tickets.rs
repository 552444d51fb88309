//! Merges tickets into the one that was received first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::check_etag;
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::{Definition, MergePolicy};
use crate::domain::{LinkKind, Precondition, PreconditionKind, Refusal, State, Ticket, links, text, workflow};

#[derive(Debug, Clone)]
pub struct MergeTickets {
    /// The first, which stays.
    pub ticket: i64,
    pub duplicates: Vec<i64>,
    pub reason: String,
    pub etag: String,
}

impl MergeTickets {
    pub const MOST: usize = 50;

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let first = set.ticket(self.ticket, context)?;
        for id in &self.duplicates {
            set.ticket(*id, context)?;
        }
        check_etag(context, first, &self.etag)?;
        context.staff_only("merging tickets")?;
        self.check()?;
        let Some(policy) = rules.merge_policy() else {
            let why =
                "cannot take others in: the helpdesk's definition has no `merge_policy`, which would say where they go";
            return Err(Refusal::MergeRefused { failures: vec![failure(context, first, why)] });
        };
        let merged_before = |id: &&i64| !set.tickets.get(id).is_some_and(|ticket| is_merged_into(ticket, first));
        let open: BTreeSet<i64> = self.duplicates.iter().filter(merged_before).copied().collect();
        if open.is_empty() {
            return Ok(Decision::unchanged(first));
        }
        self.settle(rules, policy, set, context, first, &open)
    }

    fn check(&self) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        let count = self.duplicates.len();
        if count == 0 || count > Self::MOST {
            violations.add("duplicates", format!("has {count} tickets; 1 to {} are taken", Self::MOST));
        }
        let mut seen = BTreeSet::new();
        for (place, id) in self.duplicates.iter().enumerate() {
            if *id == self.ticket {
                violations
                    .add(format!("duplicates[{place}]"), "is the ticket itself, which cannot be merged into itself");
            } else if !seen.insert(*id) {
                violations.add(format!("duplicates[{place}]"), "is named twice");
            }
        }
        text::optional(&mut violations, "reason", &self.reason, text::REASON_MAX);
        violations.settle()
    }

    /// Everything in one revision: the first, then those that are merged into it in the order of receipt.
    fn settle(
        &self,
        rules: &Definition,
        policy: &MergePolicy,
        set: &WorkingSet,
        context: &Context<'_>,
        first: &Arc<Ticket>,
        open: &BTreeSet<i64>,
    ) -> Result<Decision, Refusal> {
        let revision = set.last_revision + 1;
        let mut failures = Vec::new();
        if first.state == State::Closed {
            let status = &first.status;
            failures.push(failure(
                context,
                first,
                &format!("is closed, with the status `{status}`; reopen it, or merge into another"),
            ));
        }
        let mut kept = Ticket::clone(first);
        let mut merged = Vec::new();
        for id in open {
            let before = set.ticket(*id, context)?;
            let against = objections(policy, context, first, before);
            let unlinkable = links::objections(set, context, &kept, LinkKind::Duplicate, before);
            for failure in against.into_iter().chain(unlinkable) {
                // What is against the first is so for each of them.
                if !failures.contains(&failure) {
                    failures.push(failure);
                }
            }
            let mut after = Ticket::clone(before);
            after.more.merged_into = Some(first.id);
            links::bind(&mut kept, LinkKind::Duplicate, &mut after);
            if let Some(status) = rules.status(&policy.status) {
                workflow::close(status, &mut after, context.now);
            }
            workflow::settle(rules, &mut after, revision, context.now);
            merged.push(self.change(before, after));
        }
        if !failures.is_empty() {
            return Err(Refusal::MergeRefused { failures });
        }
        workflow::settle(rules, &mut kept, revision, context.now);
        let kept = self.change(first, kept);
        let answer = Answer::Ticket(Arc::clone(&kept.after));
        Ok(Decision { tickets: std::iter::once(kept).chain(merged).collect(), answer, ..Decision::default() })
    }

    fn change(&self, before: &Arc<Ticket>, after: Ticket) -> TicketChange {
        TicketChange { reason: self.reason.clone(), ..TicketChange::new(before, after) }
    }
}

fn is_merged_into(ticket: &Ticket, first: &Ticket) -> bool {
    links::merged_into(ticket) == Some(first.id)
}

/// What is against merging one ticket into the first, besides its links.
fn objections(policy: &MergePolicy, context: &Context<'_>, first: &Ticket, ticket: &Ticket) -> Vec<Precondition> {
    let mut failures = Vec::new();
    let mut object = |description: &str| failures.push(failure(context, ticket, description));
    if ticket.state == State::Closed {
        object(&format!("is closed, with the status `{}`; link it as a duplicate instead", ticket.status));
    }
    if (ticket.receive_time, ticket.id) < (first.receive_time, first.id) {
        let first = context.ticket_name(first.id);
        object(&format!("was received before {first}; merge into the one that was received first"));
    }
    if ticket.requester != first.requester && !policy.across_requesters {
        object("is another requester's, and this helpdesk merges those of one requester only");
    }
    failures
}

fn failure(context: &Context<'_>, ticket: &Ticket, description: &str) -> Precondition {
    let subject = context.ticket_name(ticket.id);
    Precondition { kind: PreconditionKind::Merge, description: format!("{subject} {description}"), subject }
}

/// The requester of a merged ticket goes on with the one that it was merged into.
pub(super) fn check_reply(set: &WorkingSet, context: &Context<'_>, ticket: &Ticket) -> Result<(), Refusal> {
    if context.actor.role.is_staff() {
        return Ok(());
    }
    let Some(first) = links::worked_on_instead(set, ticket) else { return Ok(()) };
    // Of somebody else's ticket nothing is told.
    let first = set.ticket(first, context).is_ok().then(|| context.ticket_name(first));
    Err(Refusal::TicketMerged { ticket: context.ticket_name(ticket.id), first })
}
