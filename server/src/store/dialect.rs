//! ALL that differs between the two databases, but for opening them.

pub mod bell;
mod bulk;
mod cases;
pub mod filter;
mod migrations;
#[cfg(test)]
mod plans;
mod start;

use std::collections::BTreeMap;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, SingleValue, Text};
use diesel::upsert::excluded;

pub use bulk::{
    TicketWithBody, insert_attachments, insert_changes, insert_duplicate_texts, insert_external_refs, insert_fields,
    insert_replies, insert_requests, insert_tickets, insert_uploads, insert_waiting_skills, update_tickets,
    update_uploads,
};
pub use cases::{duplicate_texts_by_digests, replies_by_ids};
pub use migrations::migrate;
pub use start::{Starting, check};

use self::filter::{Bind, Dialect, SqlFragment};
use super::requesters::RequesterRow;
use super::rows::TicketRow;
use super::schema::{counts, heads, ticket_fields, tickets};
use super::{AnyConnection, CountRow, ExternalRefRow, HeadRow, RequestRow, StoreError};
use crate::domain::ExternalRef;
use crate::domain::definition::Field;
use crate::domain::filter::Filter;

diesel::define_sql_function! {
    /// PostgreSQL's `unnest`: one row for each element. Several in one select list advance in step.
    fn unnest<A: SingleValue>(array: Array<A>) -> A;
}

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
pub fn write<T, E: From<diesel::result::Error>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    begin(connection)?;
    finish(connection, work)
}

/// Runs `work` in the transaction that was begun, and ends it.
fn finish<T, E: From<diesel::result::Error>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    match work(connection) {
        Ok(value) => {
            commit(connection)?;
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
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
     SET LOCAL lock_timeout = '10s';
     SET LOCAL statement_timeout = '60s';
     SET LOCAL idle_in_transaction_session_timeout = '5s'";

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

/// Gives up the transaction; a connection on which even that fails is broken and will be replaced.
pub fn rollback(connection: &mut AnyConnection) {
    if let Err(error) = Manager::rollback_transaction(connection) {
        tracing::debug!(%error, "rolling back failed");
    }
}

/// Runs `work` in a transaction in which everything is read as of one moment.
pub fn read<T, E: From<diesel::result::Error>>(
    connection: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    match connection {
        AnyConnection::Sqlite(connection) => AnsiTransactionManager::begin_transaction(connection)?,
        AnyConnection::Postgres(connection) => AnsiTransactionManager::begin_transaction_sql(connection, BEGIN_READ)?,
    }
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

/// Adds to kept counts, which begin at 0.
pub fn add_counts(connection: &mut AnyConnection, rows: &[CountRow]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    match connection {
        AnyConnection::Sqlite(connection) => {
            for row in rows {
                diesel::insert_into(counts::table)
                    .values(row)
                    .on_conflict((counts::helpdesk, counts::kind, counts::id))
                    .do_update()
                    .set(counts::tickets.eq(counts::tickets + excluded(counts::tickets)))
                    .execute(connection)?;
            }
        }
        AnyConnection::Postgres(connection) => {
            diesel::select((
                unnest::<Text, _>(rows.iter().map(|row| &row.helpdesk).collect::<Vec<_>>()),
                unnest::<Text, _>(rows.iter().map(|row| &row.kind).collect::<Vec<_>>()),
                unnest::<Text, _>(rows.iter().map(|row| &row.id).collect::<Vec<_>>()),
                unnest::<BigInt, _>(rows.iter().map(|row| row.tickets).collect::<Vec<_>>()),
            ))
            .insert_into(counts::table)
            .into_columns((counts::helpdesk, counts::kind, counts::id, counts::tickets))
            .on_conflict((counts::helpdesk, counts::kind, counts::id))
            .do_update()
            .set(counts::tickets.eq(counts::tickets + excluded(counts::tickets)))
            .execute(connection)?;
        }
    }
    Ok(())
}

/// The tickets of these ids that exist, without their bodies, in one statement for any number.
pub fn tickets_by_ids(connection: &mut AnyConnection, helpdesk: &str, ids: &[i64]) -> QueryResult<Vec<TicketRow>> {
    match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT t.* FROM json_each(?2) AS wanted CROSS JOIN tickets AS t ON t.helpdesk = ?1 AND t.ticket = wanted.value",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(serde_json::json!(ids).to_string())
        .load(connection),
        AnyConnection::Postgres(connection) => tickets::table
            .filter(tickets::helpdesk.eq(helpdesk).and(tickets::ticket.eq_any(ids)))
            .select(TicketRow::as_select())
            .load(connection),
    }
}

/// What was asked before under these request ids, in one statement for any number; the pairs are subject and request id.
///
/// On PostgreSQL `OFFSET 0` keeps the look-ups apart: joined freely, a batch of hundreds is hashed against the whole table.
pub fn requests_by_ids(
    connection: &mut AnyConnection,
    helpdesk: &str,
    pairs: &[(&str, &str)],
) -> QueryResult<Vec<RequestRow>> {
    match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT r.* FROM json_each(?2) AS wanted CROSS JOIN requests AS r
             ON r.helpdesk = ?1 AND r.subject = wanted.value ->> 0 AND r.request_id = wanted.value ->> 1",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(serde_json::json!(pairs).to_string())
        .load(connection),
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "SELECT r.* FROM unnest($2, $3) AS wanted(subject, request_id) CROSS JOIN LATERAL (
                 SELECT * FROM requests AS r
                 WHERE r.helpdesk = $1 AND r.subject = wanted.subject AND r.request_id = wanted.request_id OFFSET 0
             ) AS r",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Array<Text>, _>(pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())
        .load(connection),
    }
}

