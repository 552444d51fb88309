//! The feed of one helpdesk: its ring and its bell.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinError;

use super::arrivals::Waits;
use super::group::{Budget, Group};
use super::hub::{FeedOptions, Hub};
use super::meters::Meters;
use super::queues::{Arrival, Queues};
use super::ring::{Commit, Ring};
use super::snapshot::Spools;
use super::{Durable, Lens, Scope, apart, lock};
use crate::domain::Micros;
use crate::store::{AnyConnection, LogEntry, Pool, StoreError, changes, dialect, heads};

/// How many changes are read from the table at a time, unless the ring is smaller: memory for those who are behind is
/// bounded like memory for those who are not.
const PAGE: usize = 2_000;

/// How many bytes, as the table has them: long replies come in fewer at a time.
const PAGE_BYTES: u64 = 8 << 20;

/// The last revision that was published, and its uid: 0 and 0 before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    pub revision: i64,
    pub uid: i64,
}

/// The log is to be read from the table: others have committed what is not known here, or it may be another log.
#[derive(Debug)]
pub(super) struct Gap;

/// What the table has behind a place, all as of one moment.
enum Ahead {
    /// The log is another one than the place is in, and ends here.
    Other(Head),
    /// What comes next, and up to which revision there is more.
    Next(Commit, i64),
    /// Nothing is to be taken in step by step on the way to this end.
    End(Head),
}

/// What is kept of one helpdesk's log, and the bell that rings at every commit.
pub struct Feed {
    helpdesk: String,
    pool: Pool,
    /// Who reads a page waits here, and holds up no thread.
    readers: Arc<Semaphore>,
    /// Who reads a snapshot waits here.
    snapshots: Arc<Semaphore>,
    options: FeedOptions,
    meters: Meters,
    spools: Arc<Spools>,
    durable: Arc<Durable>,
    doubts: Arc<AtomicU64>,
    loaded: AtomicBool,
    /// Held while commits are taken in, and while it is looked whether the log is the one that is known: publishers wait for
    /// each other, watchers do not. Whoever looks has its connection before, so that none waits for one that a publisher holds up.
    publishing: Mutex<()>,
    state: Mutex<State>,
    bell: watch::Sender<Head>,
    watchers: AtomicUsize,
    followers: AtomicUsize,
    /// Up to where the log is known to go, read or not.
    heard: AtomicI64,
    /// Whether somebody reads up to there already.
    catching_up: AtomicBool,
    /// Counts how often the log turned out to be another one: see [`Feed::verify`]. It changes with the head, under one lock.
    epoch: AtomicU64,
    /// Whether the log may be another one than is known: nothing is taken in before it was looked at.
    is_doubtful: AtomicBool,
    groups: Mutex<Groups>,
    budget: Arc<Budget>,
}

/// The groups by the keys of their scopes. A group lives as long as one of its watchers.
#[derive(Default)]
struct Groups {
    by_key: HashMap<String, Weak<Group>>,
    /// The dead are swept out when there are so many groups.
    sweep_at: usize,
}

#[derive(Default)]
struct State {
    head: Head,
    ring: Ring,
    queues: Queues,
}

impl Feed {
    pub(super) fn new(helpdesk: String, hub: &Hub) -> Self {
        Self {
            helpdesk,
            pool: hub.pool.clone(),
            readers: Arc::clone(&hub.readers),
            snapshots: Arc::clone(&hub.snapshots),
            options: hub.options,
            meters: hub.meters.clone(),
            spools: Arc::clone(&hub.spools),
            durable: Arc::clone(&hub.durable),
            doubts: Arc::clone(&hub.doubts),
            loaded: AtomicBool::new(false),
            publishing: Mutex::default(),
            state: Mutex::default(),
            bell: watch::Sender::new(Head::default()),
            watchers: AtomicUsize::new(0),
            followers: AtomicUsize::new(0),
            heard: AtomicI64::new(0),
            catching_up: AtomicBool::new(false),
            epoch: AtomicU64::new(0),
            is_doubtful: AtomicBool::new(false),
            groups: Mutex::default(),
            budget: Arc::default(),
        }
    }

