//! A definition as it was written: plain data, nothing checked. What each field means is said in `helpdesk.proto`.

use std::collections::BTreeMap;

use crate::domain::{LinkKind, Role, State};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefinitionSpec {
    pub display_name: String,
    pub statuses: Vec<StatusSpec>,
    pub initial_status: String,
    pub transitions: Vec<TransitionSpec>,
    pub fields: Vec<FieldSpec>,
    /// Most urgent first.
    pub priorities: Vec<PrioritySpec>,
    /// Empty: none.
    pub default_priority: String,
    /// Empty: everybody.
    pub priority_set_by: Vec<Role>,
    pub queues: Vec<QueueSpec>,
    pub routing: Vec<RoutingRuleSpec>,
    pub default_queue: String,
    pub number_policy: NumberPolicySpec,
    pub duplicate_policy: DuplicatePolicySpec,
    /// None: tickets are not merged.
    pub merge_policy: Option<MergePolicy>,
    pub transfer_policy: TransferPolicySpec,
    pub escalations: Vec<EscalationSpec>,
    pub attachment_policy: AttachmentPolicySpec,
    pub canned_responses: Vec<CannedResponseSpec>,
    /// None: closed tickets are not asked about.
    pub survey: Option<SurveySpec>,
    pub identity: IdentityPolicy,
    pub empty_reply: EmptyReplyPolicy,
    pub mandatory_cc: Vec<String>,
    pub reply_rules: Vec<ReplyRuleSpec>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusSpec {
    pub id: String,
    pub display_name: String,
    pub state: State,
    pub waits_on: WaitsOn,
    pub requester_reply: ReplyPolicy,
    pub requester_reply_message: String,
    pub retired: bool,
}

/// Whose turn it is in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitsOn {
    Staff,
    Requester,
    Nobody,
}

impl WaitsOn {
    pub fn word(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Requester => "requester",
            Self::Nobody => "nobody",
        }
    }
}

/// What becomes of a requester's reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ReplyPolicy {
    #[default]
    Allow,
    /// It is taken, and the answer carries the status's message.
    Warn,
    /// It is refused with the status's message.
    Refuse,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionSpec {
    pub id: String,
    pub display_name: String,
    pub from: Vec<String>,
    pub to: String,
    pub trigger: Trigger,
    /// Empty: the default of the trigger.
    pub roles: Vec<Role>,
    pub guards: Vec<GuardSpec>,
    pub effects: EffectsSpec,
}

/// What sets a transition off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    Manual,
    AgentReply,
    RequesterReply,
    Claim,
    Read,
    Note,
}

impl Trigger {
    pub const ALL: [Self; 6] =
        [Self::Manual, Self::AgentReply, Self::RequesterReply, Self::Claim, Self::Read, Self::Note];

    /// As explanations and messages call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::AgentReply => "AGENT_REPLY",
            Self::RequesterReply => "REQUESTER_REPLY",
            Self::Claim => "CLAIM",
            Self::Read => "READ",
            Self::Note => "NOTE",
        }
    }
}

/// What a transition does besides the move. Empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EffectsSpec {
    /// By id; an empty value removes.
    pub fields: BTreeMap<String, String>,
    pub priority: String,
    pub clear_solution: bool,
    pub assign: Assignment,
    pub queue: String,
    pub route: bool,
    pub queue_place: QueuePlace,
    pub notifications: Vec<NotificationSpec>,
    pub link: Option<LinkEffect>,
}

/// A link to the ticket that a field names: by its resource name or its human number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkEffect {
    /// What the other is to this one.
    pub kind: LinkKind,
    /// The id of the field.
    pub field: String,
}

/// Whose a ticket is after a transition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Assignment {
    #[default]
    Keep,
    Actor,
    Nobody,
}

/// A ticket's place in its queue after a transition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum QueuePlace {
    /// Last in another queue, and when a closed ticket opens; otherwise it is kept.
    #[default]
    Usual,
    Keep,
    Last,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationSpec {
    pub recipient: Recipient,
    pub field: String,
    pub message: String,
}

/// Whom a notification is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recipient {
    Assignee,
    Queue,
    Requester,
    Field,
}

