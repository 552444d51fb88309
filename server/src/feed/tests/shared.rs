//! A log that others write to as well: here by commits that nobody publishes.

use std::sync::Arc;

use diesel::connection::SimpleConnection;

use super::support::{HELPDESK, Log, Statuses, Watcher, expected};
use crate::feed::{FeedOptions, Step};
use crate::store::AnyConnection;

fn log(ring_capacity: usize) -> Log {
    Log::new(FeedOptions { ring_capacity, shared: true, ..FeedOptions::default() })
}

fn lens() -> Statuses {
    Statuses { seen: vec!["new"], padding: 0, definition_version: None }
}

fn watch(feed: &crate::feed::Followed) -> Watcher {
    Watcher::new(feed.watch(&lens().scope(), Arc::new(lens())))
}

#[tokio::test]
async fn who_comes_begins_where_the_database_is() {
    let mut log = log(16);
    let feed = log.feed().await;
    log.commit(&[vec![(1, "new")], vec![(2, "new")]]);
    assert_eq!(feed.head(), 0, "nobody has said so yet");
    assert_eq!(log.feed().await.head(), 2);
    drop(feed);
    log.commit(&[vec![(3, "new")]]);
    assert_eq!(log.feed().await.place(), crate::feed::Head { revision: 3, uid: 3_007 });
}

#[tokio::test]
async fn what_is_heard_of_is_read_once_and_in_order_however_much_it_is() {
    for (ring, foreign) in [(16, 1), (16, 10), (4, 50)] {
        let mut log = log(ring);
        let feed = log.feed().await;
        let mut watcher = watch(&feed);
        for round in 0..20_i64 {
            for ticket in 0..foreign {
                log.commit(&[vec![(ticket, "new")]]);
            }
            // What is committed here is not at once the next: it waits for what came before it to be read.
            let own = log.commit(&[vec![(round, "new")]]);
            let last = own[0].change.revision;
            log.hub.publish(HELPDESK, own);
            assert!(feed.head() < last);
            assert!(feed.is_wanted(last));
            tokio::join!(Arc::clone(&feed).catch_up(), Arc::clone(&feed).catch_up());
            assert_eq!(feed.head(), last);
            assert!(!feed.is_wanted(last), "a bell that rings late is no news");
            watcher.drain().await;
        }
        assert_eq!(watcher.events, expected(&log.entries, &lens(), 0));
    }
}

#[tokio::test]
async fn nobody_follows_what_nobody_watches() {
    let mut log = log(16);
    let feed = log.feed().await;
    drop(log.feed().await);
    log.commit(&[vec![(1, "new")]]);
    assert!(feed.is_wanted(1));
    let unwatched = Arc::clone(&feed);
    drop(feed);
    assert!(!unwatched.is_wanted(1));
}

#[tokio::test]
async fn a_log_that_lost_commits_ends_its_streams() {
    let mut log = log(16);
    let feed = log.feed().await;
    let mut watcher = watch(&feed);
    log.commit_and_publish(&[vec![(1, "new")], vec![(2, "new")]]);
    watcher.drain().await;
    feed.verify().await.unwrap();
    assert_eq!(feed.epoch(), 0, "nothing is wrong");

    // A standby without the last commit takes over, and goes on by itself.
    let mut connection = log.pool.get().unwrap();
    let AnyConnection::Sqlite(sqlite) = &mut *connection else { panic!("feeds are tested on SQLite") };
    sqlite.batch_execute("UPDATE changes SET uid = 9 WHERE revision = 2").unwrap();
    drop(connection);
    let waiting = tokio::spawn(async move {
        watcher.subscription.rung().await;
        watcher.subscription.next().await.unwrap()
    });
    feed.verify().await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Step::Outdated));
    assert_eq!((feed.epoch(), feed.place().uid), (1, 9));
    let mut anew = watch(&feed);
    log.commit_and_publish(&[vec![(3, "new")]]);
    anew.drain().await;
    assert_eq!(anew.events, ["entered 3 3"]);
}

