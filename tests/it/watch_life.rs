//! How a stream lives and ends: markers while it is idle, a drain, a revoked key, limits, waiting for a revision.

use std::time::{Duration, Instant};

use loket::v1::{
    ErrorReason, RevokeAccessKeyRequest, Role, Ticket, WatchMarker as Marker, WatchQueueRequest, WatchTicketsRequest,
};
use loket_client::Error;
use tonic::Code;

use super::database;
use crate::support::tail::{Tail, behind, narrow, now, snapshot};
use crate::support::{Caller, Desk, RICH, draft, eventually};

async fn open(caller: &Caller, request: WatchTicketsRequest) -> Result<Tail, Error> {
    Tail::open(narrow(caller, 65_535).await, request).await
}

/// Reads up to the end, and says how it ends.
async fn end(tail: &mut Tail) -> Option<Error> {
    loop {
        match tail.next().await {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(error) => return Some(error),
        }
    }
}

#[tokio::test]
async fn an_idle_stream_says_how_far_it_is_also_past_what_does_not_match() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut tail = open(&agent, snapshot(&agent, "status = closed")).await.unwrap();
    tail.snapshot().await;
    let mut token = tail.seen.token.clone();
    for number in 1..=2 {
        agent.create(draft(&format!("Ticket {number}"))).await.unwrap();
        let begin = Instant::now();
        let marker = tail.next().await.unwrap().unwrap();
        assert_eq!((marker.marker(), marker.revision), (Marker::Progress, number));
        assert!(begin.elapsed() < Duration::from_secs(10), "a marker each second");
        assert_ne!(marker.resume_token, token, "the token is fresh");
        token = marker.resume_token;
    }
    agent.transition("helpdesks/desk/tickets/1", "close").await.unwrap();
    let mut resumed = open(&agent, behind(&agent, "status = closed", &token)).await.unwrap();
    resumed.until(3).await;
    assert_eq!(resumed.seen.events.len(), 1);

    // Nothing happens: markers come all the same.
    tail.until(3).await;
    assert_eq!(tail.next().await.unwrap().unwrap().marker(), Marker::Progress);

    for nanos in [0, 999_999_999] {
        let progress_interval = Some(prost_types::Duration { seconds: if nanos == 0 { 61 } else { 0 }, nanos });
        let error = open(&agent, WatchTicketsRequest { progress_interval, ..now(&agent, "") }).await.err().unwrap();
        assert_eq!(error.reason(), Some(ErrorReason::InvalidRequest));
    }
}

#[tokio::test]
async fn a_drain_says_so_with_a_token_and_ends_well() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut idle = open(&agent, now(&agent, "")).await.unwrap();
    idle.next().await.unwrap();
    let mut whole = open(&agent, snapshot(&agent, "")).await.unwrap();
    whole.snapshot().await;
    agent.create(draft("The last")).await.unwrap();
    desk.server.stop();
    for tail in [&mut idle, &mut whole] {
        assert!(end(tail).await.is_none(), "the stream ends with OK");
        assert!(tail.seen.closing, "and not before it has said so");
    }
    let desk = Desk { server: desk.server.again().await };
    let agent = desk.agent("budi").await;
    for tail in [idle, whole] {
        let mut resumed = open(&agent, behind(&agent, "", &tail.seen.token)).await.unwrap();
        resumed.until(1).await;
        assert_eq!(tail.seen.events.len() + resumed.seen.events.len(), 1, "told before the drain or after it");
    }
}

