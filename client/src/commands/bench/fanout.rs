//! Watchers and those who write what they watch: what is delivered, and whether it is everything.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use prost::Message;
use tokio::task::JoinSet;
use tonic::Streaming;

use super::load::{self, Operation, Tally, closed_loop};
use crate::commands::stop::Stop;

/// How long a watcher may lag behind the last write before what it has not seen counts as a gap.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a watcher that hears nothing asks whether it is done.
const LOOK: Duration = Duration::from_millis(500);

/// The watchers have settled when nothing has been delivered for so long.
const QUIET: Duration = Duration::from_millis(200);

/// What a stream sends, whichever server it is of.
pub(super) trait Told: Message + Default + 'static {
    fn events(&self) -> impl Iterator<Item = Event>;

    /// Up to here the server says that it has told everything; 0 when it does not say.
    fn revision(&self) -> i64;

    /// Why the server will tell no more.
    fn end(&self) -> Option<String> {
        None
    }
}

/// A change that reached a watcher.
pub(super) struct Event {
    pub(super) revision: i64,
    /// Among the changes of its revision.
    pub(super) ordinal: i32,
    /// When it was committed, where the server says so.
    pub(super) commit_micros: Option<i64>,
}

/// One that writes what the watchers should see.
pub(super) trait Writer: Operation {
    /// What it has written so far.
    fn written(&mut self) -> Vec<Written>;
}

/// A write that was acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) product: usize,
    pub(super) revision: i64,
}

/// Watchers and writers on one server.
pub(super) struct Fanout<W> {
    run: Arc<Run>,
    watchers: JoinSet<Seen>,
    writers: Vec<W>,
}

/// What went on in a window.
#[derive(Debug, Default)]
pub(super) struct Slice {
    /// The writes.
    pub(super) writes: Tally,
    /// The events that reached any watcher.
    pub(super) delivered: u64,
}

/// What it all came to.
pub(super) struct Outcome {
    pub(super) written: u64,
    pub(super) delivered: u64,
    /// Changes that a watcher should have seen and did not.
    pub(super) gaps: u64,
    /// Changes that a watcher saw again, or after a later one.
    pub(super) duplicates: u64,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    /// From the commit to the arrival, where the server says when it committed.
    pub(super) latency: Histogram<u64>,
}

impl<W: Writer> Fanout<W> {
    pub(super) fn new(writers: Vec<W>) -> Self {
        Self { run: Arc::default(), watchers: JoinSet::new(), writers }
    }

    /// Follows a stream of the writes of one product, or of all.
    pub(super) fn follow<R: Told>(&mut self, product: Option<usize>, stream: Streaming<R>) {
        self.watchers.spawn(Watcher::new(product, Arc::clone(&self.run)).follow(stream));
    }

    /// Lets the writers write for `lead` and then for `window`, and counts what arrives within the window.
    pub(super) async fn measure(&mut self, lead: Duration, window: Duration, stop: &Stop) -> Slice {
        let counting = tokio::spawn(Arc::clone(&self.run).count_between(Instant::now() + lead, window, stop.clone()));
        let writes = closed_loop(&mut self.writers, lead, window, stop).await;
        Slice { writes, delivered: counting.await.unwrap_or_default() }
    }

    /// Waits until what was written has arrived, so that nothing of it disturbs what is measured next.
    pub(super) async fn settle(&self, stop: &Stop) {
        let end = Instant::now() + PATIENCE;
        let mut before = self.run.delivered.load(Ordering::Relaxed);
        while Instant::now() < end && !stop.is_set() {
            stop.sleep_until(Instant::now() + QUIET).await;
            let now = self.run.delivered.load(Ordering::Relaxed);
            if now == before {
                break;
            }
            before = now;
        }
    }

