//! What nearly every batch of commands writes, at once.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

use super::{add_counts, insert_changes, insert_requests, insert_tickets, run, update_heads};
use crate::store::rows::NewTicketRow;
use crate::store::{AnyConnection, CountRow, HeadRow, NewChangeRow, NewRequestRow};

/// The rows that nearly every batch writes.
pub struct BatchRows<'r> {
    pub tickets: &'r [NewTicketRow<'r>],
    /// What is to be added to them.
    pub counts: &'r [CountRow],
    pub changes: &'r [NewChangeRow<'r>],
    pub requests: &'r [NewRequestRow<'r>],
    pub head: &'r HeadRow,
}

impl<'r> BatchRows<'r> {
    /// Of nothing but the head.
    pub fn of(head: &'r HeadRow) -> Self {
        Self { tickets: &[], counts: &[], changes: &[], requests: &[], head }
    }
}

/// Writes them: on PostgreSQL in one statement. None of them looks at the others, and each message to and fro is time in which
/// the head is locked and nothing is done.
pub fn write_batch(connection: &mut AnyConnection, rows: &BatchRows<'_>) -> QueryResult<()> {
    let BatchRows { tickets, counts, changes, requests, head } = *rows;
    let heads = std::slice::from_ref(head);
    match connection {
        AnyConnection::Sqlite(connection) => {
            run::<insert_tickets::Statement, _>(connection, tickets)?;
            run::<add_counts::Statement, _>(connection, counts)?;
            run::<insert_changes::Statement, _>(connection, changes)?;
            run::<insert_requests::Statement, _>(connection, requests)?;
            run::<update_heads::Statement, _>(connection, heads)
        }
        AnyConnection::Postgres(connection) => {
            let together = Together {
                beside: [
                    ("counted", &add_counts::arrays(counts)),
                    ("logged", &insert_changes::arrays(changes)),
                    ("remembered", &insert_requests::arrays(requests)),
                    ("advanced", &update_heads::arrays(heads)),
                ],
                last: &insert_tickets::arrays(tickets),
            };
            together.execute(connection).map(drop)
        }
    }
}

/// These statements of PostgreSQL as one, whose text is always the same.
struct Together<'s> {
    /// Each under the name that it has in it, which is not that of a table.
    beside: [(&'static str, &'s dyn QueryFragment<Pg>); 4],
    last: &'s dyn QueryFragment<Pg>,
}

impl QueryId for Together<'_> {
    type QueryId = Together<'static>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Together<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (place, (name, statement)) in self.beside.iter().enumerate() {
            out.push_sql(if place == 0 { "WITH " } else { ", " });
            out.push_sql(name);
            out.push_sql(" AS (");
            statement.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(" ");
        self.last.walk_ast(out)
    }
}

impl RunQueryDsl<PgConnection> for Together<'_> {}
