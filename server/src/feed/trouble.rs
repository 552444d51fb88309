//! What the log has of something that is tried again and again until it works: a line when it begins to fail, and not one for
//! each try.

use crate::store::StoreError;

#[derive(Debug, Default)]
pub(super) struct Trouble {
    is_on: bool,
}

impl Trouble {
    /// It has failed; `what` says what comes of that.
    pub(super) fn tell(&mut self, error: &StoreError, what: &str) {
        if std::mem::replace(&mut self.is_on, true) {
            tracing::debug!(%error, "still: {what}");
        } else {
            tracing::warn!(%error, "{what}");
        }
    }

    /// It works. Whether it did not before.
    pub(super) fn is_over(&mut self) -> bool {
        std::mem::take(&mut self.is_on)
    }
}
