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
