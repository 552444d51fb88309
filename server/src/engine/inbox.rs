//! The commands that wait, in a line for each helpdesk.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::batch_size::BatchSize;
use super::submission::{Failure, Submission};
use crate::store::StoreError;

/// How much may wait, and how much is done at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Commands that may wait for one helpdesk.
    pub queued_commands: usize,
    /// Bytes of commands that may wait for one helpdesk.
    pub queued_bytes: usize,
    /// Commands in one commit at most.
    pub batch_commands: usize,
    /// So many are taken at once where they wait; of more a part, but never fewer.
    pub batch_floor: usize,
    /// Bytes of commands in one commit.
    pub batch_bytes: usize,
    /// Time to decide the commands of one commit.
    pub batch_time: Duration,
    /// Claims that may wait for a ticket.
    pub waiting_claims: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queued_commands: 8_192,
            queued_bytes: 64 << 20,
            batch_commands: 512,
            batch_floor: 128,
            batch_bytes: 4 << 20,
            batch_time: Duration::from_millis(20),
            waiting_claims: 1_024,
        }
    }
}

/// Bulk work takes at most one in so many of a batch while interactive work waits.
const BULK_SHARE: usize = 4;

pub(super) struct Inbox {
    pub(super) limits: Limits,
    pub(super) batch_size: BatchSize,
    /// When a batch could last not be committed, if none was since.
    failed: Mutex<Option<Instant>>,
    /// Whether the database was found not to be whole.
    damaged: AtomicBool,
    state: Mutex<State>,
    /// Rung when commands come for a helpdesk for which none waited and that no writer holds, for one idle writer.
    ready: Condvar,
    idle: Notify,
}

#[derive(Default)]
struct State {
    lines: HashMap<Arc<str>, Line>,
    /// The helpdesks with work that no writer holds, the longest waiting first.
    ready: VecDeque<Arc<str>>,
    /// Commands that are in and not yet answered.
    open: usize,
    closed: bool,
}

#[derive(Default)]
struct Line {
    interactive: VecDeque<Submission>,
    bulk: VecDeque<Submission>,
    bytes: usize,
    held: bool,
}

impl Line {
    fn len(&self) -> usize {
        self.interactive.len() + self.bulk.len()
    }
}

/// The commands of one helpdesk that a writer holds.
pub(super) struct Held {
    pub(super) helpdesk: Arc<str>,
    pub(super) submissions: Vec<Submission>,
}

