//! A definition between its message, in which it is stored and sent, and the domain.
//!
//! Whole messages are taken apart, so that a new field does not compile until somebody has decided what it means.

use loket::v1 as proto;
use prost::Message;

use super::StoreError;

use crate::domain::definition::spec::{
    ChoiceSpec, EscalationSpec, FieldSpec, GuardSpec, NumberPolicySpec, PrioritySpec, QueueSpec, RoutingRuleSpec,
    StatusSpec, TransferPolicySpec, TransitionSpec,
};
use crate::domain::definition::{
    Definition, DefinitionSpec, EscalationMode, FieldType, NumberAssignment, OrderingKey, ReplyPolicy,
    TransferPlacement, Trigger, WaitsOn,
};
use crate::domain::{Role, State, Violation};

/// Encodes a definition for its row.
pub fn encode(spec: &DefinitionSpec) -> Vec<u8> {
    spec_to_proto(spec).encode_to_vec()
}

/// Decodes what [`encode`] encoded.
pub fn decode(bytes: &[u8]) -> Result<DefinitionSpec, StoreError> {
    let message =
        proto::Helpdesk::decode(bytes).map_err(|error| StoreError::Corrupt(format!("a definition: {error}")))?;
    match spec_from_proto(&message) {
        (spec, violations) if violations.is_empty() => Ok(spec),
        (_, violations) => Err(StoreError::Corrupt(format!("a definition: {violations:?}"))),
    }
}

/// Reads and checks a definition.
///
/// # Errors
///
/// Everything that is wrong with it, with paths within the message.
pub fn definition_from_proto(helpdesk: &proto::Helpdesk) -> Result<Definition, Vec<Violation>> {
    let (spec, mut violations) = spec_from_proto(helpdesk);
    match Definition::check(spec) {
        Ok(definition) if violations.is_empty() => Ok(definition),
        Ok(_) => Err(violations),
        Err(more) => {
            violations.extend(more);
            Err(violations)
        }
    }
}

/// Reads a definition without checking it. The violations are of enums that are not given or not known; what stands for
/// them in the spec is chosen so that it gives no further offence.
pub fn spec_from_proto(helpdesk: &proto::Helpdesk) -> (DefinitionSpec, Vec<Violation>) {
    let proto::Helpdesk {
        name: _,
        display_name,
        statuses,
        initial_status,
        transitions,
        fields,
        priorities,
        default_priority,
        queues,
        routing,
        default_queue,
        number_policy,
        definition_version: _,
        revision: _,
        etag: _,
        create_time: _,
        update_time: _,
        transfer_policy,
        escalations,
    } = helpdesk;
    let mut reader = Reader { violations: Vec::new() };
    let number_policy =
        number_policy.as_ref().map_or_else(NumberPolicySpec::default, |policy| reader.number_policy(policy));
    let transfer_policy =
        transfer_policy.as_ref().map_or_else(TransferPolicySpec::default, |policy| reader.transfer_policy(policy));
    let spec = DefinitionSpec {
        display_name: display_name.clone(),
        statuses: numbered(statuses, |place, status| reader.status(place, status)),
        initial_status: initial_status.clone(),
        transitions: numbered(transitions, |place, transition| reader.transition(place, transition)),
        fields: numbered(fields, |place, field| reader.field(place, field)),
        priorities: numbered(priorities, |_, priority| priority_spec(priority)),
        default_priority: default_priority.clone(),
        queues: numbered(queues, |place, queue| reader.queue(place, queue)),
        routing: numbered(routing, |_, rule| routing_rule(rule)),
        default_queue: default_queue.clone(),
        number_policy,
        transfer_policy,
        escalations: numbered(escalations, |place, escalation| reader.escalation(place, escalation)),
    };
    (spec, reader.violations)
}

fn numbered<T, S>(items: &[T], mut read: impl FnMut(usize, &T) -> S) -> Vec<S> {
    items.iter().enumerate().map(|(place, item)| read(place, item)).collect()
}

struct Reader {
    violations: Vec<Violation>,
}

