//! Fields: their types, choices, defaults and conditions.

use std::collections::HashSet;

use super::condition;
use super::names::{Known, ids, once};
use super::report::Report;
use crate::domain::definition::spec::{ChoiceSpec, FieldSpec, FieldType};
use crate::domain::definition::{Choice, DefinitionSpec, Field};
use crate::domain::text::shown;

const MAX_VALUE_CHARS: usize = 200;

pub(super) fn read(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<Field> {
    ids("field", "fields", spec.fields.iter().map(|field| field.id.as_str()), report);
    spec.fields.iter().enumerate().map(|(place, field)| read_one(place, field, known, report)).collect()
}

fn read_one(place: usize, spec: &FieldSpec, known: &Known<'_>, report: &mut Report) -> Field {
    let FieldSpec {
        id,
        display_name,
        field_type,
        choices,
        default_value,
        required_when,
        set_by,
        set_when,
        indexed,
        staff_only,
        retired,
    } = spec;
    let at = |part: &str| format!("fields[{place}].{part}");
    report.line(at("display_name"), display_name);
    read_choices(&at("choices"), *field_type, choices, report);
    once(&at("set_by"), set_by, |role| role.word().to_owned(), report);
    if *retired && !required_when.is_empty() {
        report.add(
            at("required_when"),
            format!("`{id}` is retired and takes no new values, so it cannot be required: leave it out"),
        );
    }
    let mut read = |part: &str, source: &str| match source {
        "" => None,
        source => condition::read(&at(part), source, known, report),
    };
    let required_when = read("required_when", required_when);
    let set_when = read("set_when", set_when);
    let mut field = Field {
        id: id.clone(),
        display_name: display_name.clone(),
        field_type: *field_type,
        choices: choices.iter().map(choice).collect(),
        default_value: String::new(),
        required_when,
        set_by: set_by.clone(),
        set_when,
        indexed: *indexed,
        staff_only: *staff_only,
        retired: *retired,
    };
    match field.admits(default_value) {
        Ok(canonical) if field.field_type == FieldType::Agent && !canonical.is_empty() => {
            report.add(at("default_value"), "names an agent, who may leave: leave it out");
        }
        Ok(canonical) => field.default_value = canonical,
        Err(wrong) => report.add(at("default_value"), wrong),
    }
    field
}

fn choice(spec: &ChoiceSpec) -> Choice {
    let ChoiceSpec { value, display_name, retired } = spec;
    Choice { value: value.clone(), display_name: display_name.clone(), retired: *retired }
}

fn read_choices(path: &str, field_type: FieldType, choices: &[ChoiceSpec], report: &mut Report) {
    if !field_type.has_choices() {
        if !choices.is_empty() {
            report.add(
                path,
                format!("a field of type {} has no choices: leave them out, or make it a choice", field_type.word()),
            );
        }
        return;
    }
    if choices.iter().all(|choice| choice.retired) {
        report.add(path, format!("a {} needs at least one choice that is not retired", field_type.word()));
    }
    let mut seen = HashSet::new();
    for (place, choice) in choices.iter().enumerate() {
        let ChoiceSpec { value, display_name, retired: _ } = choice;
        let path = format!("{path}[{place}]");
        report.line(format!("{path}.display_name"), display_name);
        if !is_value(value) {
            let right = format!("write 1 to {MAX_VALUE_CHARS} characters in one line, without white space around them");
            report.add(format!("{path}.value"), format!("{} is no value of a choice: {right}", shown(value)));
        }
        if !seen.insert(value.as_str()) {
            report.add(format!("{path}.value"), format!("{} is given twice: leave one out", shown(value)));
        }
    }
    if field_type == FieldType::Tree {
        check_tree(path, choices, &seen, report);
    }
}

fn is_value(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= MAX_VALUE_CHARS
        && text.trim() == text
        && !text.contains(char::is_control)
}

/// Each node is listed, so that each can be chosen, named and retired.
fn check_tree(path: &str, choices: &[ChoiceSpec], listed: &HashSet<&str>, report: &mut Report) {
    for (place, choice) in choices.iter().enumerate() {
        let value = choice.value.as_str();
        let path = format!("{path}[{place}].value");
        if value.split('/').any(|step| step.trim() != step || step.is_empty()) {
            report
                .add(path, format!("{} is no path: write its steps joined by single slashes, as in a/b", shown(value)));
        } else if let Some((parent, _)) = value.rsplit_once('/')
            && !listed.contains(parent)
        {
            report.add(path, format!("{} has no parent: list {} too", shown(value), shown(parent)));
        }
    }
}
