//! What is wrong with a history is told all at once, and nothing of it is written.

use insta::assert_snapshot;
use loket::v1::{ErrorReason, HistoryEvent, ReplyKind, Role, Ticket, TicketHistory};
use loket_client::error::Violation;
use prost_types::Timestamp;

use super::desk;
use crate::support::history::{at, by, comes_to, given_to, goes_to, history, says, updated};
use crate::support::{draft, fields, reason, told};

#[tokio::test]
async fn every_refused_event_is_told_at_once_and_the_rest_succeeds() {
    let desk = desk().await;
    let late = Timestamp { seconds: 4_000_000_000, nanos: 0 };
    let events = vec![
        comes_to(10, "budi", "open"),
        comes_to(5, "budi", "waiting"),
        HistoryEvent { event_time: Some(late), ..comes_to(0, "budi", "waiting") },
        HistoryEvent { actor_role: 9, event_time: None, ..comes_to(0, "budi", "waiting") },
        HistoryEvent { operation: None, ..comes_to(10, "budi", "") },
        comes_to(10, "", "waiting"),
        comes_to(10, "budi", "done"),
        comes_to(10, "budi", "closed"),
        comes_to(10, "budi", "solved"),
        goes_to(10, "budi", "nowhere", "x"),
        given_to(10, "budi", "citra"),
        updated(10, "budi", Ticket { fields: fields([("amount", "x")]), ..Ticket::default() }, &["fields.amount", "y"]),
        updated(10, "budi", Ticket { fields: fields([("amount", "x")]), ..Ticket::default() }, &["fields.amount"]),
        says(10, "budi", ReplyKind::Public, ""),
        by(Role::Requester, says(10, "eka@example.com", ReplyKind::Public, "x")),
        by(Role::Requester, says(10, "", ReplyKind::Note, "x")),
        says(20, "budi", ReplyKind::Public, "Good"),
    ];
    let refused = desk.admin().import(history("Printer", events.clone())).await;
    let error = refused.clone().unwrap_err();
    assert_eq!(reason(refused), ErrorReason::HistoryRefused);
    let lines: Vec<_> = error
        .violations()
        .iter()
        .map(|violation| {
            let Violation::Precondition { kind, subject, description } = violation else { panic!("{violation:?}") };
            format!("{subject} {kind}: {description}")
        })
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    events[1].event_time INVALID_REQUEST: 2013-01-07T08:00:05.000000Z is before 2013-01-07T08:00:10.000000Z, when what stands before it happened
    events[2].event_time INVALID_REQUEST: 2096-10-02T07:06:40.000000Z is in the future: it is 2026-03-02T01:00:00.000000Z
    events[3].event_time INVALID_REQUEST: is required: when it happened
    events[3].actor_role INVALID_REQUEST: 9 is no role; write ROLE_REQUESTER, ROLE_AGENT, ROLE_SUPERVISOR, ROLE_SERVICE or ROLE_ADMIN
    events[4].operation INVALID_REQUEST: is required: one of status, transfer, assignment, update and reply
    events[5].actor INVALID_REQUEST: is required: 1 to 200 characters
    events[6].status.status INVALID_REQUEST: there is no status "done"; there are new, open, waiting, solved, closed
    events[7].status TRANSITION_REFUSED: the role agent may not take it; requester, supervisor may
    events[8].status TRANSITION_REFUSED: Give the solution first; Answer the requester first; the field `cause` must have a value in the status `solved`
    events[9].transfer.queue INVALID_REQUEST: there is no queue "nowhere"; there are first, web, pay
    events[10].assignment ROLE_NOT_ALLOWED: assigning a ticket to somebody else is not for the role agent; it is for: supervisor, service, admin
    events[11].update.update_mask INVALID_REQUEST: "y" cannot be changed; it takes subject, priority, tags, cc, external_refs, solution, fields or fields.{id}
    events[12].update.ticket.fields.amount INVALID_REQUEST: "x" is not an integer of 64 bits: write decimal digits, such as 42 or -7
    events[13].reply.body INVALID_REQUEST: is required: 1 to 65536 characters
    events[14].actor INVALID_REQUEST: "eka@example.com" is not customer@example.com, who alone acts as the requester of this ticket
    events[15].reply ROLE_NOT_ALLOWED: writing a note is not for the role requester; it is for: agent, supervisor, service, admin
    "#);
    assert_eq!(error.metadata()["events"], "15");
    assert_eq!(desk.head().await, 0);

    let good = vec![events[0].clone(), events[16].clone()];
    let ticket = desk.admin().import(history("Printer", good)).await.unwrap();
    assert_eq!(ticket.status, "waiting");
}

