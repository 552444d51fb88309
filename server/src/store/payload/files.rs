//! Uploads and attachments as messages.

use loket::v1 as proto;

use super::{micros, ticket_id, ticket_name, timestamp};
use crate::domain::upload::{Attachment, FileHash, Upload, attachment_name, upload_name};

/// An upload of which `committed` bytes are on disk.
pub fn upload_to_proto(helpdesk: &str, upload: &Upload, committed: i64) -> proto::Upload {
    let Upload {
        id,
        subject: _,
        filename,
        mime_type,
        size,
        sha256,
        digest,
        ticket,
        create_time,
        expire_time,
        revision,
    } = upload;
    let state = match (digest, ticket) {
        (None, _) => proto::upload::State::Open,
        (Some(_), None) => proto::upload::State::Finished,
        (Some(_), Some(_)) => proto::upload::State::Used,
    };
    proto::Upload {
        name: upload_name(helpdesk, id),
        filename: filename.clone(),
        mime_type: mime_type.clone(),
        size_bytes: *size,
        sha256: digest.or(*sha256).map(|hash| hash_to_hex(&hash)).unwrap_or_default(),
        committed_bytes: committed,
        state: state.into(),
        attachment: ticket.map(|ticket| attachment_name(helpdesk, ticket, id)).unwrap_or_default(),
        create_time: Some(timestamp(*create_time)),
        expire_time: Some(timestamp(*expire_time)),
        revision: *revision,
    }
}

pub fn attachment_to_proto(helpdesk: &str, attachment: &Attachment) -> proto::Attachment {
    let Attachment { id, ticket, reply, note: _, author, filename, mime_type, size, sha256, create_time, revision } =
        attachment;
    proto::Attachment {
        name: attachment_name(helpdesk, *ticket, id),
        filename: filename.clone(),
        mime_type: mime_type.clone(),
        size_bytes: *size,
        sha256: hash_to_hex(sha256),
        reply: reply.map(|reply| format!("{}/replies/{reply}", ticket_name(helpdesk, *ticket))).unwrap_or_default(),
        author: author.clone(),
        create_time: Some(timestamp(*create_time)),
        revision: *revision,
    }
}

/// `note` is that of the reply it is in.
pub(super) fn attachment_from_proto(message: proto::Attachment, note: bool) -> Option<Attachment> {
    let (ticket, id) = message.name.rsplit_once("/attachments/")?;
    Some(Attachment {
        id: id.to_owned(),
        ticket: ticket_id(ticket)?,
        reply: match message.reply.as_str() {
            "" => None,
            reply => Some(reply.rsplit_once('/')?.1.parse().ok()?),
        },
        note,
        sha256: hash_from_hex(&message.sha256)?,
        author: message.author,
        filename: message.filename,
        mime_type: message.mime_type,
        size: message.size_bytes,
        create_time: micros(&message.create_time?),
        revision: message.revision,
    })
}

pub fn hash_to_hex(hash: &FileHash) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// 64 digits, in capitals or not; None when it is something else.
pub fn hash_from_hex(text: &str) -> Option<FileHash> {
    let digits = text.as_bytes();
    if digits.len() != 2 * size_of::<FileHash>() {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let mut hash = FileHash::default();
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(hash)
}
