//! The log.

use std::sync::Arc;

use bytes::Bytes;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

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

/// How much is read of the log at once.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub rows: usize,
    /// Of payloads.
    pub bytes: u64,
}

/// The changes of the next revisions behind `after`, in order: as many whole ones as the limit allows, and at least one.
pub fn after(
    connection: &mut AnyConnection,
    helpdesk: &str,
    after: i64,
    limit: Limit,
) -> Result<Vec<LogEntry>, StoreError> {
    // First how large they are: none of a payload is read for that, wherever it lies.
    let size = diesel::dsl::sql::<BigInt>("CAST(length(payload) AS BIGINT)");
    let sizes: Vec<(i64, i64)> = changes::table
        .filter(changes::helpdesk.eq(helpdesk).and(changes::revision.gt(after)))
        .order((changes::revision, changes::ordinal))
        .limit(i64::try_from(limit.rows).unwrap_or(i64::MAX).saturating_add(1))
        .select((changes::revision, size))
        .load(connection)?;
    let Some(last) = last_whole(&sizes, limit) else { return Ok(Vec::new()) };
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::helpdesk.eq(helpdesk).and(changes::revision.gt(after)).and(changes::revision.le(last)))
        .order((changes::revision, changes::ordinal))
        .select(ChangeRow::as_select())
        .load(connection)?;
    rows.into_iter().map(ChangeRow::into_entry).collect()
}

/// The last revision that is within the limit whole, or else the first: of revisions and sizes, as many as the limit has rows
/// and one more, if there are more.
fn last_whole(sizes: &[(i64, i64)], limit: Limit) -> Option<i64> {
    let mut bytes = 0;
    let (mut whole, mut begun) = (None, None);
    for (place, (revision, size)) in sizes.iter().enumerate() {
        if begun != Some(*revision) {
            // What came before it is at its end.
            whole = begun;
            begun = Some(*revision);
        }
        bytes += u64::try_from(*size).unwrap_or(0);
        if place >= limit.rows || bytes > limit.bytes {
            return whole.or(begun);
        }
    }
    begun
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

/// At most `limit` changes of one ticket behind `after`, a revision and an ordinal, in order.
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

#[cfg(test)]
mod tests {
    use super::{Limit, last_whole};

    #[test]
    fn a_page_ends_with_a_whole_revision() {
        let limit = Limit { rows: 4, bytes: 100 };
        // Revision and size.
        for (sizes, last) in [
            (&[][..], None),
            (&[(1, 10), (2, 10), (3, 10)], Some(3)),
            // There may be more of the fifth row's revision.
            (&[(1, 10), (2, 10), (3, 10), (4, 10), (5, 10)], Some(4)),
            (&[(1, 10), (2, 10), (3, 10), (3, 10), (3, 10)], Some(2)),
            (&[(1, 10), (2, 60), (3, 60), (4, 10)], Some(2)),
            (&[(1, 10), (2, 60), (2, 60), (3, 10)], Some(1)),
            // One is read however large it is.
            (&[(1, 60), (1, 60), (2, 10)], Some(1)),
            (&[(1, 10), (1, 10), (1, 10), (1, 10), (1, 10)], Some(1)),
            (&[(1, 1_000), (2, 10)], Some(1)),
        ] {
            assert_eq!(last_whole(sizes, limit), last, "{sizes:?}");
        }
    }
}
