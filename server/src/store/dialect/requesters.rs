//! The index of tickets by their requesters.
//!
//! On SQLite it is made of two parts: what is new is found in order of receipt, and is taken into a table where it is in order
//! of requesters when enough has gathered. Taken together, many tickets share each page that is written; else each commit
//! writes a page for nearly every ticket in it.
//!
//! A requester never changes, no ticket is deleted, and none has a number above that in the head.

use diesel::connection::SimpleConnection;

use super::write;
use crate::store::{AnyConnection, StoreError};

/// Rows of `helpdesk`, `requester` and `ticket`.
#[derive(Debug, Clone, Copy)]
pub struct RequesterTable {
    /// What stands behind FROM, with the helpdesk as `$1`.
    pub from: &'static str,
    /// Read through as a whole: there are never many.
    pub is_short: bool,
}

const SETTLED: RequesterTable = RequesterTable { from: "requester_tickets", is_short: false };

/// The index has all that is asked of it, and the tickets themselves are not read.
const RECENT: RequesterTable = RequesterTable {
    from: "(SELECT helpdesk, ticket, requester FROM tickets INDEXED BY tickets_with_requester WHERE helpdesk = $1 \
           AND ticket > coalesce((SELECT ticket FROM requester_ends WHERE helpdesk = $1), 0))",
    is_short: true,
};

/// What leads to a requester's tickets: those of the second came after all of the first. None where an index of `tickets`
/// does.
pub fn requester_tables(connection: &AnyConnection) -> &'static [RequesterTable] {
    match connection {
        AnyConnection::Sqlite(_) => &[SETTLED, RECENT],
        AnyConnection::Postgres(_) => &[],
    }
}

/// Takes what is new to where it is found at once.
pub fn settle_requesters(connection: &mut AnyConnection) -> Result<(), StoreError> {
    if requester_tables(connection).is_empty() {
        return Ok(());
    }
    write(connection, |connection| {
        Ok(connection.batch_execute(
            "INSERT INTO requester_tickets SELECT t.helpdesk, t.requester, t.ticket
             FROM heads AS h LEFT JOIN requester_ends AS e ON e.helpdesk = h.helpdesk
             CROSS JOIN tickets AS t INDEXED BY tickets_with_requester
             WHERE h.last_ticket > coalesce(e.ticket, 0)
             AND t.helpdesk = h.helpdesk AND t.ticket > coalesce(e.ticket, 0)
             ORDER BY t.helpdesk, t.requester, t.ticket;
             INSERT OR REPLACE INTO requester_ends SELECT h.helpdesk, h.last_ticket
             FROM heads AS h LEFT JOIN requester_ends AS e ON e.helpdesk = h.helpdesk
             WHERE h.last_ticket > coalesce(e.ticket, 0)",
        )?)
    })
}
