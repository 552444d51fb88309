//! The words of enums: on the wire, in YAML and here.

use loket::v1 as proto;

use crate::domain::definition::{
    Assignment, DuplicateAction, DuplicateComparison, EmptyReplyPolicy, EscalationMode, FieldType, NumberAssignment,
    OrderingKey, QueuePlace, Recipient, ReplyPolicy, TransferPlacement, Trigger, WaitsOn,
};
use crate::domain::{LinkKind, Role, State};

/// The number on the wire, the word in YAML and the value here. One table for both directions.
pub(super) type Words<T> = &'static [(i32, &'static str, T)];

/// A test finds every value in its table.
pub(super) fn number<T: Copy + PartialEq>(value: T, words: Words<T>) -> i32 {
    words.iter().find(|(_, _, known)| *known == value).map_or(0, |(number, _, _)| *number)
}

pub(super) const STATES: Words<State> = &[
    (proto::State::New as i32, "STATE_NEW", State::New),
    (proto::State::Active as i32, "STATE_ACTIVE", State::Active),
    (proto::State::Waiting as i32, "STATE_WAITING", State::Waiting),
    (proto::State::Solved as i32, "STATE_SOLVED", State::Solved),
    (proto::State::Closed as i32, "STATE_CLOSED", State::Closed),
];

pub(super) const TURNS: Words<WaitsOn> = &[
    (proto::WaitsOn::Staff as i32, "WAITS_ON_STAFF", WaitsOn::Staff),
    (proto::WaitsOn::Requester as i32, "WAITS_ON_REQUESTER", WaitsOn::Requester),
    (proto::WaitsOn::Nobody as i32, "WAITS_ON_NOBODY", WaitsOn::Nobody),
];

pub(super) const REPLY_POLICIES: Words<ReplyPolicy> = &[
    (proto::ReplyPolicy::Allow as i32, "REPLY_POLICY_ALLOW", ReplyPolicy::Allow),
    (proto::ReplyPolicy::Warn as i32, "REPLY_POLICY_WARN", ReplyPolicy::Warn),
    (proto::ReplyPolicy::Refuse as i32, "REPLY_POLICY_REFUSE", ReplyPolicy::Refuse),
];

pub(super) const TRIGGERS: Words<Trigger> = &[
    (proto::TransitionTrigger::Manual as i32, "TRANSITION_TRIGGER_MANUAL", Trigger::Manual),
    (proto::TransitionTrigger::AgentReply as i32, "TRANSITION_TRIGGER_AGENT_REPLY", Trigger::AgentReply),
    (proto::TransitionTrigger::RequesterReply as i32, "TRANSITION_TRIGGER_REQUESTER_REPLY", Trigger::RequesterReply),
    (proto::TransitionTrigger::Claim as i32, "TRANSITION_TRIGGER_CLAIM", Trigger::Claim),
    (proto::TransitionTrigger::Read as i32, "TRANSITION_TRIGGER_READ", Trigger::Read),
    (proto::TransitionTrigger::Note as i32, "TRANSITION_TRIGGER_NOTE", Trigger::Note),
];

pub(super) const ROLES: Words<Role> = &[
    (proto::Role::Requester as i32, "ROLE_REQUESTER", Role::Requester),
    (proto::Role::Agent as i32, "ROLE_AGENT", Role::Agent),
    (proto::Role::Supervisor as i32, "ROLE_SUPERVISOR", Role::Supervisor),
    (proto::Role::Service as i32, "ROLE_SERVICE", Role::Service),
    (proto::Role::Admin as i32, "ROLE_ADMIN", Role::Admin),
];

pub(super) const FIELD_TYPES: Words<FieldType> = &[
    (proto::FieldType::Text as i32, "FIELD_TYPE_TEXT", FieldType::Text),
    (proto::FieldType::Integer as i32, "FIELD_TYPE_INTEGER", FieldType::Integer),
    (proto::FieldType::Boolean as i32, "FIELD_TYPE_BOOLEAN", FieldType::Boolean),
    (proto::FieldType::Date as i32, "FIELD_TYPE_DATE", FieldType::Date),
    (proto::FieldType::Timestamp as i32, "FIELD_TYPE_TIMESTAMP", FieldType::Timestamp),
    (proto::FieldType::Choice as i32, "FIELD_TYPE_CHOICE", FieldType::Choice),
    (proto::FieldType::Tree as i32, "FIELD_TYPE_TREE", FieldType::Tree),
    (proto::FieldType::Agent as i32, "FIELD_TYPE_AGENT", FieldType::Agent),
];

