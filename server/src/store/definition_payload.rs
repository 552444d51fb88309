//! A definition between its message, in which it is stored and sent, and the domain.
//!
//! Whole messages are taken apart, so that a new field does not compile until somebody has decided what it means.

mod contact;
mod ways;
mod words;

use loket::v1 as proto;
use prost::Message;

use self::ways::{escalation_to_proto, transfer_policy_to_proto};
use self::words::{
    ASSIGNMENTS, DUPLICATE_ACTIONS, DUPLICATE_COMPARISONS, EMPTY_REPLY_POLICIES, FIELD_TYPES, LINK_KINDS,
    NUMBER_ASSIGNMENTS, ORDERING_KEYS, QUEUE_PLACES, RECIPIENTS, REPLY_POLICIES, ROLES, STATES, TRIGGERS, TURNS, Words,
    number,
};
use super::StoreError;
use crate::domain::definition::spec::{
    AttachmentPolicySpec, ChoiceSpec, DuplicatePolicySpec, EffectsSpec, FieldSpec, GuardSpec, NotificationSpec,
    NumberPolicySpec, PrioritySpec, QueueSpec, ReplyRuleSpec, RoutingRuleSpec, StatusSpec, TransferPolicySpec,
    TransitionSpec,
};
use crate::domain::definition::{
    Definition, DefinitionSpec, FieldType, LinkEffect, MergePolicy, Recipient, Trigger, WaitsOn,
};
use crate::domain::{LinkKind, State, Violation};

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
        priority_set_by,
        queues,
        routing,
        default_queue,
        number_policy,
        duplicate_policy,
        merge_policy,
        definition_version: _,
        revision: _,
        etag: _,
        create_time: _,
        update_time: _,
        contradictions: _,
        attachment_policy,
        canned_responses,
        survey,
        identity,
        empty_reply,
        mandatory_cc,
        reply_rules,
        transfer_policy,
        escalations,
    } = helpdesk;
    let mut reader = Reader { violations: Vec::new() };
    let number_policy =
        number_policy.as_ref().map_or_else(NumberPolicySpec::default, |policy| reader.number_policy(policy));
    let duplicate_policy = duplicate_policy.as_ref().map_or_else(DuplicatePolicySpec::default, |policy| {
        let proto::DuplicatePolicy { on_create, compare } = policy;
        DuplicatePolicySpec {
            on_create: reader.or_default("duplicate_policy.on_create".to_owned(), *on_create, DUPLICATE_ACTIONS),
            compare: reader.or_default("duplicate_policy.compare".to_owned(), *compare, DUPLICATE_COMPARISONS),
        }
    });
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
        priority_set_by: reader.list("priority_set_by", priority_set_by, ROLES),
        queues: numbered(queues, |place, queue| reader.queue(place, queue)),
        routing: numbered(routing, |_, rule| routing_rule(rule)),
        default_queue: default_queue.clone(),
        number_policy,
        duplicate_policy,
        merge_policy: merge_policy.as_ref().map(|policy| {
            let proto::MergePolicy { status, across_requesters } = policy;
            MergePolicy { status: status.clone(), across_requesters: *across_requesters }
        }),
        attachment_policy: attachment_policy.as_ref().map(attachment_policy_spec).unwrap_or_default(),
        canned_responses: numbered(canned_responses, |_, canned| contact::canned_response(canned)),
        survey: survey.as_ref().map(contact::survey),
        identity: reader.or_default("identity".to_owned(), *identity, contact::IDENTITY_POLICIES),
        empty_reply: reader.or_default("empty_reply".to_owned(), *empty_reply, EMPTY_REPLY_POLICIES),
        mandatory_cc: mandatory_cc.clone(),
        reply_rules: numbered(reply_rules, |place, rule| reader.reply_rule(place, rule)),
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
        let proto::TransitionDefinition { id, display_name, from, to, trigger, roles, guards, effects } = transition;
        let at = |part: &str| format!("transitions[{place}].{part}");
        TransitionSpec {
            id: id.clone(),
            display_name: display_name.clone(),
            from: from.clone(),
            to: to.clone(),
            trigger: self.given(at("trigger"), *trigger, TRIGGERS).unwrap_or(Trigger::Manual),
            roles: self.list(&at("roles"), roles, ROLES),
            guards: numbered(guards, |_, guard| guard_spec(guard)),
            effects: effects.as_ref().map(|effects| self.effects(&at("effects"), effects)).unwrap_or_default(),
        }
    }

    fn effects(&mut self, path: &str, effects: &proto::TransitionEffects) -> EffectsSpec {
        let proto::TransitionEffects {
            fields,
            priority,
            clear_solution,
            assign,
            queue,
            route,
            queue_place,
            notifications,
            link,
        } = effects;
        EffectsSpec {
            fields: fields.clone(),
            priority: priority.clone(),
            clear_solution: *clear_solution,
            assign: self.or_default(format!("{path}.assign"), *assign, ASSIGNMENTS),
            queue: queue.clone(),
            route: *route,
            queue_place: self.or_default(format!("{path}.queue_place"), *queue_place, QUEUE_PLACES),
            notifications: numbered(notifications, |place, notification| {
                let proto::NotificationEffect { recipient, field, message } = notification;
                let path = format!("{path}.notifications[{place}].recipient");
                let instead = if field.is_empty() { Recipient::Requester } else { Recipient::Field };
                NotificationSpec {
                    recipient: self.given(path, *recipient, RECIPIENTS).unwrap_or(instead),
                    field: field.clone(),
                    message: message.clone(),
                }
            }),
            link: link.as_ref().map(|link| {
                let proto::LinkEffect { kind, field } = link;
                let kind = self.given(format!("{path}.link.kind"), *kind, LINK_KINDS).unwrap_or(LinkKind::Related);
                LinkEffect { kind, field: field.clone() }
            }),
        }
    }

    fn reply_rule(&mut self, place: usize, rule: &proto::ReplyRule) -> ReplyRuleSpec {
        let proto::ReplyRule { roles, expression, message } = rule;
        ReplyRuleSpec {
            roles: self.list(&format!("reply_rules[{place}].roles"), roles, ROLES),
            expression: expression.clone(),
            message: message.clone(),
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
            set_when,
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
            set_when: set_when.clone(),
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
    let proto::PriorityDefinition { id, display_name, retired, description } = priority;
    PrioritySpec {
        id: id.clone(),
        display_name: display_name.clone(),
        description: description.clone(),
        retired: *retired,
    }
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
        priority_set_by,
        queues,
        routing,
        default_queue,
        number_policy,
        duplicate_policy,
        merge_policy,
        attachment_policy,
        canned_responses,
        survey,
        identity,
        empty_reply,
        mandatory_cc,
        reply_rules,
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
        priority_set_by: priority_set_by.iter().map(|role| number(*role, ROLES)).collect(),
        queues: queues.iter().map(queue_to_proto).collect(),
        routing: routing.iter().map(rule_to_proto).collect(),
        default_queue: default_queue.clone(),
        number_policy: Some(number_policy_to_proto(number_policy)),
        duplicate_policy: Some(duplicate_policy_to_proto(*duplicate_policy)),
        merge_policy: merge_policy.as_ref().map(|policy| {
            let MergePolicy { status, across_requesters } = policy;
            proto::MergePolicy { status: status.clone(), across_requesters: *across_requesters }
        }),
        definition_version: 0,
        revision: 0,
        etag: String::new(),
        create_time: None,
        update_time: None,
        contradictions: Vec::new(),
        transfer_policy: transfer_policy_to_proto(transfer_policy),
        escalations: escalations.iter().map(escalation_to_proto).collect(),
        attachment_policy: attachment_policy_to_proto(attachment_policy),
        canned_responses: canned_responses.iter().map(contact::canned_response_to_proto).collect(),
        survey: survey.as_ref().map(contact::survey_to_proto),
        identity: number(*identity, contact::IDENTITY_POLICIES),
        empty_reply: number(*empty_reply, EMPTY_REPLY_POLICIES),
        mandatory_cc: mandatory_cc.clone(),
        reply_rules: reply_rules.iter().map(reply_rule_to_proto).collect(),
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
    let TransitionSpec { id, display_name, from, to, trigger, roles, guards, effects } = spec;
    proto::TransitionDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        from: from.clone(),
        to: to.clone(),
        trigger: number(*trigger, TRIGGERS),
        roles: roles.iter().map(|role| number(*role, ROLES)).collect(),
        guards: guards.iter().map(guard_to_proto).collect(),
        effects: (*effects != EffectsSpec::default()).then(|| effects_to_proto(effects)),
    }
}

