//! What is imported and waits is served like anything that waits.

use std::time::Duration;

use loket::v1::{ClaimNextTicketRequest, Role};

use super::desk;
use crate::support::history::{by, comes_to, given_to, goes_to, history};
use crate::support::{Desk, draft};

#[tokio::test]
async fn an_imported_ticket_that_waits_wakes_who_waits_for_it() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let request = ClaimNextTicketRequest {
        name: "helpdesks/desk/queues/pay".to_owned(),
        max_wait: Some(prost_types::Duration { seconds: 60, nanos: 0 }),
        ..ClaimNextTicketRequest::default()
    };
    let waiting = tokio::spawn(async move { agent.claim_next_ticket(request).await });
    // Another queue, and one that came and went again.
    desk.admin().import(history("Fax", Vec::new())).await.unwrap();
    let gone = vec![goes_to(10, "citra", "pay", "x"), goes_to(20, "citra", "web", "y")];
    desk.admin().import(history("Scanner", gone)).await.unwrap();
    let had = vec![goes_to(10, "citra", "pay", "x"), given_to(20, "citra", "citra")];
    desk.admin().import(history("Copier", had)).await.unwrap();
    let left = vec![given_to(5, "citra", "citra"), goes_to(10, "citra", "pay", "x")];
    let ticket = desk.admin().import(history("Printer", left)).await.unwrap();
    assert_eq!((ticket.queue.as_str(), ticket.assignee.as_str()), ("pay", ""));
    let claimed = tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(claimed.ticket.map(|ticket| ticket.name), Some(ticket.name));
}

#[tokio::test]
async fn what_was_imported_is_claimed_in_the_order_of_its_own_times() {
    let desk = Desk::open(super::database()).await;
    let agent = desk.agent("budi").await;
    let live = agent.create(draft("Live")).await.unwrap();
    let later = desk.admin().import(history("Old, and sent on", vec![comes_to(50, "citra", "open")])).await.unwrap();
    let mut earlier = history("Older", Vec::new());
    earlier.event_time = Some(crate::support::history::at(-1));
    let earlier = desk.admin().import(earlier).await.unwrap();
    assert_eq!(desk.admin().get(&live.name).await.unwrap().tickets_ahead, Some(2));
    for expected in [&earlier, &later, &live] {
        assert_eq!(agent.claim_next("main").await.unwrap().map(|ticket| ticket.name).as_ref(), Some(&expected.name));
    }
    let closed = by(Role::Admin, comes_to(50, "dewi", "closed"));
    desk.admin().import(history("Done", vec![closed])).await.unwrap();
    assert_eq!(agent.claim_next("main").await.unwrap(), None);
}

#[tokio::test]
async fn a_number_that_is_given_at_the_claim_is_given_by_the_first_one() {
    let rules = super::RICH.replace("NUMBER_ASSIGNMENT_SUBMISSION", "NUMBER_ASSIGNMENT_CLAIM");
    let desk = Desk::of(super::database(), &rules).await;
    let events = vec![given_to(10, "budi", "budi"), given_to(20, "budi", ""), given_to(30, "citra", "citra")];
    let histories = vec![history("A", Vec::new()), history("B", events.clone()), history("C", events)];
    let tickets = desk.admin().import_all(histories).await.unwrap();
    let numbers: Vec<_> = tickets.into_iter().map(|ticket| ticket.unwrap().number).collect();
    assert_eq!(numbers, ["", "T-00001", "T-00002"]);
    assert_eq!(desk.admin().claim("helpdesks/desk/tickets/1").await.unwrap().number, "T-00003");
}
