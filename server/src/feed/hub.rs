//! The feeds of all helpdesks.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Semaphore;

use super::durable::Durable;
use super::live::Feed;
use super::meters::Meters;
use super::snapshot::Spools;
use super::tail::Revisions;
use crate::store::{LogEntry, Pool, StoreError};

/// How much each helpdesk's feed keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedOptions {
    /// Changes in the ring.
    pub ring_capacity: usize,
    /// Bytes in the ring, estimated; and as many again for what was encoded from it.
    pub ring_bytes: usize,
    /// How many revisions a resume token may be behind the head.
    pub feed_window: i64,
    /// Bytes of snapshots that may wait to be sent, over all streams of all helpdesks; one key may have half of them.
    pub spooled_bytes: u64,
    /// Other processes commit to the same log: what is known of its head may be old.
    pub shared: bool,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self {
            ring_capacity: 16_384,
            ring_bytes: 64 << 20,
            feed_window: 10_000_000,
            spooled_bytes: 4 << 30,
            shared: false,
        }
    }
}

/// One for the server.
pub struct Hub {
    pub(super) pool: Pool,
    pub(super) options: FeedOptions,
    pub(super) meters: Meters,
    pub(super) readers: Arc<Semaphore>,
    pub(super) snapshots: Arc<Semaphore>,
    pub(super) spools: Arc<Spools>,
    pub(super) durable: Arc<Durable>,
    /// Counts how often the database may have become another one.
    pub(super) doubts: Arc<AtomicU64>,
    feeds: RwLock<HashMap<String, Arc<Feed>>>,
    /// What this process has committed and the others are to be told; nobody takes it where there are no others.
    pub(super) committed: Revisions,
    /// What is known to be in the log and has not been read.
    pub(super) unread: Revisions,
}

/// A feed that somebody follows. As long as there is one, this process hears what others commit to its log.
pub struct Followed(Arc<Feed>);

impl Hub {
    /// `folder` is for what is kept of snapshots until they are sent, where they are large.
    pub fn new(pool: Pool, options: FeedOptions, folder: &Path) -> Self {
        // Of the connections those that catch up have half at most, and snapshots, which may take long, another quarter: nobody
        // who reads a page waits for one.
        let connections = pool.max_size() as usize;
        let part_of = |part: usize| Arc::new(Semaphore::new((connections / part).max(1)));
        let (readers, snapshots) = (part_of(2), part_of(4));
        let spools = Arc::new(Spools::new(folder, options.spooled_bytes));
        Self {
            pool,
            options,
            meters: Meters::new(),
            readers,
            snapshots,
            spools,
            durable: Arc::default(),
            doubts: Arc::default(),
            feeds: RwLock::default(),
            committed: Revisions::default(),
            unread: Revisions::default(),
        }
    }

    /// Waited for before what was read is given out.
    pub fn durable(&self) -> &Arc<Durable> {
        &self.durable
    }

    /// Tells the watchers what was committed: whole revisions, in order. Never waits for a watcher, nor while the commits of
    /// other processes are read.
    ///
    /// A helpdesk that nobody has asked about yet has no feed, and needs none: its first watcher reads the head.
    pub fn publish(&self, helpdesk: &str, entries: Vec<LogEntry>) {
        let last = entries.last().map_or(0, |entry| entry.change.revision);
        if self.options.shared {
            self.committed.put(helpdesk, last);
        }
        if let Some(feed) = self.known(helpdesk)
            && feed.publish(entries).is_err()
        {
            self.unread.put(helpdesk, last);
        }
    }

    /// Tells the watchers, of this process and of others, that the log goes up to a revision: it was committed, and what it
    /// holds is not at hand.
    pub fn announce(&self, helpdesk: &str, revision: i64) {
        if self.options.shared {
            self.committed.put(helpdesk, revision);
            self.unread.put(helpdesk, revision);
        }
    }

    /// The feed of a helpdesk that exists. It knows the log as far as the database has it by now.
    pub async fn feed(&self, helpdesk: &str) -> Result<Followed, StoreError> {
        // The feed is known and followed before its head is read: what is committed after that is published or heard of.
        let feed = self.known(helpdesk).unwrap_or_else(|| self.add(helpdesk));
        let is_first = feed.follower_came();
        let followed = Followed(feed);
        followed.load(is_first).await?;
        Ok(followed)
    }

    /// What this process knows of a helpdesk's log without asking for it.
    pub fn known_revision(&self, helpdesk: &str) -> i64 {
        self.known(helpdesk).map_or(0, |feed| feed.head())
    }

    /// The database may be another one than before, as one that took over: a connection to it was lost. What is kept of it is
    /// compared, or read again.
    pub fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::SeqCst);
        if self.options.shared {
            let feeds = self.feeds.read().unwrap_or_else(PoisonError::into_inner);
            feeds.values().for_each(|feed| feed.doubt());
        }
    }

    /// Counts how often the database may have become another one. What is read once and kept is good as long as it stays.
    pub fn doubts(&self) -> &Arc<AtomicU64> {
        &self.doubts
    }

    pub(super) fn known(&self, helpdesk: &str) -> Option<Arc<Feed>> {
        self.feeds.read().unwrap_or_else(PoisonError::into_inner).get(helpdesk).cloned()
    }

    /// The feeds that somebody follows.
    pub(super) fn followed(&self) -> Vec<Arc<Feed>> {
        let feeds = self.feeds.read().unwrap_or_else(PoisonError::into_inner);
        feeds.values().filter(|feed| feed.is_followed()).cloned().collect()
    }

    fn add(&self, helpdesk: &str) -> Arc<Feed> {
        let mut feeds = self.feeds.write().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Feed::new(helpdesk.to_owned(), self));
        Arc::clone(feeds.entry(helpdesk.to_owned()).or_insert_with(new))
    }
}

impl Deref for Followed {
    type Target = Arc<Feed>;

    fn deref(&self) -> &Arc<Feed> {
        &self.0
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.0.follower_left();
    }
}
