//! The databases that the suite runs on, and where a server keeps its data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Cluster, Options};

/// A database. Each server gets one of its own, unless it is started beside another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// By the name of the suite's module.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "sqlite" => Self::Sqlite,
            "postgres" => Self::Postgres,
            other => panic!("there is no database {other}"),
        }
    }
}

/// A server's folder and its database. Both outlive the server, for the next one on the same data.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    folder: Arc<TempDir>,
    /// Of the attachments: all servers on a database share it.
    attachments: PathBuf,
    _attachments: Arc<TempDir>,
    url: String,
}

impl Data {
    /// New ones, unless the options name the database.
    pub(crate) fn new(options: &Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = options.url.clone().unwrap_or_else(|| match options.database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("loket.db").display()),
            Database::Postgres => Cluster::shared().create_database(),
        });
        let attachments = tempfile::tempdir().unwrap();
        Self {
            folder: Arc::new(folder),
            attachments: attachments.path().join("attachments"),
            _attachments: Arc::new(attachments),
            url,
        }
    }

    /// A folder of its own, and the same database.
    pub(crate) fn beside(&self) -> Self {
        Self { folder: Arc::new(tempfile::tempdir().unwrap()), ..self.clone() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same with another folder for the attachments.
    pub(crate) fn with_attachments(&self, folder: &Path) -> Self {
        Self { attachments: folder.to_owned(), ..self.clone() }
    }

    /// Where the bytes of attachments are.
    pub(crate) fn attachments(&self) -> &Path {
        &self.attachments
    }

    /// As `--database-url` takes it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A connection to the database, past any server.
    pub(crate) fn connect(&self) -> loket_server::store::AnyConnection {
        self.url.parse::<loket_server::store::Database>().unwrap().open().unwrap()
    }

    /// A copy, while no server runs on it.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self { folder: Arc::new(tempfile::tempdir().unwrap()), ..self.clone() };
        copy_files(self.folder(), copy.folder());
        match self.database() {
            None => copy,
            Some(name) => Self { url: Cluster::shared().copy_database(name), ..copy },
        }
    }

    /// Puts a copy in its place, while no server runs on it.
    pub(crate) fn restore(&self, copy: &Self) {
        for entry in std::fs::read_dir(self.folder()).unwrap().map(Result::unwrap) {
            // What is in folders is for one server's life only.
            if entry.file_type().unwrap().is_file() {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        copy_files(copy.folder(), self.folder());
        if let Some((name, copy)) = self.database().zip(copy.database()) {
            Cluster::shared().restore_database(name, copy);
        }
    }

    /// The name of a database of the shared cluster; a file has none.
    fn database(&self) -> Option<&str> {
        self.url.starts_with("postgres:").then(|| self.url.rsplit('/').next().unwrap())
    }

    /// The key that the first start writes.
    pub(crate) fn admin_key(&self) -> String {
        std::fs::read_to_string(self.folder().join("admin.key")).unwrap().trim().to_owned()
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            // Nothing of it outlives the process.
            continue;
        }
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
