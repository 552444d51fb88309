//! Watchers that see the same: each commit is evaluated and encoded once for all of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};

use super::live::{Feed, Head};
use super::lock;
use crate::domain::{Change, Ticket};
use crate::store::LogEntry;

/// A response ends at the first boundary between revisions behind so many bytes.
pub const MAX_RESPONSE: usize = 256 << 10;

/// Small responses are put together up to this size for who is behind: beyond it, copying costs more than sending.
const MAX_JOINED: usize = 64 << 10;

/// How many changes are looked at before others get a turn.
const TURN: usize = 2_048;

/// How many responses from the table are kept for the next watcher that is as far behind.
const SHARED_PAGES: usize = 16;

/// What watchers with one filter and one visibility see of the log. Encoding is not the feed's business: it comes in here.
pub trait Lens: Send + Sync {
    /// The version of the definition that the lens was made for, if it depends on it: it is of no use from the change on that
    /// puts a newer one in force.
    fn definition_version(&self) -> Option<i64>;

    /// Appends the event that a change is to this watcher; nothing when it is none.
    fn event(&self, change: &Change, out: &mut Vec<u8>);

    /// Appends the event that says that a ticket matches, as part of a snapshot.
    fn snapshot_event(&self, ticket: &Ticket, out: &mut Vec<u8>);

    /// Completes a response that tells everything up to `revision`; with a token when `uid` is given.
    fn seal(&self, revision: i64, uid: Option<i64>, out: &mut Vec<u8>);
}

/// One encoded response. It tells everything of the revisions behind `after` up to `last`.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    after: i64,
    /// Of the first event: who is before it, but behind `after`, can take the whole.
    first: i64,
    pub(super) last: Head,
}

impl Chunk {
    fn fits(&self, cursor: i64) -> bool {
        self.after <= cursor && cursor < self.first
    }
}

/// What a group has for a cursor.
pub(super) enum Found {
    Chunk(Chunk),
    /// Nothing matched up to here; there may be more behind it.
    Nothing(Head),
    /// The ring does not reach back so far. What the group has begins at the revision given, if it has any.
    Behind(Option<i64>),
    /// A newer definition comes next, or decided what does.
    Outdated,
}

/// Bytes that all groups of a feed keep, and how many groups there are.
#[derive(Debug, Default)]
pub(super) struct Budget {
    bytes: AtomicUsize,
    groups: AtomicUsize,
}

pub(super) struct Group {
    pub(super) lens: Arc<dyn Lens>,
    cache: Mutex<Cache>,
    /// Held while the table is read, so that watchers that are equally far behind read it once.
    pub(super) pages: tokio::sync::Mutex<Pages>,
    /// How many of its watchers are behind the ring. While there are none, no pages are kept.
    laggards: AtomicUsize,
    budget: Arc<Budget>,
    limit: usize,
}

/// Everything from `from` up to `upto` has been evaluated; where there is no chunk, nothing matched.
struct Cache {
    from: i64,
    upto: Head,
    chunks: VecDeque<Chunk>,
    bytes: usize,
}

impl Group {
    pub(super) fn new(lens: Arc<dyn Lens>, at: Head, budget: Arc<Budget>, limit: usize) -> Self {
        budget.groups.fetch_add(1, Ordering::Relaxed);
        let pages = tokio::sync::Mutex::new(Pages { chunks: VecDeque::new(), bytes: 0, budget: Arc::clone(&budget) });
        let cache = Cache { from: at.revision, upto: at, chunks: VecDeque::new(), bytes: 0 };
        Self { lens, cache: Mutex::new(cache), pages, laggards: AtomicUsize::new(0), budget, limit }
    }

