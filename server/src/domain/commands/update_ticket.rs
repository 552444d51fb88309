//! Changes the fields of a ticket that a mask names.

use std::collections::BTreeMap;

use super::check_etag;
use super::transfer_ticket::send;
use crate::domain::context::{Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::{ExternalRef, Refusal, Role, State, Ticket, fields, text, workflow};

/// A part is present when the mask names it.
#[derive(Debug, Clone, Default)]
pub struct UpdateTicket {
    pub ticket: i64,
    pub subject: Option<String>,
    pub priority: Option<String>,
    pub tags: Option<Vec<String>>,
    pub cc: Option<Vec<String>>,
    pub external_refs: Option<Vec<ExternalRef>>,
    pub solution: Option<String>,
    /// The fields to set; an empty value removes.
    pub fields: BTreeMap<String, String>,
    /// Whether `fields` are all that the ticket shall have, so that the others are removed.
    pub all_fields: bool,
    pub etag: String,
    pub reason: String,
}

impl UpdateTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        self.check_role(context)?;
        let mut after = Ticket::clone(before);
        self.change(rules, set, context, before, &mut after)?;
        for reference in &after.external_refs {
            if let Some(other) = set.external_refs.get(reference).filter(|other| **other != before.id) {
                let ExternalRef { source, id } = reference.clone();
                return Err(Refusal::ExternalRefExists { source, id, ticket: context.ticket_name(*other) });
            }
        }
        if after == **before {
            return Ok(Decision::unchanged(before));
        }
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        let change = TicketChange { reason: self.reason.clone(), ..TicketChange::new(before, after) };
        Ok(Decision::of_ticket(change))
    }

    /// Requesters keep their addresses and what they may set; the rest of a ticket is the staff's.
    fn check_role(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let Self {
            ticket: _, subject, priority, tags, cc: _, external_refs, solution, fields: _, all_fields: _, ..
        } = self;
        let staffs = [
            ("subject", subject.is_some()),
            ("priority", priority.is_some()),
            ("tags", tags.is_some()),
            ("external_refs", external_refs.is_some()),
            ("solution", solution.is_some()),
        ];
        for (field, named) in staffs {
            if named {
                context.staff_only(&format!("changing `{field}`"))?;
            }
        }
        Ok(())
    }

    fn change(
        &self,
        rules: &Definition,
        set: &WorkingSet,
        context: &Context<'_>,
        before: &Ticket,
        after: &mut Ticket,
    ) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        if let Some(subject) = &self.subject {
            text::line(&mut violations, "ticket.subject", subject, text::SUBJECT_MAX);
            subject.trim().clone_into(&mut after.subject);
        }
        if let Some(priority) = self.priority.as_ref().filter(|priority| **priority != before.priority) {
            fields::check_priority(&mut violations, context, rules, "ticket.priority");
            after.priority = fields::priority(&mut violations, rules, "ticket.priority", priority);
        }
        if let Some(tags) = &self.tags {
            after.tags = fields::tags(&mut violations, "ticket.tags", tags);
        }
        if let Some(cc) = &self.cc
            && let Some(cc) = fields::cc(&mut violations, rules, "ticket.cc", cc)
        {
            after.cc = cc;
            fields::keeps_mandatory_cc(&mut violations, rules, "ticket.cc", before, after);
        }
        if let Some(refs) = &self.external_refs {
            after.external_refs = fields::external_refs(&mut violations, "ticket.external_refs", refs);
        }
        if let Some(solution) = &self.solution {
            text::optional(&mut violations, "ticket.solution", solution, text::BODY_MAX);
            after.solution.clone_from(solution);
        }
        text::optional(&mut violations, "reason", &self.reason, text::REASON_MAX);
        fields::set(
            &mut violations,
            context,
            rules,
            "ticket.fields",
            &self.wanted_fields(rules, context, before),
            before,
            after,
        );
        fields::check_agents(&mut violations, set, rules, "ticket.fields", before, after);
        route_again(rules, set, context, before, after);
        check_missing(&mut violations, context, rules, "ticket.fields", before, after);
        violations.settle()
    }

    /// What to set: with `fields` in the mask, also the removal of what is not named and the caller can see.
    fn wanted_fields(&self, rules: &Definition, context: &Context<'_>, before: &Ticket) -> BTreeMap<String, String> {
        let mut wanted = self.fields.clone();
        if self.all_fields {
            let seen =
                |id: &str| context.actor.role.is_staff() || rules.field(id).is_some_and(|field| !field.staff_only);
            for id in before.fields.keys().filter(|id| seen(id)) {
                wanted.entry(id.clone()).or_default();
            }
        }
        wanted
    }
}

/// What is required and was there stays there. Of the ticket in the queue to which it goes.
pub(super) fn check_missing(
    violations: &mut Violations,
    context: &Context<'_>,
    rules: &Definition,
    path: &str,
    before: &Ticket,
    after: &Ticket,
) {
    let missing_before = workflow::missing_fields(context, rules, before);
    for field in workflow::missing_fields(context, rules, after) {
        if !missing_before.contains(&field) {
            let what = "is required for this ticket and would be empty";
            fields::missing(violations, context, rules, path, field, what);
        }
    }
}

/// A ticket whose new values a routing rule looks at goes where they lead, as a transfer would send it; one that somebody
/// placed by hand stays. A requester takes it from nobody, and of the past it is told by itself who had it.
pub(super) fn route_again(
    rules: &Definition,
    set: &WorkingSet,
    context: &Context<'_>,
    before: &Ticket,
    after: &mut Ticket,
) {
    let fields = before.fields.keys().chain(after.fields.keys());
    let routed_by_field = fields
        .filter(|id| before.fields.get(*id) != after.fields.get(*id))
        .any(|id| rules.routes_by(&format!("fields.{id}")));
    let looked_at = routed_by_field
        || (before.priority != after.priority && rules.routes_by("priority"))
        || (before.subject != after.subject && rules.routes_by("subject"))
        || (before.tags != after.tags && rules.routes_by("tags"))
        || (before.cc != after.cc && rules.routes_by("cc"))
        || (before.solution != after.solution && rules.routes_by("solution"));
    if !looked_at || after.state == State::Closed || after.more.hand_placed {
        return;
    }
    let queue = rules.route(after, context.actor).queue;
    if queue != after.queue {
        let has = after.assignee.clone();
        send(rules, after, &queue, context.now);
        if context.actor.role == Role::Requester || set.is_apart {
            after.assignee = has;
        }
    }
}
