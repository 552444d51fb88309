//! How tickets move: what a transition needs, and what it does.

use std::borrow::Cow;
use std::sync::Arc;

use super::context::{Context, TicketChange, WorkingSet};
use super::definition::{self, Assignment, Condition, Definition, GuardRule, QueuePlace, Status, Transition, Trigger};
use super::{LastMove, Micros, Notification, Precondition, PreconditionKind as Kind, Refusal, State, Ticket, links};

/// Why the caller may not take a transition on a ticket as the command would leave it; empty when it may.
pub fn objections(
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &Definition,
    transition: &Transition,
    ticket: &Ticket,
) -> Vec<Precondition> {
    let mut failures = Vec::new();
    if !transition.permits(context.actor.role) {
        let allowed: Vec<_> = transition.roles.iter().map(|role| role.word()).collect();
        failures.push(Precondition {
            kind: Kind::Role,
            subject: transition.id.clone(),
            description: format!("the role {} may not take it; {} may", context.actor.role.word(), allowed.join(", ")),
        });
    }
    let facts = context.facts(ticket);
    for guard in told_guards(context, rules, transition) {
        if !guard.holds(&facts) {
            failures.push(Precondition {
                kind: Kind::Guard,
                subject: transition.id.clone(),
                description: guard.message.clone(),
            });
        }
    }
    if rules.status(&transition.to).is_some_and(|status| status.retired) {
        failures.push(Precondition {
            kind: Kind::Status,
            subject: transition.id.clone(),
            description: format!("the status `{}` is retired and takes no tickets any more", transition.to),
        });
    }
    failures.extend(not_active(set, context, transition, ticket));
    let (moved, unlinkable) = moved(set, context, rules, transition, ticket);
    failures.extend(for_actor(context, rules, transition, unlinkable));
    let (missing, for_staff) = missing_of(context, rules, transition, &moved);
    for field in missing {
        failures.push(Precondition {
            kind: Kind::RequiredField,
            description: format!("the field `{field}` must have a value in the status `{}`", transition.to),
            subject: format!("fields.{field}"),
        });
    }
    if for_staff {
        failures.push(Precondition {
            kind: Kind::RequiredField,
            description: format!("the staff must fill in something before the status `{}`", transition.to),
            subject: transition.id.clone(),
        });
    }
    failures
}

/// Whether the caller learns of all that is in the way of a transition: a requester who may not take it at all learns only of what
/// it sees anyway, and nothing of what is the staff's alone.
fn is_told_all(context: &Context<'_>, transition: &Transition) -> bool {
    let role = context.actor.role;
    role.is_staff() || transition.permits(role)
}

/// The guards that the caller learns of.
fn told_guards<'d>(
    context: &Context<'_>,
    rules: &'d Definition,
    transition: &'d Transition,
) -> impl Iterator<Item = &'d GuardRule> {
    let is_told_all = is_told_all(context, transition);
    transition.guards.iter().filter(move |guard| is_told_all || reads_shown(rules, &guard.condition))
}

/// Whether requesters see all that a condition reads.
fn reads_shown(rules: &Definition, condition: &Condition) -> bool {
    condition.paths().all(|path| is_shown(rules, path))
}

/// Whether requesters see what a condition reads.
pub(super) fn is_shown(rules: &Definition, path: &str) -> bool {
    match path.strip_prefix("fields.") {
        Some(id) => is_shown_field(rules, id),
        None => definition::is_shown(path),
    }
}

fn is_shown_field(rules: &Definition, id: &str) -> bool {
    rules.field(id).is_some_and(|field| !field.staff_only)
}

/// Why a link cannot be made, as far as the actor may know: the staff's tickets and fields are no requester's business.
fn for_actor(
    context: &Context<'_>,
    rules: &Definition,
    transition: &Transition,
    unlinkable: Vec<Precondition>,
) -> Vec<Precondition> {
    let Some(link) = transition.effects.link.as_ref().filter(|_| !unlinkable.is_empty()) else { return Vec::new() };
    if context.actor.role.is_staff() {
        return unlinkable;
    }
    let is_shown = is_shown_field(rules, &link.field);
    if !is_shown && !is_told_all(context, transition) {
        return Vec::new();
    }
    let description = if is_shown {
        format!("the field `{}` names no ticket that this one can be linked to", link.field)
    } else {
        "it links the ticket to another one, which only the staff can do as it stands".to_owned()
    };
    vec![Precondition { kind: Kind::Link, subject: transition.id.clone(), description }]
}