    pub fn helpdesk(&self) -> &str {
        &self.helpdesk
    }

    /// The last revision that this server knows.
    pub fn head(&self) -> i64 {
        self.bell.borrow().revision
    }

    /// The last revision that this server knows, with its uid.
    pub fn place(&self) -> Head {
        *self.bell.borrow()
    }

    /// Waits until this server knows a revision. It may never come: callers set a limit.
    pub async fn wait_for(&self, revision: i64) {
        // The sender is `self`, so it cannot be gone.
        let _ = self.bell.subscribe().wait_for(|head| head.revision >= revision).await;
    }

    /// The last revision that this server knows, and the epoch that it is of.
    pub fn standing(&self) -> (Head, u64) {
        let state = lock(&self.state);
        (state.head, self.epoch())
    }

    /// A bell that rings at every commit, and says up to where.
    pub fn bell(&self) -> watch::Receiver<Head> {
        self.bell.subscribe()
    }

    /// The last revision that may have changed what a queue shows.
    pub fn queue_revision(&self, queue: &str) -> i64 {
        lock(&self.state).queues.revision(queue)
    }

    /// The last revision after which a ticket may wait in a queue that did not before.
    pub fn arrival(&self, queue: &str) -> Arrival {
        lock(&self.state).queues.arrival(queue)
    }

    /// What may wait in a queue of that which came to it after a revision.
    pub fn waits(&self, queue: &str, after: i64) -> Waits {
        let state = lock(&self.state);
        state.queues.waits(queue, after, state.head.revision)
    }

    /// How long those usually wait who get a ticket of a queue, at whichever process they wait.
    pub fn usual_wait(&self, queue: &str) -> Micros {
        lock(&self.state).queues.usual_wait(queue)
    }

    /// Whether other processes may commit to the same log.
    pub fn is_shared(&self) -> bool {
        self.options.shared
    }

    /// Takes in what was committed: whole revisions, in order. What is known already is passed over. Err when something is
    /// missing before it that others have committed, or what is known may be of another log: then all of it is to be read
    /// from the table.
    pub(super) fn publish(&self, mut entries: Vec<LogEntry>) -> Result<(), Gap> {
        let _publishing = lock(&self.publishing);
        let known = lock(&self.state).head;
        let must_read = self.options.shared && self.is_followed() && self.loaded.load(Ordering::Acquire);
        if let Some(first) = entries.first()
            && first.change.revision <= known.revision
        {
            let last = entries.last().unwrap_or(first);
            let last = Head { revision: last.change.revision, uid: last.uid };
            let same = entries.iter().find(|entry| entry.change.revision == known.revision);
            if same.is_some_and(|entry| entry.uid != known.uid) {
                self.begin_anew(known, last);
                return Ok(());
            }
            if last.revision < known.revision && self.options.shared {
                // Late, or of a log that does not go so far.
                self.doubt();
            }
            entries.retain(|entry| entry.change.revision > known.revision);
        }
        if must_read && self.is_doubtful.load(Ordering::SeqCst) {
            return Err(Gap);
        }
        let Some(commit) = Commit::new(entries) else { return Ok(()) };
        if commit.first_revision == known.revision + 1 {
            self.accept(commit, true);
            return Ok(());
        }
        self.meters.gaps.increment(1);
        if must_read {
            return Err(Gap);
        }
        self.jump(Head { revision: commit.last_revision, uid: commit.last_uid });
        Ok(())
    }

