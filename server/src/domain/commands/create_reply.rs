//! Adds a reply or a note, with the transition that it names or sets off.

use std::collections::BTreeMap;

use super::check_etag;
use super::update_ticket::{check_missing, route_again};
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::{Definition, ReplyPolicy, Trigger};
use crate::domain::survey::SurveyToken;
use crate::domain::{Refusal, Reply, ReplyKind, Role, Ticket, canned, fields, text, workflow};

#[derive(Debug, Clone)]
pub struct CreateReply {
    pub ticket: i64,
    pub kind: ReplyKind,
    pub body: String,
    pub solution: String,
    /// A MANUAL transition to take instead of one that the reply would set off; empty: none.
    pub transition: String,
    pub etag: String,
    /// Set before a canned response is filled in and guards are looked at; an empty value removes.
    pub fields: BTreeMap<String, String>,
    /// The id of the one that the body is put behind; empty: none.
    pub canned_response: String,
    /// For a survey link in a canned response; None where there is none to fill in.
    pub survey_token: Option<SurveyToken>,
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
        self.set_fields(rules, context, before, &mut after)?;
        let reply = Reply {
            ticket: before.id,
            id: i64::from(before.replies.all()) + 1,
            author: context.actor.subject.clone(),
            author_role: context.actor.role,
            kind: self.kind,
            body: self.whole_body(rules, context, &after)?,
            solution: self.solution.clone(),
            create_time: context.now,
            revision,
            canned_response: self.canned_response.clone(),
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
        Ok(Decision { tickets: vec![change], answer, ..Decision::default() })
    }

    fn check(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        if self.canned_response.is_empty() {
            text::required(&mut violations, "reply.body", &self.body, text::BODY_MAX);
        } else {
            text::optional(&mut violations, "reply.body", &self.body, text::BODY_MAX);
        }
        text::optional(&mut violations, "reply.solution", &self.solution, text::BODY_MAX);
        violations.settle()?;
        if self.kind == ReplyKind::Note {
            context.staff_only("writing a note")?;
        }
        if !self.solution.is_empty() {
            context.staff_only("giving a solution")?;
        }
        if !self.canned_response.is_empty() {
            context.staff_only("replying with a canned response")?;
        }
        if !self.transition.is_empty() {
            context.staff_only("naming a transition in a reply")?;
        }
        Ok(())
    }

    fn set_fields(
        &self,
        rules: &Definition,
        context: &Context<'_>,
        before: &Ticket,
        after: &mut Ticket,
    ) -> Result<(), Refusal> {
        if self.fields.is_empty() {
            return Ok(());
        }
        let mut violations = Violations::default();
        fields::set(&mut violations, context, rules, "fields", &self.fields, after);
        if self.transition.is_empty() {
            check_missing(&mut violations, context, rules, before, after);
        }
        violations.settle()?;
        route_again(rules, context, before, after);
        Ok(())
    }

    /// With a canned response, its text for the ticket as the fields leave it, and below it what was written.
    fn whole_body(&self, rules: &Definition, context: &Context<'_>, ticket: &Ticket) -> Result<String, Refusal> {
        if self.canned_response.is_empty() {
            return Ok(self.body.clone());
        }
        let canned = canned::filled_in(context, rules, &self.canned_response, ticket, self.survey_token.as_ref())?;
        let body = if self.body.trim().is_empty() { canned } else { format!("{}\n\n{}", canned.trim_end(), self.body) };
        let mut violations = Violations::default();
        text::required(&mut violations, "reply.body", &body, text::BODY_MAX);
        violations.settle()?;
        Ok(body)
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
        if self.kind == ReplyKind::Public {
            ticket.more.last_canned_response.clone_from(&self.canned_response);
        }
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
