//! Conditions: that they compile, and that the names in them exist.

use super::names::{Known, Names};
use super::report::{Report, valid};
use crate::domain::definition::Condition;
use crate::domain::text::shown;
use crate::domain::{Role, State};

/// None when it does not compile, which is reported.
pub(super) fn read(path: &str, source: &str, known: &Known<'_>, report: &mut Report) -> Option<Condition> {
    match Condition::compile(source) {
        Ok(condition) => {
            for id in condition.paths().filter_map(|read| read.strip_prefix("fields.")) {
                known.fields.find(path, id, report);
            }
            compared(path, &condition, known, report);
            Some(condition)
        }
        Err(wrong) => {
            report.add(path, format!("{wrong} (in {})", shown(source)));
            None
        }
    }
}

/// A condition that compares with a name that does not exist never changes: it is a slip of the pen.
fn compared(path: &str, condition: &Condition, known: &Known<'_>, report: &mut Report) {
    for comparison in condition.comparisons() {
        let text = comparison.text.as_str();
        let check = |names: &Names<'_>, report: &mut Report| {
            // The empty text asks whether there is a value.
            if !text.is_empty() && !names.has(text) {
                report.add(
                    path,
                    format!("{} is compared with {}: {}", comparison.path, shown(text), names.unknown(text)),
                );
            }
        };
        match comparison.path.as_str() {
            "status" => check(&known.statuses, report),
            "priority" => check(&known.priorities, report),
            "queue" => check(&known.queues, report),
            "last_canned_response" => check(&known.canned_responses, report),
            "state" if State::from_word(text).is_none() => {
                let right = valid(State::ALL.into_iter().map(State::word));
                report.add(path, format!("there is no state {}: {right}", shown(text)));
            }
            "actor.role" if Role::from_word(text).is_none() => {
                let right = valid(Role::ALL.into_iter().map(Role::word));
                report.add(path, format!("there is no role {}: {right}", shown(text)));
            }
            other => {
                if let Some(choices) = other.strip_prefix("fields.").and_then(|id| known.choices.get(id)) {
                    check(choices, report);
                }
            }
        }
    }
}
