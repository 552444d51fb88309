//! Snapshots.

use std::sync::Arc;

use super::support::{HELPDESK, Log, Statuses};
use crate::domain::filter::Filter;
use crate::feed::{FeedError, FeedOptions, Pages, Snapshot, Spooled};
use crate::store::list::{self, Key, Order};
use crate::store::{AnyConnection, StoreError, heads};

fn lens(padding: usize) -> Arc<Statuses> {
    Arc::new(Statuses { seen: vec!["new"], padding, definition_version: None })
}

/// A key that has nothing else.
fn nobodys() -> Arc<Spooled> {
    Arc::default()
}

/// Three tickets at a time.
fn pages() -> Pages {
    let mut next = Some(Key::default());
    Box::new(move |connection: &mut AnyConnection| {
        let Some(after) = next.take() else { return Ok(None) };
        let page = list::page(connection, HELPDESK, &Filter::all(), &[], &Order::Created, Some(&after), 3)?;
        next = page.next;
        Ok(Some(page.tickets))
    })
}

async fn told(padding: usize, count: i64) -> (i64, Vec<String>) {
    let mut log = Log::new(FeedOptions::default());
    let feed = log.feed().await;
    log.commit_and_publish(&[(1..=count).map(|id| (id, "new")).collect()]);
    log.store_tickets();
    let mut snapshot = Snapshot::take(&feed, pages(), lens(padding), nobodys()).await.unwrap();
    let mut responses = Vec::new();
    while let Some(response) = snapshot.next().await.unwrap() {
        responses.push(String::from_utf8(response.to_vec()).unwrap());
    }
    assert!(log.pool.is_idle(), "no transaction stays open");
    (snapshot.place().revision, responses)
}

#[tokio::test]
async fn a_snapshot_tells_every_match_without_a_token() {
    let (revision, responses) = told(0, 7).await;
    assert_eq!(revision, 1);
    let [response] = responses.as_slice() else { panic!("one response: {responses:?}") };
    let lines: Vec<_> = response.lines().map(str::trim_end).collect();
    let mut expected: Vec<_> = (1..=7).map(|id| format!("snapshot {id} 1")).collect();
    expected.push("@1".to_owned());
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_large_snapshot_comes_in_several_responses() {
    let (_, responses) = told(100_000, 20).await;
    assert_eq!(responses.len(), 7);
    assert!(responses.iter().all(|response| response.lines().last() == Some("@1 ")));
    assert_eq!(responses.iter().map(|response| response.lines().count() - 1).sum::<usize>(), 20);
}

#[tokio::test]
async fn a_snapshot_of_nothing_has_a_place() {
    let log = Log::new(FeedOptions::default());
    let feed = log.feed().await;
    let mut snapshot = Snapshot::take(&feed, pages(), lens(0), nobodys()).await.unwrap();
    assert_eq!((snapshot.place().revision, snapshot.place().uid), (0, 0));
    assert!(snapshot.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_snapshot_is_not_seen_through_a_lens_of_an_older_definition() {
    let mut log = Log::new(FeedOptions::default());
    log.commit_and_publish(&[vec![(1, "new")]]);
    let old = Arc::new(Statuses { seen: vec!["new"], padding: 0, definition_version: Some(0) });
    let feed = log.feed().await;
    let taken = Snapshot::take(&feed, pages(), old, nobodys()).await;
    assert!(matches!(taken, Err(FeedError::Outdated)));
}

#[tokio::test]
async fn snapshots_that_wait_to_be_sent_have_a_limit_together() {
    let mut log = Log::new(FeedOptions { spooled_bytes: 5_000_000, ..FeedOptions::default() });
    let feed = log.feed().await;
    log.commit_and_publish(&[(1..=20).map(|id| (id, "new")).collect()]);
    log.store_tickets();
    let take = async |own: &Arc<Spooled>| Snapshot::take(&feed, pages(), lens(100_000), Arc::clone(own)).await;
    let (one, other, third) = (nobodys(), nobodys(), nobodys());
    let first = take(&one).await.unwrap();
    assert!(matches!(take(&one).await, Err(FeedError::ShareFull { most: 2_500_000 })), "one key has not all of it");
    let second = take(&other).await.unwrap();
    assert!(matches!(take(&third).await, Err(FeedError::SpoolsFull { limit: 5_000_000 })));
    drop(second);
    take(&third).await.unwrap();
    drop(first);
    take(&one).await.unwrap();
}

#[tokio::test]
async fn nobody_who_reads_a_page_waits_for_a_snapshot() {
    let mut log = Log::new(FeedOptions::default());
    let feed = log.feed().await;
    log.commit_and_publish(&[vec![(1, "new")]]);
    // More than may be read at once, and none of them comes to its end.
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let ends = Arc::new(std::sync::Mutex::new(ends));
    let snapshots: Vec<_> = (0..8)
        .map(|_| {
            let (feed, ends) = (Arc::clone(&feed), Arc::clone(&ends));
            let pages: Pages = Box::new(move |_| {
                ends.lock().unwrap().recv().unwrap_err();
                Ok(None)
            });
            tokio::spawn(async move { Snapshot::take(&feed, pages, lens(0), nobodys()).await })
        })
        .collect();
    for _ in 0..100 {
        let read = feed.read(|connection| Ok::<_, StoreError>(heads::last_revision(connection, HELPDESK)?)).await;
        assert_eq!(read.unwrap(), 1);
    }
    drop(end);
    for snapshot in snapshots {
        snapshot.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_read_of_the_log_waits_until_it_is_on_disk() {
    let mut log = Log::new(FeedOptions::default());
    log.commit(&[vec![(1, "new")]]);
    log.hub.durable().begin();
    // Two at once: the second finds what the first has loaded.
    let mut feeds = std::pin::pin!(async { tokio::join!(log.feed(), log.feed()) });
    let a_moment = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(a_moment, &mut feeds).await.is_err(), "it is told before it is on disk");
    log.hub.durable().reach(1).unwrap();
    let (first, second) = feeds.await;
    assert_eq!((first.head(), second.head()), (1, 1));
}
