//! Whether the file of SQLite is still the one that the server has open.
//!
//! A file that was moved away, removed or replaced, as by a backup put in its place, goes on taking what is written to it, and
//! loses all of it with the server's end.

use std::io;
use std::path::{Path, PathBuf};

/// A file, by more than its name.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    id: Id,
}

type Id = (u64, u64);

impl DatabaseFile {
    /// The file that stands there now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), id: id(path)? })
    }

    /// Whether it stands there no more. What cannot be found out is no sign of it.
    pub(crate) fn is_gone(&self) -> bool {
        match id(&self.path) {
            Ok(id) => id != self.id,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
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
