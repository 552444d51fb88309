//! Rows in bulk: on PostgreSQL one statement of arrays for any number of rows, whose text is always the same; on SQLite
//! statements of so many rows each, prepared once for each size.
//!
//! diesel's own insert walks its types once for each of four questions before SQLite sees a value, which for a ticket costs
//! more than SQLite does; and what writes over rows that are there it has parsed anew each time. Here a statement is a constant
//! text, and a walk over it binds values and nothing else.

mod batch;

use std::marker::PhantomData;

use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

pub use self::batch::{BatchRows, write_batch};
use crate::store::rows::{NewTicketRow, ReplyRow};
use crate::store::skills::WaitingSkillRow;
use crate::store::{
    AnyConnection, AttachmentRow, CountRow, DuplicateTextRow, ExternalRefRow, FieldRow, HeadRow, NewChangeRow,
    NewRequestRow, UploadRow,
};

/// The words of a statement that takes rows.
trait Words {
    /// Up to the rows.
    const HEAD: &'static str;
    /// What is the same in every row, behind its values; it begins with a comma.
    const SAME: &'static str;
    /// Behind the rows.
    const TAIL: &'static str;
}

/// How a row becomes values of SQLite.
trait Bind<R> {
    fn bind<'b>(row: &'b R, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()>;
}

/// A statement of SQLite with `N` rows.
struct Rows<'a, S, R, const N: usize>(&'a [R; N], PhantomData<S>);

/// What one prepared statement is kept under.
struct Size<S, const N: usize>(PhantomData<S>);

impl<S: 'static, R, const N: usize> QueryId for Rows<'_, S, R, N> {
    type QueryId = Size<S, N>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S: Words + Bind<R>, R, const N: usize> QueryFragment<Sqlite> for Rows<'_, S, R, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        // OR FAIL: what fails rolls the whole transaction back, so SQLite need not keep a journal of the statement.
        out.push_sql("INSERT OR FAIL INTO ");
        out.push_sql(S::HEAD);
        out.push_sql(" VALUES ");
        for (place, row) in self.0.iter().enumerate() {
            out.push_sql(if place == 0 { "(" } else { ", (" });
            S::bind(row, &mut out)?;
            out.push_sql(S::SAME);
            out.push_sql(")");
        }
        out.push_sql(S::TAIL);
        Ok(())
    }
}

impl<S, R, const N: usize> RunQueryDsl<SqliteConnection> for Rows<'_, S, R, N> {}

/// Runs statements of 32 rows while there are so many, then of 8, then of 1.
fn run<S: Words + Bind<R> + 'static, R>(connection: &mut SqliteConnection, rows: &[R]) -> QueryResult<()> {
    let rest = run_sized::<S, R, 32>(connection, rows)?;
    let rest = run_sized::<S, R, 8>(connection, rest)?;
    run_sized::<S, R, 1>(connection, rest).map(drop)
}

fn run_sized<'a, S: Words + Bind<R> + 'static, R, const N: usize>(
    connection: &mut SqliteConnection,
    rows: &'a [R],
) -> QueryResult<&'a [R]> {
    let (chunks, rest) = rows.as_chunks::<N>();
    for chunk in chunks {
        Rows::<S, R, N>(chunk, PhantomData).execute(connection)?;
    }
    Ok(rest)
}

/// One row for each value of an array. Side by side in the list of a SELECT such columns advance together, row by row; as
/// functions in FROM each is put into a store of its own first, which for tickets costs a quarter of their INSERT.
struct Unnest<E>(E);

impl<E: QueryFragment<Pg>> QueryFragment<Pg> for Unnest<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("unnest(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

/// A statement of PostgreSQL whose rows come as an array for each column but the first, which is the same in all of them.
struct Arrays<S, C> {
    columns: C,
    words: PhantomData<S>,
}

impl<S: 'static, C> QueryId for Arrays<S, C> {
    type QueryId = Arrays<S, ()>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S: Words, C: QueryFragment<Pg>> QueryFragment<Pg> for Arrays<S, C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO ");
        out.push_sql(S::HEAD);
        out.push_sql(" SELECT ");
        self.columns.walk_ast(out.reborrow())?;
        out.push_sql(S::SAME);
        out.push_sql(S::TAIL);
        Ok(())
    }
}

impl<S, C> RunQueryDsl<PgConnection> for Arrays<S, C> {}

