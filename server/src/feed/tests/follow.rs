//! Whatever the ring holds and however slow watchers are: each is told exactly the log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;

use super::support::{Log, Moves, Statuses, Watcher, expected};
use crate::feed::{FeedOptions, Lens, Step};

const STATUSES: [&str; 3] = ["new", "open", "done"];

fn options(ring_capacity: usize) -> FeedOptions {
    FeedOptions { ring_capacity, ..FeedOptions::default() }
}

fn lens(statuses: &[&'static str], padding: usize) -> Statuses {
    Statuses { seen: statuses.to_vec(), padding, definition_version: None }
}

#[derive(Debug, Clone)]
enum Event {
    Commit {
        revisions: Vec<Moves>,
        published: bool,
    },
    /// Somebody begins to watch these statuses.
    Watch {
        mask: usize,
        padding: usize,
    },
    /// Each watcher takes so many responses; those beyond the list none.
    Take(Vec<usize>),
    /// A watcher goes away and comes back with its token.
    Resume(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let a_move = (1..6i64, 0..3usize).prop_map(|(ticket, status)| (ticket, STATUSES[status]));
    let revision = prop::collection::btree_map(1..6i64, 0..3usize, 1..3)
        .prop_map(|moves| moves.into_iter().map(|(ticket, status)| (ticket, STATUSES[status])).collect::<Moves>());
    let revision = prop_oneof![revision, a_move.prop_map(|one| vec![one])];
    let commit = (prop::collection::vec(revision, 1..4), prop::bool::weighted(0.9))
        .prop_map(|(revisions, published)| Event::Commit { revisions, published });
    prop_oneof![
        6 => commit,
        // Few different ones, so that several share a group; some so long that a response holds one revision.
        1 => (1..8usize, prop::sample::select(vec![0, 0, 0, 90_000, 300_000]))
            .prop_map(|(mask, padding)| Event::Watch { mask, padding }),
        3 => prop::collection::vec(0..3usize, 0..6).prop_map(Event::Take),
        1 => (0..6usize).prop_map(Event::Resume),
    ]
}

async fn replay(ring: usize, ring_bytes: usize, events: Vec<Event>) {
    let mut log = Log::new(FeedOptions { ring_bytes, ..options(ring) });
    let feed = log.feed().await;
    let mut watchers: Vec<(Statuses, Watcher)> = Vec::new();
    for event in events {
        match event {
            Event::Commit { revisions, published } => {
                let committed = log.commit(&revisions);
                if published {
                    log.hub.publish(super::support::HELPDESK, committed);
                }
            }
            Event::Watch { mask, padding } => {
                let seen: Vec<_> = (0..3).filter(|bit| mask & (1 << bit) != 0).map(|bit| STATUSES[bit]).collect();
                let subscription = feed.watch(&lens(&seen, padding).scope(), Arc::new(lens(&seen, padding)));
                watchers.push((lens(&seen, padding), Watcher::new(subscription)));
            }
            Event::Take(counts) => {
                for ((_, watcher), count) in watchers.iter_mut().zip(counts) {
                    for _ in 0..count {
                        watcher.step().await;
                    }
                }
            }
            Event::Resume(place) => {
                let Some((lens, watcher)) = watchers.get_mut(place) else { continue };
                let Some((_, token)) = &watcher.told else { continue };
                let scope = lens.scope();
                let place = feed.resume(scope.read(token).unwrap()).await.unwrap();
                let same = Statuses { seen: lens.seen.clone(), ..*lens };
                watcher.subscription = feed.watch_behind(place, feed.epoch(), &scope, Arc::new(same));
            }
        }
    }
    // A last commit makes known what was not published before.
    log.commit_and_publish(&[vec![(1, "new")]]);
    for (lens, mut watcher) in watchers {
        watcher.drain().await;
        assert_eq!(watcher.events, expected(&log.entries, &lens, watcher.started), "{:?}", lens.seen);
        assert_eq!(watcher.subscription.cursor(), feed.place());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn every_watcher_is_told_the_log(
        ring in 1..9usize,
        ring_bytes in prop::sample::select(vec![1_000, 200_000, 64 << 20]),
        events in prop::collection::vec(event(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(replay(ring, ring_bytes, events));
    }
}

#[tokio::test]
async fn the_events_fold_to_the_matches() {
    let mut log = Log::new(options(4));
    let feed = log.feed().await;
    let seen = lens(&["open"], 0);
    let mut watcher = Watcher::new(feed.watch(&seen.scope(), Arc::new(lens(&["open"], 0))));
    for round in 0..50i64 {
        log.commit_and_publish(&[vec![(round % 7, STATUSES[(round % 3) as usize])]]);
        if round % 11 == 0 {
            watcher.step().await;
        }
    }
    watcher.drain().await;
    let mut fold = BTreeSet::new();
    for event in &watcher.events {
        let mut words = event.split(' ');
        let (kind, id) = (words.next().unwrap(), words.next().unwrap().parse::<i64>().unwrap());
        match kind {
            "entered" => assert!(fold.insert(id)),
            "updated" => assert!(fold.contains(&id)),
            _ => assert!(fold.remove(&id)),
        }
    }
    let last = |id: i64| {
        log.entries.iter().rev().filter_map(|entry| entry.change.after.as_ref()).find(|ticket| ticket.id == id)
    };
    let open: BTreeSet<_> = (0..7).filter(|id| last(*id).is_some_and(|ticket| ticket.status == "open")).collect();
    assert_eq!(fold, open);
}

#[tokio::test]
async fn a_commit_out_of_order_reads_the_gap() {
    let mut log = Log::new(options(100));
    let feed = log.feed().await;
    let seen = lens(&STATUSES, 0);
    let mut watcher = Watcher::new(feed.watch(&seen.scope(), Arc::new(lens(&STATUSES, 0))));
    let first = log.commit(&[vec![(1, "new")], vec![(2, "new")]]);
    let second = log.commit(&[vec![(3, "new")]]);
    feed.publish(second.clone()).unwrap();
    assert_eq!(feed.head(), 3);
    feed.publish(first).unwrap();
    feed.publish(second).unwrap();
    watcher.drain().await;
    assert_eq!(watcher.events, ["entered 1 1", "entered 2 2", "entered 3 3"]);
}

#[tokio::test]
async fn watchers_of_one_scope_share_the_bytes() {
    let mut log = Log::new(options(100));
    let feed = log.feed().await;
    let seen = lens(&STATUSES, 0);
    let watch = || feed.watch(&seen.scope(), Arc::new(lens(&STATUSES, 0)));
    let (mut one, mut other) = (watch(), watch());
    log.commit_and_publish(&[vec![(1, "new")], vec![(2, "new")]]);
    let (Step::Response(one), Step::Response(other)) = (one.next().await.unwrap(), other.next().await.unwrap()) else {
        panic!("both have something to tell");
    };
    assert_eq!(one.as_ptr(), other.as_ptr());
}

#[tokio::test]
async fn a_revision_larger_than_a_page_comes_whole() {
    let mut log = Log::new(options(4));
    let feed = log.feed().await;
    let seen = lens(&STATUSES, 0);
    let mut watcher = Watcher::new(feed.watch(&seen.scope(), Arc::new(lens(&STATUSES, 0))));
    log.commit_and_publish(&[vec![(1, "new")]]);
    log.commit_and_publish(&[(1..=5_000).map(|id| (id, "open")).collect()]);
    log.commit_and_publish(&[vec![(1, "done")]]);
    watcher.drain().await;
    assert_eq!(watcher.events, expected(&log.entries, &seen, 0));
}

#[tokio::test]
async fn a_lens_ends_where_a_newer_definition_decided() {
    let mut log = Log::new(options(4));
    let feed = log.feed().await;
    let old = Statuses { seen: STATUSES.to_vec(), padding: 0, definition_version: Some(0) };
    let scope = old.scope();
    let mut subscription = feed.watch(&scope, Arc::new(old) as Arc<dyn Lens>);
    log.commit_and_publish(&[vec![(1, "new")]]);
    assert!(matches!(subscription.next().await.unwrap(), Step::Outdated));
    assert_eq!(subscription.cursor().revision, 0);
}

#[tokio::test]
async fn a_lens_ends_where_a_newer_definition_is_applied_and_not_with_the_next_ticket() {
    for is_behind in [false, true] {
        let mut log = Log::new(options(if is_behind { 1 } else { 16 }));
        let feed = log.feed().await;
        let made_for = |version| Statuses { seen: STATUSES.to_vec(), padding: 0, definition_version: Some(version) };
        let mut watcher = Watcher::new(feed.watch(&made_for(1).scope(), Arc::new(made_for(1))));
        log.commit_and_publish(&[vec![(1, "new")]]);
        log.redefine_and_publish();
        assert!(watcher.step().await);
        let mut end = Step::Passed;
        while matches!(end, Step::Passed) {
            // It may come from the table to the ring.
            end = watcher.subscription.next().await.unwrap();
        }
        assert!(matches!(end, Step::Outdated), "{end:?}");
        // Whoever comes back with the definition that was applied passes it, and does not end there again.
        let place = watcher.subscription.cursor();
        assert_eq!(place.revision, 1);
        let mut anew =
            Watcher::new(feed.watch_behind(place, feed.epoch(), &made_for(2).scope(), Arc::new(made_for(2))));
        anew.drain().await;
        assert_eq!((anew.subscription.cursor().revision, anew.events.len()), (2, 0));
    }
}

#[tokio::test]
async fn who_waits_to_read_keeps_its_turn_though_it_is_asked_for_something_else_meanwhile() {
    let mut log = Log::new(options(1));
    let feed = log.feed().await;
    let seen = lens(&STATUSES, 0);
    let mut subscription = feed.watch(&seen.scope(), Arc::new(lens(&STATUSES, 0)));
    log.commit_and_publish(&[vec![(1, "new")]]);
    log.commit_and_publish(&[vec![(2, "new")]]);
    let step = async {
        loop {
            // Each is dropped when it has nothing yet, as where a marker is due.
            if let Poll::Ready(step) = futures_util::poll!(std::pin::pin!(subscription.next())) {
                return step.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    let step = tokio::time::timeout(Duration::from_secs(10), step).await.expect("it begins anew for ever");
    assert!(matches!(step, Step::Response(_)));
    assert_eq!(subscription.cursor().revision, 1, "a page as large as the ring");
}

#[tokio::test]
async fn the_bell_wakes_those_who_wait() {
    let mut log = Log::new(options(4));
    let feed = log.feed().await;
    let seen = lens(&STATUSES, 0);
    let mut subscription = feed.watch(&seen.scope(), Arc::new(lens(&STATUSES, 0)));
    let waiting = tokio::spawn(async move {
        subscription.rung().await;
        subscription.next().await.unwrap()
    });
    let revision = tokio::spawn({
        let feed = Arc::clone(&feed);
        async move { feed.wait_for(1).await }
    });
    log.commit_and_publish(&[vec![(1, "new")]]);
    revision.await.unwrap();
    assert!(matches!(waiting.await.unwrap(), Step::Response(_)));
    assert_eq!(feed.queue_revision("queue-new"), 1);
    assert_eq!(feed.queue_revision("queue-open"), 0);
}

/// What happened to a queue in commits that were passed over is not known: it may be anything.
#[tokio::test]
async fn every_queue_may_have_changed_in_what_was_passed_over() {
    let mut log = Log::new(options(4));
    let feed = log.feed().await;
    log.commit_and_publish(&[vec![(1, "done")]]);
    log.commit(&[vec![(2, "new")]]);
    log.commit_and_publish(&[vec![(3, "open")]]);
    assert_eq!(feed.head(), 3);
    for queue in ["queue-new", "queue-open", "queue-done"] {
        assert_eq!((feed.queue_revision(queue), feed.arrival(queue).revision), (3, 3), "{queue}");
    }
    assert!(!feed.arrival("queue-open").is_own, "others may know of it as early");
}

/// What a lens shows may hang on the definition that it was made for: who comes with a newer one does not share an older one's.
#[tokio::test]
async fn watchers_of_two_definitions_share_nothing() {
    let mut log = Log::new(options(100));
    let feed = log.feed().await;
    let of = |version, statuses: &[&'static str]| Statuses { definition_version: Some(version), ..lens(statuses, 0) };
    // The same is asked for, and each definition understands it in its way.
    let scope = lens(&STATUSES, 0).scope();
    let watch = |version, statuses| Watcher::new(feed.watch(&scope, Arc::new(of(version, statuses))));
    let (mut old, mut new) = (watch(1, &["new"]), watch(2, &["open"]));
    log.commit_and_publish(&[vec![(1, "new")], vec![(2, "open")]]);
    old.drain().await;
    new.drain().await;
    assert_eq!((old.events, new.events), (vec!["entered 1 1".to_owned()], vec!["entered 2 2".to_owned()]));
}

/// Pages are for those who are behind: when the last of them has come to the ring or has gone, none are kept.
#[tokio::test]
async fn pages_of_the_table_are_kept_only_while_somebody_is_behind() {
    let mut log = Log::new(options(4));
    let feed = log.feed().await;
    let lens = || Arc::new(lens(&["new"], 1_000));
    let start = feed.place();
    let watch = || Watcher::new(feed.watch_behind(start, feed.epoch(), &lens().scope(), lens()));
    let (mut first, mut second) = (watch(), watch());
    for id in 1..=20 {
        log.commit_and_publish(&[vec![(id, "new")]]);
    }
    assert!(first.step().await && second.step().await);
    first.drain().await;
    assert!(first.subscription.kept_pages().await > 0, "the other is still behind");
    drop(second);
    assert_eq!(first.subscription.kept_pages().await, 0);
    assert_eq!(first.events, expected(&log.entries, &lens(), 0));
}

/// What a group had no room for is read again by who has not taken it.
#[tokio::test]
async fn who_is_slow_misses_nothing_when_the_group_gives_up_its_oldest() {
    let mut log = Log::new(FeedOptions { ring_bytes: 20_000, ..options(1_000) });
    let feed = log.feed().await;
    let seen = lens(&STATUSES, 4_000);
    let watch = || Watcher::new(feed.watch(&seen.scope(), Arc::new(lens(&STATUSES, 4_000))));
    let (mut fast, mut slow) = (watch(), watch());
    for id in 1..=20 {
        log.commit_and_publish(&[vec![(id, "new")]]);
        fast.drain().await;
    }
    slow.drain().await;
    assert_eq!(fast.events, expected(&log.entries, &seen, 0));
    assert_eq!(slow.events, expected(&log.entries, &seen, 0));
}
