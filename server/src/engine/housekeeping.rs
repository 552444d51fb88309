//! What is done now and then: forgetting old request ids, and moving the write-ahead log into the database file.

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
    /// Moves the log into the file often, so that it stays small, and forgets old request ids now and then.
    pub async fn run(engine: Arc<Engine>) {
        let mut checkpoint = tokio::time::interval(Duration::from_millis(500));
        checkpoint.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut forget = tokio::time::interval(Duration::from_mins(10));
        loop {
            let outcome = tokio::select! {
                _ = checkpoint.tick() => engine.read(|connection| Ok(dialect::checkpoint(connection)?)).await,
                _ = forget.tick() => Self::forget(&engine).await,
            };
            if let Err(failure) = outcome {
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
