//! Stopping in order, and what happens when there is too much or too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use loket::v1::{CreateTicketRequest, ErrorReason, Role, Ticket, WatchMarker};
use loket_server::store::dialect;
use tokio::task::JoinSet;
use tonic::Code;

use super::database;
use crate::support::tail::{Tail, narrow, now, snapshot};
use crate::support::{Database, Desk, SIMPLE, ServerProcess, draft, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_finishes_what_was_begun_and_ends_well() {
    const DRAIN: Duration = Duration::from_secs(5);
    let mut server = ServerProcess::start(database().with().drain_timeout(DRAIN)).await;
    server.admin().await.open("desk", SIMPLE).await;
    let agent = server.caller(Role::Agent, "budi", &["desk"]).await;
    let body = "A long story. ".repeat(200);
    // This one never reads again: there is more for it than it can take in.
    let deaf = Tail::open(narrow(&agent, 1_024).await, now(&agent, "")).await.unwrap();
    let mut tail = Tail::open(narrow(&agent, 1 << 20).await, snapshot(&agent, "")).await.unwrap();
    tail.snapshot().await;

    let filed = Arc::new(AtomicUsize::new(0));
    let mut writers = JoinSet::new();
    for number in 0..16 {
        let (agent, filed, body) =
            (server.caller(Role::Agent, "budi", &["desk"]).await, Arc::clone(&filed), body.clone());
        writers.spawn(async move {
            let mut acknowledged = Vec::new();
            for turn in 0.. {
                let ticket =
                    Ticket { body: body.clone(), solution: body.clone(), ..draft(&format!("{number}-{turn}")) };
                match agent.try_create(ticket).await {
                    Ok(ticket) => acknowledged.push(ticket.name),
                    Err(error) => return (acknowledged, error),
                }
                filed.fetch_add(1, Ordering::SeqCst);
            }
            unreachable!("it goes on until it is refused");
        });
    }
    eventually("the load runs", async || (filed.load(Ordering::SeqCst) > 50).then_some(())).await;
    server.terminate();
    let stopping = Instant::now();

    let mut acknowledged = Vec::new();
    while let Some(written) = writers.join_next().await {
        let (names, error) = written.unwrap();
        acknowledged.extend(names);
        // Told so, or not connected any more.
        assert!(error.is_transient(), "{error:?}");
    }
    while let Some(response) = tail.next().await.unwrap() {
        assert!(response.retry_delay.is_none() || response.marker() == WatchMarker::Closing);
    }
    assert!(tail.seen.closing, "the stream says that it closes");
    assert!(server.ended().await, "{}", server.log());
    assert!(stopping.elapsed() < DRAIN + Duration::from_secs(5), "it ends although one does not read");
    drop(deaf);

    server.restart().await;
    let tickets = agent.list("").await.unwrap();
    let mut names: Vec<_> = tickets.into_iter().map(|ticket| ticket.name).collect();
    names.sort();
    acknowledged.sort();
    assert_eq!(
        names, acknowledged,
        "what was acknowledged is there, and what is there was acknowledged: no call was cut"
    );
}

/// Keeps the writer waiting, as a slow disk would.
struct Held(loket_server::store::AnyConnection);

impl Held {
    fn new(desk: &Desk) -> Self {
        let mut connection = desk.data().connect();
        dialect::begin(&mut connection).unwrap();
        // On SQLite the transaction is the lock. This one stays as long as the test likes, and no reader waits for it.
        if database() == Database::Postgres {
            let hold = "SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE heads IN EXCLUSIVE MODE";
            connection.batch_execute(hold).unwrap();
        }
        Self(connection)
    }

    fn release(mut self) {
        dialect::rollback(&mut self.0);
    }
}

#[tokio::test]
async fn a_full_queue_says_so_at_once_and_those_in_it_are_answered() {
    let desk = Desk::open(database().with().max_queued(4)).await;
    let agent = desk.agent("budi").await;
    let held = Held::new(&desk);
    let mut running = JoinSet::new();
    for number in 0..12 {
        let agent = agent.clone();
        running.spawn(async move { agent.try_create(draft(&format!("Ticket {number}"))).await });
    }
    // At most one commit's worth is with the writer, and four wait; the others are turned away while nothing moves.
    let mut refused = 0;
    while refused < 4 {
        let begin = Instant::now();
        let outcome = running.join_next().await.unwrap().unwrap();
        let error = outcome.expect_err("nothing is written now");
        assert_eq!((error.code(), error.reason()), (Code::Unavailable, Some(ErrorReason::Overloaded)));
        assert!(error.retry_delay().is_some(), "{error:?}");
        assert!(begin.elapsed() < Duration::from_secs(5), "at once");
        refused += 1;
    }
    held.release();
    let mut filed = 0;
    while let Some(outcome) = running.join_next().await {
        match outcome.unwrap() {
            Ok(_) => filed += 1,
            Err(error) => {
                assert_eq!(error.reason(), Some(ErrorReason::Overloaded));
                refused += 1;
            }
        }
    }
    assert_eq!(filed + refused, 12);
    // Those that found the line full before the writer took anything from it are refused, so it may be four.
    assert!(filed >= 4);
    assert_eq!(agent.list("").await.unwrap().len(), filed);
}

#[tokio::test]
async fn commands_that_nobody_waits_for_are_dropped_undecided() {
    let desk = Desk::open(database().with().request_timeout(Duration::from_millis(400))).await;
    let agent = desk.agent("budi").await;
    let held = Held::new(&desk);
    let first = tokio::spawn({
        let agent = agent.clone();
        async move { agent.try_create(draft("With the writer")).await }
    });
    // These wait with it, or behind it, until their time is up.
    let mut late = JoinSet::new();
    for number in 0..5 {
        let agent = agent.clone();
        late.spawn(async move { agent.try_create(draft(&format!("Too late {number}"))).await });
    }
    while let Some(outcome) = late.join_next().await {
        let error = outcome.unwrap().expect_err("nothing is written now");
        assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, Some(ErrorReason::TimedOut)));
    }
    first.await.unwrap().expect_err("nothing is written now");
    held.release();
    eventually("the writer goes on", async || agent.try_create(draft("In time")).await.ok()).await;
    let tickets = agent.list("").await.unwrap();
    assert!(tickets.iter().all(|ticket| ticket.subject == "In time"), "{tickets:?}");
}

#[tokio::test]
async fn what_is_only_validated_waits_for_no_writer() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let held = Held::new(&desk);
    let request = CreateTicketRequest {
        parent: agent.parent.clone(),
        ticket: Some(draft("Perhaps")),
        validate_only: true,
        ..CreateTicketRequest::default()
    };
    assert_eq!(agent.create_ticket(request).await.unwrap().subject, "Perhaps");
    held.release();
    assert_eq!(agent.list("").await.unwrap(), []);
}
