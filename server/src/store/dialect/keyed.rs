//! What is looked up or taken away by any number of keys, in one statement whose text is always the same: so it is prepared
//! once, and its keys come as one value for each of their columns, on SQLite as one JSON array.
//!
//! Each key is sought by itself, however many there are and whatever the planner believes of the table. On PostgreSQL `OFFSET
//! 0` keeps the look-ups of a statement apart, and `= ANY (ARRAY[…])` is a condition by which nothing can be hashed: joined
//! freely, the keys of a batch are hashed against the whole table.

use std::marker::PhantomData;

use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error::SerializationError;
use diesel::sql_types::{Array, BigInt, Text};
use diesel::sqlite::Sqlite;

use crate::domain::ExternalRef;
use crate::store::agents::AgentRow;
use crate::store::keys::KeyRow;
use crate::store::requesters::RequesterRow;
use crate::store::requests::Place;
use crate::store::rows::{ReplyRow, TicketRow};
use crate::store::schema::tickets;
use crate::store::skills::WaitingSkillRow;
use crate::store::{AnyConnection, DuplicateTextRow, ExternalRefRow, FieldRow, RequestRow, UploadRow};

/// The words of a statement, on one database.
trait Words<DB> {
    /// Up to the columns that are selected.
    const BEGIN: &'static str;
    /// Up to the keys.
    const KEYS: &'static str;
    /// Up to the helpdesk.
    const HELPDESK: &'static str;
    /// Behind it.
    const END: &'static str;
}

/// A statement with its values.
struct Keyed<'k, W, C, K> {
    columns: C,
    keys: K,
    helpdesk: &'k str,
    words: PhantomData<W>,
}

impl<'k, W, C, K> Keyed<'k, W, C, K> {
    fn new(columns: C, keys: K, helpdesk: &'k str) -> Self {
        Self { columns, keys, helpdesk, words: PhantomData }
    }
}

impl<W: 'static, C, K> QueryId for Keyed<'_, W, C, K> {
    type QueryId = W;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<W, C: Expression, K> Query for Keyed<'_, W, C, K> {
    type SqlType = C::SqlType;
}

impl<W, C, K, Conn> RunQueryDsl<Conn> for Keyed<'_, W, C, K> {}

macro_rules! walk {
    ($database:ty) => {
        impl<W: Words<$database>, C: QueryFragment<$database>, K: QueryFragment<$database>> QueryFragment<$database>
            for Keyed<'_, W, C, K>
        {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $database>) -> QueryResult<()> {
                out.push_sql(W::BEGIN);
                self.columns.walk_ast(out.reborrow())?;
                out.push_sql(W::KEYS);
                self.keys.walk_ast(out.reborrow())?;
                out.push_sql(W::HELPDESK);
                out.push_bind_param::<Text, _>(self.helpdesk)?;
                out.push_sql(W::END);
                Ok(())
            }
        }
    };
}

walk!(Sqlite);
walk!(Pg);

