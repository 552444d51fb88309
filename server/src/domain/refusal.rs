//! Why a command was refused. Knows nothing of the wire: `rpc/status.rs` has the one match that does.

use super::Role;
use super::upload::UploadRefusal;

/// A command that is refused writes nothing. Tickets are given by their resource names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Every violated field at once.
    Invalid(Vec<Violation>),
    /// There is none, or the caller may not see it; `name` is the resource name.
    NotFound {
        kind: &'static str,
        name: String,
    },
    AlreadyExists {
        kind: &'static str,
        name: String,
    },
    /// An agent is registered for that subject.
    SubjectTaken {
        subject: String,
        agent: String,
    },
    ExternalRefExists {
        source: String,
        id: String,
        ticket: String,
    },
    EtagMismatch {
        /// As in its resource type: `Ticket`.
        kind: &'static str,
        name: String,
        sent: String,
        current: String,
    },
    AlreadyClaimed {
        ticket: String,
        assignee: String,
    },
    TicketNotReady {
        ticket: String,
        failures: Vec<Precondition>,
    },
    TransitionRefused {
        ticket: String,
        transition: String,
        failures: Vec<Precondition>,
    },
    /// The subject may not have the ticket.
    AgentNotEligible {
        subject: String,
        failures: Vec<Precondition>,
    },
    TransferRefused {
        ticket: String,
        queue: String,
        failures: Vec<Precondition>,
    },
    EscalationRefused {
        ticket: String,
        escalation: String,
        failures: Vec<Precondition>,
    },
    ReplyRefused {
        ticket: String,
        status: String,
        message: String,
        /// The statuses that may follow.
        leads_to: Vec<String>,
    },
    /// Every rule that the reply breaks.
    ReplyRuleBroken {
        ticket: String,
        failures: Vec<Precondition>,
    },
    /// The requester has sent the same text before.
    DuplicateTicket {
        first: String,
    },
    LinkRefused {
        ticket: String,
        failures: Vec<Precondition>,
    },
    MergeRefused {
        failures: Vec<Precondition>,
    },
    SplitRefused {
        ticket: String,
        failures: Vec<Precondition>,
    },
    /// Every event of a history that is refused.
    HistoryRefused(Vec<EventRefusal>),
    /// The requester's replies go to the first, which the caller may see; None: it may not.
    TicketMerged {
        ticket: String,
        first: Option<String>,
    },
    RoleNotAllowed {
        what: String,
        role: Role,
        allowed: Vec<Role>,
    },
    /// Without this key nobody could make another that opens every helpdesk.
    LastAdminKey {
        key: String,
    },
    /// A helpdesk by this id is not for a key that opens certain others only.
    MayNotCreate {
        helpdesk: String,
    },
    InvalidFilter {
        offset: usize,
        message: String,
    },
    InvalidOrderBy(Violation),
    InvalidPageToken,
    RequestIdReused {
        request_id: String,
        command: String,
    },
    Upload(UploadRefusal),
    /// Everything wrong with the definition, with paths.
    InvalidDefinition(Vec<Violation>),
    DefinitionInUse(Vec<Precondition>),
    Contact(ContactRefusal),
}

impl Refusal {
    /// There is no such helpdesk, or not any more.
    pub fn no_helpdesk(id: &str) -> Self {
        Self::NotFound { kind: "Helpdesk", name: format!("helpdesks/{id}") }
    }
}

/// Why an event of a history is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRefusal {
    /// Its place among the events.
    pub place: usize,
    /// What is refused of it; empty: all of it, or what the paths of the refusal say.
    pub operation: &'static str,
    pub refusal: Refusal,
}

/// Why somebody may not file, or may not be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactRefusal {
    /// The helpdesk takes tickets only of those who are registered, or also verified.
    RequesterNotRegistered {
        helpdesk: String,
        email: String,
        must_be_verified: bool,
    },
    RequesterNotVerified {
        name: String,
        email: String,
    },
    CodeRefused {
        name: String,
        tries_left: i32,
    },
    /// None was handed out, or it is too old, or was tried too often.
    CodeExpired {
        name: String,
    },
    /// The helpdesk's definition has no survey.
    NoSurvey {
        helpdesk: String,
    },
    FeedbackExists {
        ticket: String,
    },
    InvalidSurveyToken {
        ticket: String,
    },
    SurveyTokenExpired {
        ticket: String,
        expire_time: String,
    },
}

impl From<ContactRefusal> for Refusal {
    fn from(refusal: ContactRefusal) -> Self {
        Self::Contact(refusal)
    }
}

/// A field of the request that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path within the request message.
    pub field: String,
    /// What was wrong, with which value, and what would be right.
    pub description: String,
}

impl Violation {
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

/// A condition that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    pub kind: PreconditionKind,
    /// What it was looked at on: a transition, a field, a path of the definition.
    pub subject: String,
    /// What would be right.
    pub description: String,
}

/// What sort of condition it is. `error_reason.proto` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreconditionKind {
    Role,
    Guard,
    Trigger,
    Status,
    Queue,
    Assignee,
    RequiredField,
    Link,
    Links,
    Merge,
    Split,
    Agent,
    AgentActive,
    AgentQueue,
    AgentSkill,
    ReplyRule,
    InUse,
}

impl PreconditionKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Role => "ROLE",
            Self::Guard => "GUARD",
            Self::Trigger => "TRIGGER",
            Self::Status => "STATUS",
            Self::Queue => "QUEUE",
            Self::Assignee => "ASSIGNEE",
            Self::RequiredField => "REQUIRED_FIELD",
            Self::Link => "LINK",
            Self::Links => "LINKS",
            Self::Merge => "MERGE",
            Self::Split => "SPLIT",
            Self::Agent => "AGENT",
            Self::AgentActive => "AGENT_ACTIVE",
            Self::AgentQueue => "AGENT_QUEUE",
            Self::AgentSkill => "AGENT_SKILL",
            Self::ReplyRule => "REPLY_RULE",
            Self::InUse => "IN_USE",
        }
    }
}
