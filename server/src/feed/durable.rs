//! How far what was committed is on disk.
//!
//! SQLite shows a commit to its readers before its log is on disk, as the writer goes on meanwhile. So nothing that was read
//! is given out before all that it may rest on is there: what a loss of power takes back, nobody has seen.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::store::StoreError;

/// Up to which commit the log is on disk, counted from the start of the process. Where a commit itself waits for the disk,
/// as on PostgreSQL, none is counted, and nothing is to be waited for.
#[derive(Debug)]
pub struct Durable {
    /// Commits that may be seen by readers.
    begun: AtomicU64,
    /// Those that are on disk. None when it is not known, nor will be.
    reached: watch::Sender<Option<u64>>,
}

impl Default for Durable {
    fn default() -> Self {
        Self { begun: AtomicU64::new(0), reached: watch::Sender::new(Some(0)) }
    }
}

impl Durable {
    /// Counts a commit that is about to be made.
    pub fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// The last commit that readers may see.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }

    /// Whether everything up to this commit is on disk.
    pub fn has(&self, commit: u64) -> bool {
        self.reached.borrow().is_some_and(|reached| reached >= commit)
    }

    /// Notes that everything up to this commit is on disk; unless what was before is not.
    pub fn reach(&self, commit: u64) -> Result<(), StoreError> {
        self.reached.send_modify(|reached| *reached = reached.map(|reached| reached.max(commit)));
        if self.reached.borrow().is_some() { Ok(()) } else { Err(lost()) }
    }

    /// Whether what was written ever comes to be on disk can no longer be told.
    pub fn fail(&self) {
        self.reached.send_replace(None);
    }

    /// Waits until all that a reader may have seen up to now is on disk.
    pub async fn wait(&self) -> Result<(), StoreError> {
        let seen = self.begun();
        if self.has(seen) {
            return Ok(());
        }
        let mut reached = self.reached.subscribe();
        // The sender is `self`, so it cannot be gone.
        match reached.wait_for(|reached| reached.is_none_or(|reached| reached >= seen)).await.as_deref() {
            Ok(Some(_)) => Ok(()),
            _ => Err(lost()),
        }
    }
}

fn lost() -> StoreError {
    StoreError::Flush(io::Error::other("an earlier commit may not be on disk"))
}