    /// What comes behind a cursor. Whoever asks first evaluates; the others find it done.
    pub(super) fn next(&self, feed: &Feed, cursor: Head) -> Found {
        let mut cache = lock(&self.cache);
        if cursor.revision < cache.from {
            let until = cache.from;
            drop(cache);
            return self.alone(feed, cursor, until);
        }
        if let Some(found) = cache.find(cursor.revision) {
            return match found {
                Ok(chunk) => Found::Chunk(chunk),
                Err(until) => {
                    drop(cache);
                    self.alone(feed, cursor, until)
                }
            };
        }
        let upto = cache.upto;
        let Some(commits) = feed.recent(upto.revision, TURN) else {
            // Everybody here has fallen behind the ring, or stood still. Who is in it goes on from there.
            if cursor.revision > upto.revision && feed.recent(cursor.revision, TURN).is_some() {
                self.reset(&mut cache, cursor);
                return Found::Nothing(cursor);
            }
            return Found::Behind(None);
        };
        if commits.is_empty() {
            return Found::Nothing(if upto.revision > cursor.revision { upto } else { cursor });
        }
        let entries = commits.iter().flat_map(|commit| commit.after(upto.revision));
        let Some(chunk) = render(&*self.lens, upto, entries) else { return Found::Outdated };
        cache.upto = chunk.last;
        if chunk.bytes.is_empty() {
            return Found::Nothing(if chunk.last.revision > cursor.revision { chunk.last } else { cursor });
        }
        self.keep(&mut cache, chunk.clone());
        if chunk.fits(cursor.revision) { Found::Chunk(chunk) } else { Found::Nothing(cursor) }
    }

    /// A watcher has fallen behind the ring.
    pub(super) fn fell_behind(&self) {
        self.laggards.fetch_add(1, Ordering::SeqCst);
    }

    /// A watcher that was behind the ring is not any more, or has gone. The last one clears up.
    pub(super) fn caught_up(&self) {
        if self.laggards.fetch_sub(1, Ordering::SeqCst) == 1
            // Who holds it reads for somebody who is behind, and is counted.
            && let Ok(mut pages) = self.pages.try_lock()
        {
            pages.clear();
        }
    }

    /// Keeps a response from the table for others that are as far behind, if there is room for it.
    pub(super) fn share(&self, pages: &mut Pages, chunk: Chunk) {
        if pages.chunks.len() == SHARED_PAGES || self.budget.bytes.load(Ordering::Relaxed) > self.limit {
            pages.drop_oldest();
        }
        if self.budget.bytes.load(Ordering::Relaxed) <= self.limit {
            pages.push(chunk);
        }
    }

    /// For a cursor that stands where the group has no boundary: its own response, up to the next boundary.
    fn alone(&self, feed: &Feed, cursor: Head, until: i64) -> Found {
        let Some(commits) = feed.recent(cursor.revision, TURN) else { return Found::Behind(Some(until)) };
        let entries = commits.iter().flat_map(|commit| commit.after(cursor.revision));
        let entries = entries.take_while(|entry| entry.change.revision <= until);
        match render(&*self.lens, cursor, entries) {
            None => Found::Outdated,
            Some(chunk) if chunk.bytes.is_empty() => Found::Nothing(chunk.last),
            Some(chunk) => Found::Chunk(chunk),
        }
    }

    /// Keeps a response for the others. When all groups of the feed keep too much, one that keeps more than its share gives
    /// up its oldest: who needs it reads the ring or the table.
    fn keep(&self, cache: &mut Cache, chunk: Chunk) {
        cache.bytes += chunk.bytes.len();
        self.budget.bytes.fetch_add(chunk.bytes.len(), Ordering::Relaxed);
        cache.chunks.push_back(chunk);
        let share = self.limit / self.budget.groups.load(Ordering::Relaxed).max(1);
        while cache.chunks.len() > 1 && cache.bytes > share && self.budget.bytes.load(Ordering::Relaxed) > self.limit {
            let Some(oldest) = cache.chunks.pop_front() else { break };
            cache.from = oldest.last.revision;
            cache.bytes -= oldest.bytes.len();
            self.budget.bytes.fetch_sub(oldest.bytes.len(), Ordering::Relaxed);
        }
    }

