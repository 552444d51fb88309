//! Guards that no ticket can ever pass.
//!
//! The work grows with the length of the expressions alone: the values of fields, of which there may be 20,000, are
//! looked up and never gone through.

use std::collections::{BTreeSet, HashMap};

use super::report::Report;
use crate::domain::Role;
use crate::domain::definition::{DefinitionSpec, Demand, Field, FieldType, Transition, Trigger};
use crate::domain::text::{self, shown};

pub(super) fn check(spec: &DefinitionSpec, transitions: &[Transition], fields: &[Field], report: &mut Report) {
    let values = field_values(fields);
    for (place, transition) in transitions.iter().enumerate().filter(|(_, transition)| !transition.guards.is_empty()) {
        let mut possible = given(spec, transition);
        for (number, guard) in transition.guards.iter().enumerate() {
            let path = format!("transitions[{place}].guards[{number}].expression");
            if guard.condition.never_holds() {
                report.add(path, "never holds, so that the transition is never possible: look at the ticket");
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
    if transition.trigger == Trigger::Claim {
        given.insert("assignee", Texts::AllBut { of: None, out: BTreeSet::from([""]) });
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
