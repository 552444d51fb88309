//! What nearly every batch of commands writes, at once.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

use super::{add_counts, insert_changes, insert_fresh_tickets, insert_requests, insert_tickets, run, update_heads};
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
    let fresh = tickets.iter().all(NewTicketRow::is_fresh);
    match connection {
        AnyConnection::Sqlite(connection) => {
            if fresh {
                run::<insert_fresh_tickets::Statement, _>(connection, tickets)?;
            } else {
                run::<insert_tickets::Statement, _>(connection, tickets)?;
            }
            run::<add_counts::Statement, _>(connection, counts)?;
            run::<insert_changes::Statement, _>(connection, changes)?;
            run::<insert_requests::Statement, _>(connection, requests)?;
            run::<update_heads::Statement, _>(connection, heads)
        }
        AnyConnection::Postgres(connection) => {
            let (counts, changes) = (add_counts::arrays(counts), insert_changes::arrays(changes));
            let (requests, heads) = (insert_requests::arrays(requests), update_heads::arrays(heads));
            let beside: Beside<'_> =
                [("counted", &counts), ("logged", &changes), ("remembered", &requests), ("advanced", &heads)];
            if fresh {
                Together { beside, last: insert_fresh_tickets::arrays(tickets) }.execute(connection).map(drop)
            } else {
                Together { beside, last: insert_tickets::arrays(tickets) }.execute(connection).map(drop)
            }
        }
    }
}

/// Statements, each under the name that it has within another, which is not that of a table.
type Beside<'s> = [(&'static str, &'s dyn QueryFragment<Pg>); 4];

/// These statements of PostgreSQL as one, whose text is always the same for one kind of the last.
struct Together<'s, L> {
    beside: Beside<'s>,
    last: L,
}

impl<L: QueryId> QueryId for Together<'_, L> {
    type QueryId = Together<'static, L::QueryId>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<L: QueryFragment<Pg>> QueryFragment<Pg> for Together<'_, L> {
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

impl<L> RunQueryDsl<PgConnection> for Together<'_, L> {}
