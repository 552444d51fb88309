//! Ctrl-C, for commands that take their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

/// Ctrl-C: the command ends early, and tells what it has. A second one ends the process.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    set: AtomicBool,
    told: Notify,
}

impl Stop {
    pub(super) fn on_interrupt() -> Self {
        let stop = Self::default();
        let asked = stop.clone();
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if asked.is_set() {
                    std::process::exit(130);
                }
                asked.set();
            }
        });
        stop
    }

    pub(super) fn set(&self) {
        self.0.set.store(true, Ordering::Relaxed);
        self.0.told.notify_waiters();
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Relaxed)
    }

    /// Returns when it is set.
    pub(super) async fn wait(&self) {
        // Made before the look: it hears of what happens from then on.
        let told = self.0.told.notified();
        if !self.is_set() {
            told.await;
        }
    }

    /// Sleeps, unless it is stopped.
    pub(super) async fn sleep_until(&self, end: Instant) {
        // Either is what was waited for.
        let _ = tokio::time::timeout_at(end.into(), self.wait()).await;
    }
}