/// Defines a function that inserts rows of one table, each `once` if it may be there already; and, where a key and further
/// columns are named, one that writes those columns of rows that are there. Or one whose words behind the rows are given.
/// The first column is the same in all rows of a call: the helpdesk, as no transaction touches two.
/// Where it begins with `part`, what is inserted is only a part of other statements, and has no function of its own.
macro_rules! bulk {
    (part $name:ident, $row:ty, $table:ident, $fields:tt, behind $tail:expr) => {
        bulk!(@part $name, $tail, $row, $table, $fields);
    };
    (part $name:ident, $row:ty, $table:ident, $fields:tt, same { $($column:ident: $value:literal),* $(,)? }) => {
        bulk!(
            @part $name, "", $row, $table, $fields,
            concat!($(", ", stringify!($column)),*), concat!($(", ", $value),*)
        );
    };
    (part $name:ident, $row:ty, $table:ident, $fields:tt $(, $update:ident by $key:tt sets $set:tt)?) => {
        bulk!(@part $name, "", $row, $table, $fields);
        $(
            bulk!(@part $update, bulk!(@overwrite $key sets $set), $row, $table, $fields);
            bulk!(@function $update, $row);
        )?
    };
    ($name:ident, $row:ty, $table:ident, $fields:tt $(; $once:ident)? $(, $update:ident by $key:tt sets $set:tt)?) => {
        bulk!(@part $name, bulk!(@tail $($once)?), $row, $table, $fields);
        bulk!(@function $name, $row);
        $(
            bulk!(@part $update, bulk!(@overwrite $key sets $set), $row, $table, $fields);
            bulk!(@function $update, $row);
        )?
    };
    (@overwrite ($key:ident, $next:ident) sets { $head:ident, $($set:ident),* $(,)? }) => {
        concat!(
            " ON CONFLICT (", stringify!($key), ", ", stringify!($next), ") DO UPDATE SET ",
            stringify!($head), " = excluded.", stringify!($head),
            $(", ", stringify!($set), " = excluded.", stringify!($set)),*
        )
    };
    (@function $name:ident, $row:ty) => {
        pub fn $name(connection: &mut AnyConnection, rows: &[$row]) -> QueryResult<()> {
            if rows.is_empty() {
                return Ok(());
            }
            match connection {
                AnyConnection::Sqlite(connection) => run::<$name::Statement, _>(connection, rows),
                AnyConnection::Postgres(connection) => $name::arrays(rows).execute(connection).map(drop),
            }
        }
    };
    (@part $name:ident, $tail:expr, $row:ty, $table:ident, $fields:tt) => {
        bulk!(@part $name, $tail, $row, $table, $fields, "", "");
    };
    (@part $name:ident, $tail:expr, $row:ty, $table:ident, {
        $same:ident: $same_sql:ty, $($field:ident: $sql:ty),* $(,)?
    }, $columns:expr, $values:expr) => {
        /// The statement and its parts; beside the function of the same name, where there is one.
        mod $name {
            use super::*;

            pub(super) enum Statement {}

            impl Words for Statement {
                const HEAD: &'static str =
                    concat!(stringify!($table), " (", stringify!($same), $(", ", stringify!($field),)* $columns, ")");
                const SAME: &'static str = $values;
                const TAIL: &'static str = $tail;
            }

            impl Bind<$row> for Statement {
                fn bind<'b>(row: &'b $row, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                    out.push_bind_param::<$same_sql, _>(&row.$same)?;
                    $(
                        out.push_sql(", ");
                        out.push_bind_param::<$sql, _>(&row.$field)?;
                    )*
                    Ok(())
                }
            }

            pub(super) fn arrays(rows: &[$row]) -> Arrays<Statement, impl QueryFragment<Pg>> {
                assert!(rows.windows(2).all(|pair| pair[0].$same == pair[1].$same), "rows of several helpdesks");
                let same = rows.first().map(|row| -> &str { &row.$same }).unwrap_or_default();
                let columns = (
                    AsExpression::<$same_sql>::as_expression(same),
                    $(bulk!(@array rows, $field: $sql),)*
                );
                Arrays { columns, words: PhantomData }
            }
        }
    };
    (@tail) => { "" };
    (@tail once) => { " ON CONFLICT DO NOTHING" };
    (@array $rows:ident, $field:ident: $sql:ty) => {
        Unnest(AsExpression::<Array<$sql>>::as_expression($rows.iter().map(|row| &row.$field).collect::<Vec<_>>()))
    };
}

bulk!(part insert_tickets, NewTicketRow<'_>, tickets, {
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

// Tickets that nothing has been done with: `NewTicketRow::is_fresh`.
bulk!(part insert_fresh_tickets, NewTicketRow<'_>, tickets, {
    helpdesk: Text, ticket: BigInt, uid: Text, number: Text, requester: Text, subject: Text, channel: Text, fields: Text,
    priority: Text, status: Text, state: Text, queue: Text, queue_key: Text, receive_time: BigInt,
    queue_time: Nullable<BigInt>, create_time: BigInt, update_time: BigInt, revision: BigInt, body: Text,
}, same {
    tags: "'[]'", cc: "'[]'", external_refs: "'[]'", assignee: "''", solution: "''", first_reply_time: "NULL",
    close_time: "NULL", staff_replies: "0", requester_replies: "0", service_replies: "0", notes: "0", more: "''",
});

bulk!(insert_replies, ReplyRow, replies, {
    helpdesk: Text, ticket: BigInt, reply: BigInt, author: Text, author_role: Text, kind: Text, body: Text,
    solution: Text, create_time: BigInt, revision: BigInt, canned_response: Text,
});

bulk!(part insert_changes, NewChangeRow<'_>, changes, {
    helpdesk: Text, revision: BigInt, ordinal: Integer, ticket: BigInt, uid: BigInt, payload: Binary,
});

bulk!(part insert_requests, NewRequestRow<'_>, requests, {
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

bulk!(part add_counts, CountRow, counts, {
    helpdesk: Text, kind: Text, id: Text, tickets: BigInt,
}, behind " ON CONFLICT (helpdesk, kind, id) DO UPDATE SET tickets = counts.tickets + excluded.tickets");

bulk!(part update_heads, HeadRow, heads, {
    helpdesk: Text, last_revision: BigInt, last_ticket: BigInt, last_number: BigInt, last_time: BigInt,
    definition_version: BigInt,
}, behind concat!(
    " ON CONFLICT (helpdesk) DO UPDATE SET last_revision = excluded.last_revision, last_ticket = excluded.last_ticket,",
    " last_number = excluded.last_number, last_time = excluded.last_time,",
    " definition_version = excluded.definition_version"
));
