//! `WatchQueue`: a live view.

use std::time::Duration;

use loket::v1::{ErrorReason, RegisterRequesterRequest, Requester, WatchQueueRequest, WatchQueueResponse};
use tonic::{Code, Streaming};

use super::database;
use crate::support::{Caller, Desk, Random, draft};

async fn watch(caller: &Caller, max_tickets: i32) -> Streaming<WatchQueueResponse> {
    let name = format!("{}/queues/main", caller.parent);
    let request = WatchQueueRequest { name, max_tickets, ..WatchQueueRequest::default() };
    caller.queues().watch_queue(request).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<WatchQueueResponse>) -> WatchQueueResponse {
    tokio::time::timeout(Duration::from_secs(30), stream.message()).await.expect("nothing comes").unwrap().unwrap()
}

/// Reads until the view is of a revision, or of a later one.
async fn until(stream: &mut Streaming<WatchQueueResponse>, revision: i64) -> WatchQueueResponse {
    loop {
        let view = next(stream).await;
        check(&view);
        if view.revision >= revision {
            return view;
        }
    }
}

fn check(view: &WatchQueueResponse) {
    let positions: Vec<_> = view.tickets.iter().map(|queued| queued.position).collect();
    assert_eq!(positions, (1..).take(positions.len()).collect::<Vec<_>>());
    let depth = view.queue.as_ref().unwrap().depth;
    assert!(depth >= i64::try_from(positions.len()).unwrap());
    for queued in &view.tickets {
        let ticket = queued.ticket.as_ref().unwrap();
        assert_eq!((ticket.queue.as_str(), ticket.assignee.as_str()), ("main", ""));
    }
}

fn names(view: &WatchQueueResponse) -> Vec<String> {
    view.tickets.iter().map(|queued| queued.ticket.as_ref().unwrap().name.clone()).collect()
}

#[tokio::test]
async fn the_first_state_comes_at_once_and_each_later_one_after_a_change() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut stream = watch(&agent, 3).await;
    let empty = next(&mut stream).await;
    assert_eq!((empty.queue.as_ref().unwrap().depth, empty.tickets.len()), (0, 0));
    assert!(empty.queue.unwrap().oldest_wait_time.is_none());

    let mut filed = Vec::new();
    for number in 0..5 {
        desk.clock.advance(Duration::from_mins(1));
        filed.push(agent.create(draft(&format!("Ticket {number}"))).await.unwrap());
    }
    let view = until(&mut stream, 5).await;
    let queue = view.queue.as_ref().unwrap();
    assert_eq!((queue.depth, queue.oldest_wait_time), (5, filed[0].queue_time));
    assert_eq!(names(&view), filed.iter().take(3).map(|ticket| ticket.name.clone()).collect::<Vec<_>>());

    agent.claim(&filed[1].name).await.unwrap();
    let first = agent.claim_next("main").await.unwrap().unwrap();
    assert_eq!(first.name, filed[0].name);
    let view = until(&mut stream, 7).await;
    assert_eq!(view.queue.as_ref().unwrap().oldest_wait_time, filed[2].queue_time);
    assert_eq!(names(&view), filed.iter().skip(2).map(|ticket| ticket.name.clone()).collect::<Vec<_>>());

    // Released, it goes to the end of the line, behind those that are shown.
    desk.clock.advance(Duration::from_mins(1));
    agent.release(&first.name).await.unwrap();
    let view = until(&mut stream, 8).await;
    assert_eq!(view.queue.as_ref().unwrap().depth, 4);
    assert!(!names(&view).contains(&first.name));
}

