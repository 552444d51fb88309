//! Conditions: that they compile, and that the names in them exist.

use super::names::{Known, Names};
use super::report::{Report, valid};
use crate::domain::definition::{Condition, FieldType, field};
use crate::domain::text::shown;
use crate::domain::{ReplyKind, Role, State};

/// None when it does not compile, which is reported.
pub(super) fn read(path: &str, source: &str, known: &Known<'_>, report: &mut Report) -> Option<Condition> {
    let condition = read_for_reply(path, source, known, report)?;
    if let Some(read) = condition.paths().find(|read| read.starts_with("reply.")) {
        report.add(path, format!("`{read}` is known to `reply_rules` only: look at ticket.last_reply_… here"));
        return None;
    }
    Some(condition)
}

/// A condition that may look at a reply.
pub(super) fn read_for_reply(path: &str, source: &str, known: &Known<'_>, report: &mut Report) -> Option<Condition> {
    match Condition::compile(source) {
        Ok(condition) => {
            for id in condition.paths().filter_map(|read| read.strip_prefix("fields.")) {
                known.fields.find(path, id, report);
            }
            compared(path, &condition, known, report);
            ordered(path, &condition, known, report);
            if condition.joins_texts() {
                let right = "ask each by itself, as in ticket.channel == 'web' && ticket.priority == 'high'";
                report.contradiction(path, format!("`+` adds numbers and does not put texts together: {right}"));
            }
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
            // The empty text asks whether there was one.
            "last_reply_role" | "last_transition_role" if text.is_empty() => {}
            "last_transition" | "reply.transition" => check(&known.transitions, report),
            "reply.kind" if ReplyKind::from_word(text).is_none() => {
                report.add(path, format!("there is no kind of reply {}: valid are `public` or `note`", shown(text)));
            }
            "actor.role" | "last_reply_role" | "last_transition_role" if Role::from_word(text).is_none() => {
                let right = valid(Role::ALL.into_iter().map(Role::word));
                report.add(path, format!("there is no role {}: {right}", shown(text)));
            }
            other => {
                let Some(id) = other.strip_prefix("fields.") else { continue };
                if let Some(choices) = known.choices.get(id) {
                    check(choices, report);
                } else if !text.is_empty()
                    && let Some(wrong) = known.types.get(id).and_then(|field_type| never_kept(*field_type, text))
                {
                    report.contradiction(path, format!("{other} is compared with {}: {wrong}", shown(text)));
                }
            }
        }
    }
}

/// Values of fields are texts: as such, 9 comes after 100.
fn ordered(path: &str, condition: &Condition, known: &Known<'_>, report: &mut Report) {
    for ordered in condition.orderings() {
        let field_type = ordered.strip_prefix("fields.").and_then(|id| known.types.get(id));
        if field_type == Some(&FieldType::Integer) {
            report.contradiction(
                path,
                format!("{ordered} is a number and is compared as a text, where 9 comes after 100: write int(ticket.{ordered}) and a number"),
            );
        }
    }
}

/// Why no value of a type is ever kept as a text; None when one may be.
fn never_kept(field_type: FieldType, text: &str) -> Option<String> {
    match field::plain(field_type, text) {
        Ok(kept) if kept == text => None,
        Ok(kept) => Some(format!("a {} is kept as {}: write it so", field_type.word(), shown(&kept))),
        Err(wrong) => Some(wrong),
    }
}
