//! How tickets move: what a transition needs, and what it does.

use super::context::Context;
use super::definition::{Definition, Transition, Trigger};
use super::{Micros, Precondition, Refusal, State, Ticket};

/// Why the caller may not take a transition on a ticket as the command would leave it; empty when it may.
pub fn objections(
    context: &Context<'_>,
    rules: &Definition,
    transition: &Transition,
    ticket: &Ticket,
) -> Vec<Precondition> {
    let mut failures = Vec::new();
    if !transition.permits(context.actor.role) {
        let allowed: Vec<_> = transition.roles.iter().map(|role| role.word()).collect();
        failures.push(Precondition {
            kind: "ROLE",
            subject: transition.id.clone(),
            description: format!("the role {} may not take it; {} may", context.actor.role.word(), allowed.join(", ")),
        });
    }
    let facts = context.facts(ticket);
    for guard in &transition.guards {
        if !guard.holds(&facts) {
            failures.push(Precondition {
                kind: "GUARD",
                subject: transition.id.clone(),
                description: guard.message.clone(),
            });
        }
    }
    if rules.status(&transition.to).is_some_and(|status| status.retired) {
        failures.push(Precondition {
            kind: "STATUS",
            subject: transition.id.clone(),
            description: format!("the status `{}` is retired and takes no tickets any more", transition.to),
        });
    }
    let (missing, for_staff) = missing_to(context, rules, transition, ticket);
    for field in missing {
        failures.push(Precondition {
            kind: "REQUIRED_FIELD",
            description: format!("the field `{field}` must have a value in the status `{}`", transition.to),
            subject: format!("fields.{field}"),
        });
    }
    if for_staff {
        failures.push(Precondition {
            kind: "REQUIRED_FIELD",
            description: format!("the staff must fill in something before the status `{}`", transition.to),
            subject: transition.id.clone(),
        });
    }
    failures
}

/// The fields that a transition requires and that are empty, as far as the actor may know of them, and whether there are
/// others.
fn missing_to<'d>(
    context: &Context<'_>,
    rules: &'d Definition,
    transition: &Transition,
    ticket: &Ticket,
) -> (Vec<&'d str>, bool) {
    let mut missing = missing_fields(context, rules, &moved(rules, transition, ticket));
    let all = missing.len();
    if !context.actor.role.is_staff() {
        missing.retain(|id| rules.field(id).is_some_and(|field| !field.staff_only));
    }
    let for_staff = missing.len() < all;
    (missing, for_staff)
}

/// The required fields that are empty.
pub fn missing_fields<'d>(context: &Context<'_>, rules: &'d Definition, ticket: &Ticket) -> Vec<&'d str> {
    let required = rules
        .fields()
        .iter()
        .filter(|field| field.required_when.is_some() && ticket.fields.get(&field.id).is_none_or(String::is_empty));
    let mut facts = None;
    let mut missing = Vec::new();
    for field in required {
        let facts = facts.get_or_insert_with(|| context.facts(ticket));
        if field.required_when.as_ref().is_some_and(|condition| condition.holds(facts)) {
            missing.push(field.id.as_str());
        }
    }
    missing
}

/// The transition that an event sets off: the first that leads from the status and to which nothing objects.
pub fn triggered<'d>(
    context: &Context<'_>,
    rules: &'d Definition,
    trigger: Trigger,
    ticket: &Ticket,
) -> Option<&'d Transition> {
    rules
        .transitions_from(&ticket.status)
        .filter(|transition| transition.trigger == trigger)
        .find(|transition| objections(context, rules, transition, ticket).is_empty())
}

/// The MANUAL transition that the caller names, if it leads from the ticket's status and nothing objects.
pub fn named<'d>(
    context: &Context<'_>,
    rules: &'d Definition,
    id: &str,
    ticket: &Ticket,
) -> Result<&'d Transition, Refusal> {
    let refused = |failures| Refusal::TransitionRefused {
        ticket: context.ticket_name(ticket.id),
        transition: id.to_owned(),
        failures,
    };
    let leads_on: Vec<_> = rules
        .transitions_from(&ticket.status)
        .filter(|transition| transition.trigger == Trigger::Manual)
        .map(|transition| transition.id.as_str())
        .collect();
    let leads_on = super::text::listed(leads_on.into_iter());
    let leads_on = if leads_on.is_empty() { "none does".to_owned() } else { format!("{leads_on} do") };
    let Some(transition) = rules.transition(id) else {
        return Err(Refusal::Invalid(vec![super::Violation::new(
            "transition",
            format!(
                "there is no transition {}; from the status `{}`, {leads_on}",
                super::text::shown(id),
                ticket.status
            ),
        )]));
    };
    let objection = |kind, description| Precondition { kind, subject: id.to_owned(), description };
    if transition.trigger != Trigger::Manual {
        return Err(refused(vec![objection("TRIGGER", "it happens by itself and cannot be asked for".to_owned())]));
    }
    if !transition.leads_from(&ticket.status) {
        let description = format!("it does not lead from the status `{}`; {leads_on}", ticket.status);
        return Err(refused(vec![objection("STATUS", description)]));
    }
    match objections(context, rules, transition, ticket) {
        failures if failures.is_empty() => Ok(transition),
        failures => Err(refused(failures)),
    }
}

/// Takes a transition: the status, and what goes with it.
pub fn take(rules: &Definition, transition: &Transition, ticket: &mut Ticket, now: Micros) {
    enter(rules, &transition.to, ticket, now);
}

/// Comes to a status, by a transition or without one.
pub fn enter(rules: &Definition, status: &str, ticket: &mut Ticket, now: Micros) {
    let Some(status) = rules.status(status) else { return };
    ticket.status.clone_from(&status.id);
    let was_closed = ticket.state == State::Closed;
    ticket.state = status.state;
    match (was_closed, status.state == State::Closed) {
        (false, true) => ticket.close_time = Some(now),
        (true, false) => {
            ticket.close_time = None;
            // It queues anew, behind those that waited all along.
            ticket.queue_time = Some(now);
        }
        (false, false) | (true, true) => {}
    }
}

fn moved(rules: &Definition, transition: &Transition, ticket: &Ticket) -> Ticket {
    let mut ticket = ticket.clone();
    take(rules, transition, &mut ticket, 0);
    ticket
}

/// Settles what follows from a change: the place in the queue, the revision and the time.
pub fn settle(rules: &Definition, ticket: &mut Ticket, revision: i64, now: Micros) {
    ticket.queue_key = rules.queue_key(ticket);
    ticket.revision = revision;
    ticket.update_time = now;
}

/// Whether a caller may take a transition, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub allowed: bool,
    pub role_allowed: bool,
    /// Each guard's message, and whether it holds.
    pub guards: Vec<(String, bool)>,
    /// The ids of the fields that would be required and are empty, as far as the actor may know of them.
    pub missing_fields: Vec<String>,
}

/// Explains a transition for the ticket as it stands.
pub fn explain(context: &Context<'_>, rules: &Definition, transition: &Transition, ticket: &Ticket) -> Explanation {
    let facts = context.facts(ticket);
    let (missing, _) = missing_to(context, rules, transition, ticket);
    Explanation {
        allowed: objections(context, rules, transition, ticket).is_empty(),
        role_allowed: transition.permits(context.actor.role),
        guards: transition.guards.iter().map(|guard| (guard.message.clone(), guard.holds(&facts))).collect(),
        missing_fields: missing.into_iter().map(str::to_owned).collect(),
    }
}
