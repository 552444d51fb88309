//! What one revision did to one ticket: the audit history and the feed.

use std::sync::Arc;

use super::{Actor, Micros, Reply, Ticket};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub revision: i64,
    /// The place within the revision, from 0.
    pub ordinal: i32,
    /// Named like its method.
    pub command: &'static str,
    pub actor: Actor,
    pub commit_time: Micros,
    pub event_time: Micros,
    pub definition_version: i64,
    pub request_id: String,
    pub reply: Option<Reply>,
    pub reason: String,
    /// The id of the transition that was taken; empty when none was.
    pub transition: String,
    /// None on creation and when the revision changed no ticket.
    pub before: Option<Arc<Ticket>>,
    /// None when the revision changed no ticket, as a new definition does.
    pub after: Option<Arc<Ticket>>,
}

/// One field that changed, by its path in the Ticket message; times in RFC 3339, lists in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    pub field: String,
    pub old: String,
    pub new: String,
}
