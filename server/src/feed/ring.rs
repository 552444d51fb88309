//! The recent commits of a helpdesk.

use std::collections::VecDeque;
use std::sync::Arc;

use super::hub::FeedOptions;
use crate::domain::{Change, Ticket};
use crate::store::LogEntry;

/// One commit: whole revisions, in order, at least one.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) entries: Vec<LogEntry>,
    pub(super) first_revision: i64,
    pub(super) last_revision: i64,
    pub(super) last_uid: i64,
    bytes: usize,
}

impl Commit {
    /// None when there are no entries.
    pub(super) fn new(entries: Vec<LogEntry>) -> Option<Self> {
        let first_revision = entries.first()?.change.revision;
        let LogEntry { uid: last_uid, change } = entries.last()?;
        let (last_uid, last_revision) = (*last_uid, change.revision);
        let bytes = entries.iter().map(|entry| weight(&entry.change)).sum();
        Some(Self { entries, first_revision, last_revision, last_uid, bytes })
    }

    /// The changes of the revisions behind `revision`.
    pub(super) fn after(&self, revision: i64) -> &[LogEntry] {
        let from = self.entries.partition_point(|entry| entry.change.revision <= revision);
        self.entries.get(from..).unwrap_or_default()
    }
}

/// Commits without a gap between them, the last one being the head; bounded by changes and by bytes.
#[derive(Debug, Default)]
pub(super) struct Ring {
    commits: VecDeque<Arc<Commit>>,
    entries: usize,
    bytes: usize,
}

impl Ring {
    /// Adds the commit that follows the last one. The newest is kept however large it is; what has to make room for it is
    /// returned, to be freed when no lock is held any more.
    pub(super) fn push(&mut self, commit: Commit, options: FeedOptions) -> Vec<Arc<Commit>> {
        self.entries += commit.entries.len();
        self.bytes += commit.bytes;
        self.commits.push_back(Arc::new(commit));
        let mut evicted = Vec::new();
        while self.commits.len() > 1 && (self.entries > options.ring_capacity || self.bytes > options.ring_bytes) {
            let Some(oldest) = self.commits.pop_front() else { break };
            self.entries -= oldest.entries.len();
            self.bytes -= oldest.bytes;
            evicted.push(oldest);
        }
        evicted
    }

    pub(super) fn clear(&mut self) -> Ring {
        std::mem::take(self)
    }

    /// The commits with revisions behind `revision`, until they hold `limit` changes; None when the ring does not reach
    /// back so far, and nothing when there is nothing behind it.
    pub(super) fn after(&self, revision: i64, head: i64, limit: usize) -> Option<Vec<Arc<Commit>>> {
        if revision >= head {
            return Some(Vec::new());
        }
        if self.commits.front()?.first_revision > revision + 1 {
            return None;
        }
        let from = self.commits.partition_point(|commit| commit.last_revision <= revision);
        let mut entries = 0;
        let enough = |commit: &&Arc<Commit>| {
            let go_on = entries < limit;
            entries += commit.entries.len();
            go_on
        };
        Some(self.commits.range(from..).take_while(enough).cloned().collect())
    }
}

/// About how much memory a change holds. Texts count with what an allocation costs.
fn weight(change: &Change) -> usize {
    const TEXT: usize = 40;
    let ticket = |ticket: &Ticket| {
        let lists = ticket.tags.len() + ticket.cc.len() + 2 * ticket.external_refs.len() + 2 * ticket.fields.len();
        size_of::<Ticket>()
            + ticket.subject.len()
            + ticket.body.len()
            + ticket.solution.len()
            + ticket.fields.values().map(String::len).sum::<usize>()
            + (14 + lists) * TEXT
    };
    size_of::<Change>()
        + change.reply.as_ref().map_or(0, |reply| reply.body.len() + reply.solution.len() + 2 * TEXT)
        + change.reason.len()
        + 4 * TEXT
        + change.before.as_deref().map_or(0, ticket)
        + change.after.as_deref().map_or(0, ticket)
}
