//! What was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use loket_client::Error;

/// The notes of one agent, or of all.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By the subject, which is like no other: name and uid.
    pub(super) tickets: BTreeMap<String, (String, String)>,
    /// By the body, which is like no other: the ticket.
    pub(super) replies: BTreeMap<String, String>,
    /// The ticket and who has it, for every claim that was won.
    pub(super) claims: Vec<(String, String)>,
    /// Subjects and bodies of what was given up: it may be there.
    pub(super) unanswered: BTreeSet<String>,
    /// By the revision: the server that committed it, where that is certain.
    pub(super) committed_at: BTreeMap<i64, usize>,
    /// Calls that were repeated.
    pub(super) repeated: u64,
    /// Reads that did not show what was acknowledged before.
    pub(super) stale: u64,
    /// Calls that were refused or failed for good.
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    /// Those of other agents, noted under the same name: that must not be.
    pub(super) clashes: u64,
}

impl Ledger {
    pub(super) fn fail(&mut self, what: &str, error: &Error) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| format!("{what}: {error}"));
    }

    pub(super) fn join(&mut self, other: Self) {
        let Self { tickets, replies, claims, unanswered, committed_at, repeated, stale, errors, first_error, clashes } =
            other;
        let names = self.tickets.len() + self.replies.len() + tickets.len() + replies.len();
        self.tickets.extend(tickets);
        self.replies.extend(replies);
        self.clashes += clashes + (names - self.tickets.len() - self.replies.len()) as u64;
        self.claims.extend(claims);
        self.unanswered.extend(unanswered);
        self.committed_at.extend(committed_at);
        self.repeated += repeated;
        self.stale += stale;
        self.errors += errors;
        self.first_error = self.first_error.take().or(first_error);
    }

    /// In the order that comparing needs.
    pub(super) fn settle(mut self) -> Self {
        self.claims.sort();
        self
    }
}
