//! Files a ticket.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attach::attach;
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::{ExternalRef, Refusal, Role, Ticket, duplicates, fields, requester, text, workflow};

#[derive(Debug, Clone, Default)]
pub struct CreateTicket {
    /// Empty: the caller's own address, when it is a requester.
    pub requester: String,
    pub subject: String,
    pub body: String,
    pub channel: String,
    pub fields: BTreeMap<String, String>,
    pub tags: Vec<String>,
    pub cc: Vec<String>,
    pub external_refs: Vec<ExternalRef>,
    pub priority: String,
    pub solution: String,
    /// The ids of uploads that become attachments.
    pub uploads: Vec<String>,
    /// It is told by who imports it: what is for the staff to give may then be on it, whoever filed it.
    pub imported: bool,
}

impl CreateTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let (mut ticket, number) = self.file(set, context)?;
        requester::admit(rules, set, context, &ticket.requester)?;
        if rules.refuses_duplicates()
            && let Some(first) = set.repeated_by(&ticket, &self.body)
        {
            return Err(Refusal::DuplicateTicket { first: context.ticket_name(first) });
        }
        let attached = attach(&self.uploads, set, context, rules, &mut ticket, None)?;
        let mut change = TicketChange::created(ticket, self.body.clone());
        change.attachments = attached.attachments;
        let answer = Answer::Ticket(Arc::clone(&change.after));
        Ok(Decision { tickets: vec![change], number, uploads: attached.uploads, answer, ..Decision::default() })
    }

    /// The new ticket, in its queue and with its number, and how that is counted if it was given.
    pub(super) fn file(&self, set: &WorkingSet, context: &Context<'_>) -> Result<(Ticket, Option<i64>), Refusal> {
        let rules = context.rules()?;
        let (ticket, number) = self.checked(rules, set, context)?;
        for reference in &ticket.external_refs {
            if let Some(other) = set.external_refs.get(reference) {
                let ExternalRef { source, id } = reference.clone();
                return Err(Refusal::ExternalRefExists { source, id, ticket: context.ticket_name(*other) });
            }
        }
        Ok((ticket, number))
    }

    /// What stands for its text in look-ups; None when it has no requester, and is refused.
    pub(super) fn digest(&self, rules: &Definition) -> Option<String> {
        let requester = text::email(&self.requester)?;
        Some(duplicates::digest(rules.compares(), &requester, &self.subject, &self.body))
    }

    /// The ticket in its first status and queue and with its number, or everything that is wrong with it.
    fn checked(
        &self,
        rules: &Definition,
        set: &WorkingSet,
        context: &Context<'_>,
    ) -> Result<(Ticket, Option<i64>), Refusal> {
        let mut violations = Violations::default();
        let status = rules.initial_status();
        let requester = self.checked_requester(&mut violations, context);
        let mut ticket = Ticket {
            id: set.last_ticket + 1,
            uid: uuid_of(context.random),
            subject: self.subject.trim().to_owned(),
            channel: self.channel.clone(),
            tags: fields::tags(&mut violations, "ticket.tags", &self.tags),
            cc: fields::cc(&mut violations, rules, "ticket.cc", &self.cc).unwrap_or_default(),
            external_refs: fields::external_refs(&mut violations, "ticket.external_refs", &self.external_refs),
            priority: fields::priority(&mut violations, rules, "ticket.priority", &self.priority),
            status: status.id.clone(),
            state: status.state,
            solution: self.solution.clone(),
            receive_time: context.now,
            queue_time: Some(context.now),
            create_time: context.now,
            update_time: context.now,
            revision: set.last_revision + 1,
            ..Ticket::unfiled(requester)
        };
        text::line(&mut violations, "ticket.subject", &self.subject, text::SUBJECT_MAX);
        text::required(&mut violations, "ticket.body", &self.body, text::BODY_MAX);
        text::optional(&mut violations, "ticket.solution", &self.solution, text::BODY_MAX);
        if !self.channel.is_empty() && !text::is_id(&self.channel, "_-") {
            violations.add(
                "ticket.channel",
                format!("{} is not a channel; write it like `email` or `web-form`", text::shown(&self.channel)),
            );
        }
        if context.actor.role == Role::Requester && !self.imported {
            for (field, given) in [
                ("ticket.tags", !self.tags.is_empty()),
                ("ticket.external_refs", !self.external_refs.is_empty()),
                ("ticket.solution", !self.solution.is_empty()),
            ] {
                if given {
                    violations.add(field, "is for the staff to give; leave it empty");
                }
            }
        }
        if !self.priority.is_empty() && !self.imported {
            fields::check_priority(&mut violations, context, rules, "ticket.priority");
        }
        self.set_fields(&mut violations, set, context, rules, &mut ticket);
        workflow::keep_mandatory_cc(rules, &mut ticket);
        let routed = rules.route(&ticket, context.actor);
        (ticket.queue, ticket.priority) = (routed.queue, routed.priority);
        let number = (!rules.number_on_claim()).then(|| set.next_number(rules));
        if let Some((_, text)) = &number {
            ticket.number.clone_from(text);
        }
        // Last: what must not be empty may depend on any of it.
        self.check_missing(&mut violations, context, rules, &ticket);
        violations.settle()?;
        ticket.queue_key = rules.queue_key(&ticket);
        Ok((ticket, number.map(|(number, _)| number)))
    }

    /// Requesters file for themselves.
    pub(super) fn check_role(&self, context: &Context<'_>) -> Result<(), Refusal> {
        if context.actor.role.is_staff() {
            return Ok(());
        }
        let mut violations = Violations::default();
        self.checked_requester(&mut violations, context);
        violations.settle()
    }

    fn checked_requester(&self, violations: &mut Violations, context: &Context<'_>) -> String {
        let is_requester = context.actor.role == Role::Requester;
        if self.requester.is_empty() && is_requester {
            return context.actor.subject.clone();
        }
        if self.requester.is_empty() {
            violations.add("ticket.requester", "is required: the e-mail address of whose case it is");
            return String::new();
        }
        let Some(address) = text::email(&self.requester) else {
            violations.add("ticket.requester", fields::not_an_address(&self.requester));
            return String::new();
        };
        if is_requester && address != context.actor.subject {
            let own = &context.actor.subject;
            violations.add(
                "ticket.requester",
                format!("{} is not the address of this key, which files for {own}", text::shown(&address)),
            );
        }
        address
    }

    fn set_fields(
        &self,
        violations: &mut Violations,
        set: &WorkingSet,
        context: &Context<'_>,
        rules: &Definition,
        ticket: &mut Ticket,
    ) {
        let path = "ticket.fields";
        let unfiled = Ticket::unfiled(ticket.requester.clone());
        fields::set(violations, context, rules, path, &self.fields, &unfiled, ticket);
        if !self.imported {
            fields::check_agents(violations, set, rules, path, &unfiled, ticket);
        }
        let is_given = |id: &str| self.fields.get(id).is_some_and(|value| !value.is_empty());
        fill_defaults(rules, &mut ticket.fields, is_given);
    }

    fn check_missing(&self, violations: &mut Violations, context: &Context<'_>, rules: &Definition, ticket: &Ticket) {
        for field in workflow::missing_fields(context, rules, ticket) {
            // A value that was given and refused is told about already.
            if !self.fields.contains_key(field) {
                let what = "is required for this ticket and has no value";
                fields::missing(violations, context, rules, "ticket.fields", field, what);
            }
        }
    }
}

/// Gives a new ticket the default values of the fields for which it comes without any.
pub(super) fn fill_defaults(
    rules: &Definition,
    fields: &mut BTreeMap<String, String>,
    is_given: impl Fn(&str) -> bool,
) {
    for field in rules.fields() {
        if !is_given(&field.id) && !field.default_value.is_empty() && !field.retired {
            fields.insert(field.id.clone(), field.default_value.clone());
        }
    }
}

/// RFC 9562, 5.4: a UUID of version 4 from random bits.
pub(super) fn uuid_of(random: u128) -> String {
    let uuid = uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid();
    uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).to_owned()
}