#[tokio::test]
async fn a_revoked_key_ends_its_streams_within_five_seconds() {
    let desk = Desk::open(database()).await;
    let key = desk.admin().key(Role::Agent, "budi", &["desk"]).await;
    let agent = Caller::connect(&desk.endpoint(), &key.secret, "desk").await;
    let other = desk.agent("budi").await;
    let mut tail = open(&agent, now(&agent, "")).await.unwrap();
    let mut unaffected = open(&other, now(&other, "")).await.unwrap();
    let request = WatchQueueRequest { name: "helpdesks/desk/queues/main".to_owned(), ..WatchQueueRequest::default() };
    let mut queue = agent.queues().watch_queue(request).await.unwrap().into_inner();
    queue.message().await.unwrap().unwrap();

    desk.admin().revoke_access_key(RevokeAccessKeyRequest { name: key.name, ..Default::default() }).await.unwrap();
    let revoked = Instant::now();
    let error = end(&mut tail).await.unwrap();
    assert_eq!((error.code(), error.reason()), (Code::Unauthenticated, Some(ErrorReason::AccessKeyRevoked)));
    let error: Error = queue.message().await.unwrap_err().into();
    assert_eq!((error.code(), error.reason()), (Code::Unauthenticated, Some(ErrorReason::AccessKeyRevoked)));
    assert!(revoked.elapsed() < Duration::from_secs(5));
    let error = open(&agent, now(&agent, "")).await.err().unwrap();
    assert_eq!(error.reason(), Some(ErrorReason::AccessKeyRevoked));
    other.create(draft("Still watched")).await.unwrap();
    unaffected.until(1).await;
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_until_one_goes() {
    let desk = Desk::open(database().with().max_streams(2)).await;
    let agent = desk.agent("budi").await;
    let first = open(&agent, now(&agent, "")).await.unwrap();
    let _second = open(&agent, now(&agent, "")).await.unwrap();
    let error = open(&agent, now(&agent, "")).await.err().unwrap();
    assert_eq!((error.code(), error.reason()), (Code::ResourceExhausted, Some(ErrorReason::TooManyStreams)));
    drop(first);
    eventually("there is room again", async || open(&agent, now(&agent, "")).await.ok()).await;
}

#[tokio::test]
async fn a_stream_waits_for_the_revision_that_it_is_to_begin_with() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let request = WatchTicketsRequest { min_revision: 1, ..snapshot(&agent, "") };
    let opening = open(&agent, request);
    tokio::pin!(opening);
    // Others who ask for as much, and do not wait for the revision, have their answers.
    let others = async {
        for _ in 0..10 {
            open(&agent, snapshot(&agent, "")).await.unwrap();
        }
    };
    tokio::select! {
        biased;
        opened = &mut opening => panic!("opened before the revision was there: {}", opened.is_ok()),
        () = others => {}
    }
    // On disk, it is told to the one who made it and to the one who waits for it, in either order.
    let (ticket, opened) = tokio::join!(agent.create(draft("Waited for")), opening);
    let (ticket, mut tail) = (ticket.unwrap(), opened.unwrap());
    assert!(tail.snapshot().await >= 1);
    assert!(tail.seen.tickets.contains_key(&ticket.name));
}

#[tokio::test]
async fn a_revision_that_does_not_come_ends_with_the_deadline() {
    let desk = Desk::open(database().with().request_timeout(Duration::from_millis(300))).await;
    let agent = desk.agent("budi").await;
    let future = WatchTicketsRequest { min_revision: 1_000, ..snapshot(&agent, "") };
    let error = open(&agent, future.clone()).await.err().unwrap();
    assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, Some(ErrorReason::TimedOut)));

    // The caller's own, by the client.
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut watch = agent.with_timeout(Duration::from_millis(300)).watch(future);
    let error = watch.next().await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error:?}");

    let negative = WatchTicketsRequest { min_revision: -1, ..snapshot(&agent, "") };
    assert_eq!(open(&agent, negative).await.err().unwrap().reason(), Some(ErrorReason::InvalidRequest));
}

/// So many tickets that come to 60 kB each.
async fn file_large(agent: &Caller, count: usize) {
    for number in 0..count {
        let solution = "A long story. ".repeat(4_300);
        agent.create(Ticket { solution, ..draft(&format!("Ticket {number}")) }).await.unwrap();
    }
}

/// A snapshot of which the first response was taken, and then no more.
async fn stalled(caller: &Caller) -> Tail {
    let mut tail = Tail::open(narrow(caller, 1_024).await, snapshot(caller, "")).await.unwrap();
    while tail.next().await.unwrap().unwrap().events.is_empty() {}
    tail
}

