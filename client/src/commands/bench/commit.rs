//! The least that a durable write costs in a directory: one row, one commit.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::load::Tally;
use crate::commands::stop::Stop;
use crate::failure::Failure;

/// As the server opens its own database.
const SETTINGS: &str = "PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 0;
    CREATE TABLE ticket (id INTEGER PRIMARY KEY, texts BLOB NOT NULL);";

/// After so many bytes the log is moved, between two commits as at the server: then it is written over and over and does not
/// grow, which is how it is fastest.
const LOG_BYTES: usize = 8 << 20;

/// What a commit writes beside its row: the rest of the pages that it changes.
const COMMIT_BYTES: usize = 2 * 8_192;

const INSERT: &str = "INSERT INTO ticket (texts) VALUES (?1)";

/// A database of its own in a directory, gone when this is dropped.
pub(super) struct Commits {
    database: Connection,
    texts: Vec<u8>,
    // Removed after the database has been closed.
    _folder: TempDir,
}

impl Commits {
    /// Rows of `size` bytes, in `dir`.
    pub(super) fn open(dir: &Path, size: u32) -> Result<Self, Failure> {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::Usage(format!("commits in {} cannot be measured: {error}", dir.display()))
        };
        let folder = tempfile::Builder::new().prefix("loket-bench-").tempdir_in(dir).map_err(|error| wrong(&error))?;
        let database = Connection::open(folder.path().join("commit.db")).map_err(|error| wrong(&error))?;
        database.execute_batch(SETTINGS).map_err(|error| wrong(&error))?;
        Ok(Self { database, texts: vec![b'.'; size as usize], _folder: folder })
    }

    /// Commits one row after the other for `window`.
    pub(super) async fn measure(self, window: Duration, stop: &Stop) -> Result<(Self, Tally), Failure> {
        let stop = stop.clone();
        let measuring = tokio::task::spawn_blocking(move || {
            let tally = self.commit_for(window, &stop)?;
            Ok((self, tally))
        });
        let measured: rusqlite::Result<_> =
            measuring.await.map_err(|error| Failure::Other(format!("the commits could not be measured: {error}")))?;
        measured.map_err(|error| Failure::Other(format!("a commit to compare with failed: {error}")))
    }

    fn commit_for(&self, window: Duration, stop: &Stop) -> rusqlite::Result<Tally> {
        let mut insert = self.database.prepare(INSERT)?;
        let mut tally = Tally::default();
        let mut logged = 0;
        let begin = Instant::now();
        while begin.elapsed() < window && !stop.is_set() {
            let called = Instant::now();
            insert.execute([&self.texts])?;
            tally.add(called.elapsed());
            logged += self.texts.len() + COMMIT_BYTES;
            if logged >= LOG_BYTES {
                logged = 0;
                self.database.query_row("PRAGMA wal_checkpoint", [], |_| Ok(()))?;
            }
        }
        tally.measured = begin.elapsed();
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_row_is_a_commit_that_waits_for_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let commits = Commits::open(dir.path(), 512).unwrap();
        let (commits, tally) = commits.measure(Duration::from_millis(20), &Stop::default()).await.unwrap();
        let number = |question: &str| commits.database.query_row(question, [], |row| row.get::<_, i64>(0)).unwrap();
        assert!(tally.count > 0);
        assert_eq!(number("SELECT count(*) FROM ticket WHERE length(texts) = 512"), tally.count as i64);
        assert_eq!(number("PRAGMA synchronous"), 2);
        drop(commits);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
