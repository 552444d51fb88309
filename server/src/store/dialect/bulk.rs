//! Rows in bulk: on PostgreSQL one statement of arrays for any number of rows, whose text is always the same; on SQLite
//! statements of so many rows each, prepared once for each size.
//!
//! diesel's own insert walks its types once for each of four questions before SQLite sees a value, which for a ticket costs
//! more than SQLite does. Here a statement is a constant text, and a walk over it binds values and nothing else.

use std::marker::PhantomData;
use std::ops::Deref;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::upsert::excluded;

use super::unnest;
use crate::store::rows::{ReplyRow, TicketRow};
use crate::store::schema::{
    attachments, changes, duplicate_texts, external_refs, replies, requests, ticket_fields, tickets, uploads,
    waiting_skills,
};
use crate::store::skills::WaitingSkillRow;
use crate::store::{
    AnyConnection, AttachmentRow, ChangeRow, DuplicateTextRow, ExternalRefRow, FieldRow, RequestRow, UploadRow,
};

/// A statement of SQLite that takes rows.
trait Statement<R> {
    /// Up to the rows.
    const HEAD: &'static str;
    /// Behind the rows.
    const TAIL: &'static str;

    fn bind<'b>(row: &'b R, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

/// A statement with `N` rows.
struct Rows<'a, S, R, const N: usize>(&'a [R; N], PhantomData<S>);

/// What one prepared statement is kept under.
struct Size<S, const N: usize>(PhantomData<S>);

impl<S: 'static, R, const N: usize> QueryId for Rows<'_, S, R, N> {
    type QueryId = Size<S, N>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S: Statement<R>, R, const N: usize> QueryFragment<Sqlite> for Rows<'_, S, R, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(S::HEAD);
        for (place, row) in self.0.iter().enumerate() {
            out.push_sql(if place == 0 { "(" } else { ", (" });
            S::bind(row, &mut out)?;
            out.push_sql(")");
        }
        out.push_sql(S::TAIL);
        Ok(())
    }
}

impl<S, R, const N: usize> RunQueryDsl<SqliteConnection> for Rows<'_, S, R, N> {}

/// Runs statements of 32 rows while there are so many, then of 8, then of 1.
fn run<S: Statement<R> + 'static, R>(connection: &mut SqliteConnection, rows: &[R]) -> QueryResult<()> {
    let rest = run_sized::<S, R, 32>(connection, rows)?;
    let rest = run_sized::<S, R, 8>(connection, rest)?;
    run_sized::<S, R, 1>(connection, rest).map(drop)
}

fn run_sized<'a, S: Statement<R> + 'static, R, const N: usize>(
    connection: &mut SqliteConnection,
    rows: &'a [R],
) -> QueryResult<&'a [R]> {
    let (chunks, rest) = rows.as_chunks::<N>();
    for chunk in chunks {
        Rows::<S, R, N>(chunk, PhantomData).execute(connection)?;
    }
    Ok(rest)
}

/// Defines a function that inserts rows of one table, each `once` if it may be there already; and, where a key and further columns are named, one that writes those
/// columns of rows that are there.
macro_rules! bulk {
    (
        $insert:ident, $row:ty, $table:ident, $fields:tt $(; $once:ident)?
        $(, $update:ident by ($key:ident, $next:ident) sets { $head:ident, $($set:ident),* $(,)? })?
    ) => {
        pub fn $insert(connection: &mut AnyConnection, rows: &[$row]) -> QueryResult<()> {
            enum Insert {}
            bulk!(@statement Insert, bulk!(@tail $($once)?), $row, $table, $fields);
            if rows.is_empty() {
                return Ok(());
            }
            match connection {
                AnyConnection::Sqlite(connection) => run::<Insert, _>(connection, rows),
                AnyConnection::Postgres(connection) => {
                    bulk!(@once bulk!(@arrays rows, $table, $fields) $(; $once)?).execute(connection).map(drop)
                }
            }
        }

        $(
            pub fn $update(connection: &mut AnyConnection, rows: &[$row]) -> QueryResult<()> {
                enum Update {}
                bulk!(
                    @statement Update,
                    concat!(
                        " ON CONFLICT (", stringify!($key), ", ", stringify!($next), ") DO UPDATE SET ",
                        stringify!($head), " = excluded.", stringify!($head),
                        $(", ", stringify!($set), " = excluded.", stringify!($set)),*
                    ),
                    $row, $table, $fields
                );
                if rows.is_empty() {
                    return Ok(());
                }
                match connection {
                    AnyConnection::Sqlite(connection) => run::<Update, _>(connection, rows),
                    AnyConnection::Postgres(connection) => {
                        bulk!(@arrays rows, $table, $fields)
                            .on_conflict(($table::$key, $table::$next))
                            .do_update()
                            .set((
                                $table::$head.eq(excluded($table::$head)),
                                $($table::$set.eq(excluded($table::$set)),)*
                            ))
                            .execute(connection)
                            .map(drop)
                    }
                }
            }
        )?
    };
    (@statement $name:ident, $tail:expr, $row:ty, $table:ident, {
        $first:ident: $first_sql:ty, $($field:ident: $sql:ty),* $(,)?
    }) => {
        impl Statement<$row> for $name {
            // OR FAIL: what fails rolls the whole transaction back, so SQLite need not keep a journal of the statement.
            const HEAD: &'static str = concat!(
                "INSERT OR FAIL INTO ", stringify!($table), " (", stringify!($first), $(", ", stringify!($field),)* ") VALUES "
            );
            const TAIL: &'static str = $tail;

            fn bind<'b>(row: &'b $row, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_bind_param::<$first_sql, _>(&row.$first)?;
                $(
                    out.push_sql(", ");
                    out.push_bind_param::<$sql, _>(&row.$field)?;
                )*
                Ok(())
            }
        }
    };
    (@tail) => { "" };
    (@tail once) => { " ON CONFLICT DO NOTHING" };
    (@once $insert:expr) => { $insert };
    (@once $insert:expr; once) => { $insert.on_conflict_do_nothing() };
    (@arrays $rows:ident, $table:ident, { $($field:ident: $sql:ty),* $(,)? }) => {
        diesel::select(($(unnest::<$sql, _>($rows.iter().map(|row| &row.$field).collect::<Vec<_>>()),)*))
            .insert_into($table::table)
            .into_columns(($($table::$field,)*))
    };
}