impl Reader {
    fn status(&mut self, place: usize, status: &proto::StatusDefinition) -> StatusSpec {
        let proto::StatusDefinition {
            id,
            display_name,
            state,
            waits_on,
            requester_reply,
            requester_reply_message,
            retired,
        } = status;
        let at = |part: &str| format!("statuses[{place}].{part}");
        let state = self.given(at("state"), *state, STATES);
        let waits_on = self.given(at("waits_on"), *waits_on, TURNS);
        StatusSpec {
            id: id.clone(),
            display_name: display_name.clone(),
            state: state.unwrap_or(State::Closed),
            // A closed status waits on nobody, also where it only stands for one that is not known.
            waits_on: waits_on.filter(|_| state.is_some()).unwrap_or(WaitsOn::Nobody),
            requester_reply: self.or_default(at("requester_reply"), *requester_reply, REPLY_POLICIES),
            requester_reply_message: requester_reply_message.clone(),
            retired: *retired,
        }
    }

    fn transition(&mut self, place: usize, transition: &proto::TransitionDefinition) -> TransitionSpec {
        let proto::TransitionDefinition { id, display_name, from, to, trigger, roles, guards } = transition;
        let at = |part: &str| format!("transitions[{place}].{part}");
        TransitionSpec {
            id: id.clone(),
            display_name: display_name.clone(),
            from: from.clone(),
            to: to.clone(),
            trigger: self.given(at("trigger"), *trigger, TRIGGERS).unwrap_or(Trigger::Manual),
            roles: self.list(&at("roles"), roles, ROLES),
            guards: numbered(guards, |_, guard| guard_spec(guard)),
        }
    }

