//! The head of a helpdesk: the counters that every command advances.

use diesel::prelude::*;

use super::schema::heads;
use super::{AnyConnection, dialect};

#[derive(Debug, Clone, PartialEq, Eq, Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = heads, primary_key(helpdesk))]
pub struct HeadRow {
    pub helpdesk: String,
    pub last_revision: i64,
    pub last_ticket: i64,
    pub last_number: i64,
    pub last_time: i64,
    pub definition_version: i64,
}

impl HeadRow {
    /// The head of a helpdesk to which nothing has happened.
    pub fn fresh(helpdesk: &str) -> Self {
        Self {
            helpdesk: helpdesk.to_owned(),
            last_revision: 0,
            last_ticket: 0,
            last_number: 0,
            last_time: 0,
            definition_version: 0,
        }
    }
}

pub use dialect::{insert_head as insert, lock_head as lock};

/// The head as it stands, not locked.
pub fn get(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<Option<HeadRow>> {
    heads::table.find(helpdesk).select(HeadRow::as_select()).first(connection).optional()
}

/// Writes a head as it stands: what takes this takes what commands write.
pub fn touch(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<()> {
    diesel::update(heads::table.find(helpdesk)).set(heads::last_time.eq(heads::last_time)).execute(connection).map(drop)
}

/// The last revision of a helpdesk; 0 before its first.
pub fn last_revision(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<i64> {
    let found = heads::table.find(helpdesk).select(heads::last_revision).first(connection).optional()?;
    Ok(found.unwrap_or(0))
}

/// The last revision of those of these helpdesks that were ever written to.
pub fn last_revisions_of(connection: &mut AnyConnection, helpdesks: &[String]) -> QueryResult<Vec<(String, i64)>> {
    heads::table
        .filter(heads::helpdesk.eq_any(helpdesks))
        .select((heads::helpdesk, heads::last_revision))
        .load(connection)
}

/// The last revision of every helpdesk.
pub fn last_revisions(connection: &mut AnyConnection) -> QueryResult<Vec<(String, i64)>> {
    heads::table.select((heads::helpdesk, heads::last_revision)).load(connection)
}
