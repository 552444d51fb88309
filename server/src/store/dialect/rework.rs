//! What a new definition changes of tickets that are there, however many they are.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use crate::domain::definition::Field;
use crate::store::AnyConnection;
use crate::store::schema::{ticket_fields, tickets};

/// Gives these tickets other places in their queues.
pub fn place_tickets(connection: &mut AnyConnection, helpdesk: &str, places: &[(i64, &str)]) -> QueryResult<()> {
    if places.is_empty() {
        return Ok(());
    }
    match connection {
        AnyConnection::Sqlite(connection) => places.iter().try_for_each(|(ticket, queue_key)| {
            let row = tickets::table.find((helpdesk, ticket));
            diesel::update(row).set(tickets::queue_key.eq(queue_key)).execute(connection).map(drop)
        }),
        AnyConnection::Postgres(connection) => {
            let (ids, queue_keys): (Vec<i64>, Vec<&str>) = places.iter().copied().unzip();
            // `= ANY (ARRAY[…])`: each is sought by itself, and nothing is hashed against the whole table.
            diesel::sql_query(
                "UPDATE tickets SET queue_key = placed.queue_key FROM unnest($2, $3) AS placed(ticket, queue_key)
                 WHERE tickets.helpdesk = $1 AND tickets.ticket = ANY (ARRAY[placed.ticket])",
            )
            .bind::<Text, _>(helpdesk)
            .bind::<Array<BigInt>, _>(ids)
            .bind::<Array<Text>, _>(queue_keys)
            .execute(connection)
            .map(drop)
        }
    }
}

/// So many tickets are indexed in one statement: far from as many as take the time that one may have.
const INDEXED_AT_ONCE: i64 = 100_000;

/// Indexes a field of all tickets anew, whatever the index held of it; values that are too long for it stay out.
pub fn index_field(connection: &mut AnyConnection, helpdesk: &str, field: &str) -> QueryResult<()> {
    let index = ticket_fields::table.filter(ticket_fields::helpdesk.eq(helpdesk).and(ticket_fields::field.eq(field)));
    diesel::delete(index).execute(connection)?;
    let newest =
        tickets::table.filter(tickets::helpdesk.eq(helpdesk)).order(tickets::ticket.desc()).select(tickets::ticket);
    let last = newest.first(connection).optional()?.unwrap_or(0);
    let mut behind = 0;
    while behind < last {
        let up_to = behind.saturating_add(INDEXED_AT_ONCE);
        index_range(connection, helpdesk, field, (behind, up_to))?;
        behind = up_to;
    }
    Ok(())
}

/// Of the tickets behind the first up to the second.
fn index_range(connection: &mut AnyConnection, helpdesk: &str, field: &str, range: (i64, i64)) -> QueryResult<()> {
    match connection {
        AnyConnection::Sqlite(connection) => diesel::sql_query(
            "INSERT INTO ticket_fields (helpdesk, field, value, ticket)
             SELECT t.helpdesk, ?2, json_extract(t.fields, '$.\"' || ?2 || '\"'), t.ticket FROM tickets AS t
             WHERE t.helpdesk = ?1 AND t.ticket > ?4 AND t.ticket <= ?5
               AND length(json_extract(t.fields, '$.\"' || ?2 || '\"')) <= ?3",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(field)
        .bind::<BigInt, _>(Field::MAX_INDEXED_CHARS as i64)
        .bind::<BigInt, _>(range.0)
        .bind::<BigInt, _>(range.1)
        .execute(connection)?,
        AnyConnection::Postgres(connection) => diesel::sql_query(
            "INSERT INTO ticket_fields (helpdesk, field, value, ticket)
             SELECT t.helpdesk, $2, t.fields::json ->> $2, t.ticket FROM tickets AS t
             WHERE t.helpdesk = $1 AND t.ticket > $4 AND t.ticket <= $5
               AND char_length(t.fields::json ->> $2) <= $3",
        )
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(field)
        .bind::<BigInt, _>(Field::MAX_INDEXED_CHARS as i64)
        .bind::<BigInt, _>(range.0)
        .bind::<BigInt, _>(range.1)
        .execute(connection)?,
    };
    Ok(())
}
