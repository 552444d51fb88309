//! Claims that wait at several servers for the same queue.

use std::time::{Duration, Instant};

use loket::v1::{ClaimNextTicketRequest, Ticket};
use uuid::Uuid;

use crate::support::{Caller, Database, Desk, draft};

async fn next(caller: &Caller, wait: Duration) -> Option<Ticket> {
    let request = ClaimNextTicketRequest {
        name: format!("{}/queues/main", caller.parent),
        request_id: Uuid::now_v7().to_string(),
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
