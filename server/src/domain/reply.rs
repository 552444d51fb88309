//! A message on a ticket.

use super::{Micros, Role};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub ticket: i64,
    /// From 1 within the ticket.
    pub id: i64,
    pub author: String,
    pub author_role: Role,
    pub kind: ReplyKind,
    pub body: String,
    pub solution: String,
    pub create_time: Micros,
    pub revision: i64,
    /// The id of the one that the body begins with; empty when it comes from none.
    pub canned_response: String,
}

/// Who may see a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKind {
    Public,
    Note,
}
