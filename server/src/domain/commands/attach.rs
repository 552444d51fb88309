//! Makes attachments of uploads, in the commit of the ticket or the reply that names them.

use std::sync::Arc;

use crate::domain::context::{Context, UploadChange, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::upload::{Attachment, Upload, UploadRefusal, upload_name};
use crate::domain::{Refusal, Ticket};

/// What comes of uploads.
#[derive(Debug, Default)]
pub(super) struct Attached {
    pub(super) attachments: Vec<Attachment>,
    pub(super) uploads: Vec<UploadChange>,
}

/// Which reply the files come with.
#[derive(Debug, Clone, Copy)]
pub(super) struct With {
    pub(super) reply: i64,
    pub(super) note: bool,
}

/// Attaches uploads to a ticket that is new or about to change, and counts them; all of them, or none.
pub(super) fn attach(
    ids: &[String],
    set: &WorkingSet,
    context: &Context<'_>,
    rules: &Definition,
    ticket: &mut Ticket,
    with: Option<With>,
) -> Result<Attached, Refusal> {
    let mut attached = Attached::default();
    if ids.is_empty() {
        return Ok(attached);
    }
    let note = with.is_some_and(|with| with.note);
    let mut totals = ticket.more.attachments;
    let used = totals.of(note).bytes;
    for id in ids {
        let upload = set.open_upload(id, context)?;
        let Some(digest) = upload.digest else {
            let name = upload_name(context.helpdesk, id);
            return Err(Refusal::Upload(UploadRefusal::Incomplete { name, size: upload.size }));
        };
        let attachment = Attachment {
            id: id.clone(),
            ticket: ticket.id,
            reply: with.map(|with| with.reply),
            note,
            author: context.actor.subject.clone(),
            filename: upload.filename.clone(),
            mime_type: upload.mime_type.clone(),
            size: upload.size,
            sha256: digest,
            create_time: context.now,
            revision: set.last_revision + 1,
        };
        totals.add(&attachment);
        attached.attachments.push(attachment);
        let upload = Upload { ticket: Some(ticket.id), revision: set.last_revision + 1, ..Upload::clone(upload) };
        attached.uploads.push(UploadChange::Change(Arc::new(upload)));
    }
    let (bytes, quota) = (totals.of(note).bytes - used, rules.attachments().quota);
    if used + bytes > quota {
        return Err(Refusal::Upload(UploadRefusal::QuotaExceeded { bytes, used, quota }));
    }
    ticket.more.attachments = totals;
    Ok(attached)
}
