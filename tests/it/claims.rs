//! Many claim the same tickets: each has one winner.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use loket::v1::{ClaimTicketRequest, ErrorReason, ReleaseTicketRequest, Role, Ticket};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::database;
use crate::support::{Caller, Desk, Random, draft, reason};

const CLAIMERS: usize = 64;
const TICKETS: usize = 1_000;
/// By name; so that each name is tried by eight.
const TRIES: usize = 125;

/// By the ticket: who won it, and by which revision.
type Won = Arc<Mutex<BTreeMap<String, (String, i64)>>>;
/// The ticket and who is said to have it.
type Lost = Arc<Mutex<Vec<(String, String)>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_claim_a_thousand_and_each_is_won_once() {
    let desk = Desk::open(database()).await;
    let service = desk.service("intake").await;
    for part in 0..2 {
        file(&service, TICKETS / 2 * part, TICKETS / 2).await;
    }
    let before = desk.head().await;
    let (won, lost) = (Won::default(), Lost::default());
    let start = Arc::new(Barrier::new(CLAIMERS));
    let mut claimers = JoinSet::new();
    for number in 0..CLAIMERS {
        let subject = format!("agent-{number}");
        let caller = desk.caller(Role::Agent, &subject, &["desk"]).await;
        let (won, lost, start) = (Arc::clone(&won), Arc::clone(&lost), Arc::clone(&start));
        claimers.spawn(async move {
            start.wait().await;
            claim(&caller, &subject, number, &won, &lost).await;
        });
    }
    while let Some(done) = claimers.join_next().await {
        done.unwrap();
    }

    let tickets = desk.admin().list("").await.unwrap();
    // Neither those that lost nor those that claimed their own again took a revision.
    assert_eq!(desk.head().await - before, i64::try_from(TICKETS).unwrap());
    let won = won.lock().unwrap();
    assert_eq!(tickets.len(), TICKETS);
    assert_eq!(won.len(), TICKETS, "every ticket was won");
    for Ticket { name, assignee, revision, .. } in &tickets {
        assert_eq!(won[name], (assignee.clone(), *revision));
    }
    let lost = lost.lock().unwrap();
    assert!(!lost.is_empty(), "nobody met anybody");
    for (ticket, assignee) in lost.iter() {
        assert_eq!(&won[ticket].0, assignee, "who lost {ticket} is told who won");
    }
}

/// From the queue and by name in turn, until the queue is empty and all names were tried.
async fn claim(caller: &Caller, subject: &str, number: usize, won: &Won, lost: &Lost) {
    let mut random = Random::new(number as u64);
    let mut tries = 0;
    let mut empty = false;
    while !empty || tries < TRIES {
        if !empty {
            match caller.claim_next("main").await.unwrap() {
                Some(ticket) => win(won, subject, &ticket),
                None => empty = true,
            }
        }
        if tries < TRIES {
            tries += 1;
            let name = format!("helpdesks/desk/tickets/{}", 1 + random.below(TICKETS));
            match caller.claim(&name).await {
                Ok(ticket) => {
                    win(won, subject, &ticket);
                    let again = caller.claim(&name).await.unwrap();
                    assert_eq!(again, ticket, "claiming one's own again changes nothing");
                }
                Err(error) => {
                    assert_eq!(error.code(), tonic::Code::FailedPrecondition);
                    assert_eq!(error.reason(), Some(ErrorReason::AlreadyClaimed));
                    lost.lock().unwrap().push((name, error.metadata()["assignee"].clone()));
                }
            }
        }
    }
}

fn win(won: &Won, subject: &str, ticket: &Ticket) {
    assert_eq!(ticket.assignee, subject);
    let mine = (subject.to_owned(), ticket.revision);
    let before = won.lock().unwrap().insert(ticket.name.clone(), mine.clone());
    // By name, one's own may be claimed again.
    assert!(before.is_none_or(|before| before == mine), "{} was won twice", ticket.name);
}

async fn file(service: &Caller, first: usize, count: usize) {
    service.fill((first..first + count).map(|number| draft(&format!("Ticket {number}")))).await;
}

#[tokio::test]
async fn a_release_and_a_claim_look_at_the_etag_first() {
    let desk = Desk::open(database()).await;
    let (budi, dewi) = (desk.agent("budi").await, desk.agent("dewi").await);
    let ticket = budi.create(draft("Printer")).await.unwrap();
    let claimed = budi.claim(&ticket.name).await.unwrap();
    let claim = |etag: &str| ClaimTicketRequest {
        name: ticket.name.clone(),
        etag: etag.to_owned(),
        ..ClaimTicketRequest::default()
    };
    let release = |etag: &str, reason: &str| ReleaseTicketRequest {
        name: ticket.name.clone(),
        etag: etag.to_owned(),
        reason: reason.to_owned(),
        ..ReleaseTicketRequest::default()
    };
    for stale in [ticket.etag.as_str(), "nonsense"] {
        for caller in [&budi, &dewi] {
            assert_eq!(reason(caller.claim_ticket(claim(stale)).await), ErrorReason::EtagMismatch);
            let long = "x".repeat(2_000);
            assert_eq!(reason(caller.release_ticket(release(stale, &long)).await), ErrorReason::EtagMismatch);
        }
    }
    assert_eq!(budi.claim_ticket(claim(&claimed.etag)).await.unwrap().revision, claimed.revision);
    assert_eq!(reason(dewi.claim_ticket(claim(&claimed.etag)).await), ErrorReason::AlreadyClaimed);
    budi.release(&ticket.name).await.unwrap();
    assert_eq!(reason(budi.release_ticket(release(&claimed.etag, "")).await), ErrorReason::EtagMismatch);
}

#[tokio::test]
async fn a_service_gives_back_only_what_it_has_itself() {
    let desk = Desk::open(database()).await;
    let (budi, service) = (desk.agent("budi").await, desk.service("intake").await);
    let ticket = service.create(draft("Printer")).await.unwrap().name;
    budi.claim(&ticket).await.unwrap();
    assert_eq!(reason(service.release(&ticket).await), ErrorReason::TicketNotReady);
    assert_eq!(budi.get(&ticket).await.unwrap().assignee, "budi");
    desk.supervisor("citra").await.release(&ticket).await.unwrap();
    service.claim(&ticket).await.unwrap();
    assert_eq!(service.release(&ticket).await.unwrap().assignee, "");
}
