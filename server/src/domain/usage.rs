//! The counts of tickets that are kept: how many use a status, priority, queue, field or choice, and how many wait.

use std::collections::BTreeMap;

use super::Ticket;
use super::definition::Definition;

/// By kind, id and value, how many more tickets there are.
pub type Deltas<'a> = BTreeMap<(&'static str, &'a str, &'a str), i64>;

/// The kind under which tickets that wait in a queue are counted.
pub const WAITING: &str = "waiting";

/// How a use is counted: a kind and an id.
pub fn key(kind: &str, id: &str, value: &str) -> (String, String) {
    let id = if value.is_empty() { id.to_owned() } else { format!("{id}={value}") };
    (kind.to_owned(), id)
}

/// Adds what a change of one ticket does to the counts.
pub fn count<'a>(deltas: &mut Deltas<'a>, rules: &Definition, before: Option<&'a Ticket>, after: &'a Ticket) {
    if let Some(before) = before {
        add(deltas, rules, before, -1);
    }
    add(deltas, rules, after, 1);
}

fn add<'a>(deltas: &mut Deltas<'a>, rules: &Definition, ticket: &'a Ticket, by: i64) {
    let mut add = |kind: &'static str, id: &'a str, value: &'a str| *deltas.entry((kind, id, value)).or_default() += by;
    add("status", &ticket.status, "");
    if !ticket.priority.is_empty() {
        add("priority", &ticket.priority, "");
    }
    if !ticket.queue.is_empty() {
        add("queue", &ticket.queue, "");
    }
    if ticket.waits() {
        add(WAITING, &ticket.queue, "");
    }
    for (id, value) in &ticket.fields {
        add("field", id, "");
        if rules.field(id).is_some_and(|field| field.field_type.has_choices()) {
            add("choice", id, value);
        }
    }
}