impl Inbox {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            batch_size: BatchSize::new(limits.batch_floor, limits.batch_commands),
            failed: Mutex::default(),
            damaged: AtomicBool::default(),
            state: Mutex::default(),
            ready: Condvar::new(),
            idle: Notify::new(),
        }
    }

    /// No code that holds the lock can panic half-way through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a batch could be committed, or could not.
    pub(super) fn note_commit(&self, succeeded: bool) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = (!succeeded).then(Instant::now);
    }

    /// How long ago a batch could not be committed, if none was since.
    pub(super) fn failed_since(&self) -> Option<Duration> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).map(|failed| failed.elapsed())
    }

    /// Notes what the database said when it failed: once it is damaged it stays so.
    pub(super) fn note_error(&self, error: &StoreError) {
        if error.is_damage() && !self.damaged.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the database is damaged: stop the server, take the file away with its -wal and -shm, and put a backup in its place");
        }
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Puts a command at the end of its helpdesk's line, or says at once that the line is full: for bulk work, when a quarter of it
    /// is left.
    pub(super) fn put(&self, submission: Submission) -> Result<(), Failure> {
        let mut state = self.state();
        if state.closed {
            return Err(Failure::ShuttingDown);
        }
        let State { lines, ready, open, .. } = &mut *state;
        let helpdesk = Arc::clone(&submission.request.helpdesk);
        let line = lines.entry(Arc::clone(&helpdesk)).or_default();
        let bytes = line.bytes + submission.request.bytes;
        let part = |limit: usize| if submission.request.bulk { limit - limit / 4 } else { limit };
        if line.len() >= part(self.limits.queued_commands) || bytes > part(self.limits.queued_bytes) {
            return Err(Failure::Overloaded { retry_after: Duration::from_millis(500) });
        }
        line.bytes = bytes;
        let was_idle = line.len() == 0 && !line.held;
        if submission.request.bulk {
            line.bulk.push_back(submission);
        } else {
            line.interactive.push_back(submission);
        }
        *open += 1;
        metrics::gauge!("loket_queued_commands").increment(1.0);
        if was_idle {
            ready.push_back(helpdesk);
            drop(state);
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for work and holds the longest-waiting helpdesk. None when the inbox is closed and empty.
    pub(super) fn take(&self) -> Option<Held> {
        let mut state = self.state();
        loop {
            if let Some(helpdesk) = state.ready.pop_front() {
                let submissions = match state.lines.get_mut(&helpdesk) {
                    Some(line) => {
                        line.held = true;
                        self.draw(line)
                    }
                    None => Vec::new(),
                };
                return Some(Held { helpdesk, submissions });
            }
            if state.closed && state.open == 0 {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn draw(&self, line: &mut Line) -> Vec<Submission> {
        let most = self.batch_size.of(line.len());
        let mut drawn: Vec<Submission> = Vec::with_capacity(line.len().min(most));
        let mut bytes = 0;
        while drawn.len() < most {
            // Mixed and not one behind the other: when time is up, both have had theirs.
            let is_bulks_turn = line.interactive.is_empty() || drawn.len() % BULK_SHARE == BULK_SHARE - 1;
            let from = if is_bulks_turn && !line.bulk.is_empty() { &mut line.bulk } else { &mut line.interactive };
            // The first is taken whatever it weighs.
            let fits =
                |next: &mut Submission| drawn.is_empty() || bytes + next.request.bytes <= self.limits.batch_bytes;
            let Some(next) = from.pop_front_if(fits) else { break };
            bytes += next.request.bytes;
            drawn.push(next);
        }
        line.bytes -= bytes;
        metrics::gauge!("loket_queued_commands").decrement(drawn.len() as f64);
        drawn
    }

    /// Whether no command waits for a writer.
    pub(super) fn is_empty(&self) -> bool {
        self.state().lines.values().all(|line| line.len() == 0)
    }

    /// So many commands that were taken are answered.
    pub(super) fn answered(&self, commands: usize) {
        let mut state = self.state();
        // Nothing is open any more where a writer died and all was given up.
        state.open = state.open.saturating_sub(commands);
        if state.open > 0 {
            return;
        }
        let closed = state.closed;
        drop(state);
        self.idle.notify_waiters();
        if closed {
            self.ready.notify_all();
        }
    }

    /// Lets go of a helpdesk: `rest` go back to the front of the line.
    ///
    /// No other writer is woken for what still waits: who lets go of a helpdesk must [`Self::take`] the next one at once, which
    /// is most often the same, and has on PostgreSQL a connection that is warm for it.
    pub(super) fn release(&self, helpdesk: &Arc<str>, rest: Vec<Submission>) {
        let mut state = self.state();
        let State { lines, ready, .. } = &mut *state;
        let mut refused = Vec::new();
        if let Some(line) = lines.get_mut(helpdesk) {
            metrics::gauge!("loket_queued_commands").increment(rest.len() as f64);
            for submission in rest.into_iter().rev() {
                line.bytes += submission.request.bytes;
                if submission.request.bulk {
                    line.bulk.push_front(submission);
                } else {
                    line.interactive.push_front(submission);
                }
            }
            line.held = false;
            if line.len() > 0 {
                ready.push_back(Arc::clone(helpdesk));
            } else {
                lines.remove(helpdesk);
            }
        } else {
            // All was given up meanwhile.
            refused = rest;
        }
        drop(state);
        for submission in refused {
            submission.answer(Err(Failure::ShuttingDown));
        }
    }

    /// Takes no more commands and refuses those that wait: the writer that would have decided them is gone. None of them was
    /// begun.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        state.open = 0;
        state.ready.clear();
        let lines = std::mem::take(&mut state.lines);
        drop(state);
        for submission in lines.into_values().flat_map(|line| line.interactive.into_iter().chain(line.bulk)) {
            metrics::gauge!("loket_queued_commands").decrement(1.0);
            submission.answer(Err(Failure::ShuttingDown));
        }
        self.ready.notify_all();
        self.idle.notify_waiters();
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
        self.ready.notify_all();
    }

    pub(super) async fn drained(&self) {
        loop {
            let idle = self.idle.notified();
            if self.state().open == 0 {
                return;
            }
            idle.await;
        }
    }
}