/// Those of these ids who are registered, in one statement for any number.
pub fn requesters_by_ids(
    connection: &mut AnyConnection,
    helpdesk: &str,
    ids: &[String],
) -> QueryResult<Vec<RequesterRow>> {
    match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT r.* FROM json_each(?2) AS wanted CROSS JOIN requesters AS r
             ON r.helpdesk = ?1 AND r.requester = wanted.value",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(serde_json::json!(ids).to_string())
        .load(connection),
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "SELECT r.* FROM unnest($2) AS wanted(requester) CROSS JOIN LATERAL (
                 SELECT * FROM requesters AS r WHERE r.helpdesk = $1 AND r.requester = wanted.requester OFFSET 0
             ) AS r",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Array<Text>, _>(ids)
        .load(connection),
    }
}

/// Which tickets carry these references, in one statement for any number.
pub fn external_refs_by_ids(
    connection: &mut AnyConnection,
    helpdesk: &str,
    refs: &[ExternalRef],
) -> QueryResult<BTreeMap<ExternalRef, i64>> {
    let rows: Vec<ExternalRefRow> = match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT r.* FROM json_each(?2) AS wanted CROSS JOIN external_refs AS r
             ON r.helpdesk = ?1 AND r.source = wanted.value ->> 0 AND r.id = wanted.value ->> 1",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(super::rows::refs_to_json(refs))
        .load(connection)?,
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "SELECT r.* FROM unnest($2, $3) AS wanted(source, id) CROSS JOIN LATERAL (
                 SELECT * FROM external_refs AS r
                 WHERE r.helpdesk = $1 AND r.source = wanted.source AND r.id = wanted.id OFFSET 0
             ) AS r",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Array<Text>, _>(refs.iter().map(|reference| &reference.source).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(refs.iter().map(|reference| &reference.id).collect::<Vec<_>>())
        .load(connection)?,
    };
    Ok(rows.into_iter().map(|row| (ExternalRef { source: row.source, id: row.id }, row.ticket)).collect())
}

/// Those of these human numbers that tickets have, in one statement for any number.
pub fn numbers_taken(connection: &mut AnyConnection, helpdesk: &str, numbers: &[String]) -> QueryResult<Vec<String>> {
    let rows: Vec<NumberRow> = match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT t.number FROM json_each(?2) AS wanted CROSS JOIN tickets AS t
             ON t.helpdesk = ?1 AND t.number = wanted.value AND t.number <> ''",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(serde_json::json!(numbers).to_string())
        .load(connection)?,
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "SELECT t.number FROM unnest($2) AS wanted(number) JOIN tickets AS t
             ON t.helpdesk = $1 AND t.number = wanted.number AND t.number <> ''",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Array<Text>, _>(numbers)
        .load(connection)?,
    };
    Ok(rows.into_iter().map(|row| row.number).collect())
}

/// Those of these human numbers that there are, and whose they are.
pub fn tickets_by_numbers(
    connection: &mut AnyConnection,
    helpdesk: &str,
    numbers: &[String],
) -> QueryResult<Vec<(String, i64)>> {
    let rows: Vec<NumberedRow> = match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT t.number, t.ticket FROM json_each(?2) AS wanted CROSS JOIN tickets AS t
             ON t.helpdesk = ?1 AND t.number = wanted.value AND t.number <> ''",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(serde_json::json!(numbers).to_string())
        .load(connection)?,
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "SELECT t.number, t.ticket FROM unnest($2) AS wanted(number) JOIN tickets AS t
             ON t.helpdesk = $1 AND t.number = wanted.number AND t.number <> ''",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Array<Text>, _>(numbers)
        .load(connection)?,
    };
    Ok(rows.into_iter().map(|row| (row.number, row.ticket)).collect())
}

#[derive(QueryableByName)]
struct NumberedRow {
    #[diesel(sql_type = Text)]
    number: String,
    #[diesel(sql_type = BigInt)]
    ticket: i64,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = Text)]
    number: String,
}

/// Indexes a field of all tickets anew, whatever the index held of it; values that are too long for it stay out.
pub fn index_field(connection: &mut AnyConnection, helpdesk: &str, field: &str) -> QueryResult<()> {
    let index = ticket_fields::table.filter(ticket_fields::helpdesk.eq(helpdesk).and(ticket_fields::field.eq(field)));
    diesel::delete(index).execute(connection)?;
    match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "INSERT INTO ticket_fields (helpdesk, field, value, ticket)
             SELECT t.helpdesk, ?2, json_extract(t.fields, '$.\"' || ?2 || '\"'), t.ticket FROM tickets AS t
             WHERE t.helpdesk = ?1 AND length(json_extract(t.fields, '$.\"' || ?2 || '\"')) <= ?3",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(field)
        .bind::<BigInt, _>(Field::MAX_INDEXED_CHARS as i64)
        .execute(connection)?,
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "INSERT INTO ticket_fields (helpdesk, field, value, ticket)
             SELECT t.helpdesk, $2, t.fields::json ->> $2, t.ticket FROM tickets AS t
             WHERE t.helpdesk = $1 AND char_length(t.fields::json ->> $2) <= $3",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(field)
        .bind::<BigInt, _>(Field::MAX_INDEXED_CHARS as i64)
        .execute(connection)?,
    };
    Ok(())
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