    /// Waits until every watcher has seen what was written for it, or has had the time for it.
    pub(super) async fn finish(mut self) -> Outcome {
        let written: Vec<Written> = self.writers.iter_mut().flat_map(Writer::written).collect();
        let truth = self.run.truth.get_or_init(|| Truth::of(&written));
        let late = stop_when_late(&self.run);
        let mut outcome = Outcome {
            written: written.len() as u64,
            delivered: 0,
            gaps: 0,
            duplicates: 0,
            errors: 0,
            first_error: None,
            latency: load::histogram(),
        };
        while let Some(seen) = self.watchers.join_next().await {
            match seen {
                Ok(seen) => outcome.add(&seen, truth),
                Err(error) => outcome.fail(format!("a watcher failed: {error}")),
            }
        }
        late.abort();
        outcome.delivered = self.run.delivered.load(Ordering::Relaxed);
        outcome
    }
}

impl Slice {
    /// Adds a slice that was measured after this one.
    pub(super) fn append(&mut self, other: Self) {
        self.writes.append(other.writes);
        self.delivered += other.delivered;
    }

    /// Events per second, to all watchers together.
    pub(super) fn delivered_rate(&self) -> f64 {
        self.delivered as f64 / self.writes.measured.as_secs_f64().max(1e-6)
    }
}

impl Outcome {
    fn add(&mut self, seen: &Seen, truth: &Truth) {
        self.gaps += truth.gaps(seen);
        self.duplicates += seen.duplicates;
        if let Some(error) = &seen.error {
            self.fail(error.clone());
        }
        // It fails only for values beyond the range, and the range grows.
        let _ = self.latency.add(&seen.latency);
    }

    fn fail(&mut self, error: String) {
        self.errors += 1;
        self.first_error.get_or_insert(error);
    }
}

/// Ends the watchers that wait in vain for what they will not see.
fn stop_when_late(run: &Arc<Run>) -> tokio::task::JoinHandle<()> {
    let run = Arc::clone(run);
    tokio::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        run.late.store(true, Ordering::Relaxed);
    })
}

/// What all watchers share.
#[derive(Default)]
struct Run {
    delivered: AtomicU64,
    /// What there is to see; unknown until everything has been written.
    truth: OnceLock<Truth>,
    late: AtomicBool,
}

impl Run {
    /// The events delivered in the window.
    async fn count_between(self: Arc<Self>, begin: Instant, window: Duration, stop: Stop) -> u64 {
        stop.sleep_until(begin).await;
        let before = self.delivered.load(Ordering::Relaxed);
        stop.sleep_until(begin + window).await;
        self.delivered.load(Ordering::Relaxed) - before
    }
}

/// Follows one stream and checks it.
struct Watcher {
    run: Arc<Run>,
    seen: Seen,
    /// The revision and the ordinal of the last event.
    last: (i64, i32),
    /// Up to here the server has told everything.
    told: i64,
}

/// What one watcher saw.
struct Seen {
    product: Option<usize>,
    revisions: Vec<i64>,
    duplicates: u64,
    latency: Histogram<u64>,
    error: Option<String>,
}

impl Watcher {
    fn new(product: Option<usize>, run: Arc<Run>) -> Self {
        let seen = Seen { product, revisions: Vec::new(), duplicates: 0, latency: load::histogram(), error: None };
        Self { run, seen, last: (0, 0), told: 0 }
    }

    async fn follow<R: Told>(mut self, mut stream: Streaming<R>) -> Seen {
        while self.seen.error.is_none() && !self.is_done() {
            match tokio::time::timeout(LOOK, stream.message()).await {
                Err(_elapsed) => {}
                Ok(Ok(Some(response))) => self.take(&response),
                Ok(Ok(None)) => self.seen.error = Some("the server ended a stream".to_owned()),
                Ok(Err(status)) => self.seen.error = Some(loket_client::Error::from(status).to_string()),
            }
        }
        self.seen
    }

    fn is_done(&self) -> bool {
        let has_all = |truth: &Truth| self.told >= truth.last(self.seen.product);
        self.run.late.load(Ordering::Relaxed) || self.run.truth.get().is_some_and(has_all)
    }

