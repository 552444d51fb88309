//! Folders with what is nobody else's.

use std::path::Path;
use std::{fs, io};

/// Makes a folder that is not there yet, for its owner alone. One that is there keeps its rights.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    if let Some(parent) = path.parent() {
        folder.create(parent)?;
    }
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}
