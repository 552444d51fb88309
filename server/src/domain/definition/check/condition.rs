//! Conditions: that they compile, and that the names in them exist.

use super::names::{Known, Names};
use super::report::{Report, valid};
use crate::domain::definition::{Comparison, Condition, FieldType, Ordering, field};
use crate::domain::text::{self, shown};
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
            searched(path, &condition, report);
            for misused in condition.misused() {
                report.contradiction(path, misused);
            }
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
                let Some(id) = other.strip_prefix("fields.") else {
                    kept(path, other, text, known, report);
                    continue;
                };
                if let Some(choices) = known.choices.get(id) {
                    check(choices, report);
                } else {
                    kept(path, &comparison.path, text, known, report);
                }
            }
        }
    }
}

/// Values of fields are texts: as such, 9 comes after 100, and a date is before or after another only as both are kept.
fn ordered(path: &str, condition: &Condition, known: &Known<'_>, report: &mut Report) {
    for Ordering { path: ordered, text } in condition.orderings() {
        match type_of(ordered, known) {
            Some(FieldType::Integer) => report.contradiction(
                path,
                format!("{ordered} is a number and is compared as a text, where 9 comes after 100: write int(ticket.{ordered}) and a number"),
            ),
            Some(FieldType::Date | FieldType::Timestamp) => {
                let text = text.as_deref().unwrap_or_default();
                if !begins_date(text) {
                    kept(path, ordered, text, known, report);
                }
            }
            _ => {}
        }
    }
}

/// Whether a text is a year, a month or a day, as dates and times begin: it comes before all that begin so.
fn begins_date(text: &str) -> bool {
    const REST: &str = "0000-01-01";
    let whole = REST.get(text.len()..).map(|rest| format!("{text}{rest}"));
    [4, 7, 10].contains(&text.len()) && whole.is_some_and(|day| field::plain(FieldType::Date, &day).is_ok())
}

/// What is kept in lower case is found by nothing else.
fn searched(path: &str, condition: &Condition, report: &mut Report) {
    let lowered = |path: &str| matches!(path, "requester" | "cc" | "channel");
    for Comparison { path: searched, text } in condition.searches().iter().filter(|search| lowered(&search.path)) {
        let lower = text.to_lowercase();
        if lower != *text {
            let wrong = format!("{searched} is kept in lower case, and never has {}", shown(text));
            report.contradiction(path, format!("{wrong}: write {}", shown(&lower)));
        }
    }
}

/// The type of what a condition reads, where it is one whose values are written in one way only.
fn type_of(path: &str, known: &Known<'_>) -> Option<FieldType> {
    match path {
        "receive_time" | "queue_time" | "first_reply_time" | "read_time" | "close_time" | "last_reply_time" => {
            Some(FieldType::Timestamp)
        }
        _ => path.strip_prefix("fields.").and_then(|id| known.types.get(id)).copied(),
    }
}

/// That a text, if it is not empty, can be what a path has.
fn kept(path: &str, compared: &str, text: &str, known: &Known<'_>, report: &mut Report) {
    if text.is_empty() {
        return;
    }
    let wrong = match (compared, type_of(compared, known)) {
        ("requester", _) => match text::email(text) {
            Some(kept) if kept == text => None,
            Some(kept) => Some(format!("an address is kept as {}: write it so", shown(&kept))),
            None => Some("it is no e-mail address".to_owned()),
        },
        ("channel", _) if !text::is_id(text, "_-") => {
            Some("it is not a channel; write it like `email` or `web-form`".to_owned())
        }
        (_, Some(field_type)) => never_kept(field_type, text),
        (_, None) => None,
    };
    if let Some(wrong) = wrong {
        report.contradiction(path, format!("{compared} is compared with {}: {wrong}", shown(text)));
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
