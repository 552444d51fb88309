//! How processes on one database tell each other of their commits: LISTEN and NOTIFY. A SQLite file has one process.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use crate::store::{AnyConnection, Database};

/// Whether other processes may write to this database too.
pub fn is_shared(database: &Database) -> bool {
    match database {
        Database::Sqlite(_) => false,
        Database::Postgres(_) => true,
    }
}

/// From now on this connection hears what is said.
pub fn listen(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(connection) => connection.batch_execute("LISTEN loket"),
    }
}

/// It does not any more. Behind a pooler this may reach another session than the one that listened.
pub fn unlisten(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(connection) => connection.batch_execute("UNLISTEN *"),
    }
}

/// What was said since this was last asked. Takes what has arrived and waits for nothing.
pub fn heard(connection: &mut AnyConnection) -> QueryResult<Vec<String>> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(Vec::new()),
        AnyConnection::Postgres(connection) => {
            connection.notifications_iter().map(|notice| notice.map(|notice| notice.payload)).collect()
        }
    }
}

/// Says words to all who listen, this process included. Never within a transaction that writes: a commit with a NOTIFY
/// holds a lock of the whole database until it is on disk, so no two of them would share a flush.
pub fn say(connection: &mut AnyConnection, words: &[String]) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(_) => Ok(()),
        AnyConnection::Postgres(connection) => {
            diesel::sql_query("SELECT count(pg_notify('loket', word)) FROM unnest($1) AS said(word)")
                .bind::<Array<Text>, _>(words)
                .execute(connection)
                .map(drop)
        }
    }
}
