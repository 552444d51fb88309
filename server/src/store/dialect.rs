//! ALL that differs between the two databases, but for opening them.

pub mod bell;
mod bulk;
pub mod filter;
mod keyed;
mod migrations;
#[cfg(test)]
mod plans;
mod requesters;
mod rework;
mod skills;
mod start;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

pub use bulk::{
    BatchRows, insert_attachments, insert_duplicate_texts, insert_external_refs, insert_fields, insert_replies,
    insert_uploads, insert_waiting_skills, update_tickets, update_uploads, write_batch,
};
pub use keyed::{
    access_keys_by_ids, agents_by_ids, agents_by_subjects, bodies_by_ids, delete_duplicate_texts, delete_external_refs,
    delete_fields, delete_requests, delete_uploads, delete_waiting_skills, duplicate_texts_by_digests,
    external_refs_by_ids, numbers_taken, replies_by_ids, requesters_by_ids, requests_by_ids, tickets_by_ids,
    tickets_by_numbers, uploads_by_ids,
};
pub use migrations::migrate;
pub use requesters::{RequesterTable, requester_tables, settle_requesters};
pub use rework::{index_field, place_tickets};
pub use skills::first_by_skills;
pub use start::{Starting, check};

use self::filter::{Bind, Dialect, SqlFragment};
use super::schema::heads;
use super::{AnyConnection, HeadRow, StoreError};
use crate::domain::filter::Filter;

/// The filter as a condition on `tickets t`, its values numbered from `first_bind`.
pub fn condition(connection: &AnyConnection, filter: &Filter, first_bind: usize) -> SqlFragment {
    let dialect = match connection {
        AnyConnection::Sqlite(_) => Dialect::Sqlite,
        AnyConnection::Postgres(_) => Dialect::Postgres,
    };
    filter::condition(filter, dialect, first_bind)
}

/// Runs a statement whose values are known only now.
pub fn load<'b, R>(
    connection: &mut AnyConnection,
    sql: &str,
    binds: impl Iterator<Item = &'b Bind>,
) -> QueryResult<Vec<R>>
where
    R: QueryableByName<diesel::sqlite::Sqlite> + QueryableByName<diesel::pg::Pg> + 'static,
{
    macro_rules! bound {
        ($connection:ident) => {{
            let query = binds.fold(diesel::sql_query(sql).into_boxed(), |query, bind| match bind {
                Bind::Text(text) => query.bind::<Text, _>(text),
                Bind::BigInt(number) => query.bind::<BigInt, _>(number),
            });
            query.load($connection)
        }};
    }
    match connection {
        AnyConnection::Sqlite(connection) => bound!(connection),
        AnyConnection::Postgres(connection) => bound!(connection),
    }
}

/// Runs `work` in one transaction that may write from its start: on SQLite a deferred one could fail at its first write.
pub fn write<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    begin(connection).map_err(StoreError::from)?;
    finish(connection, work)
}

/// Runs `work` in the transaction that was begun, and ends it.
fn finish<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    match work(connection) {
        Ok(value) => {
            commit(connection).map_err(StoreError::from)?;
            Ok(value)
        }
        Err(error) => {
            rollback(connection);
            Err(error)
        }
    }
}

/// What begins a transaction that writes on PostgreSQL, whatever its defaults are, in one message.
///
/// A statement sees what was committed before it, and so, behind the lock of the head, all of the helpdesk. A process that
/// stops in the middle holds its head for no longer than the last time-out; who waits for the head waits longer than that.
/// The commit waits for the disk, whatever the role, the database or the configuration has come to say: what is set here is
/// what holds for the whole of it.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
     SET LOCAL lock_timeout = '10s';
     SET LOCAL statement_timeout = '60s';
     SET LOCAL idle_in_transaction_session_timeout = '5s';
     SELECT set_config('synchronous_commit',
         CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)";

/// What begins one in which everything is read as of one moment.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