/// What becomes of a staff member's reply without a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum EmptyReplyPolicy {
    #[default]
    Refuse,
    Claim,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyRuleSpec {
    /// Empty: those who reply as staff.
    pub roles: Vec<Role>,
    pub expression: String,
    pub message: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardSpec {
    pub expression: String,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    pub id: String,
    pub display_name: String,
    pub field_type: FieldType,
    pub choices: Vec<ChoiceSpec>,
    pub default_value: String,
    /// Empty: never.
    pub required_when: String,
    /// Empty: everybody.
    pub set_by: Vec<Role>,
    /// Empty: always.
    pub set_when: String,
    pub indexed: bool,
    pub staff_only: bool,
    pub retired: bool,
}

/// How a field's values are checked and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    Text,
    Integer,
    Boolean,
    Date,
    Timestamp,
    Choice,
    Tree,
    /// The subject of an agent.
    Agent,
}

impl FieldType {
    pub const ALL: [Self; 8] =
        [Self::Text, Self::Integer, Self::Boolean, Self::Date, Self::Timestamp, Self::Choice, Self::Tree, Self::Agent];

    pub fn has_choices(self) -> bool {
        matches!(self, Self::Choice | Self::Tree)
    }

    /// As people and messages call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Choice => "choice",
            Self::Tree => "tree",
            Self::Agent => "agent",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChoiceSpec {
    pub value: String,
    pub display_name: String,
    pub retired: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrioritySpec {
    pub id: String,
    pub display_name: String,
    pub description: String,
    pub retired: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueSpec {
    pub id: String,
    pub display_name: String,
    /// Most significant first; empty means the time of entering the queue.
    pub ordering: Vec<OrderingKey>,
    pub retired: bool,
    /// Empty: no skill is needed.
    pub skill_field: String,
    /// Empty: all.
    pub transfers_to: Vec<String>,
}

impl QueueSpec {
    /// Where none is written, the time of entering the queue.
    pub fn ordering(&self) -> &[OrderingKey] {
        if self.ordering.is_empty() { &[OrderingKey::QueueTime] } else { &self.ordering }
    }
}

/// What a queue is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderingKey {
    Priority,
    ReceiveTime,
    QueueTime,
}

impl OrderingKey {
    pub fn is_time(self) -> bool {
        matches!(self, Self::ReceiveTime | Self::QueueTime)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingRuleSpec {
    /// Empty: always.
    pub when: String,
    /// Empty: the rule gives only a priority.
    pub queue: String,
    /// Empty: the rule gives only a queue.
    pub priority: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberPolicySpec {
    pub assigned_on: NumberAssignment,
    /// Empty: `{number}`.
    pub format: String,
}

/// What new tickets must not repeat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DuplicatePolicySpec {
    pub on_create: DuplicateAction,
    pub compare: DuplicateComparison,
}

/// What of two tickets of one requester is the same text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DuplicateComparison {
    #[default]
    SubjectAndBody,
    Body,
}

/// What becomes of a new ticket that repeats one of its requester's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DuplicateAction {
    #[default]
    Allow,
    Refuse,
}

/// How tickets are merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergePolicy {
    /// Where merged tickets go.
    pub status: String,
    /// Whether those of different requesters may be merged.
    pub across_requesters: bool,
}

/// When a ticket gets its human number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NumberAssignment {
    #[default]
    Submission,
    Claim,
}

/// What may be attached; 0 and nothing mean the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttachmentPolicySpec {
    pub ticket_quota_bytes: i64,
    pub max_file_bytes: i64,
    pub mime_types: Vec<String>,
    pub open_upload_bytes: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferPolicySpec {
    pub placement: TransferPlacement,
    /// Empty: all of the staff.
    pub roles: Vec<Role>,
    pub claimed_only: bool,
    pub keep_assignee: bool,
}

/// The place of a ticket that was transferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TransferPlacement {
    #[default]
    Requeue,
    KeepPlace,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalationSpec {
    pub id: String,
    pub display_name: String,
    pub mode: EscalationMode,
    pub queues: Vec<String>,
    /// Empty: all.
    pub from_queues: Vec<String>,
    /// Empty: all that are not closed.
    pub from_statuses: Vec<String>,
    /// Empty: all of the staff.
    pub roles: Vec<Role>,
    pub guards: Vec<GuardSpec>,
}

/// What an escalation sends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EscalationMode {
    Move,
    Child,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CannedResponseSpec {
    pub id: String,
    pub display_name: String,
    pub body: String,
    pub retired: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SurveySpec {
    pub uri_template: String,
    /// 0: the default.
    pub link_days: i32,
}

/// What must be known of whose case a new ticket is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum IdentityPolicy {
    #[default]
    Anybody,
    Registered,
    Verified,
}
