//! Gives a ticket to a member of the staff, or back to its queue.

use super::check_etag;
use super::claim_ticket::{check_eligible, give, not_closed};
use crate::domain::context::{Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::{Precondition, PreconditionKind as Kind, Refusal, Role, Ticket, text, workflow};

#[derive(Debug, Clone)]
pub struct AssignTicket {
    pub ticket: i64,
    /// The subject of who shall have it; empty: nobody.
    pub assignee: String,
    pub reason: String,
    pub etag: String,
}

impl AssignTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        context.staff_only("assigning a ticket")?;
        self.check(context)?;
        if before.assignee == self.assignee {
            return Ok(Decision::unchanged(before));
        }
        let may_take_away = context.actor.role != Role::Agent;
        if !before.assignee.is_empty() && before.assignee != context.actor.subject && !may_take_away {
            let ticket = context.ticket_name(before.id);
            return Err(Refusal::AlreadyClaimed { ticket, assignee: before.assignee.clone() });
        }
        not_closed(context, before, "a closed ticket is not assigned")?;
        if self.assignee.is_empty() {
            let mut after = Ticket::clone(before);
            after.assignee.clear();
            after.queue_time = Some(context.now);
            workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
            let change = TicketChange { reason: self.reason.clone(), ..TicketChange::new(before, after) };
            return Ok(Decision::of_ticket(change));
        }
        if self.assignee == context.actor.subject {
            check_eligible(rules, set, &self.assignee, before)?;
        } else {
            self.check_agent(set)?;
        }
        let mut decision = give(rules, set, context, before, &self.assignee);
        // A ticket that is linked with it comes behind.
        if let Some(change) = decision.tickets.first_mut() {
            change.reason.clone_from(&self.reason);
        }
        Ok(decision)
    }

    fn check(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        if !self.assignee.is_empty() {
            text::line(&mut violations, "assignee", &self.assignee, text::SUBJECT_OF_KEY_MAX);
            let subject = self.assignee.trim();
            if subject != self.assignee && !subject.is_empty() {
                violations.add("assignee", format!("has spaces around it; write {}", text::shown(subject)));
            }
        }
        text::optional(&mut violations, "reason", &self.reason, text::REASON_MAX);
        violations.settle()?;
        let is_anothers = !self.assignee.is_empty() && self.assignee != context.actor.subject;
        if is_anothers && context.actor.role == Role::Agent {
            return Err(Refusal::RoleNotAllowed {
                what: "assigning a ticket to somebody else".to_owned(),
                role: context.actor.role,
                allowed: vec![Role::Supervisor, Role::Service, Role::Admin],
            });
        }
        Ok(())
    }

    /// Where agents are registered, only they are given tickets, whatever their queues and skills: who assigns knows why. Of the
    /// past it is told who had it, also where they have left.
    fn check_agent(&self, set: &WorkingSet) -> Result<(), Refusal> {
        let (kind, description) = match set.agents.get(&self.assignee) {
            _ if set.is_apart => return Ok(()),
            Some(agent) if agent.active => return Ok(()),
            None if !set.has_agents => return Ok(()),
            Some(agent) => (Kind::AgentActive, format!("the agent `{}` is not active", agent.id)),
            None => (Kind::Agent, "there are agents, and this is the subject of none of them".to_owned()),
        };
        let failures = vec![Precondition { kind, subject: self.assignee.clone(), description }];
        Err(Refusal::AgentNotEligible { subject: self.assignee.clone(), failures })
    }
}
