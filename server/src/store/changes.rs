//! The log.

use std::sync::Arc;

use bytes::Bytes;
use diesel::prelude::*;

use super::payload::{self, EncodedChange};
use super::schema::changes;
use super::{AnyConnection, StoreError};
use crate::domain::Change;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = changes)]
pub struct ChangeRow {
    pub helpdesk: String,
    pub revision: i64,
    pub ordinal: i32,
    /// 0 where the revision changed no ticket.
    pub ticket: i64,
    /// Random, the same for a whole revision.
    pub uid: i64,
    pub payload: Vec<u8>,
}

/// The same as it is written.
#[derive(Debug, Clone)]
pub struct NewChangeRow<'a> {
    pub helpdesk: &'a str,
    pub revision: i64,
    pub ordinal: i32,
    pub ticket: i64,
    pub uid: i64,
    pub payload: Vec<u8>,
    /// Where the ticket after it begins in the payload.
    ticket_at: usize,
}

impl<'a> NewChangeRow<'a> {
    pub fn new(helpdesk: &'a str, entry: &LogEntry) -> Self {
        let LogEntry { uid, change } = entry;
        let EncodedChange { payload, ticket_at } = payload::encode_change(helpdesk, change);
        Self {
            helpdesk,
            revision: change.revision,
            ordinal: change.ordinal,
            ticket: change.after.as_ref().map_or(0, |ticket| ticket.id),
            uid: *uid,
            payload,
            ticket_at,
        }
    }

    /// The encoded ticket after the change, as staff see it, without its body: empty where there is none.
    pub fn into_ticket(self) -> Bytes {
        Bytes::from(self.payload).split_off(self.ticket_at)
    }
}

/// A change of the log with the uid of its revision.
#[derive(Debug, Clone)]
pub struct LogEntry {
    pub uid: i64,
    pub change: Arc<Change>,
}

impl ChangeRow {
    pub fn into_entry(self) -> Result<LogEntry, StoreError> {
        let change = payload::decode_change(&self.helpdesk, &self.payload)?;
        Ok(LogEntry { uid: self.uid, change: Arc::new(change) })
    }
}

/// At most `limit` changes of the revisions behind `after`, in order. The last revision may be cut short: a reader that
/// gets `limit` of them drops what belongs to the last revision, unless it is the only one.
pub fn after(
    connection: &mut AnyConnection,
    helpdesk: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<LogEntry>, StoreError> {
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::helpdesk.eq(helpdesk).and(changes::revision.gt(after)))
        .order((changes::revision, changes::ordinal))
        .limit(limit)
        .select(ChangeRow::as_select())
        .load(connection)?;
    rows.into_iter().map(ChangeRow::into_entry).collect()
}

/// All changes of one revision.
pub fn of_revision(connection: &mut AnyConnection, helpdesk: &str, revision: i64) -> Result<Vec<LogEntry>, StoreError> {
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::helpdesk.eq(helpdesk).and(changes::revision.eq(revision)))
        .order(changes::ordinal)
        .select(ChangeRow::as_select())
        .load(connection)?;
    rows.into_iter().map(ChangeRow::into_entry).collect()
}

/// The last change of one revision; none when the log does not have it.
pub fn last_of_revision(
    connection: &mut AnyConnection,
    helpdesk: &str,
    revision: i64,
) -> Result<Option<LogEntry>, StoreError> {
    let row: Option<ChangeRow> = changes::table
        .filter(changes::helpdesk.eq(helpdesk).and(changes::revision.eq(revision)))
        .order(changes::ordinal.desc())
        .select(ChangeRow::as_select())
        .first(connection)
        .optional()?;
    row.map(ChangeRow::into_entry).transpose()
}

/// At most `limit` changes of one ticket behind `after`, a revision and an ordinal, in order, each with its size in bytes.
pub fn of_ticket(
    connection: &mut AnyConnection,
    helpdesk: &str,
    ticket: i64,
    after: (i64, i32),
    limit: i64,
) -> Result<Vec<LogEntry>, StoreError> {
    let behind = changes::revision.gt(after.0).or(changes::revision.eq(after.0).and(changes::ordinal.gt(after.1)));
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::helpdesk.eq(helpdesk).and(changes::ticket.eq(ticket)))
        .filter(changes::revision.ge(after.0).and(behind))
        .order((changes::revision, changes::ordinal))
        .limit(limit)
        .select(ChangeRow::as_select())
        .load(connection)?;
    rows.into_iter().map(ChangeRow::into_entry).collect()
}

/// The uid of a revision; none when the log does not have it.
pub fn uid(connection: &mut AnyConnection, helpdesk: &str, revision: i64) -> QueryResult<Option<i64>> {
    changes::table
        .filter(changes::helpdesk.eq(helpdesk).and(changes::revision.eq(revision)))
        .order(changes::ordinal)
        .select(changes::uid)
        .first(connection)
        .optional()
}
