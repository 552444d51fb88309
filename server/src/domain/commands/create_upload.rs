//! Begins an upload: reserves what is declared.

use std::sync::Arc;

use crate::domain::context::{Answer, Context, Decision, UploadChange, Violations, WorkingSet};
use crate::domain::definition::AttachmentRules;
use crate::domain::upload::{FileHash, Upload, UploadRefusal};
use crate::domain::{Refusal, text};

#[derive(Debug, Clone)]
pub struct CreateUpload {
    /// Made by the caller of the domain, by the time.
    pub id: String,
    /// The caller's, so that what it has under way can be loaded.
    pub subject: String,
    pub filename: String,
    /// Empty: bytes of any kind.
    pub mime_type: String,
    pub size: i64,
    pub sha256: Option<FileHash>,
}

/// Of one caller, whatever their sizes are: each is a row, and a folder.
const MOST_OPEN: usize = 1_000;
/// As long as file systems let names be.
const FILENAME_MAX: usize = 255;
const ANY_TYPE: &str = "application/octet-stream";

impl CreateUpload {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?.attachments();
        let mime_type = self.checked(&rules)?;
        if self.size > rules.quota {
            let refusal = UploadRefusal::QuotaExceeded { bytes: self.size, used: 0, quota: rules.quota };
            return Err(Refusal::Upload(refusal));
        }
        self.reserve(&rules, set, context)?;
        let upload = Arc::new(Upload {
            id: self.id.clone(),
            subject: self.subject.clone(),
            filename: self.filename.clone(),
            mime_type,
            size: self.size,
            sha256: self.sha256,
            digest: None,
            ticket: None,
            create_time: context.now,
            expire_time: context.now + Upload::LIFETIME,
            revision: set.last_revision + 1,
        });
        let uploads = vec![UploadChange::Create(Arc::clone(&upload))];
        Ok(Decision { uploads, answer: Answer::Upload(upload), ..Decision::default() })
    }

    /// The MIME type in its normal form, or everything that is wrong with what was declared.
    fn checked(&self, rules: &AttachmentRules<'_>) -> Result<String, Refusal> {
        let mut violations = Violations::default();
        text::line(&mut violations, "upload.filename", &self.filename, FILENAME_MAX);
        if self.filename.contains(['/', '\\']) {
            violations.add("upload.filename", "holds / or \\: give the last part of the path alone");
        }
        let mime_type = match self.mime_type.trim() {
            "" => ANY_TYPE.to_owned(),
            given => given.to_ascii_lowercase(),
        };
        if !text::is_mime_type(&mime_type) {
            let shown = text::shown(&self.mime_type);
            violations
                .add("upload.mime_type", format!("{shown} is no type; write it like `image/png`, without parameters"));
        } else if !rules.take(&mime_type) {
            let taken = text::listed(rules.mime_types.iter().map(String::as_str));
            violations.add("upload.mime_type", format!("{mime_type} is not taken here; taken are {taken}"));
        }
        if self.size < 0 {
            violations.add("upload.size_bytes", format!("{} is negative", self.size));
        } else if self.size > rules.max_file && rules.max_file < rules.quota {
            let most = rules.max_file;
            violations
                .add("upload.size_bytes", format!("{} is more than the {most} that one file may have", self.size));
        }
        violations.settle()?;
        Ok(mime_type)
    }

    fn reserve(&self, rules: &AttachmentRules<'_>, set: &WorkingSet, context: &Context<'_>) -> Result<(), Refusal> {
        let is_own = |upload: &&Arc<Upload>| upload.subject == self.subject && upload.is_open(context.now);
        let (count, open) =
            set.uploads.values().filter(is_own).fold((0, 0), |(count, bytes), upload| (count + 1, bytes + upload.size));
        if open + self.size > rules.open_limit {
            let refusal = UploadRefusal::TooMuchOpen { bytes: self.size, open, limit: rules.open_limit };
            return Err(Refusal::Upload(refusal));
        }
        if count >= MOST_OPEN {
            return Err(Refusal::Upload(UploadRefusal::TooManyOpen { limit: MOST_OPEN }));
        }
        Ok(())
    }
}
