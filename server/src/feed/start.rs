//! Where a watch begins.

use std::sync::Arc;

use super::live::{Feed, Head};
use super::{Lens, Scope, Subscription, Token};
use crate::store::{AnyConnection, StoreError, changes, heads};

/// Why a token cannot be resumed from. Both revisions say what could be.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    #[error("the token is older than the feed window")]
    Expired { oldest: i64, head: i64 },
    #[error("the token is ahead of the head")]
    Ahead { oldest: i64, head: i64 },
    #[error("the log is not the one that the token came from")]
    EpochChanged { oldest: i64, head: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Feed {
    /// Watches what is committed from now on.
    #[cfg(test)]
    pub fn watch(self: &Arc<Self>, scope: &Scope, lens: Arc<dyn Lens>) -> Subscription {
        let (place, epoch) = self.standing();
        self.watch_behind(place, epoch, scope, lens)
    }

    /// Watches what is committed behind a place that is known to be in the log. The epoch was read before the place: a place
    /// of an old log is not taken for one of the new.
    pub fn watch_behind(self: &Arc<Self>, place: Head, epoch: u64, scope: &Scope, lens: Arc<dyn Lens>) -> Subscription {
        Subscription::new(Arc::clone(self), place, epoch, scope, lens)
    }

    /// The place of a token, if the log still has it.
    pub async fn resume(self: &Arc<Self>, token: Token) -> Result<Head, ResumeError> {
        let Token(place) = token;
        let feed = Arc::clone(self);
        let read = move |connection: &mut AnyConnection| -> Result<(i64, Option<i64>), StoreError> {
            // The token may come from another process, which knew more than this one.
            let head = heads::last_revision(connection, feed.helpdesk())?;
            let uid = match place.revision {
                0 => Some(0),
                revision => changes::uid(connection, feed.helpdesk(), revision)?,
            };
            Ok((head, uid))
        };
        let (head, uid) = self.read(read).await?;
        let oldest = (head - self.feed_window()).max(0);
        if place.revision > head {
            return Err(ResumeError::Ahead { oldest, head });
        }
        if place.revision < oldest {
            return Err(ResumeError::Expired { oldest, head });
        }
        if uid != Some(place.uid) {
            return Err(ResumeError::EpochChanged { oldest, head });
        }
        Ok(place)
    }
}
