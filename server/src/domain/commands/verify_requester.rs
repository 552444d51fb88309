//! Verifies an address by its one-time code.

use std::sync::Arc;

use crate::domain::context::{Answer, Context, Decision, RequesterChange, WorkingSet};
use crate::domain::requester::{Code, CodeHash};
use crate::domain::{ContactRefusal, Refusal, Requester};

#[derive(Debug, Clone)]
pub struct VerifyRequester {
    /// The id.
    pub requester: String,
    pub code: CodeHash,
    /// Nothing will be written, so nothing can be counted: the code is not looked at.
    pub validate_only: bool,
}

impl VerifyRequester {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let before = set.requester(&self.requester, context)?;
        let unchanged = || Decision { answer: Answer::Requester(Arc::clone(before)), ..Decision::default() };
        if before.verify_time.is_some() {
            return Ok(unchanged());
        }
        let name = context.requester_name(&before.id);
        let good = |code: &&Code| code.tries_left > 0 && code.expire_time > context.now;
        let Some(code) = before.code.as_ref().filter(good) else {
            return Err(ContactRefusal::CodeExpired { name }.into());
        };
        if self.validate_only {
            return Ok(unchanged());
        }
        let mut after = Requester::clone(before);
        after.revision = set.last_revision + 1;
        // The time it takes does not tell how much of it is right.
        let differing = code.hash.iter().zip(&self.code).fold(0, |all, (kept, told)| all | (kept ^ told));
        if differing == 0 {
            after.verify_time = Some(context.now);
            after.code = None;
            let after = Arc::new(after);
            let change = RequesterChange { is_new: false, after: Arc::clone(&after), reason: String::new() };
            return Ok(Decision { requester: Some(change), answer: Answer::Requester(after), ..Decision::default() });
        }
        let tries_left = code.tries_left - 1;
        after.code = Some(Code { tries_left, ..code.clone() });
        let change = RequesterChange { is_new: false, after: Arc::new(after), reason: REFUSED.to_owned() };
        let refusal = Box::new(ContactRefusal::CodeRefused { name, tries_left }.into());
        Ok(Decision { requester: Some(change), answer: Answer::Refused(refusal), ..Decision::default() })
    }
}

/// What the history says of a wrong code.
pub const REFUSED: &str = "the code was refused";
