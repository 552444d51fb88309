//! Adds a reply or a note, with the transition that it names or sets off.

use super::attach::{With, attach};
use super::check_etag;
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::{Definition, ReplyPolicy, Trigger};
use crate::domain::{Refusal, Reply, ReplyKind, Role, Ticket, text, workflow};

#[derive(Debug, Clone)]
pub struct CreateReply {
    pub ticket: i64,
    pub kind: ReplyKind,
    pub body: String,
    pub solution: String,
    /// A MANUAL transition to take instead of one that the reply would set off; empty: none.
    pub transition: String,
    pub etag: String,
    /// The ids of uploads that become attachments.
    pub uploads: Vec<String>,
}

impl CreateReply {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        self.check(context)?;
        let warning = Self::check_policy(rules, context, before)?;
        let revision = set.last_revision + 1;

        let mut after = Ticket::clone(before);
        let id = i64::from(before.replies.all()) + 1;
        let with = With { reply: id, note: self.kind == ReplyKind::Note };
        let attached = attach(&self.uploads, set, context, rules, &mut after, Some(with))?;
        let reply = Reply {
            ticket: before.id,
            id,
            author: context.actor.subject.clone(),
            author_role: context.actor.role,
            kind: self.kind,
            body: self.body.clone(),
            solution: self.solution.clone(),
            create_time: context.now,
            revision,
            attachments: attached.attachments,
        };
        self.count(context, &mut after);
        let transition = self.transition(rules, context, &after)?.map(|transition| {
            workflow::take(rules, transition, &mut after, context.now);
            transition.id.clone()
        });
        workflow::settle(rules, &mut after, revision, context.now);
        let change = TicketChange {
            reply: Some(reply.clone()),
            transition: transition.unwrap_or_default(),
            ..TicketChange::new(before, after)
        };
        let answer = Answer::Reply { reply: Box::new(reply), warning };
        Ok(Decision { tickets: vec![change], uploads: attached.uploads, answer, ..Decision::default() })
    }

    fn check(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        text::required(&mut violations, "reply.body", &self.body, text::BODY_MAX);
        text::optional(&mut violations, "reply.solution", &self.solution, text::BODY_MAX);
        violations.settle()?;
        if self.kind == ReplyKind::Note {
            context.staff_only("writing a note")?;
        }
        if !self.solution.is_empty() {
            context.staff_only("giving a solution")?;
        }
        if !self.transition.is_empty() {
            context.staff_only("naming a transition in a reply")?;
        }
        Ok(())
    }

    /// What the status says to a requester's reply.
    fn check_policy(rules: &Definition, context: &Context<'_>, ticket: &Ticket) -> Result<String, Refusal> {
        let Some(status) = rules.status(&ticket.status).filter(|_| context.actor.role == Role::Requester) else {
            return Ok(String::new());
        };
        match status.requester_reply {
            ReplyPolicy::Allow => Ok(String::new()),
            ReplyPolicy::Warn => Ok(status.requester_reply_message.clone()),
            ReplyPolicy::Refuse => Err(Refusal::ReplyRefused {
                ticket: context.ticket_name(ticket.id),
                status: status.id.clone(),
                message: status.requester_reply_message.clone(),
            }),
        }
    }

    fn count(&self, context: &Context<'_>, ticket: &mut Ticket) {
        let counts = &mut ticket.replies;
        match (self.kind, context.actor.role) {
            (ReplyKind::Note, _) => counts.notes += 1,
            (ReplyKind::Public, Role::Requester) => counts.requester += 1,
            (ReplyKind::Public, Role::Service) => counts.service += 1,
            (ReplyKind::Public, Role::Agent | Role::Supervisor | Role::Admin) => {
                counts.staff += 1;
                ticket.first_reply_time.get_or_insert(context.now);
            }
        }
        if !self.solution.is_empty() {
            ticket.solution.clone_from(&self.solution);
        }
    }

    fn transition<'d>(
        &self,
        rules: &'d Definition,
        context: &Context<'_>,
        ticket: &Ticket,
    ) -> Result<Option<&'d crate::domain::definition::Transition>, Refusal> {
        if !self.transition.is_empty() {
            return workflow::named(context, rules, &self.transition, ticket).map(Some);
        }
        let trigger = match (self.kind, context.actor.role) {
            (ReplyKind::Note, _) | (ReplyKind::Public, Role::Service) => return Ok(None),
            (ReplyKind::Public, Role::Requester) => Trigger::RequesterReply,
            (ReplyKind::Public, Role::Agent | Role::Supervisor | Role::Admin) => Trigger::AgentReply,
        };
        Ok(workflow::triggered(context, rules, trigger, ticket))
    }
}
