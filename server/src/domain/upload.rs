//! Files: on their way, and on tickets. Their bytes are elsewhere, under the same ids.

use super::Micros;
use super::time::SECOND;

/// SHA-256 of a file.
pub type FileHash = [u8; 32];

/// A file on its way. What each field means is said in `attachment.proto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: String,
    /// Whose it is: for others there is none.
    pub subject: String,
    pub filename: String,
    pub mime_type: String,
    pub size: i64,
    /// What was declared, if anything was.
    pub sha256: Option<FileHash>,
    /// Of what came, once all of it has.
    pub digest: Option<FileHash>,
    /// The ticket that has it; None until it is attached.
    pub ticket: Option<i64>,
    pub create_time: Micros,
    pub expire_time: Micros,
    pub revision: i64,
}

impl Upload {
    /// How long one is kept that is not used, from its beginning or the last time that something came.
    pub const LIFETIME: Micros = 3_600 * SECOND;

    pub fn is_expired(&self, now: Micros) -> bool {
        self.expire_time <= now
    }

    /// Whether its bytes are still reserved.
    pub fn is_open(&self, now: Micros) -> bool {
        self.ticket.is_none() && !self.is_expired(now)
    }
}

/// The resource name of an upload.
pub fn upload_name(helpdesk: &str, id: &str) -> String {
    format!("helpdesks/{helpdesk}/uploads/{id}")
}

/// The resource name of an attachment.
pub fn attachment_name(helpdesk: &str, ticket: i64, id: &str) -> String {
    format!("helpdesks/{helpdesk}/tickets/{ticket}/attachments/{id}")
}

/// A file on a ticket. It has the id of the upload that it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub id: String,
    pub ticket: i64,
    /// The reply that it came with; None when it came with the ticket itself.
    pub reply: Option<i64>,
    /// Whether that reply is a note, and hidden from the requester with all that belongs to it.
    pub note: bool,
    pub author: String,
    pub filename: String,
    pub mime_type: String,
    pub size: i64,
    pub sha256: FileHash,
    pub create_time: Micros,
    pub revision: i64,
}

/// The files of a ticket, those that came with notes apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AttachmentTotals {
    pub public: Total,
    pub notes: Total,
}

/// So many files, and their bytes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    pub count: i32,
    pub bytes: i64,
}

impl AttachmentTotals {
    pub fn all(self) -> Total {
        Total { count: self.public.count + self.notes.count, bytes: self.public.bytes + self.notes.bytes }
    }

    /// Those that one of a note, or another, is counted with.
    pub fn of(&mut self, note: bool) -> &mut Total {
        if note { &mut self.notes } else { &mut self.public }
    }

    pub fn add(&mut self, attachment: &Attachment) {
        let total = self.of(attachment.note);
        total.count += 1;
        total.bytes += attachment.size;
    }
}

/// Why something cannot be done with an upload; each by its resource name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadRefusal {
    Expired {
        name: String,
    },
    Used {
        name: String,
        attachment: String,
    },
    Incomplete {
        name: String,
        size: i64,
    },
    OffsetMismatch {
        name: String,
        sent: i64,
        committed: i64,
    },
    HashMismatch {
        name: String,
        declared: FileHash,
        came: FileHash,
    },
    TooLong {
        name: String,
        size: i64,
    },
    /// The files that are asked for have `bytes`, and those that count against the same quota have `used`.
    QuotaExceeded {
        bytes: i64,
        used: i64,
        quota: i64,
    },
    /// So many bytes more are not taken of one caller while `open` are under way.
    TooMuchOpen {
        bytes: i64,
        open: i64,
        limit: i64,
    },
    TooManyOpen {
        limit: usize,
    },
    /// It came in more pieces than are kept of one file.
    TooManyParts {
        name: String,
        limit: usize,
    },
}
