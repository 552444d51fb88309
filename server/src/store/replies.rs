//! Replies and notes.

use diesel::prelude::*;

use super::rows::{NOTE, ReplyRow};
use super::schema::replies;
use super::{AnyConnection, StoreError};
use crate::domain::Reply;

pub use super::dialect::insert_replies as insert;

/// The replies of these tickets and ids that exist.
pub fn by_ids(connection: &mut AnyConnection, helpdesk: &str, pairs: &[(i64, i64)]) -> Result<Vec<Reply>, StoreError> {
    let rows = super::dialect::replies_by_ids(connection, helpdesk, pairs)?;
    rows.into_iter().map(ReplyRow::into_reply).collect()
}

/// At most `limit` replies of a ticket behind `after`, in order.
pub fn page(
    connection: &mut AnyConnection,
    helpdesk: &str,
    ticket: i64,
    with_notes: bool,
    after: i64,
    limit: i64,
) -> Result<Vec<Reply>, StoreError> {
    let mut query = replies::table
        .filter(replies::helpdesk.eq(helpdesk).and(replies::ticket.eq(ticket)).and(replies::reply.gt(after)))
        .into_boxed();
    if !with_notes {
        query = query.filter(replies::kind.ne(NOTE));
    }
    let rows: Vec<ReplyRow> =
        query.order(replies::reply).limit(limit).select(ReplyRow::as_select()).load(connection)?;
    rows.into_iter().map(ReplyRow::into_reply).collect()
}