    fn field(&mut self, place: usize, field: &proto::FieldDefinition) -> FieldSpec {
        let proto::FieldDefinition {
            id,
            display_name,
            r#type,
            choices,
            default_value,
            required_when,
            set_by,
            indexed,
            staff_only,
            retired,
        } = field;
        let at = |part: &str| format!("fields[{place}].{part}");
        let instead = if choices.is_empty() { FieldType::Text } else { FieldType::Choice };
        FieldSpec {
            id: id.clone(),
            display_name: display_name.clone(),
            field_type: self.given(at("type"), *r#type, FIELD_TYPES).unwrap_or(instead),
            choices: numbered(choices, |_, choice| {
                let proto::FieldChoice { value, display_name, retired } = choice;
                ChoiceSpec { value: value.clone(), display_name: display_name.clone(), retired: *retired }
            }),
            default_value: default_value.clone(),
            required_when: required_when.clone(),
            set_by: self.list(&at("set_by"), set_by, ROLES),
            indexed: *indexed,
            staff_only: *staff_only,
            retired: *retired,
        }
    }

    fn queue(&mut self, place: usize, queue: &proto::QueueDefinition) -> QueueSpec {
        let proto::QueueDefinition { id, display_name, ordering, retired, skill_field, transfers_to } = queue;
        QueueSpec {
            id: id.clone(),
            display_name: display_name.clone(),
            ordering: self.list(&format!("queues[{place}].ordering"), ordering, ORDERING_KEYS),
            retired: *retired,
            skill_field: skill_field.clone(),
            transfers_to: transfers_to.clone(),
        }
    }

    fn number_policy(&mut self, policy: &proto::NumberPolicy) -> NumberPolicySpec {
        let proto::NumberPolicy { assigned_on, format } = policy;
        let assigned_on = self.or_default("number_policy.assigned_on".to_owned(), *assigned_on, NUMBER_ASSIGNMENTS);
        NumberPolicySpec { assigned_on, format: format.clone() }
    }

    fn transfer_policy(&mut self, policy: &proto::TransferPolicy) -> TransferPolicySpec {
        let proto::TransferPolicy { placement, roles, claimed_only, keep_assignee } = policy;
        TransferPolicySpec {
            placement: self.or_default("transfer_policy.placement".to_owned(), *placement, TRANSFER_PLACEMENTS),
            roles: self.list("transfer_policy.roles", roles, ROLES),
            claimed_only: *claimed_only,
            keep_assignee: *keep_assignee,
        }
    }

    fn escalation(&mut self, place: usize, escalation: &proto::EscalationDefinition) -> EscalationSpec {
        let proto::EscalationDefinition { id, display_name, mode, queues, from_queues, from_statuses, roles, guards } =
            escalation;
        let at = |part: &str| format!("escalations[{place}].{part}");
        EscalationSpec {
            id: id.clone(),
            display_name: display_name.clone(),
            mode: self.given(at("mode"), *mode, ESCALATION_MODES).unwrap_or(EscalationMode::Child),
            queues: queues.clone(),
            from_queues: from_queues.clone(),
            from_statuses: from_statuses.clone(),
            roles: self.list(&at("roles"), roles, ROLES),
            guards: numbered(guards, |_, guard| guard_spec(guard)),
        }
    }

    /// An enum that must be given.
    fn given<T: Copy>(&mut self, path: String, number: i32, words: Words<T>) -> Option<T> {
        let found = words.iter().find(|(known, _, _)| *known == number).map(|(_, _, value)| *value);
        if found.is_none() {
            let valid: Vec<&str> = words.iter().map(|(_, word, _)| *word).collect();
            let wrong = if number == 0 { "is required".to_owned() } else { format!("there is no value {number}") };
            self.violations.push(Violation::new(path, format!("{wrong}: valid are {}", valid.join(", "))));
        }
        found
    }

    /// An enum that has a default.
    fn or_default<T: Copy + Default>(&mut self, path: String, number: i32, words: Words<T>) -> T {
        if number == 0 { T::default() } else { self.given(path, number, words).unwrap_or_default() }
    }

    fn list<T: Copy>(&mut self, path: &str, numbers: &[i32], words: Words<T>) -> Vec<T> {
        let read = |(place, number): (usize, &i32)| self.given(format!("{path}[{place}]"), *number, words);
        numbers.iter().enumerate().filter_map(read).collect()
    }
}

fn guard_spec(guard: &proto::Guard) -> GuardSpec {
    let proto::Guard { expression, message } = guard;
    GuardSpec { expression: expression.clone(), message: message.clone() }
}

fn priority_spec(priority: &proto::PriorityDefinition) -> PrioritySpec {
    let proto::PriorityDefinition { id, display_name, retired } = priority;
    PrioritySpec { id: id.clone(), display_name: display_name.clone(), retired: *retired }
}

fn routing_rule(rule: &proto::RoutingRule) -> RoutingRuleSpec {
    let proto::RoutingRule { when, queue, priority } = rule;
    RoutingRuleSpec { when: when.clone(), queue: queue.clone(), priority: priority.clone() }
}

/// The message of a definition; its name, version, revision, etag and times are the caller's to fill in.
pub fn spec_to_proto(spec: &DefinitionSpec) -> proto::Helpdesk {
    let DefinitionSpec {
        display_name,
        statuses,
        initial_status,
        transitions,
        fields,
        priorities,
        default_priority,
        queues,
        routing,
        default_queue,
        number_policy,
        transfer_policy,
        escalations,
    } = spec;
    proto::Helpdesk {
        name: String::new(),
        display_name: display_name.clone(),
        statuses: statuses.iter().map(status_to_proto).collect(),
        initial_status: initial_status.clone(),
        transitions: transitions.iter().map(transition_to_proto).collect(),
        fields: fields.iter().map(field_to_proto).collect(),
        priorities: priorities.iter().map(priority_to_proto).collect(),
        default_priority: default_priority.clone(),
        queues: queues.iter().map(queue_to_proto).collect(),
        routing: routing.iter().map(rule_to_proto).collect(),
        default_queue: default_queue.clone(),
        number_policy: Some(number_policy_to_proto(number_policy)),
        definition_version: 0,
        revision: 0,
        etag: String::new(),
        create_time: None,
        update_time: None,
        transfer_policy: transfer_policy_to_proto(transfer_policy),
        escalations: escalations.iter().map(escalation_to_proto).collect(),
    }
}

fn status_to_proto(spec: &StatusSpec) -> proto::StatusDefinition {
    let StatusSpec { id, display_name, state, waits_on, requester_reply, requester_reply_message, retired } = spec;
    proto::StatusDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        state: number(*state, STATES),
        waits_on: number(*waits_on, TURNS),
        requester_reply: number(*requester_reply, REPLY_POLICIES),
        requester_reply_message: requester_reply_message.clone(),
        retired: *retired,
    }
}

fn transition_to_proto(spec: &TransitionSpec) -> proto::TransitionDefinition {
    let TransitionSpec { id, display_name, from, to, trigger, roles, guards } = spec;
    proto::TransitionDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        from: from.clone(),
        to: to.clone(),
        trigger: number(*trigger, TRIGGERS),
        roles: roles.iter().map(|role| number(*role, ROLES)).collect(),
        guards: guards.iter().map(guard_to_proto).collect(),
    }
}