#[tokio::test]
async fn a_log_that_went_on_without_what_is_known_ends_its_streams() {
    // Up to where the new log goes when this process commits to it: beyond what is known, and so far, and not so far.
    for last in [4, 3, 2] {
        let mut log = log(16);
        let feed = log.feed().await;
        let mut watcher = watch(&feed);
        log.commit_and_publish(&[vec![(1, "new")], vec![(2, "new")], vec![(3, "new")]]);
        watcher.drain().await;
        log.lose_behind(1);
        let moves: Vec<_> = (2..=last).map(|revision| vec![(revision + 10, "new")]).collect();
        log.commit_and_publish(&moves);
        if feed.epoch() == 0 {
            assert!(feed.is_wanted(last), "it is to be looked at");
            Arc::clone(&feed).catch_up().await;
        }
        feed.verify().await.unwrap();
        assert_eq!((feed.epoch(), feed.place().revision, feed.place().uid), (1, last, last * 1000 + 8));
        assert!(matches!(watcher.subscription.next().await.unwrap(), Step::Outdated));
        assert_eq!(watcher.subscription.cursor().revision, 3, "nothing of the new log was passed over");
        let mut anew = watch(&feed);
        log.commit_and_publish(&[vec![(20, "new")]]);
        anew.drain().await;
        assert_eq!(anew.events, [format!("entered 20 {}", last + 1)]);
    }
}

#[tokio::test]
async fn what_is_committed_while_there_is_doubt_waits_until_the_log_was_looked_at() {
    let mut log = log(16);
    let feed = log.feed().await;
    let mut watcher = watch(&feed);
    log.commit_and_publish(&[vec![(1, "new")], vec![(2, "new")], vec![(3, "new")]]);
    watcher.drain().await;
    // Others have brought the new log to what is known: nothing overlaps.
    log.lose_behind(1);
    log.commit(&[vec![(11, "new")], vec![(12, "new")]]);
    log.hub.doubt();
    log.commit_and_publish(&[vec![(13, "new")]]);
    assert_eq!(feed.head(), 3);
    assert!(feed.is_wanted(4));
    Arc::clone(&feed).catch_up().await;
    assert_eq!((feed.epoch(), feed.head()), (1, 4));
    assert!(matches!(watcher.subscription.next().await.unwrap(), Step::Outdated));

    // A doubt that was for nothing costs nobody anything.
    let mut watcher = watch(&feed);
    log.hub.doubt();
    log.commit_and_publish(&[vec![(14, "new")]]);
    assert!(feed.is_wanted(5));
    Arc::clone(&feed).catch_up().await;
    watcher.drain().await;
    assert_eq!((feed.epoch(), watcher.events), (1, vec!["entered 14 5".to_owned()]));
}

#[tokio::test]
async fn who_comes_after_commits_were_lost_begins_where_the_database_is() {
    let mut log = log(16);
    let feed = log.feed().await;
    log.commit_and_publish(&[vec![(1, "new")], vec![(2, "new")], vec![(3, "new")]]);
    drop(feed);
    log.lose_behind(1);
    log.commit(&[vec![(11, "new")]]);
    let feed = log.feed().await;
    assert_eq!(feed.place(), crate::feed::Head { revision: 2, uid: 2_008 });
    let mut watcher = watch(&feed);
    log.commit_and_publish(&[vec![(12, "new")], vec![(13, "new")]]);
    watcher.drain().await;
    assert_eq!(watcher.events, ["entered 12 3", "entered 13 4"]);
}

#[tokio::test]
async fn a_place_of_a_lost_log_is_not_watched_from() {
    let mut log = log(16);
    let feed = log.feed().await;
    log.commit_and_publish(&[vec![(1, "new")], vec![(2, "new")]]);
    let (place, epoch) = feed.standing();
    log.lose_behind(1);
    feed.verify().await.unwrap();
    log.commit_and_publish(&[vec![(11, "new")], vec![(12, "new")]]);
    let mut subscription = feed.watch_behind(place, epoch, &lens().scope(), Arc::new(lens()));
    let mut watcher = watch(&feed);
    assert!(matches!(subscription.next().await.unwrap(), Step::Outdated));
    log.commit_and_publish(&[vec![(13, "new")]]);
    watcher.drain().await;
    assert_eq!(watcher.events, ["entered 13 4"]);
}

