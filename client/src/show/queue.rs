//! Queues: a list, and one of them live.

use std::fmt::Write as _;

use console::truncate_str;
use loket_client::v1::{Queue, WatchQueueResponse};

use super::Column::{Text, Whole};
use super::{Table, age, card, clean, excerpt, instant, short};

/// A list of queues.
pub(crate) fn list(queues: &[Queue]) -> Table {
    Table::new(
        &[Whole("QUEUE"), Text("CALLED"), Whole("WAITING"), Whole("LONGEST")],
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

/// A queue with as many of its first tickets as fit a screen that is drawn again and again, each on one line; a warning comes
/// first.
pub(crate) fn screen(view: &WatchQueueResponse, warning: Option<&str>, rows: u16, width: u16) -> Vec<String> {
    if let Some(warning) = warning {
        let first = truncate_str(&clean(warning), width.into(), "…").into_owned();
        return std::iter::once(first)
            .chain(screen(view, None, rows.saturating_sub(1), width))
            .take(rows.into())
            .collect();
    }
    let mut lines = vec![truncate_str(&heading(view), width.into(), "…").into_owned()];
    if !view.tickets.is_empty() {
        lines.extend(tickets(view).on_screen(width));
    }
    let waiting = view.queue.as_ref().map_or(0, |queue| queue.depth.try_into().unwrap_or(0)).max(view.tickets.len());
    let rows = usize::from(rows);
    if lines.len() > rows || waiting > view.tickets.len() {
        lines.truncate(rows.saturating_sub(1).max(1));
        // Not the two lines of headers.
        let more = waiting - lines.len().saturating_sub(2);
        lines.push(truncate_str(&format!("… and {more} more"), width.into(), "…").into_owned());
        lines.truncate(rows.max(1));
    }
    lines
}

/// What is told of a queue as a whole.
fn heading(view: &WatchQueueResponse) -> String {
    let queue = view.queue.clone().unwrap_or_default();
    let mut text = format!("{}  {} waiting", clean(&queue.name), queue.depth);
    if queue.oldest_wait_time.is_some() {
        let _ = write!(text, ", the longest for {}", age(queue.oldest_wait_time.as_ref()));
    }
    let _ = write!(text, "  (revision {})", view.revision);
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
        &[
            Whole("PLACE"),
            Whole("TICKET"),
            Whole("NUMBER"),
            Whole("STATUS"),
            Whole("PRIORITY"),
            Whole("WAITS"),
            Text("SUBJECT"),
            Whole("REQUESTER"),
        ],
        view.tickets.iter().map(|queued| {
            let ticket = queued.ticket.clone().unwrap_or_default();
            vec![
                queued.position.to_string(),
                short(&ticket.name),
                ticket.number,
                ticket.status,
                ticket.priority,
                age(ticket.queue_time.as_ref()),
                excerpt(&ticket.subject, 60),
                ticket.requester,
            ]
        }),
    )
}

fn title(queue: &Queue) -> String {
    if queue.retired { format!("{} (retired)", queue.display_name) } else { queue.display_name.clone() }
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;
    use loket_client::v1::{QueuedTicket, Ticket};

    use super::*;

    fn view(depth: i64, tickets: i32) -> WatchQueueResponse {
        let ticket = |id: i32| Ticket {
            name: format!("helpdesks/h/tickets/{id}"),
            status: "waiting".into(),
            requester: "ani@example.com".into(),
            subject: if id == 1 { "订单".repeat(30) } else { "Mohon speedup ".repeat(4) },
            ..Ticket::default()
        };
        WatchQueueResponse {
            queue: Some(Queue { name: "helpdesks/h/queues/order".into(), depth, ..Queue::default() }),
            tickets: (1..=tickets).map(|id| QueuedTicket { position: id, ticket: Some(ticket(id)) }).collect(),
            revision: 7,
        }
    }

    #[test]
    fn a_screen_is_the_heading_a_header_and_a_line_for_each_ticket() {
        assert_eq!(
            screen(&view(2, 2), None, 23, 80),
            [
                "helpdesks/h/queues/order  2 waiting  (revision 7)",
                " PLACE  TICKET  NUMBER  STATUS   PRIORITY  WAITS  SUBJECT",
                " 1      h/1             waiting                   订单订单订单订单订单订单订单…",
                " 2      h/2             waiting                   Mohon speedup Mohon speedup…",
            ]
        );
        assert_eq!(
            screen(&view(2, 2), None, 23, 140)[2..],
            [
                " 1      h/1             waiting                   订单订单订单订单订单订单订单订单订单订单订单订单订单订单订单订单订单订单…  ani@example.com",
                " 2      h/2             waiting                   Mohon speedup Mohon speedup Mohon speedup Mohon speedup                    ani@example.com",
            ]
        );
        assert_eq!(screen(&view(0, 0), None, 23, 80), ["helpdesks/h/queues/order  0 waiting  (revision 7)"]);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let lines = screen(&view(125, 20), None, 23, 80);
        assert_eq!((lines.len(), lines[22].as_str()), (23, "… and 105 more"));
        let lines = screen(&view(20, 20), None, 10, 80);
        assert_eq!((lines.len(), lines[9].as_str()), (10, "… and 13 more"));
        assert_eq!(screen(&view(20, 20), None, 22, 80).len(), 22);
        assert_eq!(screen(&view(20, 20), None, 2, 80)[1], "… and 20 more");
    }

    #[test]
    fn a_warning_comes_first_and_takes_a_line() {
        let lines = screen(&view(20, 20), Some("not connected for 3 s"), 10, 80);
        assert_eq!((lines.len(), lines[0].as_str(), lines[9].as_str()), (10, "not connected for 3 s", "… and 14 more"));
        assert_eq!(screen(&view(20, 20), Some("not connected for 3 s"), 1, 80), ["not connected for 3 s"]);
    }

    #[test]
    fn no_screen_is_too_small() {
        for (rows, width) in [(1, 1), (1, 80), (2, 20), (3, 20), (4, 20), (23, 20), (23, 80), (50, 140)] {
            let lines = screen(&view(125, 20), None, rows, width);
            assert!(lines.len() <= rows.into() && lines[0].starts_with(if width == 1 { "…" } else { "helpdesks/" }));
            assert!(lines.iter().all(|line| measure_text_width(line) <= width.into()), "{lines:#?}");
        }
    }
}