#[tokio::test]
async fn what_is_wrong_with_the_ticket_is_told_as_of_a_new_one() {
    let desk = desk().await;
    let bad = Ticket { requester: "nobody".to_owned(), fields: fields([("cause", "x")]), ..draft("") };
    let bad = TicketHistory { ticket: Some(bad), event_time: Some(at(2_000_000_000)), ..history("", Vec::new()) };
    assert_snapshot!(told(desk.admin().import(bad).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 4
    - event_time: 2076-05-24T11:33:20.000000Z is in the future: it is 2026-03-02T01:00:00.000000Z
    - ticket.requester: "nobody" is not an e-mail address, such as customer@example.com
    - ticket.subject: is required: 1 to 500 characters
    - ticket.fields.cause: the role requester may not set it; agent, supervisor may
    "#);
    let early = TicketHistory {
        event_time: Some(Timestamp { seconds: -1, nanos: 0 }),
        actor: "eka@example.com".to_owned(),
        actor_role: Role::Requester.into(),
        events: vec![comes_to(0, "budi", "open"); 501],
        ..history("Printer", Vec::new())
    };
    assert_snapshot!(told(desk.admin().import(early).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - events: has 501 events; at most 500 are taken
    - event_time: 1969-12-31T23:59:59.000000Z is before 1970-01-01T00:00:00.000000Z, the earliest that is taken
    - actor: "eka@example.com" is not customer@example.com, who alone acts as the requester of this ticket
    "#);
    let empty =
        TicketHistory { ticket: Some(Ticket { requester: String::new(), ..draft("x") }), ..history("", Vec::new()) };
    assert_snapshot!(told(desk.admin().import(empty).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.requester: is required: the e-mail address of whose case it is
    - ticket.requester: is required: the e-mail address of whose case it is
    ");
    assert_snapshot!(told(desk.admin().import(TicketHistory::default()).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - event_time: is required: when it happened
    - ticket: is required
    ");
    assert_eq!(desk.head().await, 0);
}

#[tokio::test]
async fn each_history_succeeds_or_fails_for_itself() {
    let desk = desk().await;
    assert_snapshot!(told(desk.admin().import_all(Vec::new()).await), @r"
    InvalidArgument INVALID_REQUEST
    histories: has 0 items; 1 to 100 are taken
    - histories: has 0 items; 1 to 100 are taken
    ");
    assert_snapshot!(told(desk.admin().import_all(vec![history("x", Vec::new()); 101]).await), @r"
    InvalidArgument INVALID_REQUEST
    histories: has 101 items; 1 to 100 are taken
    - histories: has 101 items; 1 to 100 are taken
    ");
    let histories = vec![
        history("Good", vec![comes_to(10, "budi", "open")]),
        history("Bad", vec![comes_to(10, "budi", "closed")]),
        history("Fine", Vec::new()),
    ];
    let outcomes = desk.admin().import_all(histories).await.unwrap();
    let told: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().map(|ticket| ticket.subject.as_str())).collect();
    assert_eq!((told[0].unwrap(), told[2].unwrap()), ("Good", "Fine"));
    assert!(told[1].is_err());
    assert_eq!(desk.head().await, 2);
}

#[tokio::test]
async fn what_would_be_too_much_for_a_watcher_is_refused_and_so_is_nothing_else() {
    let desk = desk().await;
    let long = "x".repeat(60_000);
    let events: Vec<_> = (0..30).map(|at| says(at, "budi", ReplyKind::Note, &long)).collect();
    let error = desk.admin().import(history("Printer", events.clone())).await.unwrap_err();
    let count = error.violations().len();
    assert!((10..16).contains(&count), "{count} of 30 times 60,000 bytes are too much for a megabyte");
    let Violation::Precondition { subject, description, .. } = &error.violations()[0] else { panic!("{error:?}") };
    assert_eq!(subject, &format!("events[{}]", 30 - count));
    assert!(description.contains("1048576 are taken"), "{description}");
    // Those that fit, and a short one behind them.
    let mut fitting = events[..30 - count].to_vec();
    fitting.push(says(100, "budi", ReplyKind::Note, "short"));
    desk.admin().import(history("Printer", fitting)).await.unwrap();
}

#[tokio::test]
async fn of_many_refused_events_of_many_histories_as_many_are_told_as_fit() {
    let desk = desk().await;
    let events = vec![comes_to(10, "budi", "there-is-no-status-with-so-long-a-name-in-this-definition"); 500];
    let histories = vec![history("Printer", events.clone()); 60];
    for outcome in desk.admin().import_all(histories).await.unwrap() {
        let error = outcome.unwrap_err();
        let Some(Violation::Precondition { description, .. }) = error.violations().last() else { panic!("{error:?}") };
        assert!(description.starts_with("and "), "{description}");
        assert_eq!(error.metadata()["events"], "500");
    }
    let whole = desk.admin().import(history("Printer", events)).await.unwrap_err();
    assert_eq!(whole.violations().len(), 500, "one history alone is told all");
}