#[tokio::test]
async fn what_came_in_a_lost_log_has_not_come() {
    let mut log = log(16);
    let feed = log.feed().await;
    log.commit_and_publish(&[vec![(1, "open")], vec![(2, "open")], vec![(3, "new")]]);
    assert_eq!(feed.arrival("queue-new").revision, 3);
    log.lose_behind(1);
    feed.verify().await.unwrap();
    assert_eq!(feed.head(), 1);
    assert!(feed.arrival("queue-new").revision <= 1);
    assert!(feed.queue_revision("queue-new") <= 1);
}

/// Much of a log is to be read, and the first page of it has been.
async fn in_the_midst_of_catching_up(log: &mut Log, feed: &crate::feed::Followed) -> tokio::task::JoinHandle<()> {
    for part in 0..MUCH / 1_000 {
        let moves: Vec<_> = (0..1_000).map(|ticket| vec![(part * 1_000 + ticket, "new")]).collect();
        log.commit(&moves);
    }
    assert!(feed.is_wanted(MUCH));
    let catching_up = tokio::spawn(Arc::clone(feed).catch_up());
    while feed.head() == 0 {
        tokio::task::yield_now().await;
    }
    catching_up
}

/// Revisions.
const MUCH: i64 = 30_000;

fn large_log() -> Log {
    log(2 * usize::try_from(MUCH).unwrap())
}

async fn ends(catching_up: tokio::task::JoinHandle<()>) -> bool {
    tokio::time::timeout(std::time::Duration::from_secs(30), catching_up).await.is_ok()
}

#[tokio::test]
async fn who_catches_up_ends_when_the_log_turns_out_to_be_another_one() {
    let mut log = large_log();
    let feed = log.feed().await;
    let catching_up = in_the_midst_of_catching_up(&mut log, &feed).await;
    // Somebody else finds it out, and the new log has more by then.
    log.lose_behind(1);
    log.commit(&[vec![(1, "open")], vec![(2, "open")]]);
    feed.verify().await.unwrap();
    assert_eq!(feed.epoch(), 1);
    log.commit(&[vec![(3, "open")]]);
    let has_ended = ends(catching_up).await;
    // Whoever would read it for ever finds nothing any more.
    log.lose_behind(0);
    assert!(has_ended);
    assert_eq!(feed.epoch(), 1);
}

#[tokio::test]
async fn revisions_of_another_log_are_not_joined_to_those_that_are_known() {
    let mut log = large_log();
    let feed = log.feed().await;
    let mut watcher = watch(&feed);
    let catching_up = in_the_midst_of_catching_up(&mut log, &feed).await;
    // From here on the queries find another database.
    let mut connection = log.pool.get().unwrap();
    let AnyConnection::Sqlite(sqlite) = &mut *connection else { panic!("feeds are tested on SQLite") };
    sqlite.batch_execute("UPDATE changes SET uid = uid + 1").unwrap();
    drop(connection);
    assert!(feed.head() < MUCH * 9 / 10, "it was read before it was another one");
    assert!(ends(catching_up).await);
    assert_eq!((feed.epoch(), feed.place().uid), (1, MUCH * 1_000 + 8));
    assert!(matches!(watcher.subscription.next().await.unwrap(), Step::Outdated));
}

#[tokio::test]
async fn who_is_behind_the_ring_is_not_told_of_another_log() {
    let mut log = log(1);
    let feed = log.feed().await;
    let mut watcher = watch(&feed);
    log.commit_and_publish(&[vec![(1, "new")], vec![(2, "new")]]);
    watcher.drain().await;
    for ticket in 3..6 {
        log.commit_and_publish(&[vec![(ticket, "new")]]);
    }
    // Nobody has noticed yet.
    log.lose_behind(1);
    log.commit(&[vec![(12, "new")], vec![(13, "new")], vec![(14, "new")], vec![(15, "new")]]);
    assert!(matches!(watcher.subscription.next().await.unwrap(), Step::Outdated));
    assert_eq!(watcher.subscription.cursor().revision, 2);
    assert!(feed.is_wanted(5), "it is looked at before anything is taken in");
    Arc::clone(&feed).catch_up().await;
    assert_eq!((feed.epoch(), feed.place().uid), (1, 5_008));
}
