//! Takes an access key back. Decided in `_system`.

use crate::domain::context::{Answer, Context, Decision, WorkingSet};
use crate::domain::{AccessKey, Refusal};

#[derive(Debug, Clone)]
pub struct RevokeAccessKey {
    pub id: String,
}

impl RevokeAccessKey {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let Some(key) = set.keys.get(&self.id) else {
            return Err(context.not_found("AccessKey", &format!("accessKeys/{}", self.id)));
        };
        if key.revoke_time.is_some() {
            return Ok(Decision { answer: Answer::Key(key.clone()), ..Decision::default() });
        }
        if key.makes_any() && !set.keys.values().any(|other| other.makes_any() && other.id != self.id) {
            return Err(Refusal::LastAdminKey { key: self.id.clone() });
        }
        let key = AccessKey { revoke_time: Some(context.now), revision: set.last_revision + 1, ..key.clone() };
        Ok(Decision { key: Some(key.clone()), answer: Answer::Key(key), ..Decision::default() })
    }
}
