//! What is told of uploads and attachments that are refused.

use tonic::{Code, Status};

use super::{ErrorReason, build, failed};
use crate::domain::upload::UploadRefusal;
use crate::store::payload::hash_to_hex;

pub(super) fn refused(refusal: UploadRefusal) -> Status {
    match refusal {
        UploadRefusal::Expired { name } => failed(
            ErrorReason::UploadExpired,
            [("upload", name.clone())],
            format!("{name} expired before it was used; upload the file again"),
            &[],
        ),
        UploadRefusal::Used { name, attachment } => failed(
            ErrorReason::UploadUsed,
            [("upload", name.clone()), ("attachment", attachment.clone())],
            format!("{name} is {attachment} already; upload the file again to attach it again"),
            &[],
        ),
        UploadRefusal::Incomplete { name, size } => failed(
            ErrorReason::UploadIncomplete,
            [("upload", name.clone()), ("size_bytes", size.to_string())],
            format!(
                "{name} is not complete: no stream has come to the end of its {size} bytes; ask GetUpload where to go on from"
            ),
            &[],
        ),
        UploadRefusal::OffsetMismatch { name, sent, committed } => failed(
            ErrorReason::UploadOffsetMismatch,
            [("upload", name.clone()), ("committed_bytes", committed.to_string())],
            format!("{name} goes on at offset {committed}, not at {sent}; nothing of the stream was taken there"),
            &[],
        ),
        UploadRefusal::HashMismatch { name, declared, came } => failed(
            ErrorReason::UploadHashMismatch,
            [("upload", name.clone()), ("sha256", hash_to_hex(&came))],
            format!(
                "what came for {name} has the SHA-256 {}, and {} was declared; the upload is given up: make a new one",
                hash_to_hex(&came),
                hash_to_hex(&declared)
            ),
            &[],
        ),
        UploadRefusal::TooLong { name, size } => build(
            Code::OutOfRange,
            ErrorReason::UploadTooLong,
            [("upload", name.clone()), ("size_bytes", size.to_string())],
            format!("{name} has {size} bytes as declared, and more came; the message that went beyond was not taken"),
            |_| {},
        ),
        UploadRefusal::QuotaExceeded { bytes, used, quota } => build(
            Code::ResourceExhausted,
            ErrorReason::AttachmentQuotaExceeded,
            [("quota_bytes", quota.to_string()), ("used_bytes", used.to_string())],
            format!("{bytes} bytes do not fit: the files of a ticket may have {quota} together{}", there(used)),
            |details| {
                details.add_quota_failure_violation("attachments", format!("at most {quota} bytes for a ticket"));
            },
        ),
        UploadRefusal::TooManyFiles { files, used, limit } => build(
            Code::ResourceExhausted,
            ErrorReason::AttachmentQuotaExceeded,
            [("quota_files", limit.to_string()), ("used_files", used.to_string())],
            format!("{files} files do not fit: a ticket may have {limit}{}", there(used.into())),
            |details| {
                details.add_quota_failure_violation("attachments", format!("at most {limit} files for a ticket"));
            },
        ),
        UploadRefusal::TooMuchOpen { bytes, open, limit } => build(
            Code::ResourceExhausted,
            ErrorReason::TooManyUploads,
            [("limit_bytes", limit.to_string()), ("open_bytes", open.to_string())],
            format!(
                "{bytes} bytes more are not taken: this caller has uploads of {open} under way, and may have {limit}; \
                 attach them, or wait until they expire"
            ),
            |details| {
                details.add_quota_failure_violation("uploads", format!("at most {limit} bytes that are not attached"));
            },
        ),
        UploadRefusal::TooManyOpen { limit } => build(
            Code::ResourceExhausted,
            ErrorReason::TooManyUploads,
            [("limit", limit.to_string())],
            format!("this caller has {limit} uploads under way, which is all it may have; attach them first"),
            |details| {
                details.add_quota_failure_violation("uploads", format!("at most {limit} that are not attached"));
            },
        ),
        UploadRefusal::TooManyParts { name, limit } => build(
            Code::ResourceExhausted,
            ErrorReason::TooManyUploads,
            [("limit", limit.to_string())],
            format!(
                "{name} came in {limit} pieces, which is all that is kept; begin a new one, and send more at a time"
            ),
            |details| {
                details.add_quota_failure_violation("parts", format!("at most {limit} for one file"));
            },
        ),
    }
}

/// What takes up a quota already: nothing, where one file alone is too much.
fn there(used: i64) -> String {
    if used == 0 { String::new() } else { format!(", and {used} are there") }
}
