//! The feed of one helpdesk: its ring and its bell.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::hub::FeedOptions;
use super::lock;
use super::meters::Meters;
use super::ring::{Commit, Ring};
use crate::store::{LogEntry, Pool, StoreError, changes, heads};

/// How many changes are read from the table at a time.
pub(super) const PAGE: i64 = 2_000;

/// The last revision that was published, and its uid: 0 and 0 before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    pub revision: i64,
    pub uid: i64,
}

/// What is kept of one helpdesk's log, and the bell that rings at every commit.
pub struct Feed {
    helpdesk: String,
    pool: Pool,
    options: FeedOptions,
    meters: Meters,
    loaded: AtomicBool,
    /// Held while a commit is taken in, across the reading of a gap: publishers wait for each other, watchers do not.
    publishing: Mutex<()>,
    state: Mutex<State>,
    bell: watch::Sender<Head>,
}

#[derive(Default)]
struct State {
    head: Head,
    ring: Ring,
    /// The last revision that changed a ticket in a queue, by the queue.
    queues: HashMap<String, i64>,
    /// The last revision that changed no ticket, as a new definition does: it may concern every queue.
    other: i64,
}

impl Feed {
    pub(super) fn new(helpdesk: String, pool: Pool, options: FeedOptions, meters: Meters) -> Self {
        Self {
            helpdesk,
            pool,
            options,
            meters,
            loaded: AtomicBool::new(false),
            publishing: Mutex::default(),
            state: Mutex::default(),
            bell: watch::Sender::new(Head::default()),
        }
    }

    pub fn helpdesk(&self) -> &str {
        &self.helpdesk
    }

    /// The last revision that this server knows.
    pub fn head(&self) -> i64 {
        self.bell.borrow().revision
    }

    /// Waits until this server knows a revision. It may never come: callers set a limit.
    pub async fn wait_for(&self, revision: i64) {
        // The sender is `self`, so it cannot be gone.
        let _ = self.bell.subscribe().wait_for(|head| head.revision >= revision).await;
    }

    /// A bell that rings at every commit, and says up to where.
    pub fn bell(&self) -> watch::Receiver<Head> {
        self.bell.subscribe()
    }

    /// The last revision that may have changed what a queue shows.
    pub fn queue_revision(&self, queue: &str) -> i64 {
        let state = lock(&self.state);
        state.queues.get(queue).copied().unwrap_or(0).max(state.other)
    }

    /// Takes in what was committed: whole revisions, in order. What is known already is passed over; what is missing
    /// before it is read from the table first.
    pub fn publish(&self, mut entries: Vec<LogEntry>) {
        let publishing = lock(&self.publishing);
        let head = lock(&self.state).head;
        if entries.first().is_some_and(|entry| entry.change.revision <= head.revision) {
            entries.retain(|entry| entry.change.revision > head.revision);
        }
        let Some(commit) = Commit::new(entries) else { return };
        let mut gap = None;
        if commit.first_revision > head.revision + 1 {
            self.meters.gaps.increment(1);
            gap = Some(self.read_gap(head.revision, commit.first_revision - 1));
        }
        self.accept(gap, commit);
        drop(publishing);
    }

    /// The changes between two known places; None when there are more than the ring would hold, or when the table does not
    /// answer: then the ring starts anew, and watchers read the table themselves.
    fn read_gap(&self, from: i64, to: i64) -> Option<Vec<LogEntry>> {
        if !self.loaded.load(Ordering::Acquire) || to - from > self.options.ring_capacity as i64 {
            return None;
        }
        let read = || -> Result<Vec<LogEntry>, StoreError> {
            let mut connection = self.pool.get()?;
            let mut found: Vec<LogEntry> = Vec::new();
            let mut behind = from;
            while behind < to {
                let page = page(&mut connection, &self.helpdesk, behind)?;
                let Some(last) = page.last() else { break };
                behind = last.change.revision;
                found.extend(page.into_iter().filter(|entry| entry.change.revision <= to));
            }
            Ok(found)
        };
        match read() {
            Ok(found) if found.last().is_some_and(|entry| entry.change.revision == to) => Some(found),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, helpdesk = self.helpdesk, "a gap in the feed could not be read");
                None
            }
        }
    }

    /// `gap`: None when there is none, Some(None) when it is there and not known.
    #[allow(clippy::option_option)]
    fn accept(&self, gap: Option<Option<Vec<LogEntry>>>, commit: Commit) {
        let mut freed = Vec::new();
        let mut forgotten = Ring::default();
        let mut state = lock(&self.state);
        let unknown = matches!(gap, Some(None));
        if unknown {
            forgotten = state.ring.clear();
            // What happened to which queue in between is not known either.
            state.other = commit.last_revision;
        }
        for commit in gap.flatten().and_then(Commit::new).into_iter().chain([commit]) {
            state.head = Head { revision: commit.last_revision, uid: commit.last_uid };
            state.touch_queues(&commit);
            freed.extend(state.ring.push(commit, self.options));
        }
        let head = state.head;
        drop(state);
        self.bell.send_replace(head);
        drop((freed, forgotten));
    }

    /// Reads the head from the table, once.
    pub(super) async fn load(self: &std::sync::Arc<Self>) -> Result<(), StoreError> {
        if self.loaded.load(Ordering::Acquire) {
            return Ok(());
        }
        let feed = std::sync::Arc::clone(self);
        blocking(move || feed.load_blocking()).await
    }

    fn load_blocking(&self) -> Result<(), StoreError> {
        let _publishing = lock(&self.publishing);
        if self.loaded.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut connection = self.pool.get()?;
        let revision = heads::last_revision(&mut connection, &self.helpdesk)?;
        let uid = changes::uid(&mut connection, &self.helpdesk, revision)?.unwrap_or(0);
        let mut state = lock(&self.state);
        if revision > state.head.revision {
            state.ring.clear();
            state.head = Head { revision, uid };
            state.other = revision;
        }
        let head = state.head;
        drop(state);
        self.bell.send_replace(head);
        self.loaded.store(true, Ordering::Release);
        Ok(())
    }
}

impl State {
    fn touch_queues(&mut self, commit: &Commit) {
        for LogEntry { uid: _, change } in &commit.entries {
            let Some(after) = &change.after else {
                self.other = change.revision;
                continue;
            };
            let before = change.before.as_ref().filter(|before| before.queue != after.queue);
            for queue in [Some(&after.queue), before.map(|before| &before.queue)].into_iter().flatten() {
                if let Some(revision) = self.queues.get_mut(queue) {
                    *revision = change.revision;
                } else {
                    self.queues.insert(queue.clone(), change.revision);
                }
            }
        }
    }
}

/// The next whole revisions behind `after`: about [`PAGE`] changes, or one revision however large it is.
pub(super) fn page(
    connection: &mut crate::store::AnyConnection,
    helpdesk: &str,
    after: i64,
) -> Result<Vec<LogEntry>, StoreError> {
    let mut entries = changes::after(connection, helpdesk, after, PAGE)?;
    if entries.len() < PAGE as usize {
        return Ok(entries);
    }
    let Some((first, last)) = entries.first().zip(entries.last()) else { return Ok(entries) };
    let (first, last) = (first.change.revision, last.change.revision);
    if first == last {
        return changes::of_revision(connection, helpdesk, first);
    }
    entries.retain(|entry| entry.change.revision < last);
    Ok(entries)
}

/// Runs what reads the database where it may wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(StoreError::Corrupt(format!("reading the log panicked: {error}"))),
    }
}
