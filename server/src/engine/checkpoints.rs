//! Moves SQLite's write-ahead log into the database file while the writer goes on.
//!
//! Moved by the writer alone, everything waits for it; moved beside the writer alone, it is never complete, and the log,
//! which begins anew only when it is, grows for ever. So most is moved beside it, and the writer moves what has come since,
//! which is little.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::store::{AnyConnection, Database, StoreError, dialect};

/// After so many KiB, as they are guessed, the log is moved: often enough that it stays at some tens of megabytes and
/// is soon written over, which is faster to put on disk than what grows, and seldom enough that a page that changes in every
/// commit is moved once for many.
const EVERY: usize = 64 << 10;

/// KiB that a commit writes whatever it changes: the last page of each table and index. Half of it in a file of 4 KiB pages.
const KIB_OF_COMMIT: usize = 14 * 8;

/// KiB that each change adds which files a ticket. One of an old ticket adds two or three times as much.
const KIB_OF_CHANGE: usize = 4;

/// So often the log is moved beside the writer before the writer moves the rest: the first takes longest, and what comes
/// meanwhile is what the second has to do.
const BESIDE: usize = 2;

pub(super) struct Checkpoints {
    database: Database,
    /// After so many KiB.
    every: usize,
    /// KiB since the last checkpoint began.
    gathered: usize,
    /// The thread that moves the log, from the first time on.
    mover: Option<Mover>,
    under_way: bool,
}

struct Mover {
    ask: SyncSender<()>,
    is_done: Arc<AtomicBool>,
}

impl Checkpoints {
    pub(super) fn new(database: Database) -> Self {
        Self::each(database, EVERY)
    }

    pub(super) fn each(database: Database, every: usize) -> Self {
        Self { database, every, gathered: 0, mover: None, under_way: false }
    }

    /// Called between two commits of the writer whose connection this is.
    pub(super) fn after(&mut self, changes: usize, connection: &mut AnyConnection) {
        if !dialect::keeps_a_log(connection) {
            return;
        }
        if changes > 0 {
            self.gathered += KIB_OF_COMMIT + changes * KIB_OF_CHANGE;
        }
        if self.under_way {
            if self.mover.as_ref().is_none_or(Mover::is_done) {
                self.under_way = false;
                report(dialect::checkpoint(connection).map_err(StoreError::from));
            }
        } else if self.gathered >= self.every {
            self.gathered = 0;
            self.under_way = true;
            if self.mover.as_ref().is_none_or(|mover| !mover.begin()) {
                self.mover = Mover::start(self.database.clone());
                self.mover.as_ref().map(Mover::begin);
            }
        }
    }
}

impl Mover {
    /// None when there is no thread to be had: then the writer moves everything.
    fn start(database: Database) -> Option<Self> {
        let (ask, asked) = sync_channel(1);
        let is_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&is_done);
        let thread = std::thread::Builder::new().name("checkpoint".to_owned());
        thread.spawn(move || run(&database, &asked, &done)).ok()?;
        Some(Self { ask, is_done })
    }

    /// Whether there is still a thread that does it.
    fn begin(&self) -> bool {
        self.is_done.store(false, Ordering::Release);
        self.ask.try_send(()).is_ok()
    }

    fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Acquire)
    }
}

/// Until the writer is gone.
fn run(database: &Database, asked: &Receiver<()>, done: &AtomicBool) {
    let mut connection = None;
    while asked.recv().is_ok() {
        let moved = (0..BESIDE).try_for_each(|_| {
            let connection = match &mut connection {
                Some(connection) => connection,
                none => none.insert(database.open()?),
            };
            dialect::checkpoint(connection).map_err(StoreError::from)
        });
        report(moved);
        done.store(true, Ordering::Release);
    }
}

fn report(moved: Result<(), StoreError>) {
    if let Err(error) = moved {
        tracing::warn!(%error, "the write-ahead log could not be moved into the database file");
    }
}

#[cfg(test)]
impl Checkpoints {
    /// Waits until what was asked of the thread beside the writer is done.
    pub(super) fn wait(&self) {
        while self.under_way && self.mover.as_ref().is_some_and(|mover| !mover.is_done()) {
            std::thread::yield_now();
        }
    }
}