/// Defines a function that looks up what there is of one table by keys. A column of a key comes with its place in it.
macro_rules! look_up {
    (
        $(#[$doc:meta])*
        $name:ident, $table:ident, $columns:expr => $row:ty,
        by |$key:ident: &$of:ty| {
            $place:literal => $column:ident: $sql:ty = $value:expr
            $(, $next_place:literal => $next:ident: $next_sql:ty = $next_value:expr)* $(,)?
        }
        $(, never_empty $never_empty:ident)?
    ) => {
        $(#[$doc])*
        pub fn $name(connection: &mut AnyConnection, helpdesk: &str, keys: &[$of]) -> QueryResult<Vec<$row>> {
            enum LookUp {}
            impl Words<Sqlite> for LookUp {
                const BEGIN: &'static str = "SELECT ";
                const KEYS: &'static str = " FROM json_each(";
                const HELPDESK: &'static str = concat!(
                    ") AS wanted CROSS JOIN ", stringify!($table), " ON ", stringify!($table), ".helpdesk = "
                );
                const END: &'static str = concat!(
                    " AND ", stringify!($table), ".", stringify!($column), " = wanted.value ->> ", $place
                    $(, " AND ", stringify!($table), ".", stringify!($next), " = wanted.value ->> ", $next_place)*
                    $(, " AND ", stringify!($table), ".", stringify!($never_empty), " <> ''")?
                );
            }
            impl Words<Pg> for LookUp {
                const BEGIN: &'static str = "SELECT ";
                const KEYS: &'static str = " FROM unnest(";
                const HELPDESK: &'static str = concat!(
                    ") AS wanted(", stringify!($column) $(, ", ", stringify!($next))*,
                    ") CROSS JOIN LATERAL (SELECT * FROM ", stringify!($table), " AS kept WHERE kept.helpdesk = "
                );
                const END: &'static str = concat!(
                    " AND kept.", stringify!($column), " = wanted.", stringify!($column)
                    $(, " AND kept.", stringify!($next), " = wanted.", stringify!($next))*
                    $(, " AND kept.", stringify!($never_empty), " <> ''")?,
                    " OFFSET 0) AS ", stringify!($table)
                );
            }
            if keys.is_empty() {
                return Ok(Vec::new());
            }
            let keys = keys.iter();
            match connection {
                AnyConnection::Sqlite(connection) => {
                    let keys = keyed!(@json keys, |$key| $value $(, $next_value)*);
                    Keyed::<LookUp, _, _>::new($columns, keys, helpdesk).load(connection)
                }
                AnyConnection::Postgres(connection) => {
                    let keys = keyed!(@arrays keys, |$key| $sql = $value $(, $next_sql = $next_value)*);
                    Keyed::<LookUp, _, _>::new($columns, keys, helpdesk).load(connection)
                }
            }
        }
    };
}

/// Defines a function that takes away the rows of one table that have these keys.
macro_rules! delete {
    (
        $(#[$doc:meta])*
        $name:ident, $table:ident,
        by |$key:ident: &$of:ty| {
            $place:literal => $column:ident: $sql:ty = $value:expr
            $(, $next_place:literal => $next:ident: $next_sql:ty = $next_value:expr)* $(,)?
        }
    ) => {
        $(#[$doc])*
        pub fn $name(connection: &mut AnyConnection, helpdesk: &str, keys: &[$of]) -> QueryResult<()> {
            enum Delete {}
            impl Words<Sqlite> for Delete {
                const BEGIN: &'static str = concat!("DELETE FROM ", stringify!($table));
                const KEYS: &'static str = concat!(
                    " WHERE (", stringify!($column) $(, ", ", stringify!($next))*,
                    ") IN (SELECT value ->> ", $place $(, ", value ->> ", $next_place)*, " FROM json_each("
                );
                const HELPDESK: &'static str = ")) AND helpdesk = ";
                const END: &'static str = "";
            }
            impl Words<Pg> for Delete {
                const BEGIN: &'static str = concat!("DELETE FROM ", stringify!($table));
                const KEYS: &'static str = " USING unnest(";
                const HELPDESK: &'static str = concat!(
                    ") AS gone(", stringify!($column) $(, ", ", stringify!($next))*,
                    ") WHERE ", stringify!($table), ".helpdesk = "
                );
                const END: &'static str = concat!(
                    " AND ", stringify!($table), ".", stringify!($column), " = ANY (ARRAY[gone.", stringify!($column), "])"
                    $(, " AND ", stringify!($table), ".", stringify!($next), " = ANY (ARRAY[gone.", stringify!($next), "])")*
                );
            }
            if keys.is_empty() {
                return Ok(());
            }
            let keys = keys.iter();
            match connection {
                AnyConnection::Sqlite(connection) => {
                    let keys = keyed!(@json keys, |$key| $value $(, $next_value)*);
                    Keyed::<Delete, _, _>::new((), keys, helpdesk).execute(connection).map(drop)
                }
                AnyConnection::Postgres(connection) => {
                    let keys = keyed!(@arrays keys, |$key| $sql = $value $(, $next_sql = $next_value)*);
                    Keyed::<Delete, _, _>::new((), keys, helpdesk).execute(connection).map(drop)
                }
            }
        }
    };
}

/// Keys as each database takes them.
macro_rules! keyed {
    (@json $keys:ident, |$key:ident| $($value:expr),*) => {{
        let keys: Vec<_> = $keys.map(|$key| ($($value,)*)).collect();
        let keys = serde_json::to_string(&keys).map_err(|error| SerializationError(Box::new(error)))?;
        AsExpression::<Text>::as_expression(keys)
    }};
    (@arrays $keys:ident, |$key:ident| $($sql:ty = $value:expr),*) => {
        ($(AsExpression::<Array<$sql>>::as_expression($keys.clone().map(|$key| $value).collect::<Vec<_>>()),)*)
    };
}