#[tokio::test]
async fn a_key_whose_snapshots_stand_still_leaves_room_for_those_of_others() {
    let desk = Desk::open(database().with().flag("--max-snapshot-bytes=2097152")).await;
    let (greedy, other) = (desk.agent("budi").await, desk.agent("budi").await);
    file_large(&greedy, 16).await;
    let stalled = stalled(&greedy).await;
    let mut second = open(&greedy, snapshot(&greedy, "")).await.unwrap();
    let error = end(&mut second).await.unwrap();
    assert_eq!((error.code(), error.reason()), (Code::ResourceExhausted, Some(ErrorReason::TooManySnapshots)));
    assert!(error.to_string().contains("snapshots of this key"), "{error}");
    assert!(error.retry_delay().is_some());
    let mut unaffected = open(&other, snapshot(&other, "")).await.unwrap();
    unaffected.snapshot().await;
    assert_eq!(unaffected.seen.tickets.len(), 16);

    drop(stalled);
    eventually("there is room again", async || {
        let mut again = open(&greedy, snapshot(&greedy, "")).await.unwrap();
        again.next().await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_large_snapshot_waits_in_the_data_folder_and_leaves_nothing_there() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    file_large(&agent, 20).await;
    let folder = desk.server.data().folder().join("tmp");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&folder).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700, "it is for its owner alone");
    let mut stalled = stalled(&agent).await;
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "a crash would leave it");

    std::fs::remove_dir(&folder).unwrap();
    let mut refused = open(&agent, snapshot(&agent, "")).await.unwrap();
    let error = end(&mut refused).await.unwrap();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, Some(ErrorReason::StoreUnavailable)));
    assert!(error.retry_delay().is_some());
    // What is begun goes on, and what is small needs no file.
    stalled.snapshot().await;
    let mut small = open(&agent, snapshot(&agent, "subject:\"Ticket 7\"")).await.unwrap();
    small.snapshot().await;
    assert_eq!((stalled.seen.tickets.len(), small.seen.tickets.len()), (20, 1));

    std::fs::create_dir(&folder).unwrap();
    let mut again = open(&agent, snapshot(&agent, "")).await.unwrap();
    again.snapshot().await;
    assert_eq!(again.seen.tickets.len(), 20);
}

#[tokio::test]
async fn a_new_definition_closes_the_streams_that_depend_on_it_though_no_ticket_changes() {
    let desk = Desk::of(database(), RICH).await;
    let (agent, ani) = (desk.agent("budi").await, desk.requester("ani@example.com").await);
    let mut concerned = Vec::new();
    for (caller, filter) in [(&agent, "fields.amount > 5"), (&ani, "")] {
        let mut watching = open(caller, now(caller, filter)).await.unwrap();
        watching.next().await.unwrap();
        concerned.push(watching);
    }
    let mut unconcerned = open(&agent, now(&agent, "")).await.unwrap();
    unconcerned.next().await.unwrap();
    desk.redefine(|helpdesk| helpdesk.display_name = "Another".to_owned()).await.unwrap();
    for watching in &mut concerned {
        assert!(end(watching).await.is_none(), "the stream ends with OK");
        assert!(watching.seen.closing, "and not before it has said so");
    }
    // Nothing that the definition says of what they see has changed: they go on.
    for ((caller, filter), closed) in [(&agent, "fields.amount > 5"), (&ani, "")].into_iter().zip(concerned) {
        let mut resumed = open(caller, behind(caller, filter, &closed.seen.token)).await.unwrap();
        resumed.until(desk.head().await).await;
    }
    unconcerned.until(desk.head().await).await;
    assert!(!unconcerned.seen.closing);
}

/// More than goes onto its way before somebody reads.
async fn file_many(desk: &Desk) -> usize {
    let tickets = (0..3_000).map(|number| draft(&format!("Ticket {number} {}", "x".repeat(150))));
    desk.admin().fill(tickets).await.len()
}

#[tokio::test]
async fn a_stream_with_much_to_tell_ends_when_its_key_is_revoked() {
    let desk = Desk::open(database()).await;
    let key = desk.admin().key(Role::Agent, "budi", &["desk"]).await;
    let agent = Caller::connect(&desk.endpoint(), &key.secret, "desk").await;
    let mut tail = open(&agent, now(&agent, "")).await.unwrap();
    let filed = file_many(&desk).await;
    let revoke = RevokeAccessKeyRequest { name: key.name, ..RevokeAccessKeyRequest::default() };
    desk.admin().revoke_access_key(revoke).await.unwrap();
    assert_eq!(end(&mut tail).await.unwrap().reason(), Some(ErrorReason::AccessKeyRevoked));
    assert!(tail.seen.events.len() < filed, "all was told to a key that was revoked");
}

#[tokio::test]
async fn a_drain_in_the_midst_of_a_snapshot_gives_no_token() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    file_many(&desk).await;
    let mut tail = open(&agent, snapshot(&agent, "")).await.unwrap();
    let mut last = tail.next().await.unwrap().unwrap();
    desk.server.stop();
    while let Some(response) = tail.next().await.unwrap() {
        last = response;
    }
    assert_eq!((last.marker(), last.resume_token.as_str()), (Marker::Closing, ""), "the snapshot has not ended");
}
