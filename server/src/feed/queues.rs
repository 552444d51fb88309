//! What happened to the queues of a helpdesk lately, as far as whoever waits for a ticket or watches a queue has to know.

use std::collections::HashMap;

use super::arrivals::{Coming, Waits};
use super::ring::Commit;
use crate::domain::{Micros, Ticket};
use crate::store::LogEntry;

#[derive(Debug, Default)]
pub(super) struct Queues {
    by_id: HashMap<String, Touched>,
    /// The last revision that changed no ticket, as a new definition does: it may concern every queue.
    other: i64,
}

/// What last happened to the tickets of a queue.
#[derive(Debug, Default)]
struct Touched {
    /// The last revision that changed one.
    revision: i64,
    arrival: Arrival,
    /// Where other processes may take them: those that came lately and were not taken.
    coming: Coming,
    /// How long those usually waited who got one, wherever they waited.
    usual_wait: Micros,
}

/// The last revision after which a ticket may wait in a queue that did not before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrival {
    pub revision: i64,
    /// Committed by this process, which knows of it before the others do.
    pub is_own: bool,
}

impl Queues {
    /// The last revision that may have changed what a queue shows.
    pub(super) fn revision(&self, queue: &str) -> i64 {
        self.by_id.get(queue).map_or(0, |touched| touched.revision).max(self.other)
    }

    /// The last revision after which a ticket may wait in a queue that did not before.
    pub(super) fn arrival(&self, queue: &str) -> Arrival {
        let arrival = self.by_id.get(queue).map(|touched| touched.arrival).unwrap_or_default();
        if arrival.revision >= self.other { arrival } else { Arrival { revision: self.other, is_own: false } }
    }

    /// What may wait in a queue of that which came to it after a revision, up to the head.
    pub(super) fn waits(&self, queue: &str, after: i64, head: i64) -> Waits {
        match self.by_id.get(queue) {
            Some(touched) if self.other <= after => touched.coming.waits(after, head),
            None if self.other <= after => Waits::Gone { revision: head },
            Some(_) | None => Waits::Unknown,
        }
    }

    /// How long those usually wait who get a ticket of a queue.
    pub(super) fn usual_wait(&self, queue: &str) -> Micros {
        self.by_id.get(queue).map_or(0, |touched| touched.usual_wait)
    }

    /// What happened to which queue up to a revision is not known.
    pub(super) fn pass_over(&mut self, revision: i64) {
        self.other = revision;
    }

    /// Takes in what a commit did. Whether it is this process's own, and whether there are others.
    pub(super) fn touch(&mut self, commit: &Commit, is_own: bool, is_shared: bool) {
        let mut entries = commit.entries.iter().peekable();
        while let Some(LogEntry { uid: _, change }) = entries.next() {
            let Some(after) = &change.after else {
                // No queue hangs on who is registered as a requester, or on what is uploaded.
                if !["/requesters/", "/uploads/"].iter().any(|kind| change.resource.contains(kind)) {
                    self.other = change.revision;
                }
                continue;
            };
            let has_come = if change.importer.is_empty() {
                may_have_come(change.before.as_deref(), after)
            } else {
                // A history is one revision, and nobody sees a ticket as it was in the midst of it.
                let is_over = entries.peek().is_none_or(|next| next.change.revision != change.revision);
                is_over && may_have_come(None, after)
            };
            let before = change.before.as_ref().filter(|before| before.queue != after.queue);
            for queue in [Some(&after.queue), before.map(|before| &before.queue)].into_iter().flatten() {
                let touched = match self.by_id.get_mut(queue) {
                    Some(touched) => touched,
                    None => self.by_id.entry(queue.clone()).or_default(),
                };
                touched.revision = change.revision;
                if change.waited > 0 {
                    touched.usual_wait = (touched.usual_wait * 7 + change.waited) / 8;
                }
                if is_shared && (!after.assignee.is_empty() || *queue != after.queue) {
                    touched.coming.left(after.id);
                }
                if has_come && *queue == after.queue {
                    touched.arrival = Arrival { revision: change.revision, is_own };
                    if is_shared {
                        touched.coming.came(after.id, touched.arrival);
                    }
                }
            }
        }
    }
}

/// Whether a ticket may be there to be claimed that was not before. What somebody has does not wait: a claim wakes nobody.
/// Read back from the log, a ticket does not say whether it waits; but what says it is in its status, and which skills it
/// needs in its fields.
fn may_have_come(before: Option<&Ticket>, after: &Ticket) -> bool {
    let is_new = |before: &Ticket| {
        !before.assignee.is_empty()
            || before.queue != after.queue
            || before.status != after.status
            || before.fields != after.fields
    };
    after.assignee.is_empty() && before.is_none_or(is_new)
}
