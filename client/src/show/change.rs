//! Changes: a ticket's history, and events as they come.

use std::fmt::Write as _;

use loket_client::v1::{Change, FieldChange, ReplyKind, TicketEvent, WatchTicketsResponse};

use super::Column::{Names, Text, Whole};
use super::value::{called, value};
use super::{Table, clean, excerpt, instant, role, word};

/// What happened to a ticket.
pub(crate) fn history(changes: &[Change]) -> Table {
    Table::new(
        &[Whole("TIME"), Whole("REVISION"), Whole("COMMAND"), Names("ACTOR"), Text("CHANGED"), Text("REPLY")],
        changes.iter().map(|change| {
            vec![
                instant(change.event_time.as_ref().or(change.commit_time.as_ref())),
                change.revision.to_string(),
                change.command.clone(),
                actor(change),
                changed(change),
                reply(change),
            ]
        }),
    )
}

/// The events of one response, one on each line.
pub(crate) fn events(response: &WatchTicketsResponse) -> String {
    let mut text = String::new();
    for event in &response.events {
        let _ = writeln!(text, "{}", line(event));
    }
    text
}

fn line(event: &TicketEvent) -> String {
    let kind = word(event.r#type().as_str_name(), "TICKET_EVENT_TYPE_");
    let mut line = format!("{:>8}  {kind:8}", event.revision);
    if let Some(ticket) = &event.ticket {
        let subject = excerpt(&ticket.subject, 60);
        // Each in its place, for programs that take the columns apart.
        for part in [&ticket.name, &ticket.status, &ticket.queue, &ticket.assignee, &subject] {
            let _ = write!(line, "  {}", if part.is_empty() { "-" } else { part });
        }
    }
    if let Some(change) = &event.change {
        let _ = write!(line, "  [{} by {}", change.command, actor(change));
        for part in [changed(change), reply(change)] {
            if !part.is_empty() {
                let _ = write!(line, "; {part}");
            }
        }
        line.push(']');
    }
    clean(&line).replace(['\n', '\t'], " ")
}

fn actor(change: &Change) -> String {
    let mut text = change.actor.clone();
    let role = role(change.actor_role());
    if !role.is_empty() && role != text {
        let _ = write!(text, " ({role})");
    }
    if !change.on_behalf_of.is_empty() {
        let _ = write!(text, " for {}", change.on_behalf_of);
    }
    text
}

/// What matters first, as a table cuts what is long. Without the times, which the change's own time tells well enough, and without
/// what only counts or orders.
fn changed(change: &Change) -> String {
    let taken = Some(&change.transition).filter(|id| !id.is_empty()).map(|id| format!("by {id}"));
    let tells =
        change.notifications.iter().map(|tells| format!("tells {}: {}", tells.address, excerpt(&tells.message, 60)));
    let fields = change.field_changes.iter().filter(|change| is_told(&change.field));
    let (first, others): (Vec<_>, Vec<_>) = fields.partition(|change| FIRST.contains(&change.field.as_str()));
    let told =
        |changes: Vec<&FieldChange>| changes.into_iter().map(|told| field(&change.ticket, told)).collect::<Vec<_>>();
    let reason = Some(change.reason.as_str()).filter(|reason| !reason.is_empty());
    taken
        .into_iter()
        .chain(told(first))
        .chain(reason.map(|reason| format!("because: {}", excerpt(reason, 60))))
        .chain(told(others))
        .chain(tells)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Where a ticket stands and whose it is.
const FIRST: [&str; 4] = ["status", "queue", "assignee", "priority"];

/// A helpdesk's own fields are all told, whatever they are called.
fn is_told(field: &str) -> bool {
    field.starts_with("fields.")
        || !(field.ends_with("_time")
            || field.ends_with("_count")
            || field.ends_with("_bytes")
            || field == "hand_placed")
}

fn field(ticket: &str, change: &FieldChange) -> String {
    let FieldChange { field, old_value, new_value } = change;
    let new = if new_value.is_empty() { "(none)".to_owned() } else { value(ticket, field, new_value) };
    if old_value.is_empty() {
        format!("{}: {new}", called(field))
    } else {
        format!("{}: {} → {new}", called(field), value(ticket, field, old_value))
    }
}

fn reply(change: &Change) -> String {
    let Some(reply) = &change.reply else { return String::new() };
    let note = if reply.kind() == ReplyKind::Note { "(note) " } else { "" };
    format!("{note}{}", excerpt(&reply.body, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_told_from_where_to_where() {
        let moved = |old: &str, new: &str| {
            let change = FieldChange { field: "status".into(), old_value: old.into(), new_value: new.into() };
            field("helpdesks/h/tickets/1", &change)
        };
        assert_eq!(moved("waiting", "answered"), "status: waiting → answered");
        assert_eq!(moved("", "waiting"), "status: waiting");
        assert_eq!(moved("waiting", ""), "status: waiting → (none)");
    }

    #[test]
    fn what_matters_comes_first_and_what_only_counts_is_left_out() {
        let set = |field: &str, new: &str| FieldChange {
            field: field.into(),
            new_value: new.into(),
            ..FieldChange::default()
        };
        let fields = [
            ("close_time", "2026-11-30T00:00:00Z"),
            ("fields.promised_time", "2026-12-01T00:00:00Z"),
            ("attachment_count", "1"),
            ("note_attachment_bytes", "7"),
            ("hand_placed", "true"),
            ("status", "closed"),
            ("queue", "order"),
        ];
        let change = Change {
            transition: "close".into(),
            reason: "solved".into(),
            field_changes: fields.map(|(field, new)| set(field, new)).to_vec(),
            ..Change::default()
        };
        assert_eq!(
            changed(&change),
            "by close; status: closed; queue: order; because: solved; fields.promised_time: 2026-12-01T00:00:00Z"
        );
    }
}
