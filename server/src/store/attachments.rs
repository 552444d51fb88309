//! Files on tickets.

use diesel::prelude::*;

use super::schema::attachments;
use super::{AnyConnection, StoreError};
use crate::domain::{Attachment, SplitFrom};

pub use super::dialect::insert_attachments as insert;

#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = attachments)]
pub struct AttachmentRow {
    pub helpdesk: String,
    pub attachment: String,
    pub ticket: i64,
    /// 0 where it came with the ticket itself.
    pub reply: i64,
    /// 1 where it came with a note.
    pub note: i32,
    pub author: String,
    pub filename: String,
    pub mime_type: String,
    pub size: i64,
    pub sha256: Vec<u8>,
    pub create_time: i64,
    pub revision: i64,
}

impl AttachmentRow {
    pub fn new(helpdesk: &str, attachment: &Attachment) -> Self {
        let Attachment { id, ticket, reply, note, author, filename, mime_type, size, sha256, create_time, revision } =
            attachment;
        Self {
            helpdesk: helpdesk.to_owned(),
            attachment: id.clone(),
            ticket: *ticket,
            reply: reply.unwrap_or_default(),
            note: i32::from(*note),
            author: author.clone(),
            filename: filename.clone(),
            mime_type: mime_type.clone(),
            size: *size,
            sha256: sha256.to_vec(),
            create_time: *create_time,
            revision: *revision,
        }
    }

    pub fn into_attachment(self) -> Result<Attachment, StoreError> {
        let Ok(sha256) = self.sha256.try_into() else {
            return Err(StoreError::Corrupt(format!(
                "the hash of attachment {} of {}",
                self.attachment, self.helpdesk
            )));
        };
        Ok(Attachment {
            id: self.attachment,
            ticket: self.ticket,
            reply: (self.reply != 0).then_some(self.reply),
            note: self.note != 0,
            author: self.author,
            filename: self.filename,
            mime_type: self.mime_type,
            size: self.size,
            sha256,
            create_time: self.create_time,
            revision: self.revision,
        })
    }
}

pub fn get(connection: &mut AnyConnection, helpdesk: &str, id: &str) -> Result<Option<Attachment>, StoreError> {
    let row: Option<AttachmentRow> =
        attachments::table.find((helpdesk, id)).select(AttachmentRow::as_select()).first(connection).optional()?;
    row.map(AttachmentRow::into_attachment).transpose()
}

/// What to list the files of.
#[derive(Debug)]
pub struct Wanted {
    /// Tickets, with their replies.
    pub tickets: Vec<i64>,
    /// Replies of another ticket.
    pub replies: Option<SplitFrom>,
    /// Also of notes.
    pub with_notes: bool,
}

/// At most `limit` behind the id `after`, in order of their ids.
pub fn page(
    connection: &mut AnyConnection,
    helpdesk: &str,
    wanted: &Wanted,
    after: &str,
    limit: i64,
) -> Result<Vec<Attachment>, StoreError> {
    let Wanted { tickets, replies, with_notes } = wanted;
    let mut rows = behind(connection, helpdesk, tickets, None, *with_notes, after, limit)?;
    // Asked for apart: with an OR, neither is found by its index.
    if let Some(SplitFrom { ticket, replies }) = replies {
        rows.extend(behind(connection, helpdesk, &[*ticket], Some(replies), *with_notes, after, limit)?);
        rows.sort_by(|one, other| one.attachment.cmp(&other.attachment));
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    rows.into_iter().map(AttachmentRow::into_attachment).collect()
}

fn behind(
    connection: &mut AnyConnection,
    helpdesk: &str,
    tickets: &[i64],
    replies: Option<&[i64]>,
    with_notes: bool,
    after: &str,
    limit: i64,
) -> QueryResult<Vec<AttachmentRow>> {
    let mut query = attachments::table
        .filter(attachments::helpdesk.eq(helpdesk))
        .filter(attachments::attachment.gt(after))
        .into_boxed();
    // One ticket's are in their order in the index; those of several are put in order.
    query = match tickets {
        [ticket] => query.filter(attachments::ticket.eq(*ticket)),
        several => query.filter(attachments::ticket.eq_any(several)),
    };
    if let Some(replies) = replies {
        query = query.filter(attachments::reply.eq_any(replies));
    }
    if !with_notes {
        query = query.filter(attachments::note.eq(0));
    }
    query.order(attachments::attachment).limit(limit).select(AttachmentRow::as_select()).load(connection)
}

/// Those of these replies of a ticket, in order of their ids.
pub fn of_replies(
    connection: &mut AnyConnection,
    helpdesk: &str,
    ticket: i64,
    replies: &[i64],
) -> Result<Vec<Attachment>, StoreError> {
    let rows: Vec<AttachmentRow> = attachments::table
        .filter(attachments::helpdesk.eq(helpdesk).and(attachments::ticket.eq(ticket)))
        .filter(attachments::reply.eq_any(replies))
        .order(attachments::attachment)
        .select(AttachmentRow::as_select())
        .load(connection)?;
    rows.into_iter().map(AttachmentRow::into_attachment).collect()
}