/// Whether it says as much as none at all.
pub fn has_no_effect(effects: &proto::TransitionEffects) -> bool {
    *effects == effects_to_proto(&EffectsSpec::default())
}

fn effects_to_proto(spec: &EffectsSpec) -> proto::TransitionEffects {
    let EffectsSpec { fields, priority, clear_solution, assign, queue, route, queue_place, notifications, link } = spec;
    let notification = |spec: &NotificationSpec| {
        let NotificationSpec { recipient, field, message } = spec;
        proto::NotificationEffect {
            recipient: number(*recipient, RECIPIENTS),
            field: field.clone(),
            message: message.clone(),
        }
    };
    proto::TransitionEffects {
        fields: fields.clone(),
        priority: priority.clone(),
        clear_solution: *clear_solution,
        assign: number(*assign, ASSIGNMENTS),
        queue: queue.clone(),
        route: *route,
        queue_place: number(*queue_place, QUEUE_PLACES),
        notifications: notifications.iter().map(notification).collect(),
        link: link.as_ref().map(|link| {
            let LinkEffect { kind, field } = link;
            proto::LinkEffect { kind: number(*kind, LINK_KINDS), field: field.clone() }
        }),
    }
}

fn reply_rule_to_proto(spec: &ReplyRuleSpec) -> proto::ReplyRule {
    let ReplyRuleSpec { roles, expression, message } = spec;
    proto::ReplyRule {
        roles: roles.iter().map(|role| number(*role, ROLES)).collect(),
        expression: expression.clone(),
        message: message.clone(),
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
        set_when,
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
        set_when: set_when.clone(),
        indexed: *indexed,
        staff_only: *staff_only,
        retired: *retired,
    }
}

