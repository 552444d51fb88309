//! Opening connections.

#[cfg(test)]
mod tests;
mod url;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use diesel::connection::{CacheSize, SimpleConnection};
use diesel::r2d2::R2D2Connection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};

use super::{StoreError, Wal};

/// A connection to either database. Only `dialect.rs` and what is below it look which.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl AnyConnection {
    /// Whether it can be used again after something has failed on it.
    pub fn is_sound(&mut self) -> bool {
        !self.is_broken()
    }
}

/// Where the data is. Parsed from a URL; anything but the two databases is an error, never a file of a strange name. What is
/// wrong with a URL is told without it: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(Postgres),
}

/// A PostgreSQL database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// As libpq reads it.
    url: String,
    /// The URL leads to a pooler, which gives each transaction whichever connection is free: what is prepared or set on a
    /// connection is not there in the next transaction.
    pooled: bool,
}

impl FromStr for Database {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path == ":memory:" {
                return Err(format!("`{url}` names no file; expected sqlite:path/to/file.db"));
            }
            if path.starts_with("file:") || path.contains('?') {
                return Err(format!(
                    "`{url}` is not a plain path; expected sqlite:path/to/file.db, without parameters"
                ));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            url::check(url)?;
            return Ok(Self::Postgres(Postgres { url: url.to_owned(), pooled: false }));
        }
        Err("it is neither sqlite:path/to/file.db nor postgres://user@host/database".to_owned())
    }
}

impl fmt::Display for Database {
    /// Without user, password and parameters, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(Postgres { url, .. }) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "postgres://{}", host.split('?').next().unwrap_or(host))
            }
        }
    }
}

impl Database {
    /// Makes the file where there is none, and refuses one that is not Loket's. Before anything else of this process opens it.
    pub fn claim(&self) -> Result<(), StoreError> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        let failed = |error: String| StoreError::Unfit(format!("{}: {error}", path.display()));
        make_private(path).map_err(|error| failed(error.to_string()))?;
        check_whose(path).map_err(failed)
    }

    /// Opens a connection and settles how it is used.
    pub fn open(&self) -> Result<AnyConnection, StoreError> {
        match self {
            Self::Sqlite(path) => open_sqlite(path).map(AnyConnection::Sqlite),
            Self::Postgres(postgres) => postgres.open().map(AnyConnection::Postgres),
        }
    }

    /// Opens the connection of a writer. Where its commits do not wait for the disk, the log comes with it that is to be
    /// flushed before anybody is told of them.
    pub fn open_to_write(&self) -> Result<(AnyConnection, Option<Wal>), StoreError> {
        let path = match self {
            Self::Sqlite(path) => path,
            Self::Postgres(_) => return Ok((self.open()?, None)),
        };
        let mut connection = open_sqlite(path)?;
        // What a process before this one has left in the log is to be on disk before anybody is told of it: also where that
        // process has failed to put it there, and only memory has it.
        connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
        // Checkpoints wait for the disk as before: nothing is moved out of the log, or written over, that is not there.
        connection.batch_execute("PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; COMMIT")?;
        // SQLite looks through the whole cache at the end of nearly each commit: whenever a page of an index was split. With
        // the 32 MiB of the readers that took 5 % of the writer's time; what it needs again and again is far less.
        connection.batch_execute("PRAGMA cache_size = -4096")?;
        let wal = Wal::of(path).map_err(|error| StoreError::Unfit(format!("its log cannot be opened: {error}")))?;
        wal.flush()?;
        Ok((AnyConnection::Sqlite(connection), Some(wal)))
    }

    /// How many writers it takes, where as many as `most` are allowed: on SQLite one has the file.
    pub fn writers(&self, most: usize) -> usize {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(_) => most,
        }
    }

    /// The same, reached through a pooler of transactions. A SQLite file has none.
    #[must_use]
    pub fn through_pooler(self) -> Self {
        match self {
            Self::Sqlite(path) => Self::Sqlite(path),
            Self::Postgres(postgres) => Self::Postgres(Postgres { pooled: true, ..postgres }),
        }
    }
}

/// What libpq is told where the URL does not say otherwise. A machine that is gone without a word is noticed within half a
/// minute, and not after the two hours that are the system's default.
const PARAMETERS: [(&str, &str); 6] = [
    ("fallback_application_name", "loket"),
    ("connect_timeout", "10"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "30000"),
];

/// Every query has an index that it goes through in order, and reads no more than it gives or is told to examine. What the
/// planner would do instead where it expects few rows, as in a helpdesk that is new since the last ANALYZE, reads and sorts all of
/// them. Such plans are so dear then that they would be compiled.
const PLANNING: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off;
                        SET enable_mergejoin = off; SET jit = off";

impl Postgres {
    fn open(&self) -> Result<PgConnection, StoreError> {
        let mut connection = PgConnection::establish(&self.full_url())?;
        if self.pooled {
            connection.set_prepared_statement_cache_size(CacheSize::Disabled);
        } else {
            connection.batch_execute(PLANNING)?;
        }
        Ok(connection)
    }

    fn full_url(&self) -> String {
        let given = self.url.split_once('?').map_or("", |(_, parameters)| parameters);
        let is_given = |name: &str| given.split('&').any(|parameter| parameter.split('=').next() == Some(name));
        let mut url = self.url.clone();
        for (name, value) in PARAMETERS.into_iter().filter(|(name, _)| !is_given(name)) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(value);
        }
        url
    }
}

/// WAL lets readers go on while the one writer writes; FULL puts every commit on disk before it is done, but for those of
/// the writer, which sees to that itself. Checkpoints are made by the writer between commits, when nobody waits for an
/// answer of it, not by whichever commit comes along.
///
/// A file that is new gets pages of 8 KiB: with 4 KiB, of which a ticket and its change fill half, a writer under load takes
/// 6 % longer, and a lone commit is as long on its way to the disk.
fn open_sqlite(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
    connection.batch_execute(
        "PRAGMA busy_timeout = 10000;
         PRAGMA page_size = 8192;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA cache_size = -32768;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = OFF;",
    )?;
    Ok(connection)
}

/// Makes a file that is not there yet, for its owner alone; its log gets the same rights from SQLite. One that is there is not
/// opened: when it is closed again, all locks of this process on it are gone, SQLite's too, and the next program that looks
/// into the file takes its log away under the server.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A file that holds tables, and none of Loket's, is another program's. Nothing of it is changed.
fn check_whose(path: &Path) -> Result<(), String> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = BigInt)]
        foreign: i64,
        #[diesel(sql_type = BigInt)]
        ours: i64,
    }
    // What a start that was cut short has left is ours too.
    let sql = "SELECT coalesce(sum(name <> '__diesel_schema_migrations'), 0) AS \"foreign\",
               coalesce(sum(name = 'heads'), 0) AS ours FROM sqlite_master WHERE type = 'table'";
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(|error| error.to_string())?;
    // A server that has just ended may be putting its log away.
    let patient = connection.batch_execute("PRAGMA busy_timeout = 10000");
    let found = patient.and_then(|()| diesel::sql_query(sql).get_result(&mut connection));
    let found = found.map_err(|error| error.to_string())?;
    match found {
        Found { foreign: 1.., ours: 0 } => {
            Err("it holds another program's tables, and none of Loket's: name another file".to_owned())
        }
        Found { .. } => Ok(()),
    }
}
