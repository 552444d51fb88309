//! Adds a reply or a note, with the transition that it names or sets off.

use std::collections::BTreeMap;

use super::attach::{With, attach};
use super::merge_tickets::check_reply;
use super::update_ticket::{check_missing, route_again};
use super::{ClaimTicket, check_etag};
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::definition::{Definition, Facts, ReplyPolicy, Trigger};
use crate::domain::survey::SurveyToken;
use crate::domain::workflow::{self, Taken};
use crate::domain::{
    LastReply, Precondition, PreconditionKind, Refusal, Reply, ReplyKind, ReplySummary, Role, Ticket, canned, fields,
    text,
};

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
        if self.may_claim() && rules.empty_reply_claims() && context.actor.role.replies_as_staff() {
            return self.claim(set, context, before);
        }
        self.check(context)?;
        check_reply(set, context, before)?;
        let warning = Self::check_policy(rules, context, before)?;
        let revision = set.last_revision + 1;

        let mut after = Ticket::clone(before);
        self.set_fields(rules, set, context, before, &mut after)?;
        let body = self.whole_body(rules, context, &after)?;
        self.check_rules(rules, context, before, &body)?;
        let id = i64::from(before.replies.all()) + 1;
        let with = With { reply: id, note: self.kind == ReplyKind::Note };
        let attached = attach(&self.uploads, set, context, rules, &mut after, Some(with))?;
        let reply = Reply {
            ticket: before.id,
            id,
            author: context.actor.subject.clone(),
            author_role: context.actor.role,
            kind: self.kind,
            body,
            solution: self.solution.clone(),
            create_time: context.now,
            revision,
            attachments: attached.attachments,
            canned_response: self.canned_response.clone(),
        };
        self.count(context, &mut after);
        let taken = self.transition(rules, set, context, &mut after)?;
        workflow::settle(rules, &mut after, revision, context.now);
        let change = TicketChange { reply: Some(reply.clone()), ..TicketChange::new(before, after) };
        let answer = Answer::Reply { reply: Box::new(reply), warning };
        let decision = Decision { tickets: vec![change], uploads: attached.uploads, answer, ..Decision::default() };
        Ok(decision.with(taken))
    }

    /// Whether there is nothing in it, so that it can be meant as a claim.
    pub fn may_claim(&self) -> bool {
        self.kind == ReplyKind::Public
            && self.body.trim().is_empty()
            && self.solution.is_empty()
            && self.transition.is_empty()
            && self.uploads.is_empty()
            && self.canned_response.is_empty()
            && self.fields.is_empty()
    }

    /// An empty reply claims what waits; who comes too late is told who has it.
    fn claim(&self, set: &WorkingSet, context: &Context<'_>, ticket: &Ticket) -> Result<Decision, Refusal> {
        if ticket.assignee.is_empty() && !ticket.waits() {
            let mut violations = Violations::default();
            violations.add(
                "reply.body",
                format!(
                    "is empty, which claims a ticket that waits; in the status `{}` this one does not wait: write 1 to {} characters",
                    ticket.status,
                    text::BODY_MAX,
                ),
            );
            violations.settle()?;
        }
        ClaimTicket { ticket: self.ticket, etag: String::new() }.decide(set, context)
    }

    fn check(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        if self.canned_response.is_empty() {
            text::required(&mut violations, "reply.body", &self.body, text::BODY_MAX);
        } else {
            text::optional(&mut violations, "reply.body", &self.body, text::BODY_MAX);
        }
        text::optional(&mut violations, "reply.solution", &self.solution, text::BODY_MAX);
        if self.kind == ReplyKind::Note && !self.solution.is_empty() {
            let wrong =
                "a note is the staff's alone, and a solution is shown to the requester: give it in a public reply";
            violations.add("reply.solution", wrong);
        }
        violations.settle()?;
        self.check_role(context)
    }

    pub(super) fn check_role(&self, context: &Context<'_>) -> Result<(), Refusal> {
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
        set: &WorkingSet,
        context: &Context<'_>,
        before: &Ticket,
        after: &mut Ticket,
    ) -> Result<(), Refusal> {
        if self.fields.is_empty() {
            return Ok(());
        }
        let mut violations = Violations::default();
        fields::set(&mut violations, context, rules, "fields", &self.fields, before, after);
        fields::check_agents(&mut violations, set, rules, "fields", before, after);
        route_again(rules, set, context, before, after);
        if self.transition.is_empty() {
            check_missing(&mut violations, context, rules, "fields", before, after);
        }
        violations.settle()
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
                leads_to: workflow::leads_to(rules, &status.id),
            }),
        }
    }

    /// What the helpdesk asks of replies by the author's role.
    fn check_rules(
        &self,
        rules: &Definition,
        context: &Context<'_>,
        ticket: &Ticket,
        body: &str,
    ) -> Result<(), Refusal> {
        let mut for_the_role = rules
            .reply_rules()
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.roles.contains(&context.actor.role))
            .peekable();
        if for_the_role.peek().is_none() {
            return Ok(());
        }
        let summary = ReplySummary::new(self.kind, body, &self.solution, &self.transition);
        let facts = Facts::of_reply(ticket, context.actor, &summary);
        let failures: Vec<_> = for_the_role
            .filter(|(_, rule)| !rule.condition.holds(&facts))
            .map(|(place, rule)| Precondition {
                kind: PreconditionKind::ReplyRule,
                subject: format!("reply_rules[{place}]"),
                description: rule.message.clone(),
            })
            .collect();
        if failures.is_empty() {
            return Ok(());
        }
        Err(Refusal::ReplyRuleBroken { ticket: context.ticket_name(ticket.id), failures })
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
        if self.kind == ReplyKind::Public {
            let (role, solves) = (context.actor.role, !self.solution.is_empty());
            ticket.more.last_reply = Some(LastReply { role, time: context.now, solves });
        }
        if !self.solution.is_empty() {
            ticket.solution.clone_from(&self.solution);
        }
    }

    /// Takes the transition that it names, or the one that it sets off.
    fn transition(
        &self,
        rules: &Definition,
        set: &WorkingSet,
        context: &Context<'_>,
        ticket: &mut Ticket,
    ) -> Result<Option<Taken>, Refusal> {
        if !self.transition.is_empty() {
            let transition = workflow::named(set, context, rules, &self.transition, ticket)?;
            return Ok(Some(workflow::take(set, context, rules, transition, ticket)));
        }
        let trigger = match (self.kind, context.actor.role) {
            (ReplyKind::Public, Role::Service) => return Ok(None),
            (ReplyKind::Note, _) => Trigger::Note,
            (ReplyKind::Public, Role::Requester) => Trigger::RequesterReply,
            (ReplyKind::Public, Role::Agent | Role::Supervisor | Role::Admin) => Trigger::AgentReply,
        };
        Ok(workflow::take_triggered(set, context, rules, trigger, ticket))
    }
}
