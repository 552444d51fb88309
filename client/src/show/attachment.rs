//! Files: on tickets, and on their way.

use loket_client::v1::{Attachment, Upload};

use super::Column::{Text, Whole};
use super::{Table, card, excerpt, instant, short, word};

/// A list of attachments.
pub(crate) fn list(attachments: &[Attachment]) -> Table {
    Table::new(
        &[
            Whole("ATTACHMENT"),
            Text("FILE"),
            Text("TYPE"),
            Whole("BYTES"),
            Whole("WITH"),
            Whole("AUTHOR"),
            Whole("TIME"),
        ],
        attachments.iter().map(|attachment| {
            vec![
                short(&attachment.name),
                excerpt(&attachment.filename, 60),
                attachment.mime_type.clone(),
                attachment.size_bytes.to_string(),
                match attachment.reply.rsplit('/').next() {
                    Some(reply) if !reply.is_empty() => format!("reply {reply}"),
                    _ => "the ticket".to_owned(),
                },
                attachment.author.clone(),
                instant(attachment.create_time.as_ref()),
            ]
        }),
    )
}

/// An attachment that was fetched.
pub(crate) fn whole(attachment: &Attachment) -> String {
    card(&[
        ("attachment", attachment.name.clone()),
        ("file", attachment.filename.clone()),
        ("type", attachment.mime_type.clone()),
        ("bytes", attachment.size_bytes.to_string()),
        ("sha256", attachment.sha256.clone()),
        ("reply", attachment.reply.clone()),
        ("author", attachment.author.clone()),
        ("attached", instant(attachment.create_time.as_ref())),
        ("revision", attachment.revision.to_string()),
    ])
}

/// An upload.
pub(crate) fn upload(upload: &Upload) -> String {
    card(&[
        ("upload", upload.name.clone()),
        ("file", upload.filename.clone()),
        ("type", upload.mime_type.clone()),
        ("bytes", format!("{} of {}", upload.committed_bytes, upload.size_bytes)),
        ("sha256", upload.sha256.clone()),
        ("state", word(upload.state().as_str_name(), "STATE_")),
        ("attachment", upload.attachment.clone()),
        ("made", instant(upload.create_time.as_ref())),
        ("expires", instant(upload.expire_time.as_ref())),
    ])
}
