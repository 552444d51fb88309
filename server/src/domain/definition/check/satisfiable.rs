//! Guards that no ticket can ever pass.

use std::collections::HashMap;

use super::report::Report;
use crate::domain::Role;
use crate::domain::definition::{DefinitionSpec, Demand, Field, FieldType, Transition, Trigger};
use crate::domain::text::{self, shown};

pub(super) fn check(spec: &DefinitionSpec, transitions: &[Transition], fields: &[Field], report: &mut Report) {
    let values = field_values(fields, transitions);
    for (place, transition) in transitions.iter().enumerate() {
        let mut possible = values.clone();
        possible.extend(given(spec, transition));
        for (number, guard) in transition.guards.iter().enumerate() {
            let path = format!("transitions[{place}].guards[{number}].expression");
            if guard.condition.never_holds() {
                report.add(path, "never holds, so that the transition is never possible: look at the ticket");
                continue;
            }
            for demand in guard.condition.demands() {
                let before = possible.get(&demand.path).cloned();
                if narrow(&mut possible, demand) == Some(0) {
                    report.add(&path, impossible(demand, before, fields));
                    // Once is enough for a path.
                    possible.remove(&demand.path);
                }
            }
        }
    }
}

/// The texts that a path may have; a path that is not among them may have any but those that were ruled out.
type Possible = HashMap<String, Texts>;

#[derive(Debug, Clone)]
enum Texts {
    Only(Vec<String>),
    AllBut(Vec<String>),
}

/// Takes a demand in, and returns how many texts are left; None when they cannot be counted.
fn narrow(possible: &mut Possible, demand: &Demand) -> Option<usize> {
    let texts = possible.entry(demand.path.clone()).or_insert_with(|| Texts::AllBut(Vec::new()));
    let demanded = |text: &String| demand.texts.contains(text);
    match (&mut *texts, demand.is_one) {
        (Texts::Only(left), is_one) => left.retain(|text| demanded(text) == is_one),
        (Texts::AllBut(out), true) => {
            let left = demand.texts.iter().filter(|text| !out.contains(text)).cloned().collect();
            *texts = Texts::Only(left);
        }
        (Texts::AllBut(out), false) => out.extend(demand.texts.iter().cloned()),
    }
    match texts {
        Texts::Only(left) => Some(left.len()),
        Texts::AllBut(_) => None,
    }
}

/// What a transition's own words say of the ticket and the caller.
fn given(spec: &DefinitionSpec, transition: &Transition) -> Possible {
    let states = spec.statuses.iter().filter(|status| transition.from.contains(&status.id));
    let states = states.map(|status| status.state.word().to_owned()).collect();
    let roles = Role::ALL.into_iter().filter(|role| transition.permits(*role));
    let roles = roles.map(|role| role.word().to_owned()).collect();
    let mut given = HashMap::from([
        ("status".to_owned(), Texts::Only(transition.from.clone())),
        ("state".to_owned(), Texts::Only(states)),
        ("actor.role".to_owned(), Texts::Only(roles)),
    ]);
    if transition.trigger == Trigger::Claim {
        given.insert("assignee".to_owned(), Texts::AllBut(vec![String::new()]));
    }
    given
}

/// The values that new tickets can have in fields. Nobody gives one to a field that is retired, or that is for the staff only and
/// set by requesters only; but effects may.
fn field_values(fields: &[Field], transitions: &[Transition]) -> Possible {
    let mut values = HashMap::new();
    for field in fields {
        let effects = transitions.iter().flat_map(|transition| &transition.effects.fields);
        let set = effects.filter(|(id, _)| *id == field.id).map(|(_, value)| value.clone());
        let mut only: Vec<String> = set.chain([field.default_value.clone()]).collect();
        only.retain(|value| !value.is_empty());
        only.push(String::new());
        if can_be_set(field) {
            match field.field_type {
                FieldType::Choice | FieldType::Tree => {
                    only.extend(field.choices.iter().map(|choice| choice.value.clone()));
                }
                FieldType::Boolean => only.extend(["true".to_owned(), "false".to_owned()]),
                FieldType::Text | FieldType::Integer | FieldType::Date | FieldType::Timestamp => continue,
            }
        }
        values.insert(format!("fields.{}", field.id), Texts::Only(only));
    }
    values
}

fn can_be_set(field: &Field) -> bool {
    let for_requesters_only = !field.set_by.is_empty() && field.set_by.iter().all(|role| *role == Role::Requester);
    let nobody_may = field.staff_only && for_requesters_only;
    !field.retired && !nobody_may
}

fn impossible(demand: &Demand, before: Option<Texts>, fields: &[Field]) -> String {
    let Demand { path, texts, is_one } = demand;
    let wanted = format!("{path} must {} {}", if *is_one { "be" } else { "not be" }, listed(texts));
    let field = path.strip_prefix("fields.").and_then(|id| fields.iter().find(|field| field.id == id));
    let why = match field {
        Some(field) if field.retired => "the field is retired and takes no values".to_owned(),
        Some(field) if !can_be_set(field) => {
            "the field is for the staff only, and only requesters may set it".to_owned()
        }
        Some(_) | None => match before {
            Some(Texts::Only(left)) => format!("here it can only be {}", listed(&left)),
            Some(Texts::AllBut(out)) => format!("another condition asks that it is not {}", listed(&out)),
            None => "nothing is one of none".to_owned(),
        },
    };
    format!("no ticket can pass: {wanted}, and {why}")
}

fn listed(texts: &[String]) -> String {
    let shown: Vec<_> = texts.iter().map(|text| shown(text)).collect();
    text::listed(shown.iter().map(String::as_str)).replace(", ", " or ")
}