    fn take(&mut self, response: &impl Told) {
        let now = micros_now();
        let mut count = 0;
        for Event { revision, ordinal, commit_micros } in response.events() {
            count += 1;
            if (revision, ordinal) <= self.last {
                self.seen.duplicates += 1;
            }
            self.last = (revision, ordinal);
            self.seen.revisions.push(revision);
            if let Some(committed) = commit_micros {
                let _ = self.seen.latency.record((now - committed).max(0) as u64);
            }
        }
        self.run.delivered.fetch_add(count, Ordering::Relaxed);
        self.told = self.told.max(response.revision()).max(self.last.0);
        self.seen.error = response.end();
    }
}

/// What was written, by whom it should reach.
struct Truth {
    all: Vec<i64>,
    by_product: HashMap<usize, Vec<i64>>,
}

impl Truth {
    fn of(written: &[Written]) -> Self {
        let mut truth = Self { all: Vec::new(), by_product: HashMap::new() };
        for Written { product, revision } in written {
            truth.all.push(*revision);
            truth.by_product.entry(*product).or_default().push(*revision);
        }
        truth.all.sort_unstable();
        truth.by_product.values_mut().for_each(|revisions| revisions.sort_unstable());
        truth
    }

    fn of_product(&self, product: Option<usize>) -> &[i64] {
        match product {
            None => &self.all,
            Some(product) => self.by_product.get(&product).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    /// The last revision that such a watcher should see.
    fn last(&self, product: Option<usize>) -> i64 {
        self.of_product(product).last().copied().unwrap_or(0)
    }

    /// How many the watcher should have seen and did not.
    fn gaps(&self, seen: &Seen) -> u64 {
        // In order unless there are duplicates, which are counted elsewhere.
        let mut revisions = seen.revisions.clone();
        revisions.sort_unstable();
        let missed = |revision: &&i64| revisions.binary_search(revision).is_err();
        self.of_product(seen.product).iter().filter(missed).count() as u64
    }
}

/// The server's clock is this machine's.
#[allow(clippy::disallowed_methods)]
fn micros_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Response {
        #[prost(int64, repeated, tag = "1")]
        revisions: Vec<i64>,
        #[prost(int64, tag = "2")]
        told: i64,
    }

    impl Told for Response {
        fn events(&self) -> impl Iterator<Item = Event> {
            self.revisions.iter().map(|revision| Event { revision: *revision, ordinal: 0, commit_micros: None })
        }

        fn revision(&self) -> i64 {
            self.told
        }
    }

    #[test]
    fn counts_gaps_and_duplicates() {
        let written = [(3, 4), (5, 5), (3, 8), (3, 7)].map(|(product, revision)| Written { product, revision });
        let truth = Truth::of(&written);
        let mut watcher = Watcher::new(Some(3), Arc::default());
        watcher.take(&Response { revisions: vec![4, 7], told: 7 });
        watcher.take(&Response { revisions: vec![7], told: 9 });
        assert_eq!((watcher.told, watcher.seen.duplicates), (9, 1));
        assert_eq!(truth.gaps(&watcher.seen), 1);
        assert_eq!([Some(3), Some(5), Some(6), None].map(|product| truth.last(product)), [8, 5, 0, 8]);
    }

    #[test]
    fn a_watcher_is_done_when_it_has_been_told_of_its_last() {
        let run = Arc::new(Run::default());
        let mut watcher = Watcher::new(Some(3), Arc::clone(&run));
        watcher.take(&Response { revisions: vec![4], told: 4 });
        assert!(!watcher.is_done(), "what there is to see is not known yet");
        run.truth.get_or_init(|| Truth::of(&[Written { product: 3, revision: 6 }]));
        assert!(!watcher.is_done());
        watcher.take(&Response { revisions: vec![], told: 6 });
        assert!(watcher.is_done());
    }
}
