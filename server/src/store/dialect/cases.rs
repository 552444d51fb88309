//! Look-ups of replies and of texts, in one statement for any number.
//!
//! On PostgreSQL `OFFSET 0` keeps the look-ups of a statement apart: joined freely, they are hashed against the whole table.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use crate::store::rows::ReplyRow;
use crate::store::{AnyConnection, DuplicateTextRow};

/// The tickets that are not closed and have a text with one of these digests.
pub fn duplicate_texts_by_digests(
    connection: &mut AnyConnection,
    helpdesk: &str,
    digests: &[String],
) -> QueryResult<Vec<DuplicateTextRow>> {
    match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT d.* FROM json_each(?2) AS wanted CROSS JOIN duplicate_texts AS d
             ON d.helpdesk = ?1 AND d.digest = wanted.value",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(serde_json::json!(digests).to_string())
        .load(connection),
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "SELECT d.* FROM unnest($2) AS wanted(digest) CROSS JOIN LATERAL (
                 SELECT * FROM duplicate_texts AS d WHERE d.helpdesk = $1 AND d.digest = wanted.digest OFFSET 0
             ) AS d",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Array<Text>, _>(digests)
        .load(connection),
    }
}

/// The replies of these tickets and ids that exist.
pub fn replies_by_ids(
    connection: &mut AnyConnection,
    helpdesk: &str,
    pairs: &[(i64, i64)],
) -> QueryResult<Vec<ReplyRow>> {
    match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "SELECT r.* FROM json_each(?2) AS wanted CROSS JOIN replies AS r
             ON r.helpdesk = ?1 AND r.ticket = wanted.value ->> 0 AND r.reply = wanted.value ->> 1",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(serde_json::json!(pairs).to_string())
        .load(connection),
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "SELECT r.* FROM unnest($2, $3) AS wanted(ticket, reply) CROSS JOIN LATERAL (
                 SELECT * FROM replies AS r
                 WHERE r.helpdesk = $1 AND r.ticket = wanted.ticket AND r.reply = wanted.reply OFFSET 0
             ) AS r",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Array<BigInt>, _>(pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())
        .load(connection),
    }
}