type Manager = <AnyConnection as Connection>::TransactionManager;

/// Begins a transaction that may write.
pub fn begin(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
        }
        AnyConnection::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(connection, BEGIN_WRITE),
    }
}

pub fn commit(connection: &mut AnyConnection) -> QueryResult<()> {
    Manager::commit_transaction(connection)
}

/// Ends a transaction that has found in the log what was asked for. On PostgreSQL a commit may be there that no standby has
/// which it should have waited for, since its wait was cut short: it is answered for when a later one is there too, which
/// waits as that one should have. On SQLite whoever answers waits for the disk.
pub fn confirm(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(_) => {
            rollback(connection);
            Ok(())
        }
        AnyConnection::Postgres(_) => {
            crate::store::heads::touch(connection, helpdesk)?;
            commit(connection)
        }
    }
}

/// Gives up the transaction; a connection on which even that fails is broken and will be replaced.
pub fn rollback(connection: &mut AnyConnection) {
    if let Err(error) = Manager::rollback_transaction(connection) {
        tracing::debug!(%error, "rolling back failed");
    }
}

/// Runs `work` in a transaction in which everything is read as of one moment.
pub fn read<T, E: From<StoreError>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    let begun = match connection {
        AnyConnection::Sqlite(connection) => AnsiTransactionManager::begin_transaction(connection),
        AnyConnection::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(connection, BEGIN_READ),
    };
    begun.map_err(StoreError::from)?;
    finish(connection, work)
}

/// The head, locked until the end of the transaction. On SQLite the transaction itself is the lock.
pub fn lock_head(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<Option<HeadRow>> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            heads::table.find(helpdesk).select(HeadRow::as_select()).first(connection).optional()
        }
        AnyConnection::Postgres(connection) => {
            heads::table.find(helpdesk).select(HeadRow::as_select()).for_update().first(connection).optional()
        }
    }
}

/// Makes a head, which is then locked; false when there is one already, which another process may just have made.
pub fn insert_head(connection: &mut AnyConnection, head: &HeadRow) -> QueryResult<bool> {
    let inserted = match connection {
        AnyConnection::Sqlite(connection) => {
            diesel::insert_into(heads::table).values(head).on_conflict_do_nothing().execute(connection)?
        }
        AnyConnection::Postgres(connection) => {
            diesel::insert_into(heads::table).values(head).on_conflict_do_nothing().execute(connection)?
        }
    };
    Ok(inserted == 1)
}

/// Whether what is committed goes to a log first that somebody has to move: SQLite's.
pub fn keeps_a_log(connection: &AnyConnection) -> bool {
    matches!(connection, AnyConnection::Sqlite(_))
}

/// Moves what the log has gathered into the database file, as far as readers allow. Nothing on PostgreSQL.
///
/// When everything is moved, and no reader is in the log, the next commit begins it anew.
pub fn checkpoint(connection: &mut AnyConnection) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)"),
        AnyConnection::Postgres(_) => Ok(()),
    }
}

/// Moves all that the log has gathered into the database file, and empties it. False while somebody reads, or moves it as well.
/// There is nothing to do on PostgreSQL.
pub fn put_log_away(connection: &mut AnyConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Outcome {
        #[diesel(sql_type = Integer)]
        busy: i32,
    }
    match connection {
        AnyConnection::Sqlite(connection) => {
            let query = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)");
            query.get_result::<Outcome>(connection).map(|outcome| outcome.busy == 0)
        }
        AnyConnection::Postgres(_) => Ok(true),
    }
}

/// Whether a commit that failed may still have happened. On SQLite the file says so itself: what failed is not there.
pub fn commit_may_have_happened(connection: &AnyConnection, error: &StoreError) -> bool {
    matches!(connection, AnyConnection::Postgres(_))
        && !matches!(
            error,
            StoreError::Query(diesel::result::Error::DatabaseError(
                diesel::result::DatabaseErrorKind::SerializationFailure,
                _
            ))
        )
}
