//! A watcher's place in the log.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use super::group::{self, Chunk, Found, Group};
use super::live::{Feed, Head, ended_early};
use super::{Lens, Scope, apart};
use crate::store::{AnyConnection, StoreError};

/// What comes next for a watcher.
#[derive(Debug)]
pub enum Step {
    /// An encoded response, with its token.
    Response(Bytes),
    /// Nothing matched up to the cursor, and there is more behind it.
    Passed,
    /// Everything that is known has been told.
    Idle,
    /// From what comes next a newer definition is in force than the lens was made for, or the log is not the one that was
    /// followed: watch again from the last token.
    Outdated,
}

/// A cursor, and whom it shares its evaluation with.
pub struct Subscription {
    feed: Arc<Feed>,
    group: Arc<Group>,
    cursor: Head,
    /// Whether it has read the table and not come to the ring since.
    is_behind: bool,
    bell: watch::Receiver<Head>,
    epoch: u64,
    /// The page of the table that it waits for. Kept when [`Subscription::next`] is dropped, as its turn to read is.
    reading: Option<Reading>,
}

type Reading = Pin<Box<dyn Future<Output = Result<Option<Chunk>, StoreError>> + Send>>;

impl Subscription {
    /// `epoch` is the one in which the cursor was found, or an earlier one.
    pub(super) fn new(feed: Arc<Feed>, cursor: Head, epoch: u64, scope: &Scope, lens: Arc<dyn Lens>) -> Self {
        // Counted before the ring is looked at: the ring is filled only while somebody watches.
        feed.watcher_came();
        let bell = feed.bell();
        let group = feed.group(scope, cursor, epoch, lens);
        Self { feed, group, cursor, is_behind: false, bell, epoch, reading: None }
    }

    /// Up to where everything has been told.
    pub fn cursor(&self) -> Head {
        self.cursor
    }

    /// Up to where everything has been told, as a response that is only a token.
    pub fn seal(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.group.lens.seal(self.cursor.revision, Some(self.cursor.uid), &mut out);
        out
    }

    /// The next response behind the cursor. May be dropped while it waits: nothing is lost, and its turn is kept.
    pub async fn next(&mut self) -> Result<Step, StoreError> {
        // Much may be looked at and not matched: others get their turn.
        tokio::task::coop::consume_budget().await;
        if self.reading.is_some() {
            return self.read(None).await;
        }
        let found = self.group.next(&self.feed, self.cursor);
        // After it was looked, and before the cursor moves: what was found may be of another log.
        if self.is_over() {
            return Ok(Step::Outdated);
        }
        self.note(matches!(found, Found::Behind(_)));
        match found {
            Found::Chunk(chunk) => Ok(self.tell(chunk)),
            Found::Nothing(upto) => {
                self.cursor = upto;
                Ok(if self.feed.head() <= upto.revision { Step::Idle } else { Step::Passed })
            }
            Found::Behind(until) => self.read(until).await,
            Found::Outdated => Ok(Step::Outdated),
        }
    }

    /// Waits until there may be something behind the cursor. May be dropped while it waits.
    pub async fn rung(&mut self) {
        let behind = self.cursor.revision;
        let (feed, epoch) = (&self.feed, self.epoch);
        // The feed holds the sender, and this the feed.
        let _ = self.bell.wait_for(|head| head.revision > behind || feed.epoch() != epoch).await;
    }

    /// Bytes of the table that its group keeps for those who are behind.
    #[cfg(test)]
    pub(super) async fn kept_pages(&self) -> usize {
        self.group.pages.lock().await.bytes()
    }

    /// Whether the log has turned out to be another one than the cursor is in.
    fn is_over(&self) -> bool {
        self.feed.epoch() != self.epoch
    }

    fn note(&mut self, is_behind: bool) {
        match (self.is_behind, is_behind) {
            (false, true) => self.group.fell_behind(),
            (true, false) => self.group.caught_up(),
            (false, false) | (true, true) => {}
        }
        self.is_behind = is_behind;
    }

    fn tell(&mut self, chunk: Chunk) -> Step {
        self.cursor = chunk.last;
        Step::Response(chunk.bytes)
    }

    /// What the table has behind the cursor. Goes on with what it waited for before, if it did.
    async fn read(&mut self, until: Option<i64>) -> Result<Step, StoreError> {
        let new = || page_behind(Arc::clone(&self.feed), Arc::clone(&self.group), self.cursor, until);
        let reading = self.reading.get_or_insert_with(|| Box::pin(new()));
        let read = reading.await;
        self.reading = None;
        if self.is_over() {
            return Ok(Step::Outdated);
        }
        match read? {
            None => Ok(Step::Outdated),
            Some(chunk) if chunk.bytes.is_empty() => {
                self.cursor = chunk.last;
                Ok(Step::Passed)
            }
            Some(chunk) => Ok(self.tell(chunk)),
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Before it is left out of the count of those that are behind: who reads holds their pages.
        self.reading = None;
        self.note(false);
        self.feed.watcher_left();
    }
}

/// Reads the table behind a cursor, or takes what a watcher of the group that is as far behind has read.
async fn page_behind(
    feed: Arc<Feed>,
    group: Arc<Group>,
    cursor: Head,
    until: Option<i64>,
) -> Result<Option<Chunk>, StoreError> {
    let reading = apart(async move {
        let mut pages = group.pages.lock().await;
        if let Some(chunk) = pages.find(cursor.revision) {
            return Ok(Some(chunk));
        }
        let (log, lens) = (Arc::clone(&feed), Arc::clone(&group.lens));
        let until = until.unwrap_or(i64::MAX);
        let read = move |connection: &mut AnyConnection| -> Result<Vec<Chunk>, StoreError> {
            let page = log.read_page(connection, cursor)?;
            let mut chunks = Vec::new();
            let mut at = cursor;
            let last = page.last().map_or(at.revision, |entry| entry.change.revision).min(until);
            while at.revision < last {
                let from = page.partition_point(|entry| entry.change.revision <= at.revision);
                let entries = page.iter().skip(from).take_while(|entry| entry.change.revision <= last);
                let Some(chunk) = group::render(&*lens, at, entries) else { break };
                at = chunk.last;
                chunks.push(chunk);
            }
            Ok(chunks)
        };
        let chunks = feed.read(read).await?;
        let first = chunks.first().cloned();
        for chunk in chunks {
            group.share(&mut pages, chunk);
        }
        Ok(first)
    });
    reading.await.unwrap_or_else(|error| Err(ended_early(&error)))
}
