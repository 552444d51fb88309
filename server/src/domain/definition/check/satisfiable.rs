//! Guards that no ticket can ever pass, and other conditions that hold for none.
//!
//! The work grows with the length of the expressions alone: the values of fields, of which there may be 20,000, are
//! looked up and never gone through.

use std::collections::{BTreeSet, HashMap};

use super::report::Report;
use crate::domain::definition::spec::StatusSpec;
use crate::domain::definition::{
    Condition, Definition, DefinitionSpec, Demand, Escalation, Field, FieldType, GuardRule, Transition, Trigger,
};
use crate::domain::text::{self, shown};
use crate::domain::{Role, State};

pub(super) fn check(definition: &Definition, report: &mut Report) {
    let spec = &definition.spec;
    let values = field_values(definition.fields());
    for (place, transition) in definition.transitions().iter().enumerate() {
        let given = given(spec, transition);
        check_guards(&format!("transitions[{place}]"), "transition", &transition.guards, given, &values, report);
    }
    for (place, escalation) in definition.escalations().iter().enumerate() {
        let given = given_to(spec, escalation);
        check_guards(&format!("escalations[{place}]"), "escalation", &escalation.guards, given, &values, report);
    }
    for (place, field) in definition.fields().iter().enumerate() {
        check_field(place, field, report);
    }
    for (place, rule) in definition.routing.iter().enumerate() {
        if rule.when.as_ref().is_some_and(Condition::never_holds) {
            report.add(format!("routing[{place}].when"), "never holds: leave the rule out, or look at the ticket");
        }
    }
}

fn check_guards<'a>(
    at: &str,
    what: &str,
    guards: &'a [GuardRule],
    mut possible: HashMap<&'a str, Texts<'a>>,
    values: &'a HashMap<String, Places<'a>>,
    report: &mut Report,
) {
    for (number, guard) in guards.iter().enumerate() {
        let path = format!("{at}.guards[{number}].expression");
        if guard.condition.never_holds() {
            report.add(path, format!("never holds, so that the {what} is never possible: look at the ticket"));
            continue;
        }
        for demand in guard.condition.demands() {
            let of_field = || Texts::AllBut { of: values.get(demand.path.as_str()), out: BTreeSet::new() };
            let before = possible.entry(&demand.path).or_insert_with(of_field);
            if !before.narrow(demand) {
                report.add(&path, impossible(demand, before));
                // Once is enough for a path.
                *before = Texts::AllBut { of: None, out: BTreeSet::new() };
            }
        }
    }
}

/// What nobody but admins could ever give, and what is asked of nobody.
fn check_field(place: usize, field: &Field, report: &mut Report) {
    let at = |part: &str| format!("fields[{place}].{part}");
    if field.required_when.as_ref().is_some_and(Condition::never_holds) {
        report.add(at("required_when"), "never holds: leave it out, or look at the ticket");
    }
    let Some(set_when) = &field.set_when else { return };
    if set_when.never_holds() {
        report.add(at("set_when"), "never holds, so that nobody may ever set it: name roles in `set_by` instead");
        return;
    }
    // Of a new ticket there is no status yet.
    let waits =
        |demand: &&Demand| demand.path == "status" && demand.is_one != demand.texts.iter().any(String::is_empty);
    let is_always_required = field.required_when.as_ref().is_some_and(Condition::always_holds);
    if is_always_required && field.default_value.is_empty() && set_when.demands().iter().any(|demand| waits(&demand)) {
        let wrong =
            "holds for no new ticket, whose status is '' yet, and `required_when` asks every ticket for a value";
        report.add(
            at("set_when"),
            format!("{wrong}: nobody but admins could file any; give it a default value, or ask for it later"),
        );
    }
}

/// Texts, each with the place in which it is told.
type Places<'a> = HashMap<&'a str, usize>;

/// The texts that a path may have.
enum Texts<'a> {
    Only(Places<'a>),
    /// All of these, or any at all, but those that were ruled out.
    AllBut {
        of: Option<&'a Places<'a>>,
        out: BTreeSet<&'a str>,
    },
}

impl<'a> Texts<'a> {
    /// Takes a demand in; false when it would leave nothing, and then they stay as they are.
    fn narrow(&mut self, demand: &'a Demand) -> bool {
        let demanded = demand.texts.iter().map(String::as_str);
        if demand.is_one {
            let left: Places<'a> = demanded.filter(|text| self.has(text)).zip(0..).collect();
            let any_left = !left.is_empty();
            if any_left {
                *self = Self::Only(left);
            }
            return any_left;
        }
        let ruled_out: BTreeSet<&str> = demanded.filter(|text| self.has(text)).collect();
        match self {
            Self::Only(texts) if texts.len() == ruled_out.len() => false,
            Self::Only(texts) => {
                for text in ruled_out {
                    texts.remove(text);
                }
                true
            }
            Self::AllBut { of: Some(of), out } if of.len() == out.len() + ruled_out.len() => false,
            Self::AllBut { of: _, out } => {
                out.extend(ruled_out);
                true
            }
        }
    }