fn guard_to_proto(spec: &GuardSpec) -> proto::Guard {
    let GuardSpec { expression, message } = spec;
    proto::Guard { expression: expression.clone(), message: message.clone() }
}

fn field_to_proto(spec: &FieldSpec) -> proto::FieldDefinition {
    let FieldSpec {
        id,
        display_name,
        field_type,
        choices,
        default_value,
        required_when,
        set_by,
        indexed,
        staff_only,
        retired,
    } = spec;
    let choice = |choice: &ChoiceSpec| {
        let ChoiceSpec { value, display_name, retired } = choice;
        proto::FieldChoice { value: value.clone(), display_name: display_name.clone(), retired: *retired }
    };
    proto::FieldDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        r#type: number(*field_type, FIELD_TYPES),
        choices: choices.iter().map(choice).collect(),
        default_value: default_value.clone(),
        required_when: required_when.clone(),
        set_by: set_by.iter().map(|role| number(*role, ROLES)).collect(),
        indexed: *indexed,
        staff_only: *staff_only,
        retired: *retired,
    }
}

fn priority_to_proto(spec: &PrioritySpec) -> proto::PriorityDefinition {
    let PrioritySpec { id, display_name, retired } = spec;
    proto::PriorityDefinition { id: id.clone(), display_name: display_name.clone(), retired: *retired }
}

fn queue_to_proto(spec: &QueueSpec) -> proto::QueueDefinition {
    let QueueSpec { id, display_name, ordering, retired, skill_field, transfers_to } = spec;
    proto::QueueDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        ordering: ordering.iter().map(|key| number(*key, ORDERING_KEYS)).collect(),
        retired: *retired,
        skill_field: skill_field.clone(),
        transfers_to: transfers_to.clone(),
    }
}

fn rule_to_proto(spec: &RoutingRuleSpec) -> proto::RoutingRule {
    let RoutingRuleSpec { when, queue, priority } = spec;
    proto::RoutingRule { when: when.clone(), queue: queue.clone(), priority: priority.clone() }
}

fn number_policy_to_proto(spec: &NumberPolicySpec) -> proto::NumberPolicy {
    let NumberPolicySpec { assigned_on, format } = spec;
    proto::NumberPolicy { assigned_on: number(*assigned_on, NUMBER_ASSIGNMENTS), format: format.clone() }
}

/// Where nothing was written, nothing is shown.
fn transfer_policy_to_proto(spec: &TransferPolicySpec) -> Option<proto::TransferPolicy> {
    let TransferPolicySpec { placement, roles, claimed_only, keep_assignee } = spec;
    (*spec != TransferPolicySpec::default()).then(|| proto::TransferPolicy {
        placement: number(*placement, TRANSFER_PLACEMENTS),
        roles: roles.iter().map(|role| number(*role, ROLES)).collect(),
        claimed_only: *claimed_only,
        keep_assignee: *keep_assignee,
    })
}

fn escalation_to_proto(spec: &EscalationSpec) -> proto::EscalationDefinition {
    let EscalationSpec { id, display_name, mode, queues, from_queues, from_statuses, roles, guards } = spec;
    proto::EscalationDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        mode: number(*mode, ESCALATION_MODES),
        queues: queues.clone(),
        from_queues: from_queues.clone(),
        from_statuses: from_statuses.clone(),
        roles: roles.iter().map(|role| number(*role, ROLES)).collect(),
        guards: guards.iter().map(guard_to_proto).collect(),
    }
}

/// The number on the wire, the word in YAML and the value here. One table for both directions.
type Words<T> = &'static [(i32, &'static str, T)];

/// A test finds every value in its table.
fn number<T: Copy + PartialEq>(value: T, words: Words<T>) -> i32 {
    words.iter().find(|(_, _, known)| *known == value).map_or(0, |(number, _, _)| *number)
}

const STATES: Words<State> = &[
    (proto::State::New as i32, "STATE_NEW", State::New),
    (proto::State::Active as i32, "STATE_ACTIVE", State::Active),
    (proto::State::Waiting as i32, "STATE_WAITING", State::Waiting),
    (proto::State::Solved as i32, "STATE_SOLVED", State::Solved),
    (proto::State::Closed as i32, "STATE_CLOSED", State::Closed),
];