    /// Takes in the commit that follows what is known.
    fn accept(&self, commit: Commit, is_own: bool) {
        let mut freed = Vec::new();
        let mut forgotten = Ring::default();
        let mut state = lock(&self.state);
        state.head = Head { revision: commit.last_revision, uid: commit.last_uid };
        state.queues.touch(&commit, is_own, self.options.shared);
        if self.watchers.load(Ordering::SeqCst) > 0 {
            freed = state.ring.push(commit, self.options);
        } else {
            // Nobody would read it. Who comes later begins at the head, or reads the table.
            forgotten = state.ring.clear();
        }
        let head = state.head;
        drop(state);
        self.bell.send_replace(head);
        drop((freed, forgotten));
    }

    /// Goes on from a later place. The ring starts anew, and watchers read from the table what lies between.
    fn jump(&self, to: Head) {
        self.go_on(lock(&self.state), to);
    }

    fn go_on(&self, mut state: MutexGuard<'_, State>, to: Head) {
        let forgotten = state.ring.clear();
        state.head = to;
        state.queues.pass_over(to.revision);
        drop(state);
        self.bell.send_replace(to);
        drop(forgotten);
    }

    /// Goes on with another log than was known: all streams of the old one end.
    fn begin_anew(&self, known: Head, to: Head) {
        tracing::error!(
            helpdesk = self.helpdesk,
            known = known.revision,
            found = to.revision,
            "the log is not the one that was followed: the database lost commits"
        );
        self.doubts.fetch_add(1, Ordering::SeqCst);
        self.heard.store(to.revision, Ordering::SeqCst);
        lock(&self.groups).by_key.clear();
        let mut state = lock(&self.state);
        state.queues = Queues::default();
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.go_on(state, to);
    }

    /// The database may be another one: what is known is compared with it before anything is added.
    pub(super) fn doubt(&self) {
        self.is_doubtful.store(true, Ordering::SeqCst);
    }

    /// Looks whether the log still has what is known last, and goes on with what it has otherwise. Whoever looks holds
    /// `publishing`.
    fn compare(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        let known = self.place();
        // Before it is looked at: a doubt that comes meanwhile stays.
        self.is_doubtful.store(false, Ordering::SeqCst);
        match self.ahead(connection, known, 0) {
            Ok(Ahead::Other(end)) => {
                self.begin_anew(known, end);
                Ok(())
            }
            Ok(Ahead::Next(..) | Ahead::End(_)) => Ok(()),
            Err(error) => {
                self.doubt();
                Err(error)
            }
        }
    }

    /// What the table has behind a place; step by step if the end is within `near` revisions. All of it in one transaction: the
    /// next may find another database, where one took over.
    fn ahead(&self, connection: &mut AnyConnection, place: Head, near: i64) -> Result<Ahead, StoreError> {
        dialect::read(connection, |connection| {
            let uid = self.found(connection, place.revision)?;
            let last = heads::last_revision(connection, &self.helpdesk)?;
            let is_near = uid == place.uid && (1..=near).contains(&(last - place.revision));
            let page = if is_near { self.page(connection, place.revision)? } else { Vec::new() };
            if let Some(commit) = Commit::new(page) {
                return Ok(Ahead::Next(commit, last));
            }
            let end_uid = if last == place.revision { uid } else { self.found(connection, last)? };
            let end = Head { revision: last, uid: end_uid };
            Ok(if uid == place.uid { Ahead::End(end) } else { Ahead::Other(end) })
        })
    }

    /// The uid that a revision has in the table; 0 when it is not there.
    fn found(&self, connection: &mut AnyConnection, revision: i64) -> Result<i64, StoreError> {
        let uid = if revision > 0 { changes::uid(connection, &self.helpdesk, revision)? } else { None };
        Ok(uid.unwrap_or(0))
    }

    /// Finds out where the log ends: once where this process alone writes to it, and else for everybody who comes. The first
    /// to come needs nothing of what was before.
    pub(super) async fn load(self: &Arc<Self>, is_first: bool) -> Result<(), StoreError> {
        let is_loaded = self.loaded.load(Ordering::Acquire);
        if is_loaded && !self.options.shared {
            // Whoever loads it at this moment may wait for the same.
            return self.durable.wait().await;
        }
        let feed = Arc::clone(self);
        self.read(move |connection| feed.advance(connection, is_loaded && !is_first)).await
    }