/// Why the ticket may not become the actor's, if the transition makes it that: agents who are not active take no tickets.
fn not_active(
    set: &WorkingSet,
    context: &Context<'_>,
    transition: &Transition,
    ticket: &Ticket,
) -> Option<Precondition> {
    let subject = &context.actor.subject;
    if transition.effects.assign != Assignment::Actor || ticket.assignee == *subject {
        return None;
    }
    let agent = set.agents.get(subject).filter(|agent| !agent.active)?;
    let description =
        format!("it gives the ticket to the agent `{}`, who is not active and takes no tickets", agent.id);
    Some(Precondition { kind: Kind::AgentActive, subject: subject.clone(), description })
}

/// The required fields that are empty after a transition, as far as the actor may know of them, and whether there are others that
/// it has to be told of.
fn missing_of<'d>(
    context: &Context<'_>,
    rules: &'d Definition,
    transition: &Transition,
    moved: &Ticket,
) -> (Vec<&'d str>, bool) {
    let mut missing = missing_fields(context, rules, moved);
    if context.actor.role.is_staff() {
        return (missing, false);
    }
    let all = missing.len();
    missing.retain(|id| is_shown_field(rules, id));
    let for_staff = missing.len() < all;
    if is_told_all(context, transition) {
        return (missing, for_staff);
    }
    let is_seen = |id: &str| {
        let condition = rules.field(id).and_then(|field| field.required_when.as_ref());
        condition.is_some_and(|condition| reads_shown(rules, condition))
    };
    missing.retain(|id| is_seen(id));
    (missing, false)
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
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &'d Definition,
    trigger: Trigger,
    ticket: &Ticket,
) -> Option<&'d Transition> {
    let facts = context.facts(ticket);
    let may = |transition: &&Transition| {
        transition.permits(context.actor.role) && transition.guards.iter().all(|guard| guard.holds(&facts))
    };
    rules
        .transitions_from(&ticket.status)
        .filter(|transition| transition.trigger == trigger)
        // First what costs little: only for what may be taken is it found out what would come of it.
        .filter(may)
        .find(|transition| objections(set, context, rules, transition, ticket).is_empty())
}

/// The MANUAL transition that the caller names, if it leads from the ticket's status and nothing objects.
pub fn named<'d>(
    set: &WorkingSet,
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
    let leads_on = || {
        let there = rules.transitions_from(&ticket.status);
        let asked_for = there.filter(|transition| transition.trigger == Trigger::Manual);
        let asked_for: Vec<_> = asked_for.map(|transition| transition.id.as_str()).collect();
        let count = asked_for.len();
        let listed = super::text::listed(asked_for.into_iter());
        match count {
            0 => "none does".to_owned(),
            1 => format!("{listed} does"),
            _ => format!("{listed} do"),
        }
    };
    let Some(transition) = rules.transition(id) else {
        return Err(Refusal::Invalid(vec![super::Violation::new(
            "transition",
            format!(
                "there is no transition {}; from the status `{}`, {}",
                super::text::shown(id),
                ticket.status,
                leads_on()
            ),
        )]));
    };
    let objection = |kind, description| Precondition { kind, subject: id.to_owned(), description };
    if transition.trigger != Trigger::Manual {
        return Err(refused(vec![objection(Kind::Trigger, "it happens by itself and cannot be asked for".to_owned())]));
    }
    if !transition.leads_from(&ticket.status) {
        let description = format!("it does not lead from the status `{}`; {}", ticket.status, leads_on());
        return Err(refused(vec![objection(Kind::Status, description)]));
    }
    match objections(set, context, rules, transition, ticket) {
        failures if failures.is_empty() => Ok(transition),
        failures => Err(refused(failures)),
    }
}

/// A transition that a record of the past names, whatever sets it off in live use.
pub fn recorded<'d>(
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &'d Definition,
    transition: &'d Transition,
    ticket: &Ticket,
) -> Result<&'d Transition, Refusal> {
    let failures = if transition.leads_from(&ticket.status) {
        objections(set, context, rules, transition, ticket)
    } else {
        let description = format!("`{}` does not lead from the status `{}`", transition.id, ticket.status);
        vec![Precondition { kind: Kind::Status, subject: transition.id.clone(), description }]
    };
    if failures.is_empty() {
        return Ok(transition);
    }
    let ticket = context.ticket_name(ticket.id);
    Err(Refusal::TransitionRefused { ticket, transition: transition.id.clone(), failures })
}

