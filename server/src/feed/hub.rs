//! The feeds of all helpdesks.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Semaphore;

use super::live::Feed;
use super::meters::Meters;
use super::snapshot::Spools;
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
    /// Bytes of snapshots that may wait to be sent, over all streams of all helpdesks.
    pub spooled_bytes: u64,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self { ring_capacity: 16_384, ring_bytes: 64 << 20, feed_window: 10_000_000, spooled_bytes: 4 << 30 }
    }
}

/// One for the server.
pub struct Hub {
    pool: Pool,
    options: FeedOptions,
    meters: Meters,
    readers: Arc<Semaphore>,
    spools: Arc<Spools>,
    feeds: RwLock<HashMap<String, Arc<Feed>>>,
}

impl Hub {
    pub fn new(pool: Pool, options: FeedOptions) -> Self {
        // Those that catch up leave half of the connections to the rest of the server.
        let readers = Arc::new(Semaphore::new((pool.max_size() as usize / 2).max(1)));
        let spools = Arc::new(Spools::new(options.spooled_bytes));
        Self { pool, options, meters: Meters::new(), readers, spools, feeds: RwLock::default() }
    }

    /// Tells the watchers what was committed: whole revisions, in order. Never waits for a watcher.
    ///
    /// A helpdesk that nobody has asked about yet has no feed, and needs none: its first watcher reads the head.
    pub fn publish(&self, helpdesk: &str, entries: Vec<LogEntry>) {
        if let Some(feed) = self.known(helpdesk) {
            feed.publish(entries);
        }
    }

    /// The feed of a helpdesk that exists; at its first use the head is read from the table.
    pub async fn feed(&self, helpdesk: &str) -> Result<Arc<Feed>, StoreError> {
        // The feed is known before its head is read: a commit that is published before that is in the table by then.
        let feed = self.known(helpdesk).unwrap_or_else(|| self.add(helpdesk));
        feed.load().await?;
        Ok(feed)
    }

    fn known(&self, helpdesk: &str) -> Option<Arc<Feed>> {
        self.feeds.read().unwrap_or_else(PoisonError::into_inner).get(helpdesk).cloned()
    }

    fn add(&self, helpdesk: &str) -> Arc<Feed> {
        let mut feeds = self.feeds.write().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let (pool, readers, meters) = (self.pool.clone(), Arc::clone(&self.readers), self.meters.clone());
            Arc::new(Feed::new(helpdesk.to_owned(), pool, readers, self.options, meters, Arc::clone(&self.spools)))
        };
        Arc::clone(feeds.entry(helpdesk.to_owned()).or_insert_with(new))
    }
}