const TURNS: Words<WaitsOn> = &[
    (proto::WaitsOn::Staff as i32, "WAITS_ON_STAFF", WaitsOn::Staff),
    (proto::WaitsOn::Requester as i32, "WAITS_ON_REQUESTER", WaitsOn::Requester),
    (proto::WaitsOn::Nobody as i32, "WAITS_ON_NOBODY", WaitsOn::Nobody),
];

const REPLY_POLICIES: Words<ReplyPolicy> = &[
    (proto::ReplyPolicy::Allow as i32, "REPLY_POLICY_ALLOW", ReplyPolicy::Allow),
    (proto::ReplyPolicy::Warn as i32, "REPLY_POLICY_WARN", ReplyPolicy::Warn),
    (proto::ReplyPolicy::Refuse as i32, "REPLY_POLICY_REFUSE", ReplyPolicy::Refuse),
];

const TRIGGERS: Words<Trigger> = &[
    (proto::TransitionTrigger::Manual as i32, "TRANSITION_TRIGGER_MANUAL", Trigger::Manual),
    (proto::TransitionTrigger::AgentReply as i32, "TRANSITION_TRIGGER_AGENT_REPLY", Trigger::AgentReply),
    (proto::TransitionTrigger::RequesterReply as i32, "TRANSITION_TRIGGER_REQUESTER_REPLY", Trigger::RequesterReply),
    (proto::TransitionTrigger::Claim as i32, "TRANSITION_TRIGGER_CLAIM", Trigger::Claim),
];

const ROLES: Words<Role> = &[
    (proto::Role::Requester as i32, "ROLE_REQUESTER", Role::Requester),
    (proto::Role::Agent as i32, "ROLE_AGENT", Role::Agent),
    (proto::Role::Supervisor as i32, "ROLE_SUPERVISOR", Role::Supervisor),
    (proto::Role::Service as i32, "ROLE_SERVICE", Role::Service),
    (proto::Role::Admin as i32, "ROLE_ADMIN", Role::Admin),
];

const FIELD_TYPES: Words<FieldType> = &[
    (proto::FieldType::Text as i32, "FIELD_TYPE_TEXT", FieldType::Text),
    (proto::FieldType::Integer as i32, "FIELD_TYPE_INTEGER", FieldType::Integer),
    (proto::FieldType::Boolean as i32, "FIELD_TYPE_BOOLEAN", FieldType::Boolean),
    (proto::FieldType::Date as i32, "FIELD_TYPE_DATE", FieldType::Date),
    (proto::FieldType::Timestamp as i32, "FIELD_TYPE_TIMESTAMP", FieldType::Timestamp),
    (proto::FieldType::Choice as i32, "FIELD_TYPE_CHOICE", FieldType::Choice),
    (proto::FieldType::Tree as i32, "FIELD_TYPE_TREE", FieldType::Tree),
];

const ORDERING_KEYS: Words<OrderingKey> = &[
    (proto::OrderingKey::Priority as i32, "ORDERING_KEY_PRIORITY", OrderingKey::Priority),
    (proto::OrderingKey::ReceiveTime as i32, "ORDERING_KEY_RECEIVE_TIME", OrderingKey::ReceiveTime),
    (proto::OrderingKey::QueueTime as i32, "ORDERING_KEY_QUEUE_TIME", OrderingKey::QueueTime),
];

const NUMBER_ASSIGNMENTS: Words<NumberAssignment> = &[
    (proto::NumberAssignment::Submission as i32, "NUMBER_ASSIGNMENT_SUBMISSION", NumberAssignment::Submission),
    (proto::NumberAssignment::Claim as i32, "NUMBER_ASSIGNMENT_CLAIM", NumberAssignment::Claim),
];

const TRANSFER_PLACEMENTS: Words<TransferPlacement> = &[
    (proto::TransferPlacement::Requeue as i32, "TRANSFER_PLACEMENT_REQUEUE", TransferPlacement::Requeue),
    (proto::TransferPlacement::KeepPlace as i32, "TRANSFER_PLACEMENT_KEEP_PLACE", TransferPlacement::KeepPlace),
];

const ESCALATION_MODES: Words<EscalationMode> = &[
    (proto::EscalationMode::Move as i32, "ESCALATION_MODE_MOVE", EscalationMode::Move),
    (proto::EscalationMode::Child as i32, "ESCALATION_MODE_CHILD", EscalationMode::Child),
];

#[cfg(test)]
mod tests;
