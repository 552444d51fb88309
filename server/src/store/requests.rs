//! What was asked for under a request id.

use diesel::prelude::*;

use super::dialect::filter::Bind;
use super::schema::requests;
use super::{AnyConnection, dialect};

pub use super::dialect::{delete_requests as forget, insert_requests as insert, requests_by_ids as by_ids};

#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
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

/// A place among the remembered requests of a helpdesk: the subject and the request id of the last one that was looked at.
pub type Place = (String, String);

/// The next `limit` remembered requests behind a place: their keys, each with whether it is older than `time`.
pub fn behind(
    connection: &mut AnyConnection,
    helpdesk: &str,
    place: &Place,
    time: i64,
    limit: i64,
) -> QueryResult<Vec<(Place, bool)>> {
    let (subject, request_id) = place.clone();
    // Compared as a pair, so that both databases seek it in the key.
    let sql = "SELECT subject, request_id, create_time FROM requests
               WHERE helpdesk = $1 AND (subject, request_id) > ($2, $3) ORDER BY subject, request_id LIMIT $4";
    let binds = [Bind::Text(helpdesk.to_owned()), Bind::Text(subject), Bind::Text(request_id), Bind::BigInt(limit)];
    let rows: Vec<AgeRow> = dialect::load(connection, sql, binds.iter())?;
    Ok(rows.into_iter().map(|row| ((row.subject, row.request_id), row.create_time < time)).collect())
}

#[derive(QueryableByName)]
#[diesel(table_name = requests)]
struct AgeRow {
    subject: String,
    request_id: String,
    create_time: i64,
}
