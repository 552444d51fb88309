//! The tickets that wait.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::rows::TicketRow;
use super::schema::tickets;
use super::{AnyConnection, StoreError};
use crate::domain::Ticket;

/// The first `limit` tickets that wait in a queue, in its order, without their bodies.
pub fn first(
    connection: &mut AnyConnection,
    helpdesk: &str,
    queue: &str,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    let rows: Vec<TicketRow> = waiting(helpdesk, queue)
        .order((tickets::queue_key, tickets::ticket))
        .limit(limit)
        .select(TicketRow::as_select())
        .load(connection)?;
    rows.into_iter().map(|row| row.into_ticket(String::new())).collect()
}

/// The first key that begins with one of these prefixes, for each of them that has any.
pub fn first_keys(
    connection: &mut AnyConnection,
    helpdesk: &str,
    queue: &str,
    prefixes: &[String],
) -> QueryResult<Vec<String>> {
    let mut keys = Vec::new();
    for prefix in prefixes {
        // `~` is behind every digit.
        let key: Option<String> = waiting(helpdesk, queue)
            .filter(tickets::queue_key.ge(prefix).and(tickets::queue_key.lt(format!("{prefix}~"))))
            .order((tickets::queue_key, tickets::ticket))
            .select(tickets::queue_key)
            .first(connection)
            .optional()?;
        keys.extend(key);
    }
    Ok(keys)
}

#[diesel::dsl::auto_type(no_type_alias)]
fn waiting<'a>(helpdesk: &'a str, queue: &'a str) -> _ {
    // Written out: with a bound value SQLite would not know that the partial index has all of these.
    let waits: SqlLiteral<Bool> = sql::<Bool>("queue_key <> ''");
    tickets::table.filter(tickets::helpdesk.eq(helpdesk)).filter(tickets::queue.eq(queue)).filter(waits)
}

/// How many tickets are counted before one.
pub const MOST_AHEAD: i64 = 1_000;

#[derive(QueryableByName)]
struct Ahead {
    #[diesel(sql_type = BigInt)]
    ahead: i64,
}

/// How many tickets wait before one in its queue; counted up to [`MOST_AHEAD`].
///
/// In the order of the index: without an order PostgreSQL goes through the whole table where it believes that nearly all
/// tickets wait before this one.
pub fn ahead(connection: &mut AnyConnection, helpdesk: &str, ticket: &Ticket) -> QueryResult<i64> {
    let sql = "SELECT count(*) AS ahead FROM (
                   SELECT 1 FROM tickets WHERE helpdesk = $1 AND queue = $2 AND queue_key <> ''
                   AND (queue_key, ticket) < ($3, $4) ORDER BY queue_key, ticket LIMIT $5
               ) AS before";
    let query = diesel::sql_query(sql)
        .bind::<Text, _>(helpdesk)
        .bind::<Text, _>(&ticket.queue)
        .bind::<Text, _>(&ticket.queue_key)
        .bind::<BigInt, _>(ticket.id)
        .bind::<BigInt, _>(MOST_AHEAD);
    query.get_result::<Ahead>(connection).map(|row| row.ahead)
}
