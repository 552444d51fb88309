//! SQLite's write-ahead log, put on disk apart from the commits that write it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::StoreError;

/// The log's file. It is the same for as long as the connection is open that it was opened with.
pub struct Wal(Flush);

type Flush = Box<dyn Fn() -> io::Result<()> + Send + Sync>;

impl Wal {
    /// That of a database that is open.
    pub(super) fn of(database: &Path) -> io::Result<Self> {
        let mut path = std::fs::canonicalize(database)?.into_os_string();
        path.push("-wal");
        let file: File = OpenOptions::new().write(true).open(path)?;
        Ok(Self(Box::new(move || file.sync_data())))
    }

    /// One whose way to the disk is a test's.
    #[cfg(test)]
    pub(crate) fn flushed_by(flush: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Box::new(flush))
    }

    /// Waits until all that was written to it is on disk.
    pub fn flush(&self) -> Result<(), StoreError> {
        let started = std::time::Instant::now();
        (self.0)().map_err(StoreError::Flush)?;
        metrics::histogram!("loket_flush_seconds").record(started.elapsed().as_secs_f64());
        Ok(())
    }
}