    fn has(&self, text: &str) -> bool {
        match self {
            Self::Only(texts) => texts.contains_key(text),
            Self::AllBut { of, out } => of.is_none_or(|of| of.contains_key(text)) && !out.contains(text),
        }
    }
}

/// What a transition's own words say of the ticket and the caller.
fn given<'a>(spec: &'a DefinitionSpec, transition: &'a Transition) -> HashMap<&'a str, Texts<'a>> {
    let from: Places<'a> = transition.from.iter().map(String::as_str).zip(0..).collect();
    let statuses = spec.statuses.iter().filter(|status| from.contains_key(status.id.as_str()));
    let states = statuses.map(|status| status.state.word()).zip(0..).collect();
    let roles = Role::ALL.into_iter().filter(|role| transition.permits(*role)).map(Role::word).zip(0..).collect();
    let mut given = HashMap::from([
        ("state", Texts::Only(states)),
        ("status", Texts::Only(from)),
        ("actor.role", Texts::Only(roles)),
    ]);
    let some = || Texts::AllBut { of: None, out: BTreeSet::from([""]) };
    let by = |role: &Role| match transition.trigger {
        Trigger::AgentReply => role.replies_as_staff(),
        Trigger::RequesterReply => *role == Role::Requester,
        Trigger::Manual | Trigger::Claim | Trigger::Read | Trigger::Note => false,
    };
    match transition.trigger {
        Trigger::Claim => drop(given.insert("assignee", some())),
        Trigger::Read => drop(given.insert("read_time", some())),
        // The reply is the last one by then.
        Trigger::AgentReply | Trigger::RequesterReply => {
            let roles = Role::ALL.into_iter().filter(by).filter(|role| transition.permits(*role));
            given.insert("last_reply_role", Texts::Only(roles.map(Role::word).zip(0..).collect()));
            given.insert("last_reply_time", some());
        }
        Trigger::Manual | Trigger::Note => {}
    }
    given
}

/// What an escalation's own words say of the ticket and the caller. Nothing is escalated that is closed.
fn given_to<'a>(spec: &'a DefinitionSpec, escalation: &'a Escalation) -> HashMap<&'a str, Texts<'a>> {
    let from = |status: &&StatusSpec| {
        let is_named = escalation.from_statuses.is_empty() || escalation.from_statuses.contains(&status.id);
        is_named && status.state != State::Closed
    };
    let statuses = || spec.statuses.iter().filter(from);
    let permits = |role: &Role| *role == Role::Admin || escalation.roles.contains(role);
    let roles = Role::ALL.into_iter().filter(permits).map(Role::word).zip(0..).collect();
    let mut given = HashMap::from([
        ("status", Texts::Only(statuses().map(|status| status.id.as_str()).zip(0..).collect())),
        ("state", Texts::Only(statuses().map(|status| status.state.word()).zip(0..).collect())),
        ("actor.role", Texts::Only(roles)),
    ]);
    if !escalation.from_queues.is_empty() {
        given.insert("queue", Texts::Only(escalation.from_queues.iter().map(String::as_str).zip(0..).collect()));
    }
    given
}

/// The values that fields with few of them can have. A field that is retired keeps those that old tickets have.
fn field_values(fields: &[Field]) -> HashMap<String, Places<'_>> {
    let values = fields.iter().filter_map(|field| {
        let values: Places<'_> = match field.field_type {
            FieldType::Choice | FieldType::Tree => {
                let choices = field.choices.iter().map(|choice| choice.value.as_str());
                [""].into_iter().chain(choices).zip(0..).collect()
            }
            FieldType::Boolean => ["", "true", "false"].into_iter().zip(0..).collect(),
            FieldType::Text | FieldType::Integer | FieldType::Date | FieldType::Timestamp | FieldType::Agent => {
                return None;
            }
        };
        Some((format!("fields.{}", field.id), values))
    });
    values.collect()
}

fn impossible(demand: &Demand, before: &Texts<'_>) -> String {
    let Demand { path, texts, is_one } = demand;
    if texts.is_empty() {
        return format!("no ticket can pass: {path} must be one of none: name what it may be");
    }
    let demanded = listed(texts.iter().map(String::as_str));
    let wanted = format!("{path} must {} {demanded}", if *is_one { "be" } else { "not be" });
    let in_order = |texts: &Places<'_>, out: &BTreeSet<&str>| {
        let mut left: Vec<_> = texts.iter().filter(|(text, _)| !out.contains(*text)).collect();
        left.sort_unstable_by_key(|(_, place)| **place);
        listed(left.into_iter().map(|(text, _)| *text))
    };
    let why = match before {
        Texts::Only(left) => format!("here it can only be {}", in_order(left, &BTreeSet::new())),
        Texts::AllBut { of: Some(of), out } => format!("here it can only be {}", in_order(of, out)),
        Texts::AllBut { of: None, out } => {
            format!("another condition asks that it is not {}", listed(out.iter().copied()))
        }
    };
    format!("no ticket can pass: {wanted}, and {why}")
}

fn listed<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let shown: Vec<_> = texts.map(shown).collect();
    text::listed(shown.iter().map(String::as_str)).replace(", ", " or ")
}