    /// Brings what is known to where the log ends; step by step if those who follow are to see the steps. Whoever publishes
    /// meanwhile waits for no reading: what is read is taken in only if nothing else was.
    fn advance(&self, connection: &mut AnyConnection, in_steps: bool) -> Result<(), StoreError> {
        if self.loaded.load(Ordering::Acquire) {
            if !self.options.shared {
                // Somebody else came first: from then on it hears of every commit when it is on disk, and not before.
                return Ok(());
            }
            let _publishing = lock(&self.publishing);
            if self.is_doubtful.load(Ordering::SeqCst) {
                self.compare(connection)?;
            }
        }
        let near = if in_steps { self.options.ring_capacity as i64 } else { 0 };
        let (mut known, epoch) = self.standing();
        let mut upto = None;
        loop {
            let ahead = self.ahead(connection, known, near)?;
            let _publishing = lock(&self.publishing);
            if self.epoch() != epoch {
                // What was read is of a log that this one is not any more.
                return Ok(());
            }
            match ahead {
                Ahead::Other(_) => return self.compare(connection),
                Ahead::Next(commit, last) => {
                    if self.place() == known {
                        self.accept(commit, false);
                    }
                    known = self.place();
                    // Not what came meanwhile: somebody waits for this to end.
                    if known.revision < *upto.get_or_insert(last) {
                        continue;
                    }
                }
                Ahead::End(end) if self.head() < end.revision => self.jump(end),
                Ahead::End(_) => {}
            }
            self.loaded.store(true, Ordering::Release);
            return Ok(());
        }
    }

    /// Whether somebody follows who does not know of this revision yet, or of whom it is not known whether it is this one.
    pub(super) fn is_wanted(&self, revision: i64) -> bool {
        self.heard.fetch_max(revision, Ordering::SeqCst);
        self.is_followed() && (self.head() < revision || self.is_doubtful.load(Ordering::SeqCst))
    }