/// The transition that brought a ticket to a status: the first that leads there and to which nothing objects, those that can
/// be asked for before those that something sets off. None where there is none and the ticket stands there already.
pub fn leading_to<'d>(
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &'d Definition,
    status: &str,
    ticket: &Ticket,
) -> Result<Option<&'d Transition>, Refusal> {
    let there = || rules.transitions_from(&ticket.status).filter(|transition| transition.to == status);
    let asked_for = there().filter(|transition| transition.trigger == Trigger::Manual);
    let others = there().filter(|transition| transition.trigger != Trigger::Manual);
    let mut failures = Vec::new();
    for transition in asked_for.chain(others) {
        match objections(set, context, rules, transition, ticket) {
            none if none.is_empty() => return Ok(Some(transition)),
            mut found => failures.append(&mut found),
        }
    }
    if ticket.status == status {
        return Ok(None);
    }
    if failures.is_empty() {
        let on = leads_to(rules, &ticket.status);
        let on = if on.is_empty() { "nowhere".to_owned() } else { super::text::listed(on.iter().map(String::as_str)) };
        let description =
            format!("no transition leads from the status `{}` to `{status}`; it leads to: {on}", ticket.status);
        failures.push(Precondition { kind: Kind::Status, subject: status.to_owned(), description });
    }
    let (ticket, transition) = (context.ticket_name(ticket.id), format!("to {status}"));
    Err(Refusal::TransitionRefused { ticket, transition, failures })
}

/// A transition that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its id.
    pub transition: String,
    pub notifications: Vec<Notification>,
    /// The other ticket of a link that it made.
    pub linked: Option<TicketChange>,
    /// The human number that it gave, as it is counted.
    pub number: Option<i64>,
}

/// Takes a transition to which nothing objects: the status, what goes with it, and its effects.
pub fn take(
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &Definition,
    transition: &Transition,
    ticket: &mut Ticket,
) -> Taken {
    let notifications = step(context, rules, transition, ticket);
    let linked = match link(set, context, transition, ticket) {
        Ok(Some((other, mut after))) => {
            settle(rules, &mut after, set.last_revision + 1, context.now);
            Some(TicketChange::new(other, after))
        }
        Ok(None) | Err(_) => None,
    };
    // Which numbers are free was looked up for those that give.
    let gives = transition.effects.assign == Assignment::Actor;
    let number = if gives { number(set, rules, ticket) } else { None };
    Taken { transition: transition.id.clone(), notifications, linked, number }
}

/// Gives a ticket that is somebody's its human number, if it has none. How it is counted, if one was given.
pub fn number(set: &WorkingSet, rules: &Definition, ticket: &mut Ticket) -> Option<i64> {
    if ticket.assignee.is_empty() || !ticket.number.is_empty() {
        return None;
    }
    let (number, text) = set.next_number(rules);
    ticket.number = text;
    Some(number)
}

/// Links the ticket as the transition's effects say. The other ticket, before and after, if the link is new; or why there
/// can be none.
fn link<'s>(
    set: &'s WorkingSet,
    context: &Context<'_>,
    transition: &Transition,
    ticket: &mut Ticket,
) -> Result<Option<(&'s Arc<Ticket>, Ticket)>, Vec<Precondition>> {
    let Some(effect) = &transition.effects.link else { return Ok(None) };
    let Some(other) = links::named(set, context, effect, ticket)? else { return Ok(None) };
    let mut after = Ticket::clone(other);
    Ok(links::bind(ticket, effect.kind, &mut after).then_some((other, after)))
}

/// Moves a ticket, and does what the effects do to it alone.
fn step(context: &Context<'_>, rules: &Definition, transition: &Transition, ticket: &mut Ticket) -> Vec<Notification> {
    let mut reopens = false;
    if let Some(status) = rules.status(&transition.to) {
        if ticket.status != status.id {
            ticket.status.clone_from(&status.id);
            ticket.more.last_move = Some(LastMove {
                transition: transition.id.clone(),
                by: context.actor.subject.clone(),
                role: context.actor.role,
            });
        }
        let was_closed = ticket.state == State::Closed;
        ticket.state = status.state;
        match (was_closed, status.state == State::Closed) {
            (false, true) => ticket.close_time = Some(context.now),
            (true, false) => {
                ticket.close_time = None;
                ticket.more.merged_into = None;
                reopens = true;
            }
            (false, false) | (true, true) => {}
        }
    }
    let from = ticket.queue.clone();
    let notifications = transition.effects.apply(context, rules, ticket);
    let goes_last = match transition.effects.queue_place {
        QueuePlace::Usual => reopens || ticket.queue != from,
        QueuePlace::Keep => false,
        QueuePlace::Last => true,
    };
    if goes_last {
        ticket.queue_time = Some(context.now);
    }
    notifications
}

