//! Takes a transition that the caller names.

use std::collections::BTreeMap;

use super::check_etag;
use crate::domain::context::{Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::{Refusal, Ticket, fields, text, workflow};

#[derive(Debug, Clone, Default)]
pub struct TransitionTicket {
    pub ticket: i64,
    pub transition: String,
    /// Set before the guards are looked at; an empty value removes.
    pub fields: BTreeMap<String, String>,
    pub comment: String,
    /// Empty: as it is.
    pub solution: String,
    pub etag: String,
}

impl TransitionTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        let mut after = Ticket::clone(before);
        let mut violations = Violations::default();
        fields::set(&mut violations, context, rules, "fields", &self.fields, before, &mut after);
        fields::check_agents(&mut violations, set, rules, "fields", before, &after);
        text::optional(&mut violations, "comment", &self.comment, text::REASON_MAX);
        text::optional(&mut violations, "solution", &self.solution, text::BODY_MAX);
        if self.transition.is_empty() {
            violations.add("transition", "is required: the id of a transition of the helpdesk's definition");
        }
        violations.settle()?;
        if !self.solution.is_empty() {
            context.staff_only("giving a solution")?;
            after.solution.clone_from(&self.solution);
        }
        let transition = workflow::named(set, context, rules, &self.transition, &after)?;
        let taken = workflow::take(set, context, rules, transition, &mut after);
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        let change = TicketChange { reason: self.comment.clone(), ..TicketChange::new(before, after) };
        Ok(Decision::of_ticket(change).with(Some(taken)))
    }
}
