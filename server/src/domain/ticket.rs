//! A ticket as it stands.

use std::collections::BTreeMap;

use super::{Micros, More};

/// One case. Empty texts mean that there is none; what each field means is said in `ticket.proto`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// From 1, in order of receipt: the last segment of its name.
    pub id: i64,
    pub uid: String,
    pub number: String,
    pub requester: String,
    pub subject: String,
    /// Never changes, and is absent (empty) where a ticket is read without it.
    pub body: String,
    pub channel: String,
    pub fields: BTreeMap<String, String>,
    /// Sorted, without repetition.
    pub tags: Vec<String>,
    /// Sorted, without repetition.
    pub cc: Vec<String>,
    /// Sorted, without repetition.
    pub external_refs: Vec<ExternalRef>,
    pub priority: String,
    pub status: String,
    pub state: State,
    pub queue: String,
    /// Its place among those that wait in the queue; empty while it does not wait. Never on the wire.
    pub queue_key: String,
    pub assignee: String,
    pub solution: String,
    pub receive_time: Micros,
    pub queue_time: Option<Micros>,
    pub create_time: Micros,
    pub update_time: Micros,
    pub first_reply_time: Option<Micros>,
    pub close_time: Option<Micros>,
    pub revision: i64,
    pub replies: ReplyCounts,
    pub more: More,
}

impl Ticket {
    /// What there is of a ticket before it is filed: whose it is.
    pub fn unfiled(requester: String) -> Self {
        Self {
            id: 0,
            uid: String::new(),
            number: String::new(),
            requester,
            subject: String::new(),
            body: String::new(),
            channel: String::new(),
            fields: BTreeMap::new(),
            tags: Vec::new(),
            cc: Vec::new(),
            external_refs: Vec::new(),
            priority: String::new(),
            status: String::new(),
            state: State::New,
            queue: String::new(),
            queue_key: String::new(),
            assignee: String::new(),
            solution: String::new(),
            receive_time: 0,
            queue_time: None,
            create_time: 0,
            update_time: 0,
            first_reply_time: None,
            close_time: None,
            revision: 0,
            replies: ReplyCounts::default(),
            more: More::default(),
        }
    }

    /// Whether it stands anywhere yet.
    pub fn is_filed(&self) -> bool {
        !self.status.is_empty()
    }

    /// Changes with every revision of the ticket; nothing else is promised of it.
    pub fn etag(&self) -> String {
        format!("\"{:x}\"", self.revision)
    }

    /// Whether it waits in its queue: the staff's turn, and nobody assigned.
    pub fn waits(&self) -> bool {
        !self.queue_key.is_empty()
    }
}

/// What a case is called in another system.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalRef {
    pub source: String,
    pub id: String,
}

/// The summaries of a ticket's replies that guards may look at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplyCounts {
    /// Public ones by agents, supervisors and admins.
    pub staff: i32,
    /// Public ones by the requester.
    pub requester: i32,
    /// Public ones by services.
    pub service: i32,
    /// Internal notes by anybody.
    pub notes: i32,
}

impl ReplyCounts {
    pub fn public(self) -> i32 {
        self.staff + self.requester + self.service
    }

    pub fn all(self) -> i32 {
        self.public() + self.notes
    }
}

/// Where a ticket stands, in the five words that every helpdesk shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    New,
    Active,
    Waiting,
    Solved,
    Closed,
}

impl State {
    pub const ALL: [Self; 5] = [Self::New, Self::Active, Self::Waiting, Self::Solved, Self::Closed];

    /// The word in filters, in CEL and in the database; on the wire it is `STATE_` and the same in capitals.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Solved => "solved",
            Self::Closed => "closed",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}
