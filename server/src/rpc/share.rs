//! What one key has of what the server has for all: never everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::identity::KeyEntry;

/// So many of anything one key may have, however few there are.
const LEAST: usize = 16;

/// Of what.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// Calls at once.
    Calls,
    /// Calls that wait for a revision.
    Waits,
    /// Claims that wait for a ticket.
    Claims,
    /// Open streams.
    Streams,
    /// Uploads that come in.
    Uploads,
}

/// How many a key has of each.
#[derive(Debug, Default)]
pub(super) struct Taken([AtomicUsize; 5]);

/// One of them; it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    entry: Arc<KeyEntry>,
    of: Of,
}

/// A key has as many as it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct TooMany {
    pub(super) of: Of,
    pub(super) most: usize,
}

impl Place {
    /// Takes one of the `limit` that there are for all: a key has half of them at most, and of uploads, which take long, a
    /// sixteenth.
    pub(super) fn take(entry: &Arc<KeyEntry>, of: Of, limit: usize) -> Result<Self, TooMany> {
        let part = match of {
            Of::Calls | Of::Waits | Of::Claims | Of::Streams => limit / 2,
            Of::Uploads => limit / 16,
        };
        let most = part.max(LEAST);
        let place = Self { entry: Arc::clone(entry), of };
        // What is taken too much is given back with the place.
        if place.count().fetch_add(1, Ordering::Relaxed) < most { Ok(place) } else { Err(TooMany { of, most }) }
    }

    fn count(&self) -> &AtomicUsize {
        &self.entry.taken.0[self.of as usize]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.count().fetch_sub(1, Ordering::Relaxed);
    }
}
