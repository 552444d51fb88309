//! Tickets as they stand, and what leads to them.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::rows::TicketRow;
use super::schema::{external_refs, ticket_fields, tickets};
use super::{AnyConnection, StoreError, dialect};
use crate::domain::{ExternalRef, Ticket};

pub use dialect::{delete_external_refs, delete_fields, insert_external_refs, insert_fields, update_tickets};

#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = external_refs)]
pub struct ExternalRefRow {
    pub helpdesk: String,
    pub source: String,
    pub id: String,
    pub ticket: i64,
}

/// The value of an indexed field.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = ticket_fields)]
pub struct FieldRow {
    pub helpdesk: String,
    pub field: String,
    pub value: String,
    pub ticket: i64,
}

/// One ticket with its body.
pub fn get(connection: &mut AnyConnection, helpdesk: &str, ticket: i64) -> Result<Option<Ticket>, StoreError> {
    let found: Option<(TicketRow, String)> = tickets::table
        .find((helpdesk, ticket))
        .select((TicketRow::as_select(), tickets::body))
        .first(connection)
        .optional()?;
    found.map(|(row, body)| row.into_ticket(body)).transpose()
}

/// The ticket of a human number, with its body.
pub fn by_number(connection: &mut AnyConnection, helpdesk: &str, number: &str) -> Result<Option<Ticket>, StoreError> {
    let found: Option<(TicketRow, String)> = tickets::table
        .filter(tickets::helpdesk.eq(helpdesk).and(tickets::number.eq(number)))
        // Written out: with a bound value SQLite would not know that the partial index has it.
        .filter(sql::<Bool>("number <> ''"))
        .select((TicketRow::as_select(), tickets::body))
        .first(connection)
        .optional()?;
    found.map(|(row, body)| row.into_ticket(body)).transpose()
}

/// The body of a ticket, which never changes.
pub fn body(connection: &mut AnyConnection, helpdesk: &str, ticket: i64) -> QueryResult<Option<String>> {
    tickets::table.find((helpdesk, ticket)).select(tickets::body).first(connection).optional()
}

/// The bodies of these tickets.
pub fn bodies(connection: &mut AnyConnection, helpdesk: &str, ids: &[i64]) -> QueryResult<BTreeMap<i64, String>> {
    Ok(dialect::bodies_by_ids(connection, helpdesk, ids)?.into_iter().collect())
}

/// The tickets of these ids that exist, without their bodies.
pub fn by_ids(
    connection: &mut AnyConnection,
    helpdesk: &str,
    ids: &[i64],
) -> Result<BTreeMap<i64, Ticket>, StoreError> {
    let rows = dialect::tickets_by_ids(connection, helpdesk, ids)?;
    rows.into_iter().map(|row| Ok((row.ticket, row.into_ticket(String::new())?))).collect()
}

/// Which tickets carry these references.
pub fn by_external_refs(
    connection: &mut AnyConnection,
    helpdesk: &str,
    refs: &[ExternalRef],
) -> QueryResult<BTreeMap<ExternalRef, i64>> {
    let rows = dialect::external_refs_by_ids(connection, helpdesk, refs)?;
    Ok(rows.into_iter().map(|row| (ExternalRef { source: row.source, id: row.id }, row.ticket)).collect())
}
