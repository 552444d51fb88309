//! Notes how far an upload has come. The bytes themselves are no commands: they are on disk when this is decided.

use std::sync::Arc;

use crate::domain::Refusal;
use crate::domain::context::{Answer, Context, Decision, UploadChange, WorkingSet};
use crate::domain::upload::{FileHash, Upload};

#[derive(Debug, Clone)]
pub struct UploadAttachment {
    pub id: String,
    pub step: Step,
}

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Some of it: it expires later.
    Some,
    /// All of it, with this hash, which is the declared one.
    All(FileHash),
    /// All of it, and it is not what was declared: it is given up.
    Other,
}

impl UploadAttachment {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let before = set.open_upload(&self.id, context)?;
        let mut after = Upload::clone(before);
        match self.step {
            Step::Other => {
                let uploads = vec![UploadChange::Remove(self.id.clone())];
                return Ok(Decision { uploads, answer: Answer::Upload(Arc::clone(before)), ..Decision::default() });
            }
            // Two streams may have come to the end of the same bytes.
            Step::All(_) if before.digest.is_some() => {
                return Ok(Decision { answer: Answer::Upload(Arc::clone(before)), ..Decision::default() });
            }
            Step::All(digest) => after.digest = Some(digest),
            Step::Some => {}
        }
        after.expire_time = context.now + Upload::LIFETIME;
        after.revision = set.last_revision + 1;
        let after = Arc::new(after);
        let uploads = vec![UploadChange::Change(Arc::clone(&after))];
        Ok(Decision { uploads, answer: Answer::Upload(after), ..Decision::default() })
    }
}
