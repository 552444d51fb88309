//! What is done now and then: forgetting old request ids.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use crate::domain::time::DAY;
use crate::store::{StoreError, dialect, heads, requests};

/// How long a request id is remembered.
const REQUEST_IDS_KEPT: i64 = 7 * DAY;
/// Old request ids that go in one transaction, so that no commit waits long.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Runs until it is dropped.
pub struct Housekeeping;

impl Housekeeping {
    /// Forgets old request ids now and then.
    pub async fn run(engine: Arc<Engine>) {
        let mut forget = tokio::time::interval(Duration::from_mins(10));
        loop {
            forget.tick().await;
            if let Err(failure) = Self::forget(&engine).await {
                tracing::warn!(?failure, "housekeeping failed");
            }
        }
    }

    async fn forget(engine: &Arc<Engine>) -> Result<(), super::Failure> {
        let before = engine.clock().now() - REQUEST_IDS_KEPT;
        let helpdesks = engine.read(|connection| Ok(heads::last_revisions(connection)?)).await?;
        for (helpdesk, _) in helpdesks {
            loop {
                let helpdesk = helpdesk.clone();
                let forgotten = engine
                    .read(move |connection| {
                        dialect::write(connection, |connection| {
                            Ok::<_, StoreError>(requests::forget_before(
                                connection,
                                &helpdesk,
                                before,
                                FORGOTTEN_AT_ONCE,
                            )?)
                        })
                    })
                    .await?;
                if forgotten < FORGOTTEN_AT_ONCE as usize {
                    break;
                }
            }
        }
        Ok(())
    }
}