fn priority_to_proto(spec: &PrioritySpec) -> proto::PriorityDefinition {
    let PrioritySpec { id, display_name, description, retired } = spec;
    proto::PriorityDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        retired: *retired,
        description: description.clone(),
    }
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

fn duplicate_policy_to_proto(spec: DuplicatePolicySpec) -> proto::DuplicatePolicy {
    let DuplicatePolicySpec { on_create, compare } = spec;
    proto::DuplicatePolicy {
        on_create: number(on_create, DUPLICATE_ACTIONS),
        compare: number(compare, DUPLICATE_COMPARISONS),
    }
}

fn attachment_policy_spec(policy: &proto::AttachmentPolicy) -> AttachmentPolicySpec {
    let proto::AttachmentPolicy { ticket_quota_bytes, max_file_bytes, mime_types, open_upload_bytes } = policy;
    AttachmentPolicySpec {
        ticket_quota_bytes: *ticket_quota_bytes,
        max_file_bytes: *max_file_bytes,
        mime_types: mime_types.clone(),
        open_upload_bytes: *open_upload_bytes,
    }
}

/// Unset where nothing of it is said.
fn attachment_policy_to_proto(spec: &AttachmentPolicySpec) -> Option<proto::AttachmentPolicy> {
    let AttachmentPolicySpec { ticket_quota_bytes, max_file_bytes, mime_types, open_upload_bytes } = spec;
    (*spec != AttachmentPolicySpec::default()).then(|| proto::AttachmentPolicy {
        ticket_quota_bytes: *ticket_quota_bytes,
        max_file_bytes: *max_file_bytes,
        mime_types: mime_types.clone(),
        open_upload_bytes: *open_upload_bytes,
    })
}

#[cfg(test)]
mod tests;
