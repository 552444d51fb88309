//! Takes an escalation: the ticket goes on, or a child does.

use std::sync::Arc;

use super::check_etag;
use super::create_ticket::{fill_defaults, uuid_of};
use super::transfer_ticket::{check_role, send};
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::{Definition, Escalation, EscalationMode};
use crate::domain::links::LINKS_MAX;
use crate::domain::more::{Link, LinkKind, More};
use crate::domain::{Precondition, PreconditionKind as Kind, Refusal, Role, State, Ticket, text, workflow};

#[derive(Debug, Clone, Default)]
pub struct EscalateTicket {
    pub ticket: i64,
    /// Its id.
    pub escalation: String,
    pub reason: String,
    /// Empty: the only one that there is to choose.
    pub queue: String,
    /// Of the child; empty: the ticket's.
    pub subject: String,
    /// Of the child; empty: the ticket's.
    pub body: String,
    pub etag: String,
}

impl EscalateTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        context.staff_only("escalating a ticket")?;
        let (escalation, queue) = self.checked(rules, before)?;
        check_role(context, &format!("the escalation `{}`", escalation.id), &escalation.roles)?;
        let child = match escalation.mode {
            EscalationMode::Move => None,
            EscalationMode::Child => Some(self.child(rules, set, context, before, queue)),
        };
        Self::check_way(rules, context, escalation, before, queue, child.as_ref())?;
        let mut after = Ticket::clone(before);
        if let Some(child) = &child {
            after.more.links.push(Link { kind: LinkKind::Child, ticket: child.id, same_requester: true });
            after.more.links.sort();
        } else {
            after.assignee.clear();
            after.more.hand_placed = true;
            send(rules, &mut after, queue, context.now);
        }
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        let change = TicketChange { reason: self.reason.clone(), ..TicketChange::new(before, after) };
        let ticket = Arc::clone(&change.after);
        let Some(mut child) = child else {
            let answer = Answer::Escalated { ticket, child: None };
            return Ok(Decision { tickets: vec![change], answer, ..Decision::default() });
        };
        let number = (!rules.number_on_claim()).then(|| set.next_number(rules));
        if let Some((_, text)) = &number {
            child.number.clone_from(text);
        }
        let child = Arc::new(child);
        let body = if self.body.is_empty() { set.bodies.get(&before.id) } else { Some(&self.body) };
        let filed = TicketChange {
            before: None,
            after: Arc::clone(&child),
            body: body.cloned().unwrap_or_default(),
            reply: None,
            reason: self.reason.clone(),
            transition: String::new(),
            notifications: Vec::new(),
            attachments: Vec::new(),
            imported: None,
        };
        Ok(Decision {
            tickets: vec![change, filed],
            number: number.map(|(number, _)| number),
            answer: Answer::Escalated { ticket, child: Some(child) },
            ..Decision::default()
        })
    }

    /// The escalation and the queue that are asked for, or everything that is wrong with the request.
    fn checked<'d>(&self, rules: &'d Definition, ticket: &Ticket) -> Result<(&'d Escalation, &'d str), Refusal> {
        let mut violations = Violations::default();
        text::required(&mut violations, "reason", &self.reason, text::REASON_MAX);
        if !self.subject.is_empty() {
            text::line(&mut violations, "subject", &self.subject, text::SUBJECT_MAX);
        }
        if !self.body.is_empty() {
            text::required(&mut violations, "body", &self.body, text::BODY_MAX);
        }
        let Some(escalation) = rules.escalation(&self.escalation) else {
            let known = text::listed(rules.escalations().iter().map(|escalation| escalation.id.as_str()));
            let known =
                if known.is_empty() { "this helpdesk has none".to_owned() } else { format!("there are {known}") };
            violations.add("escalation", format!("there is no escalation {}; {known}", text::shown(&self.escalation)));
            return Err(violations.into());
        };
        let is_move = escalation.mode == EscalationMode::Move;
        let open = escalation.queues.iter().filter(|queue| !is_move || **queue != ticket.queue);
        let queue = match (self.queue.as_str(), open.collect::<Vec<_>>().as_slice()) {
            ("", [only]) => Some(*only),
            // Where it leads the ticket is already: that is what is wrong.
            ("", []) => escalation.queues.first(),
            ("", _) => None,
            (given, _) => escalation.queues.iter().find(|queue| *queue == given),
        };
        if queue.is_none() {
            let listed = text::listed(escalation.queues.iter().map(String::as_str));
            let wrong = match self.queue.as_str() {
                "" => "is required".to_owned(),
                other => format!("`{}` does not lead to {}", escalation.id, text::shown(other)),
            };
            violations.add("queue", format!("{wrong}: one of {listed}"));
        }
        for (field, given) in [("subject", !self.subject.is_empty()), ("body", !self.body.is_empty())] {
            if is_move && given {
                violations.add(field, format!("is for a child, and `{}` makes none; leave it empty", escalation.id));
            }
        }
        match queue {
            Some(queue) if violations.is_empty() => Ok((escalation, queue)),
            Some(_) | None => Err(violations.into()),
        }
    }

    /// What the second tier works on: the same case, for the same requester.
    fn child(
        &self,
        rules: &Definition,
        set: &WorkingSet,
        context: &Context<'_>,
        parent: &Ticket,
        queue: &str,
    ) -> Ticket {
        let status = rules.initial_status();
        let subject = if self.subject.is_empty() { &parent.subject } else { &self.subject };
        let mut fields = parent.fields.clone();
        fill_defaults(rules, &mut fields, |id| parent.fields.contains_key(id));
        let mut child = Ticket {
            id: set.last_ticket + 1,
            uid: uuid_of(context.random),
            subject: subject.trim().to_owned(),
            channel: parent.channel.clone(),
            fields,
            tags: parent.tags.clone(),
            cc: parent.cc.clone(),
            priority: parent.priority.clone(),
            status: status.id.clone(),
            state: status.state,
            queue: queue.to_owned(),
            receive_time: context.now,
            queue_time: Some(context.now),
            create_time: context.now,
            update_time: context.now,
            revision: set.last_revision + 1,
            more: More {
                links: vec![Link { kind: LinkKind::Parent, ticket: parent.id, same_requester: true }],
                hand_placed: true,
                ..More::default()
            },
            ..Ticket::unfiled(parent.requester.clone())
        };
        workflow::settle(rules, &mut child, set.last_revision + 1, context.now);
        child
    }

    /// Whether the escalation leads on from where the ticket is; if not, everything that stands against it.
    fn check_way(
        rules: &Definition,
        context: &Context<'_>,
        escalation: &Escalation,
        ticket: &Ticket,
        queue: &str,
        child: Option<&Ticket>,
    ) -> Result<(), Refusal> {
        let mut failures = Vec::new();
        let name = context.ticket_name(ticket.id);
        let mut object = |kind, subject: &str, description| {
            failures.push(Precondition { kind, subject: subject.to_owned(), description });
        };
        if ticket.state == State::Closed {
            object(Kind::Status, &name, format!("the status `{}` is closed; a closed ticket stays", ticket.status));
        } else if !escalation.from_statuses.is_empty() && !escalation.from_statuses.contains(&ticket.status) {
            let listed = text::listed(escalation.from_statuses.iter().map(String::as_str));
            object(Kind::Status, &name, format!("it leads on from: {listed}; not from `{}`", ticket.status));
        }
        if !escalation.from_queues.is_empty() && !escalation.from_queues.contains(&ticket.queue) {
            let listed = text::listed(escalation.from_queues.iter().map(String::as_str));
            object(Kind::Queue, &name, format!("it leads on from the queues: {listed}; not from `{}`", ticket.queue));
        }
        if child.is_none() && ticket.queue == queue {
            object(Kind::Queue, &name, format!("it is in the queue `{queue}` already"));
        }
        let is_agents = context.actor.role == Role::Agent && rules.transfer().claimed_only;
        if child.is_none() && is_agents && ticket.assignee != context.actor.subject {
            object(Kind::Assignee, &name, "an agent sends on only a ticket that it has; claim it first".to_owned());
        }
        let facts = context.facts(ticket);
        for guard in escalation.guards.iter().filter(|guard| !guard.holds(&facts)) {
            object(Kind::Guard, &escalation.id, guard.message.clone());
        }
        if child.is_some() && ticket.more.links.len() >= LINKS_MAX {
            object(Kind::Links, &name, format!("it has {LINKS_MAX} links, which is all that a ticket has"));
        }
        for field in child.map(|child| workflow::missing_fields(context, rules, child)).unwrap_or_default() {
            let why = format!("the field `{field}` must have a value, which the child takes over");
            object(Kind::RequiredField, &format!("fields.{field}"), why);
        }
        if failures.is_empty() {
            return Ok(());
        }
        Err(Refusal::EscalationRefused { ticket: name, escalation: escalation.id.clone(), failures })
    }
}
