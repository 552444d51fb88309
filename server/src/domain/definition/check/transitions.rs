//! Transitions: where they lead, who may take them, and what must hold.

use super::condition;
use super::names::{Known, ids, once};
use super::report::{Report, valid};
use crate::domain::Role;
use crate::domain::definition::spec::{GuardSpec, TransitionSpec, Trigger};
use crate::domain::definition::{DefinitionSpec, Effects, GuardRule, Transition};

pub(super) fn read(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<Transition> {
    ids("transition", "transitions", spec.transitions.iter().map(|transition| transition.id.as_str()), report);
    let numbered = spec.transitions.iter().enumerate();
    numbered.map(|(place, transition)| read_one(place, transition, known, report)).collect()
}

fn read_one(place: usize, spec: &TransitionSpec, known: &Known<'_>, report: &mut Report) -> Transition {
    let TransitionSpec { id, display_name, from, to, trigger, roles, guards, effects: _ } = spec;
    let at = |part: &str| format!("transitions[{place}].{part}");
    report.line(at("display_name"), display_name);
    if from.is_empty() {
        report.add(at("from"), "is empty: name the statuses it leads from");
    }
    for (place, status) in from.iter().enumerate() {
        known.statuses.find(at(&format!("from[{place}]")), status, report);
    }
    once(&at("from"), from, String::clone, report);
    known.statuses.find_open(at("to"), to, report);
    once(&at("roles"), roles, |role| role.word().to_owned(), report);
    check_roles(&at("roles"), *trigger, roles, report);
    let numbered = guards.iter().enumerate();
    let guards = numbered
        .filter_map(|(place, guard)| read_guard(&at(&format!("guards[{place}]")), guard, known, report))
        .collect();
    Transition {
        id: id.clone(),
        display_name: display_name.clone(),
        from: from.clone(),
        to: to.clone(),
        trigger: *trigger,
        roles: if roles.is_empty() { Transition::default_roles(*trigger) } else { roles.clone() },
        guards,
        effects: Effects::default(),
    }
}

/// A role that can never set the trigger off is a misunderstanding.
fn check_roles(path: &str, trigger: Trigger, roles: &[Role], report: &mut Report) {
    let (article, possible): (&str, fn(Role) -> bool) = match trigger {
        Trigger::Manual => return,
        Trigger::AgentReply => ("an", Role::replies_as_staff),
        Trigger::RequesterReply => ("a", |role| role == Role::Requester),
        Trigger::Claim | Trigger::Read | Trigger::Note => ("a", Role::is_staff),
    };
    let right = || valid(Role::ALL.into_iter().filter(|role| possible(*role)).map(Role::word));
    for (place, role) in roles.iter().enumerate().filter(|(_, role)| !possible(**role)) {
        let wrong = format!("{article} {} never comes from the role `{}`: {}", trigger.word(), role.word(), right());
        report.add(format!("{path}[{place}]"), wrong);
    }
}

pub(super) fn read_guard(path: &str, spec: &GuardSpec, known: &Known<'_>, report: &mut Report) -> Option<GuardRule> {
    let GuardSpec { expression, message } = spec;
    let message_path = format!("{path}.message");
    report.message(&message_path, message);
    if message.trim().is_empty() {
        report.add(message_path, "is required: tell who is refused what would be right");
    }
    let condition = condition::read(&format!("{path}.expression"), expression, known, report)?;
    Some(GuardRule { condition, message: message.clone() })
}
