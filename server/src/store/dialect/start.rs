//! What is asked of a database before it is used, and the turn in which servers start on it.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{PgConnection, RunQueryDsl};

use crate::store::{AnyConnection, Database, StoreError};

/// `loket` in ASCII: the advisory lock that lets one of many starting processes migrate.
const ADVISORY_LOCK: i64 = 0x6c_6f6b_6574;

/// The oldest PostgreSQL that this is tested on.
const OLDEST: u32 = 15;

/// One server's turn to start. Of many on one PostgreSQL, one at a time brings the schema up to date, makes the first key
/// and the presets; on SQLite there is one server anyway. Over when it is dropped, or the process ends.
pub struct Starting(Option<PgConnection>);

impl Starting {
    /// Waits for the turn, however long the one before it takes.
    ///
    /// The lock belongs to a transaction, and not to a connection: behind a pooler only that has an end.
    pub fn wait(database: &Database) -> Result<Self, StoreError> {
        let mut connection = match database.open()? {
            AnyConnection::Sqlite(_) => return Ok(Self(None)),
            AnyConnection::Postgres(connection) => connection,
        };
        connection.batch_execute(&format!(
            "BEGIN;
             SET LOCAL lock_timeout = 0;
             SET LOCAL statement_timeout = 0;
             SET LOCAL idle_in_transaction_session_timeout = 0;
             SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"
        ))?;
        Ok(Self(Some(connection)))
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.0
            && let Err(error) = connection.batch_execute("COMMIT")
        {
            tracing::debug!(%error, "the lock of the start ends with its connection");
        }
    }
}

/// Whether the database can keep what is promised: refused are those that are too old, that acknowledge what is not on
/// disk, and that cannot hold every text.
pub fn check(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let AnyConnection::Postgres(connection) = connection else { return Ok(()) };
    let mut setting = |name: &str| -> Result<String, StoreError> {
        let shown = diesel::dsl::sql::<Text>(&format!("SELECT current_setting('{name}')"));
        Ok(shown.get_result(connection)?)
    };
    let version = setting("server_version_num")?;
    // 150004 is 15.4.
    if version.parse::<u32>().is_ok_and(|number| number / 10_000 < OLDEST) {
        let version = setting("server_version")?;
        return Err(StoreError::Unfit(format!("it is PostgreSQL {version}; Loket needs {OLDEST} or later")));
    }
    if setting("synchronous_commit")? == "off" {
        return Err(StoreError::Unfit(
            "synchronous_commit is off: what it acknowledges can be lost; set it to on for this database \
             (ALTER DATABASE … SET synchronous_commit = on) or its role"
                .to_owned(),
        ));
    }
    let encoding = setting("server_encoding")?;
    if encoding != "UTF8" {
        return Err(StoreError::Unfit(format!(
            "its encoding is {encoding}; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    if setting("fsync")? == "off" {
        tracing::warn!("the database's fsync is off: what is acknowledged does not survive the end of its machine");
    }
    let lc_messages = setting("lc_messages")?;
    if !is_english(&lc_messages) {
        tracing::warn!(
            lc_messages,
            "the database does not tell its errors in English: of some it is not seen that trying again helps, and callers \
             read INTERNAL; have a superuser run ALTER ROLE … SET lc_messages = 'C' for the role of --database-url"
        );
    }
    Ok(())
}

/// Whether the messages of a server are in English with this `lc_messages`. Empty is the locale that the server was started
/// with, which it does not tell.
fn is_english(lc_messages: &str) -> bool {
    let language = lc_messages.split(['_', '.', '-', '@']).next().unwrap_or_default();
    ["", "C", "POSIX", "en", "English"].contains(&language)
}

#[cfg(test)]
mod tests {
    use super::is_english;

    #[test]
    fn the_language_of_messages_is_told_by_the_locale() {
        for locale in ["C", "C.UTF-8", "POSIX", "en_US.UTF-8", "en-GB", "English_United States.1252", ""] {
            assert!(is_english(locale), "{locale}");
        }
        for locale in ["de_DE.UTF-8", "id_ID", "German_Germany.1252", "Indonesian"] {
            assert!(!is_english(locale), "{locale}");
        }
    }
}