    /// Reads up to what was heard of. Two at once are one: who comes second leaves it to the first.
    pub(super) async fn catch_up(self: Arc<Self>) {
        let is_due = || self.head() < self.heard.load(Ordering::SeqCst) || self.is_doubtful.load(Ordering::SeqCst);
        let known = || (self.head(), self.heard.load(Ordering::SeqCst));
        while is_due() && !self.catching_up.swap(true, Ordering::SeqCst) {
            let before = known();
            let feed = Arc::clone(&self);
            let read = self.read(move |connection| feed.advance(connection, true)).await;
            self.catching_up.store(false, Ordering::SeqCst);
            if let Err(error) = read {
                // Whoever looks at the heads next hears of it again.
                tracing::warn!(%error, helpdesk = self.helpdesk, "what others committed could not be read");
                return;
            }
            // Nothing came, and nobody has heard of more meanwhile who left it to this one.
            if known() == before && !self.is_doubtful.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Looks whether the log is still the one that was read. A standby that took over without the last commits, or a backup
    /// that was restored, has another: then all streams end, and their tokens say the rest.
    pub(super) async fn verify(self: &Arc<Self>) -> Result<(), StoreError> {
        let feed = Arc::clone(self);
        self.read(move |connection| {
            let _publishing = lock(&feed.publishing);
            if feed.loaded.load(Ordering::Acquire) { feed.compare(connection) } else { Ok(()) }
        })
        .await
    }

    /// Changes when the log turned out to be another one.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Whether it is the first.
    pub(super) fn follower_came(&self) -> bool {
        self.followers.fetch_add(1, Ordering::SeqCst) == 0
    }

    pub(super) fn follower_left(&self) {
        self.followers.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn is_followed(&self) -> bool {
        self.followers.load(Ordering::SeqCst) > 0
    }

    /// Runs what reads a little of the database, where it may wait.
    pub(super) async fn read<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.read_in_turn(&self.readers, work).await
    }

    /// Runs what may read for long: only others of its kind wait for it.
    pub(super) async fn read_long<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.read_in_turn(&self.snapshots, work).await
    }

    async fn read_in_turn<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (turns, pool) = (Arc::clone(turns), self.pool.clone());
        let durable = Arc::clone(&self.durable);
        let turn = apart(async move {
            // Never closed; and if it were, reading without a permit would do no harm.
            let permit = turns.acquire_owned().await;
            let reading = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                let mut connection = pool.get()?;
                work(&mut connection)
            });
            let read = reading.await.unwrap_or_else(|error| Err(ended_early(&error).into()))?;
            durable.wait().await?;
            Ok(read)
        });
        turn.await.unwrap_or_else(|error| Err(ended_early(&error).into()))
    }

    pub(super) fn spools(&self) -> &Arc<Spools> {
        &self.spools
    }

    pub(super) fn feed_window(&self) -> i64 {
        self.options.feed_window
    }

    /// The next whole revisions behind a place, for a watcher that is behind the ring; none where the log is another one than
    /// the place is in.
    pub(super) fn read_page(&self, connection: &mut AnyConnection, place: Head) -> Result<Vec<LogEntry>, StoreError> {
        self.meters.ring_misses.increment(1);
        let page = dialect::read(connection, |connection| {
            let follows = !self.options.shared || self.found(connection, place.revision)? == place.uid;
            if follows { self.page(connection, place.revision) } else { Ok(Vec::new()) }
        })?;
        if page.is_empty() && self.options.shared {
            self.doubt();
        } else if page.is_empty() {
            let (helpdesk, end) = (&self.helpdesk, place.revision);
            return Err(StoreError::Corrupt(format!("the log of {helpdesk} ends at {end}, before its head")));
        }
        Ok(page)
    }

    /// The next whole revisions behind `after`: about [`PAGE`] changes and [`PAGE_BYTES`], or one revision however large it is.
    fn page(&self, connection: &mut AnyConnection, after: i64) -> Result<Vec<LogEntry>, StoreError> {
        let limit = changes::Limit { rows: self.options.ring_capacity.clamp(1, PAGE), bytes: PAGE_BYTES };
        changes::after(connection, &self.helpdesk, after, limit)
    }

    /// The commits behind `after`, about `limit` changes of them; None when the ring does not reach back so far.
    pub(super) fn recent(&self, after: i64, limit: usize) -> Option<Vec<Arc<Commit>>> {
        let state = lock(&self.state);
        state.ring.after(after, state.head.revision, limit)
    }

    pub(super) fn watcher_came(&self) {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        self.meters.watchers.increment(1.0);
    }

    pub(super) fn watcher_left(&self) {
        self.watchers.fetch_sub(1, Ordering::SeqCst);
        self.meters.watchers.decrement(1.0);
    }

    /// The group of all watchers of a scope; a new one begins at `at`, a place of an epoch.
    pub(super) fn group(&self, scope: &Scope, at: Head, epoch: u64, lens: Arc<dyn Lens>) -> Arc<Group> {
        // A lens that was made for another definition may see other things.
        let version = lens.definition_version().unwrap_or(0);
        let key = format!("{epoch}\n{version}\n{}", scope.key());
        let mut groups = lock(&self.groups);
        if let Some(group) = groups.by_key.get(&key).and_then(Weak::upgrade) {
            return group;
        }
        if groups.by_key.len() >= groups.sweep_at {
            groups.by_key.retain(|_, group| group.strong_count() > 0);
            groups.sweep_at = 2 * groups.by_key.len() + 16;
        }
        let group = Arc::new(Group::new(lens, at, Arc::clone(&self.budget), self.options.ring_bytes));
        groups.by_key.insert(key, Arc::downgrade(&group));
        group
    }
}

pub(super) fn ended_early(error: &JoinError) -> StoreError {
    StoreError::Ended { what: "reading the log", error: error.to_string() }
}