look_up!(
    /// The tickets of these ids that exist, without their bodies.
    tickets_by_ids, tickets, TicketRow::as_select() => TicketRow, by |key: &i64| { 0 => ticket: BigInt = key }
);

look_up!(
    /// The bodies of these tickets, each with its ticket.
    bodies_by_ids, tickets, (tickets::ticket, tickets::body) => (i64, String), by |key: &i64| { 0 => ticket: BigInt = key }
);

look_up!(
    /// Those of these human numbers that tickets have.
    numbers_taken, tickets, tickets::number => String, by |key: &String| { 0 => number: Text = key }, never_empty number
);

look_up!(
    /// Those of these human numbers that there are, and whose they are.
    tickets_by_numbers, tickets, (tickets::number, tickets::ticket) => (String, i64),
    by |key: &String| { 0 => number: Text = key }, never_empty number
);

look_up!(
    /// What was asked before under these request ids; the pairs are subject and request id.
    requests_by_ids, requests, RequestRow::as_select() => RequestRow,
    by |key: &(&str, &str)| { 0 => subject: Text = key.0, 1 => request_id: Text = key.1 }
);

look_up!(
    /// Those of these ids who are registered to file tickets.
    requesters_by_ids, requesters, RequesterRow::as_select() => RequesterRow,
    by |key: &String| { 0 => requester: Text = key }
);

look_up!(
    /// Which tickets carry these references.
    external_refs_by_ids, external_refs, ExternalRefRow::as_select() => ExternalRefRow,
    by |key: &ExternalRef| { 0 => source: Text = &key.source, 1 => id: Text = &key.id }
);

look_up!(
    /// The tickets that are not closed and have a text with one of these digests.
    duplicate_texts_by_digests, duplicate_texts, DuplicateTextRow::as_select() => DuplicateTextRow,
    by |key: &String| { 0 => digest: Text = key }
);

look_up!(
    /// The replies of these tickets and ids that exist.
    replies_by_ids, replies, ReplyRow::as_select() => ReplyRow,
    by |key: &(i64, i64)| { 0 => ticket: BigInt = &key.0, 1 => reply: BigInt = &key.1 }
);

look_up!(
    /// The uploads of these ids that there are.
    uploads_by_ids, uploads, UploadRow::as_select() => UploadRow, by |key: &String| { 0 => upload: Text = key }
);

look_up!(
    agents_by_ids, agents, AgentRow::as_select() => AgentRow, by |key: &String| { 0 => agent: Text = key }
);

look_up!(
    agents_by_subjects, agents, AgentRow::as_select() => AgentRow, by |key: &String| { 0 => subject: Text = key }
);

look_up!(
    access_keys_by_ids, access_keys, KeyRow::as_select() => KeyRow, by |key: &String| { 0 => id: Text = key }
);

delete!(
    /// Takes away the references of tickets to which they do not belong any more.
    delete_external_refs, external_refs,
    by |key: &ExternalRefRow| { 0 => source: Text = &key.source, 1 => id: Text = &key.id }
);

delete!(
    /// Takes away the indexed values that tickets do not have any more.
    delete_fields, ticket_fields,
    by |key: &FieldRow| { 0 => field: Text = &key.field, 1 => value: Text = &key.value, 2 => ticket: BigInt = &key.ticket }
);

delete!(
    delete_waiting_skills, waiting_skills,
    by |key: &WaitingSkillRow| {
        0 => queue: Text = &key.queue, 1 => skill: Text = &key.skill, 2 => queue_key: Text = &key.queue_key,
        3 => ticket: BigInt = &key.ticket,
    }
);

delete!(
    /// Takes away the texts of these tickets.
    delete_duplicate_texts, duplicate_texts, by |key: &i64| { 0 => ticket: BigInt = key }
);

delete!(
    /// Forgets these requests.
    delete_requests, requests, by |key: &Place| { 0 => subject: Text = &key.0, 1 => request_id: Text = &key.1 }
);

delete!(delete_uploads, uploads, by |key: &String| { 0 => upload: Text = key });
