//! A message on a ticket.

use super::{Attachment, Micros, Role};

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
    /// Absent where a reply is read without them.
    pub attachments: Vec<Attachment>,
}

/// Who may see a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKind {
    Public,
    Note,
}
