//! Queues: a list, and one of them live.

use std::fmt::Write as _;

use loket_client::v1::{Queue, WatchQueueResponse};

use super::{Table, age, card, clean, excerpt, instant, short};
use crate::output::Output;

/// A list of queues.
pub(crate) fn list(queues: &[Queue]) -> Table {
    Table::new(
        &["QUEUE", "CALLED", "WAITING", "LONGEST"],
        queues.iter().map(|queue| {
            vec![short(&queue.name), title(queue), queue.depth.to_string(), age(queue.oldest_wait_time.as_ref())]
        }),
    )
}

/// A queue as it stands.
pub(crate) fn whole(queue: &Queue) -> String {
    card(&[
        ("queue", queue.name.clone()),
        ("called", title(queue)),
        ("waiting", queue.depth.to_string()),
        ("longest", age(queue.oldest_wait_time.as_ref())),
        ("since", instant(queue.oldest_wait_time.as_ref())),
    ])
}

/// A queue with its first tickets, for a screen that is drawn again and again.
pub(crate) fn screen(view: &WatchQueueResponse, output: Output) -> String {
    let queue = view.queue.clone().unwrap_or_default();
    let mut text = format!("{}  {} waiting", clean(&queue.name), queue.depth);
    if queue.oldest_wait_time.is_some() {
        let _ = write!(text, ", the longest for {}", age(queue.oldest_wait_time.as_ref()));
    }
    let _ = writeln!(text, "  (revision {})", view.revision);
    if !view.tickets.is_empty() {
        text.push_str(&output.table(&tickets(view)));
    }
    text
}

/// A queue on one line: its depth and who is first.
pub(crate) fn line(view: &WatchQueueResponse) -> String {
    let queue = view.queue.clone().unwrap_or_default();
    let mut line = format!("{:>8}  {}  {} waiting", view.revision, queue.name, queue.depth);
    if queue.oldest_wait_time.is_some() {
        let _ = write!(line, "  longest {}", age(queue.oldest_wait_time.as_ref()));
    }
    if let Some(first) = view.tickets.first().and_then(|queued| queued.ticket.as_ref()) {
        let _ = write!(line, "  first {}  {}", first.name, excerpt(&first.subject, 60));
    }
    clean(&line).replace(['\n', '\t'], " ")
}

fn tickets(view: &WatchQueueResponse) -> Table {
    Table::new(
        &["PLACE", "TICKET", "NUMBER", "STATUS", "PRIORITY", "REQUESTER", "SUBJECT", "WAITS"],
        view.tickets.iter().map(|queued| {
            let ticket = queued.ticket.clone().unwrap_or_default();
            vec![
                queued.position.to_string(),
                short(&ticket.name),
                ticket.number,
                ticket.status,
                ticket.priority,
                ticket.requester,
                excerpt(&ticket.subject, 60),
                age(ticket.queue_time.as_ref()),
            ]
        }),
    )
}

fn title(queue: &Queue) -> String {
    if queue.retired { format!("{} (retired)", queue.display_name) } else { queue.display_name.clone() }
}
