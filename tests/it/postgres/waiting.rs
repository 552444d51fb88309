//! Claims that wait at several servers for the same queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use loket::v1::{ClaimNextTicketRequest, Ticket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{Caller, Database, Desk, draft};

async fn next(caller: &Caller, wait: Duration) -> Option<Ticket> {
    next_under(caller, wait, Uuid::now_v7()).await
}

async fn next_under(caller: &Caller, wait: Duration, request_id: Uuid) -> Option<Ticket> {
    let request = ClaimNextTicketRequest {
        name: format!("{}/queues/main", caller.parent),
        request_id: request_id.to_string(),
        max_wait: Some(wait.try_into().unwrap()),
        ..ClaimNextTicketRequest::default()
    };
    caller.claim_next_ticket(request).await.unwrap().ticket
}

const LONG: Duration = Duration::from_secs(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_at_one_is_woken_by_a_ticket_filed_at_another() {
    let desk = Desk::open(Database::Postgres).await;
    let other = desk.beside(Database::Postgres).await;
    let worker = desk.agent("budi").await;
    let there = Caller::connect(&other.endpoint(), &worker.secret, "desk").await;
    let mut last = Duration::MAX;
    for _ in 0..5 {
        let waiting = tokio::spawn({
            let there = there.clone();
            async move { next(&there, LONG).await }
        });
        // Whether it waits already or not: it gets the ticket.
        let filed = desk.admin().create(draft("Printer")).await.unwrap();
        let begin = Instant::now();
        assert_eq!(waiting.await.unwrap().unwrap().name, filed.name);
        last = last.min(begin.elapsed());
    }
    assert!(last < Duration::from_secs(1), "{last:?}");
}

/// Who has asked at two servers, as a client does that lost one, is told by both what became of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_waits_at_two_servers_ends_with_the_same_ticket_at_both() {
    let desk = Desk::open(Database::Postgres).await;
    let other = desk.beside(Database::Postgres).await;
    let worker = desk.agent("budi").await;
    let there = Caller::connect(&other.endpoint(), &worker.secret, "desk").await;
    let asked = Uuid::now_v7();
    let both = [worker, there]
        .map(|caller| tokio::spawn(async move { next_under(&caller, Duration::from_secs(2), asked).await }));
    let filed = desk.admin().create(draft("Printer")).await.unwrap();
    for waiting in both {
        assert_eq!(waiting.await.unwrap().unwrap().name, filed.name);
    }
}

/// Waits are counted in turns, which no slow machine makes longer: how many tickets others got while one waited. In one line it
/// would be 17 each time. Most wait where the tickets are filed, so that their server hears of each first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_at_three_servers_take_turns() {
    const TICKETS: usize = 400;
    const WORKERS: [usize; 3] = [12, 3, 3];
    let desk = Desk::open(Database::Postgres).await;
    let others = [desk.beside(Database::Postgres).await, desk.beside(Database::Postgres).await];
    let given = Arc::new(AtomicUsize::new(0));
    let (told, mut waited) = mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for (server, count) in WORKERS.into_iter().enumerate() {
        for number in 0..count {
            let agent = desk.agent(&format!("agent-{server}-{number}")).await;
            let caller = match server.checked_sub(1) {
                Some(other) => Caller::connect(&others[other].endpoint(), &agent.secret, "desk").await,
                None => agent,
            };
            let (given, told) = (Arc::clone(&given), told.clone());
            workers.spawn(async move {
                loop {
                    let before = given.load(Ordering::SeqCst);
                    if next(&caller, LONG).await.is_some() {
                        let turns = given.fetch_add(1, Ordering::SeqCst) - before;
                        told.send(turns).unwrap();
                    }
                }
            });
        }
    }
    let service = desk.service("intake").await;
    let mut turns = Vec::new();
    for number in 0..TICKETS {
        service.create(draft(&format!("Ticket {number}"))).await.unwrap();
        turns.push(waited.recv().await.unwrap());
    }
    // Until all have come, and it is known how long they usually wait.
    turns.drain(..3 * WORKERS.iter().sum::<usize>());
    turns.sort_unstable();
    let (median, p99) = (turns[turns.len() / 2], turns[turns.len() * 99 / 100]);
    assert!(p99 <= 2 * median, "{median} turns are usual, and some wait for {p99}: {turns:?}");
}
