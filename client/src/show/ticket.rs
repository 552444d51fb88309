//! Tickets: a list, and one of them whole.

use std::fmt::Write as _;

use loket_client::v1::{ExplainTransitionsResponse, Ticket};

use super::Column::{Text, Whole};
use super::{Table, card, clean, excerpt, indented, instant, role, short, word};

/// A list of tickets.
pub(crate) fn list(tickets: &[Ticket]) -> Table {
    Table::new(
        &[
            Whole("TICKET"),
            Whole("NUMBER"),
            Whole("STATUS"),
            Whole("PRIORITY"),
            Whole("QUEUE"),
            Whole("ASSIGNEE"),
            Whole("REQUESTER"),
            Text("SUBJECT"),
            Whole("CREATED"),
        ],
        tickets.iter().map(|ticket| {
            vec![
                short(&ticket.name),
                ticket.number.clone(),
                ticket.status.clone(),
                ticket.priority.clone(),
                ticket.queue.clone(),
                ticket.assignee.clone(),
                ticket.requester.clone(),
                excerpt(&ticket.subject, 60),
                instant(ticket.create_time.as_ref()),
            ]
        }),
    )
}

/// The texts of tickets, each set in under a line that says which it is.
pub(crate) fn texts(tickets: &[Ticket], terminal_width: Option<u16>) -> String {
    let mut text = String::new();
    for ticket in tickets {
        let title = format!("{}  {}", short(&ticket.name), excerpt(&ticket.subject, 100));
        let _ = write!(text, "\n── {}\n{}", clean(&title), indented(&ticket.body, terminal_width));
    }
    text
}

/// A ticket with all it has, its text last.
pub(crate) fn whole(ticket: &Ticket) -> String {
    let pairs = |pairs: Vec<String>| pairs.join("\n");
    let replies = match (ticket.reply_count, ticket.note_count) {
        (0, _) => String::new(),
        (replies, 0) => replies.to_string(),
        (replies, notes) => format!("{replies}, of which notes {notes}"),
    };
    let attachments = match (ticket.attachment_count, ticket.note_attachment_count) {
        (0, _) => String::new(),
        (files, 0) => format!("{files}, of {} bytes", ticket.attachment_bytes),
        (files, notes) => format!("{files}, of {} bytes; of notes {notes}", ticket.attachment_bytes),
    };
    let mut text = card(&[
        ("ticket", ticket.name.clone()),
        ("number", ticket.number.clone()),
        ("subject", ticket.subject.clone()),
        ("requester", ticket.requester.clone()),
        ("status", format!("{} ({})", ticket.status, word(ticket.state().as_str_name(), "STATE_"))),
        ("priority", ticket.priority.clone()),
        ("queue", ticket.queue.clone()),
        ("ahead", ticket.tickets_ahead.map(ahead).unwrap_or_default()),
        ("assignee", ticket.assignee.clone()),
        ("channel", ticket.channel.clone()),
        ("fields", pairs(ticket.fields.iter().map(|(name, value)| format!("{name} = {value}")).collect())),
        ("tags", ticket.tags.join(", ")),
        ("cc", ticket.cc.join(", ")),
        ("external", pairs(ticket.external_refs.iter().map(|it| format!("{} = {}", it.source, it.id)).collect())),
        (
            "links",
            pairs(
                ticket
                    .links
                    .iter()
                    .map(|it| format!("{} {}", word(it.kind().as_str_name(), "LINK_KIND_"), short(&it.ticket)))
                    .collect(),
            ),
        ),
        (
            "split off",
            pairs(ticket.splits.iter().map(|it| format!("{} as {}", short(&it.reply), short(&it.ticket))).collect()),
        ),
        ("split from", pairs(ticket.split_from.iter().map(|it| short(it)).collect())),
        ("merged into", short(&ticket.merged_into)),
        ("replies", replies),
        ("attachments", attachments),
        ("solution", ticket.solution.clone()),
        ("feedback", ticket.feedback.as_ref().map(super::feedback::in_short).unwrap_or_default()),
        ("received", instant(ticket.receive_time.as_ref())),
        ("queued", instant(ticket.queue_time.as_ref())),
        ("read", instant(ticket.read_time.as_ref())),
        ("first reply", instant(ticket.first_reply_time.as_ref())),
        ("updated", instant(ticket.update_time.as_ref())),
        ("closed", instant(ticket.close_time.as_ref())),
        ("revision", ticket.revision.to_string()),
        ("etag", ticket.etag.clone()),
    ]);
    if !ticket.body.is_empty() {
        text.push('\n');
        text.push_str(&clean(&ticket.body));
        text.push('\n');
    }
    text
}

/// How many are before it: more than a thousand are not counted.
fn ahead(tickets: i32) -> String {
    if tickets < 1_000 { tickets.to_string() } else { "1000 or more".to_owned() }
}

/// Which transitions lead on, and what is in the way of the others.
pub(crate) fn transitions(explained: &ExplainTransitionsResponse) -> Table {
    Table::new(
        &[Whole("TRANSITION"), Whole("TO"), Whole("TRIGGER"), Whole("ALLOWED"), Text("GUARDS"), Text("WHY NOT")],
        explained.transitions.iter().map(|transition| {
            let mut why: Vec<String> = Vec::new();
            if !transition.role_allowed {
                let roles: Vec<_> = transition.roles().map(role).collect();
                why.push(format!(
                    "only for {}",
                    if roles.is_empty() { "other roles".to_owned() } else { roles.join(", ") }
                ));
            }
            // Roles and guards have been told.
            let others = transition.objections.iter().filter(|why| !["ROLE", "GUARD"].contains(&why.r#type.as_str()));
            why.extend(others.map(|why| why.description.clone()));
            let mark = |passed: bool| if passed { "pass" } else { "FAIL" };
            let guards = transition.guards.iter().map(|guard| format!("{}: {}", mark(guard.passed), guard.message));
            vec![
                transition.transition.clone(),
                transition.to.clone(),
                transition.trigger.to_lowercase(),
                if transition.allowed { "yes" } else { "no" }.to_owned(),
                guards.collect::<Vec<_>>().join("; "),
                why.join("; "),
            ]
        }),
    )
}
