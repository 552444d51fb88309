//! Several changes of one ticket in one revision, as watchers see them.

use loket::v1::{Role, TicketEvent, TicketEventType as Type};

use super::{Caller, desk, eventful};
use crate::support::history::{by, comes_to, goes_to, history, says};
use crate::support::tail::{Tail, behind, narrow, now, snapshot};

async fn tail(caller: &Caller, filter: &str) -> Tail {
    Tail::open(narrow(caller, 65_535).await, now(caller, filter)).await.unwrap()
}

#[tokio::test]
async fn a_watcher_is_told_every_event_and_folds_them_to_the_row() {
    let desk = desk().await;
    let mut watch = tail(desk.admin(), "").await;
    watch.follow().await;
    let ticket = desk.admin().import(eventful()).await.unwrap();
    desk.admin().note(&ticket.name, "after").await.unwrap();
    watch.until(2).await;
    let kinds: Vec<_> = watch.seen.events.iter().map(|event| (event.revision, event.r#type())).collect();
    let mut expected = vec![(1, Type::Entered)];
    expected.extend([(1, Type::Updated); 12]);
    expected.push((2, Type::Updated));
    assert_eq!(kinds, expected);
    let changes = desk.admin().changes(&ticket.name).await.unwrap();
    for (event, change) in watch.seen.events.iter().zip(&changes) {
        let told = event.change.as_ref().unwrap();
        assert_eq!((told.ordinal, told.event_time, &told.actor), (change.ordinal, change.event_time, &change.actor));
    }
    let read = desk.admin().list("").await.unwrap().remove(0);
    assert_eq!(watch.seen.tickets[&ticket.name], read);

    // A token is of whole revisions; what is behind it comes whole.
    let again = behind(desk.admin(), "", &watch.seen.token);
    let mut again = Tail::open(narrow(desk.admin(), 65_535).await, again).await.unwrap();
    let next = desk.admin().import(history("Fax", vec![comes_to(1, "budi", "open")])).await.unwrap();
    again.until(3).await;
    assert_eq!(again.seen.events.len(), 2);
    assert_eq!(again.seen.tickets[&next.name].status, "open");
    // And a snapshot has it once, as it stands.
    let mut whole = Tail::open(narrow(desk.admin(), 65_535).await, snapshot(desk.admin(), "")).await.unwrap();
    assert_eq!(whole.snapshot().await, 3);
    assert_eq!(whole.seen.tickets[&next.name].status, "open");
}

#[tokio::test]
async fn a_ticket_enters_and_leaves_as_often_as_it_did() {
    let desk = desk().await;
    let mut queue = tail(desk.admin(), "queue = pay").await;
    let mut open = tail(desk.admin(), "state = NEW OR state = ACTIVE").await;
    let mut closed = tail(desk.admin(), "state = CLOSED").await;
    for watch in [&mut queue, &mut open, &mut closed] {
        watch.follow().await;
    }
    let events = vec![
        goes_to(1, "budi", "pay", "x"),
        comes_to(2, "budi", "open"),
        goes_to(3, "budi", "web", "x"),
        goes_to(4, "citra", "pay", "x"),
        goes_to(5, "citra", "first", "x"),
        by(Role::Supervisor, comes_to(6, "dewi", "closed")),
    ];
    let ticket = desk.admin().import(history("Printer", events)).await.unwrap();
    desk.admin().note(&ticket.name, "x").await.unwrap();
    for (watch, expected) in [
        (&mut queue, vec![Type::Entered, Type::Updated, Type::Left, Type::Entered, Type::Left]),
        (&mut closed, vec![Type::Entered, Type::Updated]),
    ] {
        watch.until(2).await;
        let kinds: Vec<_> = watch.seen.events.iter().map(TicketEvent::r#type).collect();
        assert_eq!(kinds, expected);
    }
    open.until(2).await;
    assert_eq!(open.seen.events.last().map(TicketEvent::r#type), Some(Type::Left));
    assert!(open.seen.tickets.is_empty() && queue.seen.tickets.is_empty());
}

#[tokio::test]
async fn a_requester_is_told_of_its_own_and_of_no_notes() {
    let desk = desk().await;
    let (own, other) = (desk.requester("customer@example.com").await, desk.requester("other@example.com").await);
    let (mut watch, mut nothing) = (tail(&own, "").await, tail(&other, "").await);
    for watch in [&mut watch, &mut nothing] {
        watch.follow().await;
    }
    let events = vec![
        says(1, "budi", loket::v1::ReplyKind::Note, "Psst"),
        goes_to(2, "budi", "pay", "He is a bore"),
        says(3, "budi", loket::v1::ReplyKind::Public, "Hello"),
    ];
    desk.admin().import(history("Printer", events)).await.unwrap();
    watch.until(1).await;
    nothing.until(1).await;
    assert!(nothing.seen.events.is_empty());
    let told = format!("{:?}", watch.seen.events);
    assert!(told.contains("Hello") && !told.contains("Psst") && !told.contains("bore"), "{told}");
    assert!(
        watch.seen.events.iter().all(|event| event.change.as_ref().is_none_or(|change| change.importer.is_empty()))
    );
}
