//! The index of tickets by their requesters.
//!
//! On SQLite it is made of two tables: what is new is in order of receipt, and is moved to where it is in order of requesters
//! when enough has gathered. Moved together, many tickets share each page that is written; else each commit writes a page
//! for nearly every ticket in it.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;

use super::{begin, finish};
use crate::store::AnyConnection;

/// A table of `helpdesk`, `requester` and `ticket`.
#[derive(Debug, Clone, Copy)]
pub struct RequesterTable {
    pub name: &'static str,
    /// Read through as a whole: there are never many in it.
    pub is_short: bool,
}

const SETTLED: RequesterTable = RequesterTable { name: "requester_tickets", is_short: false };
const RECENT: RequesterTable = RequesterTable { name: "recent_requesters", is_short: true };

/// The tables that lead to a requester's tickets: those in the second came after all in the first. None where an index of
/// `tickets` does.
pub fn requester_tables(connection: &AnyConnection) -> &'static [RequesterTable] {
    match connection {
        AnyConnection::Sqlite(_) => &[SETTLED, RECENT],
        AnyConnection::Postgres(_) => &[],
    }
}

/// Moves what is new to where it is found at once.
pub fn settle_requesters(connection: &mut AnyConnection) -> QueryResult<()> {
    if requester_tables(connection).is_empty() {
        return Ok(());
    }
    begin(connection)?;
    finish(connection, |connection| {
        connection.batch_execute(
            "INSERT INTO requester_tickets SELECT helpdesk, requester, ticket FROM recent_requesters
             ORDER BY helpdesk, requester, ticket;
             DELETE FROM recent_requesters",
        )
    })
}
