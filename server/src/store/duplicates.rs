//! The texts that new tickets must not repeat.

use diesel::prelude::*;

use super::AnyConnection;
use super::schema::{duplicate_texts, tickets};
use crate::domain::definition::DuplicateComparison;
use crate::domain::{State, duplicates};

pub use super::dialect::{
    delete_duplicate_texts as delete, duplicate_texts_by_digests as by_digests, insert_duplicate_texts as insert,
};

/// The text of a ticket that is not closed.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = duplicate_texts)]
pub struct DuplicateTextRow {
    pub helpdesk: String,
    pub digest: String,
    pub ticket: i64,
}

/// Keeps the texts of all tickets that are not closed, whatever was kept before.
pub fn keep_all(connection: &mut AnyConnection, helpdesk: &str, compare: DuplicateComparison) -> QueryResult<()> {
    /// Bodies are large: so many tickets at once.
    const PAGE: i64 = 500;
    diesel::delete(duplicate_texts::table.filter(duplicate_texts::helpdesk.eq(helpdesk))).execute(connection)?;
    let mut last = 0;
    loop {
        let open: Vec<(i64, String, String, String)> = tickets::table
            .filter(tickets::helpdesk.eq(helpdesk).and(tickets::ticket.gt(last)))
            .filter(tickets::state.ne(State::Closed.word()))
            .order(tickets::ticket)
            .limit(PAGE)
            .select((tickets::ticket, tickets::requester, tickets::subject, tickets::body))
            .load(connection)?;
        let Some((ticket, ..)) = open.last() else { return Ok(()) };
        last = *ticket;
        let rows = open.into_iter().map(|(ticket, requester, subject, body)| DuplicateTextRow {
            helpdesk: helpdesk.to_owned(),
            digest: duplicates::digest(compare, &requester, &subject, &body),
            ticket,
        });
        insert(connection, &rows.collect::<Vec<_>>())?;
    }
}
