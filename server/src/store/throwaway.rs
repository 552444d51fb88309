//! Empty databases for tests, thrown away after them.

#[path = "../../../tests/it/support/cluster.rs"]
#[allow(dead_code, reason = "the end-to-end tests use the rest")]
mod cluster;

pub(crate) use cluster::Cluster;
use tempfile::TempDir;

use super::Database;

/// A database that nothing was done to.
pub(crate) struct Throwaway {
    pub(crate) database: Database,
    _folder: Option<TempDir>,
}

impl Throwaway {
    /// By the name of a module of tests.
    pub(crate) fn named(name: &str) -> Self {
        let (url, folder) = if name == "postgres" {
            (Cluster::shared().create_database(), None)
        } else {
            let folder = tempfile::tempdir().unwrap();
            (format!("{name}:{}", folder.path().join("loket.db").display()), Some(folder))
        };
        Self { database: url.parse().unwrap(), _folder: folder }
    }
}
