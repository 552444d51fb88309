//! What can go wrong with a watch, besides its token.

use std::io;
use std::path::PathBuf;

use crate::store::StoreError;

/// For the operator to read. Callers never see it.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a snapshot could not be kept for sending in {}: {error}", folder.display())]
    Spool { folder: PathBuf, error: io::Error },
    #[error("the snapshots that wait to be sent take all of the {limit} bytes that there are for them")]
    SpoolsFull { limit: u64 },
    #[error("the snapshots of one key that wait to be sent take all of the {most} bytes that it may have")]
    ShareFull { most: u64 },
    /// See `Lens::definition_version`: watch again.
    #[error("a newer definition is in force than the lens was made for")]
    Outdated,
}
