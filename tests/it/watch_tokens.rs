//! Resume tokens: where they lead on from, and when they do not.

use loket::v1::{ErrorReason, Role, Ticket, WatchStart, WatchTicketsRequest};
use loket_client::{Error, WatchItem};
use tonic::Code;

use super::database;
use crate::support::tail::{Tail, behind, narrow, now, snapshot};
use crate::support::{Caller, Desk, RICH, SIMPLE, ServerProcess, draft, fields};

async fn open(caller: &Caller, request: WatchTicketsRequest) -> Result<Tail, Error> {
    Tail::open(narrow(caller, 65_535).await, request).await
}

async fn refused(caller: &Caller, request: WatchTicketsRequest) -> Error {
    open(caller, request).await.err().expect("the token is taken")
}

/// The first token of a watch from the head.
async fn token(caller: &Caller, filter: &str) -> String {
    let mut tail = open(caller, now(caller, filter)).await.unwrap();
    tail.next().await.unwrap();
    tail.seen.token
}

#[tokio::test]
async fn now_tells_what_comes_and_not_what_was() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    agent.create(draft("Before")).await.unwrap();
    let mut tail = open(&agent, now(&agent, "")).await.unwrap();
    let first = tail.next().await.unwrap().unwrap();
    assert_eq!((first.revision, first.events.len()), (1, 0), "the first response says from where");
    let ticket = agent.create(draft("After")).await.unwrap();
    tail.until(2).await;
    assert_eq!(tail.seen.events.len(), 1);
    assert_eq!(tail.seen.events[0].ticket.as_ref().unwrap().name, ticket.name);

    // Neither a start nor a token is NOW, too.
    let mut silent = open(&agent, WatchTicketsRequest { start: 0, ..now(&agent, "") }).await.unwrap();
    assert_eq!(silent.next().await.unwrap().unwrap().revision, 2);
}

#[tokio::test]
async fn a_token_goes_on_exactly_behind_its_response() {
    let desk = Desk::open(database().with().ring_capacity(4)).await;
    let agent = desk.agent("budi").await;
    let mut whole = open(&agent, snapshot(&agent, "")).await.unwrap();
    let mut tokens = Vec::new();
    whole.snapshot().await;
    tokens.push((whole.seen.revision, whole.seen.token.clone()));
    for number in 1..=20 {
        let ticket = agent.create(draft(&format!("Ticket {number}"))).await.unwrap();
        if number % 3 == 0 {
            agent.transition(&ticket.name, "close").await.unwrap();
        }
        whole.until(ticket.revision).await;
        tokens.push((whole.seen.revision, whole.seen.token.clone()));
    }
    let last = desk.head().await;
    whole.until(last).await;
    for (revision, token) in tokens {
        let mut resumed = open(&agent, behind(&agent, "", &token)).await.unwrap();
        resumed.until(last).await;
        let expected: Vec<_> = whole.seen.events.iter().filter(|event| event.revision > revision).collect();
        assert_eq!(resumed.seen.events.iter().collect::<Vec<_>>(), expected, "behind {revision}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_watch_alone() {
    let desk = Desk::open(database()).await;
    desk.admin().open("other", SIMPLE).await;
    let agent = desk.server.caller(Role::Agent, "budi", &["desk", "other"]).await;
    let (ani, cici) = (desk.requester("ani@example.com").await, desk.requester("cici@example.com").await);
    let good = token(&agent, "status = new").await;

    let invalid = async |caller: &Caller, filter: &str, token: &str| {
        let error = refused(caller, behind(caller, filter, token)).await;
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert_eq!(error.reason(), Some(ErrorReason::InvalidResumeToken), "{error}");
        assert_eq!(error.violations().len(), 1, "{error:?}");
    };
    let mut turned: Vec<char> = good.chars().collect();
    let place = turned.len() / 2;
    turned[place] = if turned[place] == 'A' { 'B' } else { 'A' };
    let turned: String = turned.into_iter().collect();
    for malformed in ["x", "not a token", &good[1..], &good[..good.len() - 1], &turned, &format!("{good}{good}")] {
        invalid(&agent, "status = new", malformed).await;
    }
    invalid(&agent, "status = open", &good).await;
    invalid(&agent, "", &good).await;
    invalid(&agent.on("other"), "status = new", &good).await;
    invalid(&ani, "status = new", &good).await;
    invalid(&cici, "", &token(&ani, "").await).await;

    // The same filter in other words is the same filter; another agent sees the same.
    open(&agent, behind(&agent, "(status = \"new\")", &good)).await.unwrap();
    let other_agent = desk.agent("dewi").await;
    open(&other_agent, behind(&other_agent, "status = new", &good)).await.unwrap();

    for start in [WatchStart::Snapshot, WatchStart::Now] {
        let both = WatchTicketsRequest { start: start.into(), ..behind(&agent, "status = new", &good) };
        let error = refused(&agent, both).await;
        assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(ErrorReason::InvalidRequest)));
    }
}

