//! What a watch survives, and what it must not hide.

use std::time::Duration;

use loket_client::v1::{ErrorReason, WatchMarker, WatchStart, WatchTicketsRequest, WatchTicketsResponse};
use loket_client::{Watch, WatchItem};
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::scripted::{End, Scene, play};

fn response(revision: i64, token: &str) -> WatchTicketsResponse {
    WatchTicketsResponse { revision, resume_token: token.to_owned(), ..WatchTicketsResponse::default() }
}

fn start(start: WatchStart) -> WatchTicketsRequest {
    WatchTicketsRequest { start: start.into(), ..WatchTicketsRequest::default() }
}

/// The revision of the next response; none where the watch began anew.
async fn next(watch: &mut Watch) -> Option<i64> {
    match timeout(Duration::from_secs(20), watch.next()).await.unwrap().unwrap().unwrap() {
        WatchItem::Response(response) => Some(response.revision),
        WatchItem::Restarted => None,
    }
}

#[tokio::test]
async fn however_the_stream_ends_it_is_resumed_behind_the_last_token() {
    let (client, seen) = play([
        Scene::Stream(vec![response(1, ""), response(1, "a"), response(2, "b")], End::Ok),
        Scene::Fails(Status::unavailable("starting")),
        Scene::Stream(vec![response(3, "c")], End::Fails(Status::unavailable("stopping"))),
        Scene::Stream(vec![response(4, "d")], End::Never),
    ])
    .await;
    let mut watch = client.watch(start(WatchStart::Snapshot));
    let mut revisions = Vec::new();
    for _ in 0..5 {
        revisions.push(next(&mut watch).await);
    }
    assert_eq!(revisions, [1, 1, 2, 3, 4].map(Some));
    assert_eq!(watch.resume_token(), Some("d"));

    let seen = seen.lock().unwrap();
    let asked: Vec<_> = seen.watches.iter().map(|request| (request.start(), request.resume_token.as_str())).collect();
    let resumed = |token| (WatchStart::Unspecified, token);
    assert_eq!(asked, [(WatchStart::Snapshot, ""), resumed("b"), resumed("b"), resumed("c")]);
}

#[tokio::test]
async fn a_snapshot_that_breaks_is_begun_anew_and_said_so() {
    let (client, seen) = play([
        Scene::Stream(vec![response(1, ""), response(1, "")], End::Fails(Status::unavailable("stopping"))),
        Scene::Fails(Status::unavailable("starting")),
        Scene::Stream(vec![response(2, ""), response(2, "a")], End::Never),
    ])
    .await;
    let mut watch = client.watch(start(WatchStart::Snapshot));
    let mut items = Vec::new();
    for _ in 0..5 {
        items.push(next(&mut watch).await);
    }
    assert_eq!(items, [Some(1), Some(1), None, Some(2), Some(2)]);
    assert!(seen.lock().unwrap().watches.iter().all(|request| request.start() == WatchStart::Snapshot));
}

#[tokio::test]
async fn now_that_breaks_before_its_first_token_says_so() {
    let (client, _) = play([Scene::Stream(vec![], End::Ok), Scene::Stream(vec![response(5, "a")], End::Never)]).await;
    let mut watch = client.watch(start(WatchStart::Now));
    assert_eq!(next(&mut watch).await, None);
    assert_eq!(next(&mut watch).await, Some(5));
}

#[tokio::test]
async fn a_gap_is_the_callers_to_know() {
    for reason in [ErrorReason::ResumeTokenExpired, ErrorReason::ResumeTokenAhead, ErrorReason::FeedEpochChanged] {
        let bounds = [("oldest_revision", "7"), ("head_revision", "9")].map(|(key, value)| (key.into(), value.into()));
        let mut details = ErrorDetails::new();
        details.set_error_info(reason.as_reason(), "loket.v1", bounds);
        let gap = Status::with_error_details(Code::OutOfRange, "gone", details);
        let (client, seen) = play([Scene::Stream(vec![response(1, "a")], End::Ok), Scene::Fails(gap)]).await;

        let mut watch = client.watch(start(WatchStart::Now));
        assert_eq!(next(&mut watch).await, Some(1));
        let error = watch.next().await.unwrap_err();
        assert_eq!(error.reason(), Some(reason));
        assert_eq!((error.oldest_revision(), error.head_revision()), (Some(7), Some(9)));
        assert_eq!(watch.next().await.unwrap(), None);
        assert_eq!(seen.lock().unwrap().watches.len(), 2);
    }
}

#[tokio::test]
async fn a_revoked_key_ends_it() {
    let revoked = End::Fails(Status::unauthenticated("revoked"));
    let (client, _) = play([Scene::Stream(vec![response(1, "a")], revoked)]).await;
    let mut watch = client.watch(start(WatchStart::Now));
    assert_eq!(next(&mut watch).await, Some(1));
    assert_eq!(watch.next().await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_full_server_is_waited_for_by_whoever_had_a_stream() {
    let full = || {
        let mut details = ErrorDetails::new();
        details.set_error_info("TOO_MANY_STREAMS", "loket.v1", std::collections::HashMap::new());
        Scene::Fails(Status::with_error_details(Code::ResourceExhausted, "too many streams are open", details))
    };
    let (client, _) = play([
        Scene::Stream(vec![response(1, "a")], End::Fails(Status::unavailable("gone"))),
        full(),
        full(),
        Scene::Stream(vec![response(2, "b")], End::Never),
    ])
    .await;
    let mut watch = client.watch(start(WatchStart::Now));
    assert_eq!(next(&mut watch).await, Some(1));
    assert_eq!(next(&mut watch).await, Some(2));

    let (client, _) = play([full()]).await;
    let mut watch = client.watch(start(WatchStart::Now));
    assert_eq!(watch.next().await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_closing_server_is_left_alone_as_long_as_it_asks() {
    let closing = WatchTicketsResponse {
        marker: WatchMarker::Closing.into(),
        retry_delay: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        ..response(1, "a")
    };
    let (client, _) =
        play([Scene::Stream(vec![closing], End::Ok), Scene::Stream(vec![response(2, "b")], End::Never)]).await;
    let mut watch = client.watch(start(WatchStart::Now));
    assert_eq!(next(&mut watch).await, Some(1));
    let began = Instant::now();
    assert_eq!(next(&mut watch).await, Some(2));
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_silent_stream_is_dead_though_its_reader_looks_away() {
    let (client, seen) =
        play([Scene::Stream(vec![response(1, "a")], End::Never), Scene::Stream(vec![response(2, "b")], End::Never)])
            .await;
    let interval = Some(prost_types::Duration { seconds: 1, nanos: 0 });
    let mut watch = client.watch(WatchTicketsRequest { progress_interval: interval, ..start(WatchStart::Now) });
    assert_eq!(next(&mut watch).await, Some(1));

    // Dropped again and again, as in a select: nothing is lost, and the silence is counted on.
    let item = timeout(Duration::from_secs(20), async {
        loop {
            if let Ok(item) = timeout(Duration::from_millis(50), watch.next()).await {
                return item.unwrap().unwrap();
            }
        }
    });
    assert_eq!(item.await.unwrap(), WatchItem::Response(response(2, "b")));
    assert_eq!(seen.lock().unwrap().watches[1].resume_token, "a");
}