/// A ticket with its body, which only a new one has; for one that is there it goes nowhere.
#[derive(Debug, Clone, Copy)]
pub struct TicketWithBody<'a> {
    pub row: &'a TicketRow,
    pub body: &'a str,
}

impl Deref for TicketWithBody<'_> {
    type Target = TicketRow;

    fn deref(&self) -> &TicketRow {
        self.row
    }
}

bulk!(insert_tickets, TicketWithBody<'_>, tickets, {
    helpdesk: Text, ticket: BigInt, uid: Text, number: Text, requester: Text, subject: Text, channel: Text, fields: Text,
    tags: Text, cc: Text, external_refs: Text, priority: Text, status: Text, state: Text, queue: Text, queue_key: Text,
    assignee: Text, solution: Text, receive_time: BigInt, queue_time: Nullable<BigInt>, create_time: BigInt,
    update_time: BigInt, first_reply_time: Nullable<BigInt>, close_time: Nullable<BigInt>, revision: BigInt,
    staff_replies: Integer, requester_replies: Integer, service_replies: Integer, notes: Integer, more: Text, body: Text,
}, update_tickets by (helpdesk, ticket) sets {
    number, subject, fields, tags, cc, external_refs, priority, status, state, queue, queue_key, assignee, solution,
    queue_time, update_time, first_reply_time, close_time, revision, staff_replies, requester_replies, service_replies,
    notes, more,
});

bulk!(insert_replies, ReplyRow, replies, {
    helpdesk: Text, ticket: BigInt, reply: BigInt, author: Text, author_role: Text, kind: Text, body: Text,
    solution: Text, create_time: BigInt, revision: BigInt, canned_response: Text,
});

bulk!(insert_changes, ChangeRow, changes, {
    helpdesk: Text, revision: BigInt, ordinal: Integer, ticket: BigInt, uid: BigInt, payload: Binary,
});

bulk!(insert_requests, RequestRow, requests, {
    helpdesk: Text, subject: Text, request_id: Text, command: Text, digest: Binary, revision: BigInt, create_time: BigInt,
});

bulk!(insert_external_refs, ExternalRefRow, external_refs, {
    helpdesk: Text, source: Text, id: Text, ticket: BigInt,
});

bulk!(insert_fields, FieldRow, ticket_fields, {
    helpdesk: Text, field: Text, value: Text, ticket: BigInt,
});

bulk!(insert_duplicate_texts, DuplicateTextRow, duplicate_texts, {
    helpdesk: Text, digest: Text, ticket: BigInt,
});

bulk!(insert_waiting_skills, WaitingSkillRow, waiting_skills, {
    helpdesk: Text, queue: Text, skill: Text, queue_key: Text, ticket: BigInt,
}; once);

bulk!(insert_uploads, UploadRow, uploads, {
    helpdesk: Text, upload: Text, subject: Text, filename: Text, mime_type: Text, size: BigInt, sha256: Binary,
    digest: Binary, ticket: BigInt, create_time: BigInt, expire_time: BigInt, revision: BigInt,
}, update_uploads by (helpdesk, upload) sets { digest, ticket, expire_time, revision });

bulk!(insert_attachments, AttachmentRow, attachments, {
    helpdesk: Text, attachment: Text, ticket: BigInt, reply: BigInt, note: Integer, author: Text, filename: Text,
    mime_type: Text, size: BigInt, sha256: Binary, create_time: BigInt, revision: BigInt,
});