#[tokio::test]
async fn a_token_older_than_the_feed_window_has_expired() {
    let desk = Desk::open(database().with().feed_window(5)).await;
    let agent = desk.agent("budi").await;
    let old = token(&agent, "").await;
    agent.create(draft("The first")).await.unwrap();
    let next = token(&agent, "").await;
    for number in 1..5 {
        agent.create(draft(&format!("Ticket {number}"))).await.unwrap();
    }
    // The last one that is good.
    let mut resumed = open(&agent, behind(&agent, "", &old)).await.unwrap();
    resumed.until(5).await;
    agent.create(draft("One more")).await.unwrap();
    let error = refused(&agent, behind(&agent, "", &old)).await;
    assert_eq!((error.code(), error.reason()), (Code::OutOfRange, Some(ErrorReason::ResumeTokenExpired)));
    assert_eq!((error.oldest_revision(), error.head_revision()), (Some(1), Some(6)));
    open(&agent, behind(&agent, "", &next)).await.unwrap().until(6).await;
}

#[tokio::test]
async fn the_client_reports_an_expired_token_and_does_not_begin_anew_by_itself() {
    let mut server = ServerProcess::start(database().with().feed_window(3)).await;
    server.admin().await.open("desk", SIMPLE).await;
    let agent = server.caller(Role::Agent, "budi", &["desk"]).await;
    agent.create(draft("Told")).await.unwrap();
    let mut watch = agent.watch(snapshot(&agent, ""));
    while watch.resume_token().is_none() {
        watch.next().await.unwrap().unwrap();
    }
    // It is away while more happens than the window holds.
    server.kill();
    server.restart().await;
    for number in 0..5 {
        agent.create(draft(&format!("Missed {number}"))).await.unwrap();
    }
    let error = loop {
        match watch.next().await {
            Ok(Some(WatchItem::Response(response))) => assert!(response.events.is_empty(), "{response:?} hides a gap"),
            Ok(other) => panic!("{other:?} hides a gap"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.reason(), Some(ErrorReason::ResumeTokenExpired));
    assert_eq!((error.oldest_revision(), error.head_revision()), (Some(3), Some(6)));
    assert_eq!(watch.next().await.unwrap(), None, "the watch is over");
}

#[tokio::test]
async fn a_restored_database_is_noticed() {
    let mut server = ServerProcess::start(database()).await;
    server.admin().await.open("desk", SIMPLE).await;
    let agent = server.caller(Role::Agent, "budi", &["desk"]).await;
    agent.create(draft("In the copy")).await.unwrap();
    let in_copy = token(&agent, "").await;

    server.kill();
    let copy = server.data().copy();
    server.restart().await;
    for number in 0..3 {
        agent.create(draft(&format!("Lost {number}"))).await.unwrap();
    }
    let lost = token(&agent, "").await;

    server.kill();
    server.data().restore(&copy);
    server.restart().await;
    let ahead = refused(&agent, behind(&agent, "", &lost)).await;
    assert_eq!((ahead.code(), ahead.reason()), (Code::OutOfRange, Some(ErrorReason::ResumeTokenAhead)));
    assert_eq!((ahead.oldest_revision(), ahead.head_revision()), (Some(0), Some(1)));

    for number in 0..5 {
        agent.create(draft(&format!("Another {number}"))).await.unwrap();
    }
    let changed = refused(&agent, behind(&agent, "", &lost)).await;
    assert_eq!((changed.code(), changed.reason()), (Code::OutOfRange, Some(ErrorReason::FeedEpochChanged)));
    assert_eq!((changed.oldest_revision(), changed.head_revision()), (Some(0), Some(6)));
    // What both have in common can be resumed from.
    let mut common = open(&agent, behind(&agent, "", &in_copy)).await.unwrap();
    common.until(6).await;
    assert_eq!(common.seen.events.len(), 5);
}

#[tokio::test]
async fn a_requester_who_sees_other_fields_than_before_needs_a_new_snapshot_and_the_client_says_so() {
    let desk = Desk::of(database(), RICH).await;
    let (agent, ani) = (desk.agent("budi").await, desk.requester("ani@example.com").await);
    let hidden = Ticket { fields: fields([("risk", "high"), ("amount", "7")]), ..draft("Hers") };
    agent.create(Ticket { requester: "ani@example.com".to_owned(), ..hidden }).await.unwrap();
    let (hers, all) = (token(&ani, "").await, token(&agent, "").await);
    let mut watch = ani.watch(snapshot(&ani, ""));
    while watch.resume_token().is_none() {
        watch.next().await.unwrap().unwrap();
    }
    desk.redefine(|helpdesk| {
        let risk = helpdesk.fields.iter_mut().find(|field| field.id == "risk").unwrap();
        risk.staff_only = false;
    })
    .await
    .unwrap();

    let error = refused(&ani, behind(&ani, "", &hers)).await;
    assert_eq!((error.code(), error.reason()), (Code::InvalidArgument, Some(ErrorReason::InvalidResumeToken)));
    assert!(error.to_string().contains("watch from a new snapshot"), "{error}");
    let error = loop {
        match watch.next().await {
            Ok(Some(WatchItem::Response(response))) => assert!(response.events.is_empty(), "{response:?}"),
            Ok(other) => panic!("{other:?} hides what she does not know"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.reason(), Some(ErrorReason::InvalidResumeToken));
    // A new one has it all, and its token is good; those who saw everything go on.
    let mut anew = open(&ani, snapshot(&ani, "")).await.unwrap();
    anew.snapshot().await;
    assert_eq!(anew.seen.tickets.values().next().unwrap().fields, fields([("risk", "high"), ("amount", "7")]));
    open(&ani, behind(&ani, "", &anew.seen.token)).await.unwrap();
    open(&agent, behind(&agent, "", &all)).await.unwrap();
}
