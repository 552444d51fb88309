//! Ctrl-C and what else asks a command to end, for those that take their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

/// Ctrl-C, and what a service manager or a lost terminal sends: the command ends early, and tells what it has. A second one
/// ends the process.
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
                asked.ask();
            }
        });
        #[cfg(unix)]
        unix::listen(&stop);
        stop
    }

    fn ask(&self) {
        if self.is_set() {
            std::process::exit(130);
        }
        self.set();
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

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{SignalKind, signal};

    use super::Stop;

    pub(super) fn listen(stop: &Stop) {
        hear(SignalKind::terminate(), stop, Stop::ask);
        // Who started it with nohup wants it to go on. A terminal may say twice that it is gone.
        if !is_hangup_ignored() {
            hear(SignalKind::hangup(), stop, Stop::set);
        }
    }

    fn hear(kind: SignalKind, stop: &Stop, told: fn(&Stop)) {
        let stop = stop.clone();
        if let Ok(mut signal) = signal(kind) {
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    told(&stop);
                }
            });
        }
    }

    /// As Linux tells it; where nothing does, it is taken for heard.
    fn is_hangup_ignored() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
    }
}
