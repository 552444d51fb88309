//! Ids: that they are well-formed and unique, and that what refers to one finds it.

use std::collections::{HashMap, HashSet};

use super::report::{Report, valid};
use crate::domain::definition::{DefinitionSpec, FieldType};
use crate::domain::text::shown;

const MAX_ID_CHARS: usize = 63;

/// Everything that has a name, by kind.
pub(super) struct Known<'a> {
    pub(super) statuses: Names<'a>,
    pub(super) priorities: Names<'a>,
    pub(super) queues: Names<'a>,
    pub(super) fields: Names<'a>,
    pub(super) canned_responses: Names<'a>,
    pub(super) transitions: Names<'a>,
    pub(super) types: HashMap<&'a str, FieldType>,
    /// By field, its choices, where it has any.
    pub(super) choices: HashMap<&'a str, Names<'a>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(spec: &'a DefinitionSpec) -> Self {
        let with_choices = spec.fields.iter().filter(|field| field.field_type.has_choices());
        Self {
            statuses: Names::new("status", spec.statuses.iter().map(|status| (status.id.as_str(), status.retired))),
            priorities: Names::new("priority", spec.priorities.iter().map(|item| (item.id.as_str(), item.retired))),
            queues: Names::new("queue", spec.queues.iter().map(|queue| (queue.id.as_str(), queue.retired))),
            fields: Names::new("field", spec.fields.iter().map(|field| (field.id.as_str(), field.retired))),
            canned_responses: Names::new(
                "canned response",
                spec.canned_responses.iter().map(|canned| (canned.id.as_str(), canned.retired)),
            ),
            transitions: Names::new(
                "transition",
                spec.transitions.iter().map(|transition| (transition.id.as_str(), false)),
            ),
            types: spec.fields.iter().map(|field| (field.id.as_str(), field.field_type)).collect(),
            choices: with_choices
                .map(|field| {
                    let choices = field.choices.iter().map(|choice| (choice.value.as_str(), choice.retired));
                    (field.id.as_str(), Names::new("choice", choices))
                })
                .collect(),
        }
    }
}

/// The names of one kind, each once, in the order of the definition.
pub(super) struct Names<'a> {
    kind: &'static str,
    all: Vec<(&'a str, bool)>,
    retired: HashMap<&'a str, bool>,
}

impl<'a> Names<'a> {
    fn new(kind: &'static str, all: impl Iterator<Item = (&'a str, bool)>) -> Self {
        let mut seen = HashSet::new();
        let all: Vec<_> = all.filter(|(name, _)| seen.insert(*name)).collect();
        let retired = all.iter().copied().collect();
        Self { kind, all, retired }
    }

    /// That there is such a thing.
    pub(super) fn find(&self, path: impl Into<String>, name: &str, report: &mut Report) {
        if !self.retired.contains_key(name) {
            report.add(path, self.unknown(name));
        }
    }

    /// That there is such a thing and that it takes what is new.
    pub(super) fn find_open(&self, path: impl Into<String>, name: &str, report: &mut Report) {
        match self.retired.get(name) {
            Some(false) => {}
            Some(true) => {
                let wrong = format!("the {} `{name}` is retired and takes nothing new: {}", self.kind, self.valid());
                report.add(path, wrong);
            }
            None => report.add(path, self.unknown(name)),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.retired.contains_key(name)
    }

    pub(super) fn unknown(&self, name: &str) -> String {
        match name {
            "" => format!("is required: {}", self.valid()),
            _ => format!("there is no {} {}: {}", self.kind, shown(name), self.valid()),
        }
    }

    fn valid(&self) -> String {
        let open = self.all.iter().filter(|(_, retired)| !retired).map(|(name, _)| *name);
        valid(open)
    }
}

/// That ids are well-formed and that no two things have the same.
pub(super) fn ids<'a>(kind: &str, list: &str, ids: impl Iterator<Item = &'a str>, report: &mut Report) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (place, id) in ids.enumerate() {
        let path = format!("{list}[{place}].id");
        // A field is read as `ticket.fields.id` in conditions, where a hyphen is a minus.
        let hyphen = kind != "field";
        if !is_id(id, hyphen) {
            let signs = if hyphen { "digits, _ and -" } else { "digits and _" };
            let right = format!("write at most {MAX_ID_CHARS} of a-z, {signs}, beginning with a letter");
            report.add(&path, format!("{} is no id: {right}", shown(id)));
        }
        if let Some(first) = seen.get(id) {
            report.add(path, format!("{} is also the id of {list}[{first}]: each {kind} needs its own", shown(id)));
        } else {
            seen.insert(id, place);
        }
    }
}

fn is_id(text: &str, hyphen: bool) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || (hyphen && c == '-');
    text.len() <= MAX_ID_CHARS && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(allowed)
}

/// That a list says nothing twice.
pub(super) fn once<T: Eq + std::hash::Hash>(
    path: &str,
    items: &[T],
    shown: impl Fn(&T) -> String,
    report: &mut Report,
) {
    let mut seen = HashSet::new();
    for (place, item) in items.iter().enumerate() {
        if !seen.insert(item) {
            report.add(format!("{path}[{place}]"), format!("`{}` is given twice: leave one out", shown(item)));
        }
    }
}
