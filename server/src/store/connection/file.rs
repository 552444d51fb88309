//! The file of a SQLite database, before SQLite opens it for the server.

use std::fs::File;
use std::io;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};

/// Makes a file that is not there yet, for its owner alone; its log gets the same rights from SQLite. One that is there is not
/// opened: when it is closed again, all locks of this process on it are gone, SQLite's too, and the next program that looks
/// into the file takes its log away under the server.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
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
pub(super) fn check_whose(path: &Path) -> Result<(), String> {
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
