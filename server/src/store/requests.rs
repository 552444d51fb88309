//! What was asked for under a request id.

#[cfg(test)]
mod tests;

use diesel::prelude::*;
use uuid::Uuid;

use super::dialect::filter::Bind;
use super::schema::requests;
use super::{AnyConnection, dialect};

pub use super::dialect::delete_requests as forget;

#[derive(Debug, Clone, Queryable, Selectable)]
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

/// The same as it is written.
#[derive(Debug, Clone, Copy)]
pub struct NewRequestRow<'a> {
    pub helpdesk: &'a str,
    pub subject: &'a str,
    pub request_id: &'a str,
    pub command: &'static str,
    pub digest: &'a [u8; 32],
    pub revision: i64,
    pub create_time: i64,
}

/// How many ids are sought one by one rather than as a range.
const FEW: usize = 8;

/// The ids of a range are made within so many milliseconds: with more, too many others may be between them.
const MOST_MILLISECONDS: u64 = 2_000;

/// What was asked before under these request ids; the pairs are subject and request id.
///
/// Ids of version 7 are in order of time (RFC 9562), and those of a batch are newer than nearly all that are kept: few are in
/// their range, and it is quickly seen that none is theirs.
pub fn by_ids(connection: &mut AnyConnection, helpdesk: &str, pairs: &[(&str, &str)]) -> QueryResult<Vec<RequestRow>> {
    let Some(range) = Range::of(pairs) else { return dialect::requests_by_ids(connection, helpdesk, pairs) };
    let Range { subject, ids, first, last } = range;
    let between = requests::request_id.between(first, last);
    let kept: Vec<String> = requests::table
        .filter(requests::helpdesk.eq(helpdesk).and(requests::subject.eq(subject)).and(between))
        .order(requests::request_id)
        .limit(i64::try_from(ids.len()).unwrap_or(i64::MAX))
        .select(requests::request_id)
        .load(connection)?;
    // As many as that may not be all.
    if kept.len() == ids.len() {
        return dialect::requests_by_ids(connection, helpdesk, pairs);
    }
    let theirs = kept.iter().map(String::as_str).filter(|id| ids.binary_search(id).is_ok());
    let pairs: Vec<_> = theirs.map(|id| (subject, id)).collect();
    dialect::requests_by_ids(connection, helpdesk, &pairs)
}

/// Ids of one subject that are worth seeking as a range.
struct Range<'p> {
    subject: &'p str,
    /// In their order.
    ids: Vec<&'p str>,
    first: &'p str,
    last: &'p str,
}

impl<'p> Range<'p> {
    fn of(pairs: &[(&'p str, &'p str)]) -> Option<Self> {
        let (subject, _) = *pairs.first().filter(|_| pairs.len() > FEW)?;
        if pairs.iter().any(|(other, _)| *other != subject) {
            return None;
        }
        let mut ids: Vec<_> = pairs.iter().map(|(_, id)| *id).collect();
        ids.sort_unstable();
        let (first, last) = (*ids.first()?, *ids.last()?);
        let took = made(last)?.checked_sub(made(first)?)?;
        (took <= MOST_MILLISECONDS).then_some(Self { subject, ids, first, last })
    }
}

/// When an id of version 7 was made, in milliseconds.
fn made(id: &str) -> Option<u64> {
    let id = Uuid::try_parse(id).ok().filter(|id| id.get_version_num() == 7)?;
    Some(id.as_u64_pair().0 >> 16)
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
