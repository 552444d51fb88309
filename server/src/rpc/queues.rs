//! `QueueService`, one file for each operation.

pub(super) mod claim_next;
pub(super) mod get;
pub(super) mod watch;

pub(super) use watch::{Views, WatchStream};