pub(super) const ORDERING_KEYS: Words<OrderingKey> = &[
    (proto::OrderingKey::Priority as i32, "ORDERING_KEY_PRIORITY", OrderingKey::Priority),
    (proto::OrderingKey::ReceiveTime as i32, "ORDERING_KEY_RECEIVE_TIME", OrderingKey::ReceiveTime),
    (proto::OrderingKey::QueueTime as i32, "ORDERING_KEY_QUEUE_TIME", OrderingKey::QueueTime),
];

pub(super) const DUPLICATE_ACTIONS: Words<DuplicateAction> = &[
    (proto::DuplicateAction::Allow as i32, "DUPLICATE_ACTION_ALLOW", DuplicateAction::Allow),
    (proto::DuplicateAction::Refuse as i32, "DUPLICATE_ACTION_REFUSE", DuplicateAction::Refuse),
];

pub(super) const DUPLICATE_COMPARISONS: Words<DuplicateComparison> = &[
    (
        proto::DuplicateComparison::SubjectAndBody as i32,
        "DUPLICATE_COMPARISON_SUBJECT_AND_BODY",
        DuplicateComparison::SubjectAndBody,
    ),
    (proto::DuplicateComparison::Body as i32, "DUPLICATE_COMPARISON_BODY", DuplicateComparison::Body),
];

pub(super) const NUMBER_ASSIGNMENTS: Words<NumberAssignment> = &[
    (proto::NumberAssignment::Submission as i32, "NUMBER_ASSIGNMENT_SUBMISSION", NumberAssignment::Submission),
    (proto::NumberAssignment::Claim as i32, "NUMBER_ASSIGNMENT_CLAIM", NumberAssignment::Claim),
];

pub(super) const ASSIGNMENTS: Words<Assignment> = &[
    (proto::Assignment::Keep as i32, "ASSIGNMENT_KEEP", Assignment::Keep),
    (proto::Assignment::Actor as i32, "ASSIGNMENT_ACTOR", Assignment::Actor),
    (proto::Assignment::Nobody as i32, "ASSIGNMENT_NOBODY", Assignment::Nobody),
];

/// The usual place has no word of its own: it is what is meant where none is given.
pub(super) const QUEUE_PLACES: Words<QueuePlace> = &[
    (proto::QueuePlace::Keep as i32, "QUEUE_PLACE_KEEP", QueuePlace::Keep),
    (proto::QueuePlace::Last as i32, "QUEUE_PLACE_LAST", QueuePlace::Last),
];

pub(super) const RECIPIENTS: Words<Recipient> = &[
    (proto::NotificationRecipient::Assignee as i32, "NOTIFICATION_RECIPIENT_ASSIGNEE", Recipient::Assignee),
    (proto::NotificationRecipient::Queue as i32, "NOTIFICATION_RECIPIENT_QUEUE", Recipient::Queue),
    (proto::NotificationRecipient::Requester as i32, "NOTIFICATION_RECIPIENT_REQUESTER", Recipient::Requester),
    (proto::NotificationRecipient::Field as i32, "NOTIFICATION_RECIPIENT_FIELD", Recipient::Field),
];

pub(super) const LINK_KINDS: Words<LinkKind> = &[
    (proto::LinkKind::Parent as i32, "LINK_KIND_PARENT", LinkKind::Parent),
    (proto::LinkKind::Child as i32, "LINK_KIND_CHILD", LinkKind::Child),
    (proto::LinkKind::Original as i32, "LINK_KIND_ORIGINAL", LinkKind::Original),
    (proto::LinkKind::Duplicate as i32, "LINK_KIND_DUPLICATE", LinkKind::Duplicate),
    (proto::LinkKind::Related as i32, "LINK_KIND_RELATED", LinkKind::Related),
];

pub(super) const EMPTY_REPLY_POLICIES: Words<EmptyReplyPolicy> = &[
    (proto::EmptyReplyPolicy::Refuse as i32, "EMPTY_REPLY_POLICY_REFUSE", EmptyReplyPolicy::Refuse),
    (proto::EmptyReplyPolicy::Claim as i32, "EMPTY_REPLY_POLICY_CLAIM", EmptyReplyPolicy::Claim),
];

pub(super) const TRANSFER_PLACEMENTS: Words<TransferPlacement> = &[
    (proto::TransferPlacement::Requeue as i32, "TRANSFER_PLACEMENT_REQUEUE", TransferPlacement::Requeue),
    (proto::TransferPlacement::KeepPlace as i32, "TRANSFER_PLACEMENT_KEEP_PLACE", TransferPlacement::KeepPlace),
];

pub(super) const ESCALATION_MODES: Words<EscalationMode> = &[
    (proto::EscalationMode::Move as i32, "ESCALATION_MODE_MOVE", EscalationMode::Move),
    (proto::EscalationMode::Child as i32, "ESCALATION_MODE_CHILD", EscalationMode::Child),
];