/// Closes a ticket without a transition, as a merge does.
pub fn close(status: &Status, ticket: &mut Ticket, now: Micros) {
    ticket.status.clone_from(&status.id);
    ticket.state = status.state;
    ticket.close_time.get_or_insert(now);
    ticket.more.last_move = None;
}

/// The statuses that tickets come to from a status, in the order of the definition.
pub fn leads_to(rules: &Definition, status: &str) -> Vec<String> {
    let mut statuses = Vec::new();
    for transition in rules.transitions_from(status) {
        if transition.to != status && !statuses.contains(&transition.to) {
            statuses.push(transition.to.clone());
        }
    }
    statuses
}

/// Takes the transition that an event sets off, if it sets one off.
pub fn take_triggered(
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &Definition,
    trigger: Trigger,
    ticket: &mut Ticket,
) -> Option<Taken> {
    let transition = triggered(set, context, rules, trigger, ticket)?;
    Some(take(set, context, rules, transition, ticket))
}

/// The ticket as a transition would leave it, and why its link cannot be made.
fn moved(
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &Definition,
    transition: &Transition,
    ticket: &Ticket,
) -> (Ticket, Vec<Precondition>) {
    let mut ticket = ticket.clone();
    step(context, rules, transition, &mut ticket);
    let unlinkable = link(set, context, transition, &mut ticket).err().unwrap_or_default();
    (ticket, unlinkable)
}

/// Puts on a ticket's cc whoever is on that of every ticket.
pub fn keep_mandatory_cc(rules: &Definition, ticket: &mut Ticket) {
    for address in rules.mandatory_cc() {
        if let Err(place) = ticket.cc.binary_search(address) {
            ticket.cc.insert(place, address.clone());
        }
    }
}

/// Settles what follows from a change: the place in the queue, the revision and the time.
pub fn settle(rules: &Definition, ticket: &mut Ticket, revision: i64, now: Micros) {
    keep_mandatory_cc(rules, ticket);
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
    /// Everything in the way; empty when it is allowed.
    pub objections: Vec<Precondition>,
}

/// The ticket as what sets a transition off leaves it, as far as that is known before: it is what the guards see then.
fn set_off<'t>(context: &Context<'_>, transition: &Transition, ticket: &'t Ticket) -> Cow<'t, Ticket> {
    let mut ticket = Cow::Borrowed(ticket);
    match transition.trigger {
        Trigger::Claim if ticket.assignee.is_empty() => {
            ticket.to_mut().assignee.clone_from(&context.actor.subject);
        }
        Trigger::Read if ticket.more.read_time.is_none() => ticket.to_mut().more.read_time = Some(context.now),
        Trigger::Claim
        | Trigger::Read
        | Trigger::Manual
        | Trigger::AgentReply
        | Trigger::RequesterReply
        | Trigger::Note => {}
    }
    ticket
}

/// Explains a transition for the ticket as it stands.
pub fn explain(
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &Definition,
    transition: &Transition,
    ticket: &Ticket,
) -> Explanation {
    let set_off = set_off(context, transition, ticket);
    let facts = context.facts(&set_off);
    let (moved, _) = moved(set, context, rules, transition, &set_off);
    let (missing, _) = missing_of(context, rules, transition, &moved);
    let mut objections = objections(set, context, rules, transition, &set_off);
    objections.extend(merged(context, transition, ticket));
    if transition.trigger == Trigger::Read && ticket.more.read_time.is_some() {
        let description = "only the first MarkTicketRead sets it off, and the ticket was read before".to_owned();
        objections.push(Precondition { kind: Kind::Trigger, subject: transition.id.clone(), description });
    }
    let guards = told_guards(context, rules, transition);
    Explanation {
        allowed: objections.is_empty(),
        role_allowed: transition.permits(context.actor.role),
        guards: guards.map(|guard| (guard.message.clone(), guard.holds(&facts))).collect(),
        missing_fields: missing.into_iter().map(str::to_owned).collect(),
        objections,
    }
}

/// What is against the reply of a requester whose ticket was merged.
fn merged(context: &Context<'_>, transition: &Transition, ticket: &Ticket) -> Option<Precondition> {
    let is_theirs = transition.trigger == Trigger::RequesterReply && !context.actor.role.is_staff();
    if !is_theirs || links::merged_into(ticket).is_none() {
        return None;
    }
    let subject = context.ticket_name(ticket.id);
    let first = ticket.more.own_merged_into().map(|first| context.ticket_name(first));
    Some(Precondition { kind: Kind::Merge, description: links::merged_text(&subject, first.as_deref()), subject })
}
