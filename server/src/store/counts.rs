//! Counts of tickets that are kept, so that nothing has to be counted.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::AnyConnection;
use super::schema::counts;

#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = counts)]
pub struct CountRow {
    pub helpdesk: String,
    /// What is counted: see `domain::usage`.
    pub kind: String,
    pub id: String,
    pub tickets: i64,
}

/// All counts of a helpdesk, by kind and id.
pub fn all(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<BTreeMap<(String, String), i64>> {
    let rows: Vec<(String, String, i64)> = counts::table
        .filter(counts::helpdesk.eq(helpdesk))
        .select((counts::kind, counts::id, counts::tickets))
        .load(connection)?;
    Ok(rows.into_iter().map(|(kind, id, tickets)| ((kind, id), tickets)).collect())
}

/// One count; 0 when nothing was counted yet.
pub fn get(connection: &mut AnyConnection, helpdesk: &str, kind: &str, id: &str) -> QueryResult<i64> {
    let found = counts::table.find((helpdesk, kind, id)).select(counts::tickets).first(connection).optional()?;
    Ok(found.unwrap_or(0))
}
