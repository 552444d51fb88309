//! What may be attached to tickets.

use super::Definition;

const MIB: i64 = 1 << 20;
/// Where a definition does not say.
const DEFAULT_QUOTA: i64 = 25 * MIB;
const DEFAULT_OPEN_LIMIT: i64 = 256 * MIB;

/// The policy with its defaults filled in.
#[derive(Debug, Clone, Copy)]
pub struct AttachmentRules<'d> {
    /// Bytes of one ticket's files together.
    pub quota: i64,
    /// Bytes of one file.
    pub max_file: i64,
    /// Empty: all.
    pub mime_types: &'d [String],
    /// Bytes that one caller may have under way.
    pub open_limit: i64,
}

impl Definition {
    pub fn attachments(&self) -> AttachmentRules<'_> {
        self.spec.attachment_policy.rules()
    }
}

impl super::spec::AttachmentPolicySpec {
    pub fn rules(&self) -> AttachmentRules<'_> {
        let or = |given: i64, default: i64| if given == 0 { default } else { given };
        let quota = or(self.ticket_quota_bytes, DEFAULT_QUOTA);
        let max_file = or(self.max_file_bytes, quota);
        let open_limit = or(self.open_upload_bytes, DEFAULT_OPEN_LIMIT.max(max_file));
        AttachmentRules { quota, max_file, mime_types: &self.mime_types, open_limit }
    }
}

impl AttachmentRules<'_> {
    /// Whether files of a type are taken.
    pub fn take(&self, mime_type: &str) -> bool {
        let matches = |taken: &String| match taken.strip_suffix("/*") {
            Some(kind) => mime_type.split('/').next() == Some(kind),
            None => taken == mime_type,
        };
        self.mime_types.is_empty() || self.mime_types.iter().any(matches)
    }
}
