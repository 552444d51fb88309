//! Whether the file of SQLite is still the one that the server has open.
//!
//! A file that was moved away, removed or replaced, as by a backup put in its place, goes on taking what is written to it, and
//! loses all of it with the server's end.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Engine;

/// A file and its log, by more than their names.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// Beside which SQLite has its log, where the path is a link.
    real: PathBuf,
    id: Id,
    log: Option<Id>,
}

type Id = (u64, u64);

/// So many logs are set aside, and none is written over.
const MOST_ASIDE: u32 = 1_000;

impl DatabaseFile {
    /// The file that stands there now, which is open.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let real = std::fs::canonicalize(path)?;
        Ok(Self { path: path.to_owned(), id: id(path)?, log: id(&log(&real)).ok(), real })
    }

    /// Whether it stands there no more. What cannot be found out is no sign of it.
    pub(crate) fn is_gone(&self) -> bool {
        match id(&self.path) {
            Ok(id) => id != self.id,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Renames the log of the file that is gone, where it still stands in its place: SQLite would take it for that of whatever
    /// stands there next, and put its pages into it. Called when nothing is written any more.
    pub(crate) fn set_log_aside(&self) {
        let log = log(&self.real);
        // A link that leads elsewhere now has left the file and its log where they were.
        if id(&self.real).ok() == Some(self.id) || self.log.is_none() || id(&log).ok() != self.log {
            return;
        }
        let mut names =
            (1..=MOST_ASIDE).map(|number| with_end(&self.real, &format!("-wal.of-a-file-that-is-gone.{number}")));
        let Some(aside) = names.find(|name| !name.exists()) else {
            tracing::error!(log = %log.display(), "take it away before a start: it is of the file that is gone");
            return;
        };
        match std::fs::rename(log, &aside) {
            Ok(()) => tracing::warn!(log = %aside.display(), "the log of the file that is gone was set aside"),
            Err(error) => {
                tracing::error!(%error, "the log of the file that is gone stands beside another: take it away before a start");
            }
        }
    }
}

/// Puts what the log has into the file, when nothing is written any more. Nothing is lost with the log beside it; but whoever
/// copies the file of a server that has ended expects all of it.
pub(crate) async fn put_log_away(engine: &Engine, until: Instant) {
    match tokio::time::timeout_at(until, engine.put_away()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the write-ahead log stays beside the database: copy both"),
        Err(_) => {
            tracing::warn!("no time is left for the write-ahead log, which stays beside the database: copy both");
        }
    }
}

/// Until the file is not there any more; for ever where there is none.
pub(crate) async fn gone(file: Option<&DatabaseFile>) {
    const INTERVAL: Duration = Duration::from_secs(1);
    let Some(file) = file else { return std::future::pending().await };
    while !file.is_gone() {
        tokio::time::sleep(INTERVAL).await;
    }
}

fn log(path: &Path) -> PathBuf {
    with_end(path, "-wal")
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(unix)]
fn id(path: &Path) -> io::Result<Id> {
    use std::os::unix::fs::MetadataExt as _;
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Elsewhere an open file can be neither removed nor replaced.
#[cfg(not(unix))]
fn id(path: &Path) -> io::Result<Id> {
    std::fs::metadata(path).map(|_| (0, 0))
}
