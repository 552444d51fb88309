//! Brings the index of tickets by requesters up to date, where that is apart from filing them: on SQLite.

use crate::store::{AnyConnection, dialect};

/// After so many tickets: the more there are, the more of them share a page of the index that is written; and who looks for
/// the tickets of a requester reads through all that are not in it yet.
const EVERY: i64 = 4_096;

pub(super) struct RequesterIndex {
    /// Tickets that are not in it.
    gathered: i64,
}

impl Default for RequesterIndex {
    /// How many a process before this one has left is not known.
    fn default() -> Self {
        Self { gathered: EVERY }
    }
}

impl RequesterIndex {
    /// Called between two commits of the writer whose connection this is. How many tickets it has taken in, about.
    pub(super) fn after(&mut self, filed: i64, connection: &mut AnyConnection) -> i64 {
        self.gathered += filed;
        if self.gathered < EVERY {
            return 0;
        }
        let taken = std::mem::take(&mut self.gathered);
        if let Err(error) = dialect::settle_requesters(connection) {
            tracing::warn!(%error, "the index of requesters was not brought up to date: their tickets are found, but slowly");
        }
        taken
    }
}