    fn reset(&self, cache: &mut Cache, at: Head) {
        self.budget.bytes.fetch_sub(cache.bytes, Ordering::Relaxed);
        *cache = Cache { from: at.revision, upto: at, chunks: VecDeque::new(), bytes: 0 };
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(lock(&self.cache).bytes, Ordering::Relaxed);
        self.budget.groups.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Cache {
    /// The response behind a cursor; Err with where it ends when the cursor stands within it.
    fn find(&self, cursor: i64) -> Option<Result<Chunk, i64>> {
        let place = self.chunks.partition_point(|chunk| chunk.last.revision <= cursor);
        let chunk = self.chunks.get(place)?;
        if cursor >= chunk.first {
            return Some(Err(chunk.last.revision));
        }
        let mut size = 0;
        let fits = |chunk: &&Chunk| {
            size += chunk.bytes.len();
            size <= MAX_JOINED
        };
        let several = self.chunks.range(place..).take_while(fits).count();
        if several < 2 {
            return Some(Ok(chunk.clone()));
        }
        // Messages that follow each other are one message: events add up, and of revision and token the last counts.
        let mut joined = BytesMut::with_capacity(MAX_JOINED.min(size));
        let mut last = chunk.last;
        for chunk in self.chunks.range(place..place + several) {
            joined.extend_from_slice(&chunk.bytes);
            last = chunk.last;
        }
        Some(Ok(Chunk { bytes: joined.freeze(), after: chunk.after, first: chunk.first, last }))
    }
}

/// The response that begins behind `after`: until it is long enough, or there is no more, or a newer definition is in force
/// from what comes next. Without bytes when nothing matched; None when the first change is such a one already.
pub(super) fn render<'e>(lens: &dyn Lens, after: Head, entries: impl Iterator<Item = &'e LogEntry>) -> Option<Chunk> {
    let newest = lens.definition_version().unwrap_or(i64::MAX);
    let mut out = Vec::new();
    let mut first = None;
    let mut last = after;
    let mut outdated = false;
    for LogEntry { uid, change } in entries {
        if change.revision != last.revision {
            if out.len() >= MAX_RESPONSE {
                break;
            }
            if in_force_from(change) > newest {
                outdated = true;
                break;
            }
        }
        lens.event(change, &mut out);
        last = Head { revision: change.revision, uid: *uid };
        if first.is_none() && !out.is_empty() {
            first = Some(change.revision);
        }
    }
    if outdated && last == after {
        return None;
    }
    if first.is_some() {
        lens.seal(last.revision, Some(last.uid), &mut out);
    }
    out.shrink_to_fit();
    let first = first.unwrap_or(last.revision + 1);
    Some(Chunk { bytes: Bytes::from(out), after: after.revision, first, last })
}

/// The version of the definition that is in force from a change on. One that is applied is told by a change of the helpdesk
/// itself, which the version before it decided.
fn in_force_from(change: &Change) -> i64 {
    let is_helpdesk = |resource: &str| resource.strip_prefix("helpdesks/").is_some_and(|id| !id.contains('/'));
    change.definition_version + i64::from(change.after.is_none() && is_helpdesk(&change.resource))
}

/// What was read from the table lately.
pub(super) struct Pages {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    budget: Arc<Budget>,
}

impl Pages {
    /// The response behind a cursor.
    pub(super) fn find(&self, cursor: i64) -> Option<Chunk> {
        // What nothing matched in only moves the cursor, and has no first event.
        self.chunks.iter().find(|chunk| chunk.fits(cursor) && cursor < chunk.last.revision).cloned()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn push(&mut self, chunk: Chunk) {
        self.bytes += chunk.bytes.len();
        self.budget.bytes.fetch_add(chunk.bytes.len(), Ordering::Relaxed);
        self.chunks.push_back(chunk);
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.chunks.pop_front() {
            self.bytes -= oldest.bytes.len();
            self.budget.bytes.fetch_sub(oldest.bytes.len(), Ordering::Relaxed);
        }
    }

    fn clear(&mut self) {
        self.budget.bytes.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
        self.chunks = VecDeque::new();
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.clear();
    }
}
