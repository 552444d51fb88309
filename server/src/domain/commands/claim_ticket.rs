//! Takes a ticket that waits: exactly one claimer wins.

use std::sync::Arc;

use super::check_etag;
use crate::domain::context::{Context, Decision, TicketChange, WorkingSet};
use crate::domain::definition::{Definition, Trigger};
use crate::domain::{Agent, Precondition, PreconditionKind as Kind, Refusal, State, Ticket, text, workflow};

#[derive(Debug, Clone)]
pub struct ClaimTicket {
    pub ticket: i64,
    pub etag: String,
}

impl ClaimTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        context.staff_only("claiming a ticket")?;
        if before.assignee == context.actor.subject {
            return Ok(Decision::unchanged(before));
        }
        if !before.assignee.is_empty() {
            return Err(Refusal::AlreadyClaimed {
                ticket: context.ticket_name(before.id),
                assignee: before.assignee.clone(),
            });
        }
        not_closed(context, before, "a closed ticket is not claimed")?;
        check_eligible(rules, set, &context.actor.subject, before)?;
        Ok(give(rules, set, context, before, &context.actor.subject))
    }
}

pub(super) fn not_closed(context: &Context<'_>, ticket: &Ticket, what: &str) -> Result<(), Refusal> {
    if ticket.state != State::Closed {
        return Ok(());
    }
    let subject = context.ticket_name(ticket.id);
    let description = format!("the status `{}` is closed; {what}", ticket.status);
    let failures = vec![Precondition { kind: Kind::Status, subject, description }];
    Err(Refusal::TicketNotReady { ticket: context.ticket_name(ticket.id), failures })
}

/// Whether a subject may take a ticket: one that is not registered as an agent may take any. Of the past no agents are loaded: who
/// took it has taken it.
pub(super) fn check_eligible(
    rules: &Definition,
    set: &WorkingSet,
    subject: &str,
    ticket: &Ticket,
) -> Result<(), Refusal> {
    let Some(agent) = set.agents.get(subject) else { return Ok(()) };
    check_works(agent, &ticket.queue)?;
    if agent.has_skill_for(rules, ticket) {
        return Ok(());
    }
    let needed = rules.skills_for(ticket);
    let needed = text::listed(needed.iter().map(String::as_str));
    let description = format!("it needs one of the skills {needed}; the agent has: {}", agent.skills.join(", "));
    let failures = vec![Precondition { kind: Kind::AgentSkill, subject: subject.to_owned(), description }];
    Err(Refusal::AgentNotEligible { subject: subject.to_owned(), failures })
}

/// Whether an agent takes tickets from a queue.
pub(super) fn check_works(agent: &Agent, queue: &str) -> Result<(), Refusal> {
    let mut failures = Vec::new();
    let mut object =
        |kind, description| failures.push(Precondition { kind, subject: agent.subject.clone(), description });
    if !agent.active {
        object(Kind::AgentActive, format!("the agent `{}` is not active, and takes no tickets", agent.id));
    }
    if !agent.works(queue) {
        let own = text::listed(agent.queues.iter().map(String::as_str));
        object(Kind::AgentQueue, format!("the agent `{}` works the queues {own}; not `{queue}`", agent.id));
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(Refusal::AgentNotEligible { subject: agent.subject.clone(), failures })
}

/// What any claim does, and any assignment.
pub(super) fn give(
    rules: &Definition,
    set: &WorkingSet,
    context: &Context<'_>,
    before: &Arc<Ticket>,
    assignee: &str,
) -> Decision {
    let mut after = Ticket::clone(before);
    assignee.clone_into(&mut after.assignee);
    let number = workflow::number(set, rules, &mut after);
    let taken = workflow::take_triggered(set, context, rules, Trigger::Claim, &mut after);
    // An effect that gives a ticket to who sets it off means who gets it, also where somebody else gave it to them.
    if after.assignee == context.actor.subject {
        assignee.clone_into(&mut after.assignee);
    }
    workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
    let decision = Decision::of_ticket(TicketChange::new(before, after)).with(taken);
    Decision { number, ..decision }
}
