//! What was asked for under a request id.

use diesel::prelude::*;

use super::AnyConnection;
use super::schema::requests;

pub use super::dialect::{insert_requests as insert, requests_by_ids as by_ids};

#[derive(Debug, Clone, Insertable, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = requests)]
pub struct RequestRow {
    pub helpdesk: String,
    pub subject: String,
    pub request_id: String,
    /// Named like its method.
    pub command: String,
    /// SHA-256 of the canonical request.
    pub digest: Vec<u8>,
    /// The revision that did it; for what changed nothing, the ticket's.
    pub revision: i64,
    pub create_time: i64,
}

/// Forgets at most `limit` of what was asked before `time`; tells how many.
pub fn forget_before(connection: &mut AnyConnection, helpdesk: &str, time: i64, limit: i64) -> QueryResult<usize> {
    let old: Vec<(String, String)> = requests::table
        .filter(requests::helpdesk.eq(helpdesk).and(requests::create_time.lt(time)))
        .order(requests::create_time)
        .limit(limit)
        .select((requests::subject, requests::request_id))
        .load(connection)?;
    for (subject, request_id) in &old {
        diesel::delete(requests::table.find((helpdesk, subject, request_id))).execute(connection)?;
    }
    Ok(old.len())
}