#[tokio::test]
async fn nothing_is_sent_while_the_view_stays_the_same() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mine = agent.create(draft("Mine")).await.unwrap();
    agent.claim(&mine.name).await.unwrap();
    let mut stream = watch(&agent, 0).await;
    let first = next(&mut stream).await;
    // None of this is seen in the queue: what comes next is the change that is.
    for _ in 0..3 {
        agent.note(&mine.name, "Thinking.").await.unwrap();
    }
    let silent = tokio::time::timeout(Duration::from_millis(500), stream.message()).await;
    assert!(silent.is_err(), "{silent:?}");
    let ticket = agent.create(draft("Seen")).await.unwrap();
    let second = next(&mut stream).await;
    assert_eq!((first.tickets.len(), names(&second)), (0, vec![ticket.name]));
}

/// Views are shared by all who watch a queue, and are not read anew for what does not concern it.
#[tokio::test]
async fn who_asks_for_a_revision_is_shown_no_older_view() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut others = watch(&agent, 0).await;
    assert_eq!(next(&mut others).await.revision, 0);
    let register = RegisterRequesterRequest {
        parent: agent.parent.clone(),
        requester: Some(Requester { email: "ani@example.com".to_owned(), ..Requester::default() }),
        ..RegisterRequesterRequest::default()
    };
    agent.register_requester(register).await.unwrap();
    let name = format!("{}/queues/main", agent.parent);
    let request = WatchQueueRequest { name, min_revision: 1, ..WatchQueueRequest::default() };
    let mut stream = agent.queues().watch_queue(request).await.unwrap().into_inner();
    assert_eq!(next(&mut stream).await.revision, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_view_is_of_one_revision_and_the_last_is_how_things_stand() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut stream = watch(&agent, 200).await;
    next(&mut stream).await;
    let load = async {
        let mut random = Random::new(3);
        for number in 0..150 {
            if random.chance(3) {
                agent.claim_next("main").await.unwrap();
            } else {
                agent.create(draft(&format!("Ticket {number}"))).await.unwrap();
            }
        }
        let ticket = agent.create(draft("The last")).await.unwrap();
        ticket.revision
    };
    let views = async {
        loop {
            let view = next(&mut stream).await;
            check(&view);
            let shown = i64::try_from(view.tickets.len()).unwrap();
            assert_eq!(view.queue.as_ref().unwrap().depth, shown, "depth and tickets are of one revision");
            if view.tickets.iter().any(|queued| queued.ticket.as_ref().unwrap().subject == "The last") {
                return view;
            }
        }
    };
    let (revision, last) = tokio::join!(load, views);
    assert_eq!(last.revision, revision);
    let waiting = agent.list("queue = main AND NOT assignee:*").await.unwrap();
    assert_eq!(names(&last), waiting.into_iter().map(|ticket| ticket.name).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester("ani@example.com").await;
    let refused = async |caller: &Caller, name: &str, max_tickets: i32| -> loket_client::Error {
        let request = WatchQueueRequest { name: name.to_owned(), max_tickets, ..WatchQueueRequest::default() };
        caller.queues().watch_queue(request).await.unwrap_err().into()
    };
    let main = "helpdesks/desk/queues/main";
    assert_eq!(refused(&agent, "helpdesks/desk/queues/no", 0).await.code(), Code::NotFound);
    assert_eq!(refused(&agent, "helpdesks/no/queues/main", 0).await.code(), Code::NotFound);
    assert_eq!(refused(&ani, main, 0).await.reason(), Some(ErrorReason::RoleNotAllowed));
    for wrong in [-1, 201] {
        assert_eq!(refused(&agent, main, wrong).await.reason(), Some(ErrorReason::InvalidRequest));
    }
}

#[tokio::test]
async fn when_the_server_stops_a_view_ends_with_what_to_do() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut stream = watch(&agent, 0).await;
    next(&mut stream).await;
    desk.server.stop();
    let error: loket_client::Error = stream.message().await.unwrap_err().into();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, Some(ErrorReason::ShuttingDown)));
    assert!(error.retry_delay().is_some());
    assert!(error.to_string().contains("watch again") && !error.to_string().contains("nothing was done"), "{error}");
}
