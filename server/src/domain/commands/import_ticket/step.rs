//! One thing that happened, decided by the command that does it in live use.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::update_ticket::{check_missing, route_again};
use super::super::{AssignTicket, CreateReply, Needs, TransferTicket, UpdateTicket};
use crate::domain::context::{Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::{Definition, Transition};
use crate::domain::{Refusal, Ticket, Violation, fields, text, workflow};

/// The tickets of the commands are not looked at: each is about the one that is imported.
#[derive(Debug, Clone)]
pub enum HistoryStep {
    Status(StatusStep),
    Transfer(TransferTicket),
    Assignment(AssignTicket),
    Update(UpdateTicket),
    Reply(CreateReply),
}

/// The ticket came to a status, or was said to stand in it.
#[derive(Debug, Clone, Default)]
pub struct StatusStep {
    /// Its id; may be empty where a transition is named.
    pub status: String,
    /// Its id; empty: whichever leads there.
    pub transition: String,
    /// Set before the guards are looked at; an empty value removes.
    pub fields: BTreeMap<String, String>,
    /// Empty: as it is.
    pub solution: String,
    pub reason: String,
}

impl HistoryStep {
    /// As the event calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Transfer(_) => "transfer",
            Self::Assignment(_) => "assignment",
            Self::Update(_) => "update",
            Self::Reply(_) => "reply",
        }
    }

    /// What does it in live use.
    pub(super) fn command(&self) -> &'static str {
        match self {
            Self::Status(_) => "TransitionTicket",
            Self::Transfer(_) => "TransferTicket",
            Self::Assignment(_) => "AssignTicket",
            Self::Update(_) => "UpdateTicket",
            Self::Reply(_) => "CreateReply",
        }
    }

    pub(super) fn touch(&self, needs: &mut Needs) {
        if let Self::Update(update) = self {
            needs.references(update.external_refs.as_deref().unwrap_or_default());
        }
    }

    /// What it comes to; what changes nothing may have no change.
    pub(super) fn decide(
        &self,
        set: &WorkingSet,
        context: &Context<'_>,
        ticket: &Arc<Ticket>,
    ) -> Result<Decision, Refusal> {
        let id = ticket.id;
        match self {
            Self::Status(step) => step.decide(set, context, ticket),
            // A log that says so again is right.
            Self::Transfer(transfer) if transfer.queue == ticket.queue => Ok(Decision::unchanged(ticket)),
            Self::Transfer(transfer) => {
                TransferTicket { ticket: id, ..transfer.clone() }.decide_with(set, context, text::optional)
            }
            Self::Assignment(assign) => AssignTicket { ticket: id, ..assign.clone() }.decide(set, context),
            Self::Update(update) => UpdateTicket { ticket: id, ..update.clone() }.decide(set, context),
            Self::Reply(reply) => CreateReply { ticket: id, ..reply.clone() }.decide(set, context),
        }
    }

    /// A refusal with the paths of the event.
    pub(super) fn at(&self, refusal: Refusal) -> Refusal {
        let Refusal::Invalid(violations) = refusal else { return refusal };
        let name = self.name();
        let at = |Violation { field, description }: Violation| {
            let within = field.strip_prefix("reply.").filter(|_| name == "reply").unwrap_or(&field);
            Violation::new(format!("{name}.{within}"), description)
        };
        Refusal::Invalid(violations.into_iter().map(at).collect())
    }
}

impl StatusStep {
    fn decide(&self, set: &WorkingSet, context: &Context<'_>, before: &Arc<Ticket>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let mut after = Ticket::clone(before);
        let mut violations = Violations::default();
        fields::set(&mut violations, context, rules, "fields", &self.fields, before, &mut after);
        text::optional(&mut violations, "solution", &self.solution, text::BODY_MAX);
        text::optional(&mut violations, "reason", &self.reason, text::REASON_MAX);
        self.check(&mut violations, rules);
        violations.settle()?;
        if !self.solution.is_empty() {
            context.staff_only("giving a solution")?;
            after.solution.clone_from(&self.solution);
        }
        let transition = self.transition(set, context, rules, &after)?;
        let taken = transition.map(|transition| workflow::take(set, context, rules, transition, &mut after));
        if taken.is_none() {
            let mut violations = Violations::default();
            route_again(rules, set, context, before, &mut after);
            check_missing(&mut violations, context, rules, "fields", before, &after);
            violations.settle()?;
        }
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        let change = TicketChange { reason: self.reason.clone(), ..TicketChange::new(before, after) };
        Ok(Decision::of_ticket(change).with(taken))
    }

    fn check(&self, violations: &mut Violations, rules: &Definition) {
        let known = || text::listed(rules.statuses().iter().map(|status| status.id.as_str()));
        let Self { status, transition, .. } = self;
        if status.is_empty() && transition.is_empty() {
            violations.add("status", format!("is required: one of {}", known()));
        } else if !status.is_empty() && rules.status(status).is_none() {
            violations.add("status", format!("there is no status {}; there are {}", text::shown(status), known()));
        }
        if transition.is_empty() {
            return;
        }
        match rules.transition(transition) {
            None => violations.add("transition", format!("there is no transition {}", text::shown(transition))),
            Some(named) if !status.is_empty() && named.to != *status => violations.add(
                "transition",
                format!("`{transition}` leads to the status `{}`, not to `{status}`: name one of the two", named.to),
            ),
            Some(_) => {}
        }
    }

    /// None where the ticket stands where it is said to.
    fn transition<'d>(
        &self,
        set: &WorkingSet,
        context: &Context<'_>,
        rules: &'d Definition,
        ticket: &Ticket,
    ) -> Result<Option<&'d Transition>, Refusal> {
        match rules.transition(&self.transition) {
            Some(named) => workflow::recorded(set, context, rules, named, ticket).map(Some),
            None => workflow::leading_to(set, context, rules, &self.status, ticket),
        }
    }
}
