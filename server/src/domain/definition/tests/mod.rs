//! Tests of the definition as a whole, and what its other tests start from.

mod broken;
mod conditions;
mod contradictions;
mod fields;
pub(crate) mod generated;
mod in_use;
mod queue_keys;
mod routing;
mod work;

use std::collections::BTreeMap;

use super::spec::{
    ChoiceSpec, FieldSpec, PrioritySpec, QueueSpec, RoutingRuleSpec, StatusSpec, TransferPolicySpec, TransitionSpec,
};
use super::*;
use crate::domain::ticket::ReplyCounts;
use crate::domain::{Actor, More, Role, State, Ticket, Violation};

pub(crate) fn ticket() -> Ticket {
    Ticket {
        id: 1,
        uid: "0190b5f2-0000-7000-8000-000000000001".to_owned(),
        number: String::new(),
        requester: "customer@example.com".to_owned(),
        subject: "Pesanan belum masuk".to_owned(),
        body: "Mohon speedup".to_owned(),
        channel: "web".to_owned(),
        fields: BTreeMap::new(),
        tags: vec!["urgent".to_owned(), "vip".to_owned()],
        cc: Vec::new(),
        external_refs: Vec::new(),
        priority: String::new(),
        status: "new".to_owned(),
        state: State::New,
        queue: "desk".to_owned(),
        queue_key: String::new(),
        assignee: String::new(),
        solution: String::new(),
        receive_time: 1_700_000_000_000_000,
        queue_time: Some(1_700_000_000_000_000),
        create_time: 1_700_000_000_000_000,
        update_time: 1_700_000_000_000_000,
        first_reply_time: None,
        close_time: None,
        revision: 1,
        replies: ReplyCounts { staff: 2, requester: 1, service: 0, notes: 1 },
        more: More::default(),
    }
}

pub(crate) fn actor(role: Role) -> Actor {
    Actor { subject: "somebody@example.com".to_owned(), role, on_behalf_of: String::new() }
}

/// A small definition that is right: new -> open -> closed, two queues, two priorities, three fields.
fn spec() -> DefinitionSpec {
    DefinitionSpec {
        transfer_policy: TransferPolicySpec::default(),
        escalations: Vec::new(),
        display_name: "Desk".to_owned(),
        statuses: vec![
            status("new", State::New, WaitsOn::Staff),
            status("open", State::Active, WaitsOn::Requester),
            status("closed", State::Closed, WaitsOn::Nobody),
        ],
        initial_status: "new".to_owned(),
        transitions: vec![
            transition("answer", &["new"], "open", Trigger::AgentReply),
            transition("close", &["new", "open"], "closed", Trigger::Manual),
            transition("reopen", &["closed"], "new", Trigger::RequesterReply),
        ],
        fields: vec![
            field("type", FieldType::Choice, &["order", "deposit"]),
            field("place", FieldType::Tree, &["java", "java/bandung"]),
            field("order_id", FieldType::Text, &[]),
        ],
        priorities: vec![priority("high"), priority("normal")],
        default_priority: "normal".to_owned(),
        priority_set_by: Vec::new(),
        queues: vec![queue("desk", &[]), queue("orders", &[OrderingKey::Priority, OrderingKey::QueueTime])],
        routing: vec![
            rule("ticket.channel == 'web'", "", "high"),
            rule("ticket.fields.type == 'order'", "orders", "normal"),
            rule("has(ticket.fields.place)", "", "normal"),
        ],
        default_queue: "desk".to_owned(),
        number_policy: spec::NumberPolicySpec::default(),
        duplicate_policy: spec::DuplicatePolicySpec::default(),
        merge_policy: None,
        attachment_policy: spec::AttachmentPolicySpec::default(),
        canned_responses: Vec::new(),
        survey: None,
        identity: IdentityPolicy::Anybody,
        empty_reply: EmptyReplyPolicy::Refuse,
        mandatory_cc: Vec::new(),
        reply_rules: Vec::new(),
    }
}

fn definition() -> Definition {
    Definition::check(spec()).unwrap()
}

fn status(id: &str, state: State, waits_on: WaitsOn) -> StatusSpec {
    StatusSpec {
        id: id.to_owned(),
        display_name: String::new(),
        state,
        waits_on,
        requester_reply: ReplyPolicy::Allow,
        requester_reply_message: String::new(),
        retired: false,
    }
}

fn transition(id: &str, from: &[&str], to: &str, trigger: Trigger) -> TransitionSpec {
    TransitionSpec {
        id: id.to_owned(),
        display_name: String::new(),
        from: from.iter().map(|status| (*status).to_owned()).collect(),
        to: to.to_owned(),
        trigger,
        roles: Vec::new(),
        guards: Vec::new(),
        effects: spec::EffectsSpec::default(),
    }
}

fn field(id: &str, field_type: FieldType, choices: &[&str]) -> FieldSpec {
    let choice = |value: &&str| ChoiceSpec { value: (*value).to_owned(), ..ChoiceSpec::default() };
    FieldSpec {
        id: id.to_owned(),
        display_name: String::new(),
        field_type,
        choices: choices.iter().map(choice).collect(),
        default_value: String::new(),
        required_when: String::new(),
        set_by: Vec::new(),
        set_when: String::new(),
        indexed: false,
        staff_only: false,
        retired: false,
    }
}

fn priority(id: &str) -> PrioritySpec {
    PrioritySpec { id: id.to_owned(), ..PrioritySpec::default() }
}

fn queue(id: &str, ordering: &[OrderingKey]) -> QueueSpec {
    QueueSpec { id: id.to_owned(), ordering: ordering.to_vec(), ..QueueSpec::default() }
}

fn rule(when: &str, queue: &str, priority: &str) -> RoutingRuleSpec {
    RoutingRuleSpec { when: when.to_owned(), queue: queue.to_owned(), priority: priority.to_owned() }
}

fn lines(violations: &[Violation]) -> String {
    let lines: Vec<String> = violations.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.description)).collect();
    lines.join("\n")
}

#[test]
fn what_is_right_is_found_by_its_id() {
    let definition = definition();
    assert_eq!(definition.initial_status().id, "new");
    assert_eq!(definition.status("open").map(|status| status.state), Some(State::Active));
    assert!(definition.status("gone").is_none());
    let from_new: Vec<&str> = definition.transitions_from("new").map(|transition| transition.id.as_str()).collect();
    assert_eq!(from_new, ["answer", "close"]);
    assert_eq!(definition.transitions_from("gone").count(), 0);
    assert_eq!(definition.priority_rank("normal"), Some(1));
    assert_eq!(definition.queue("desk").map(|queue| queue.ordering.as_slice()), Some(&[OrderingKey::QueueTime][..]));
    assert!(!definition.number_on_claim());
}

#[test]
fn a_trigger_has_its_own_default_roles() {
    let definition = definition();
    let roles = |id: &str| definition.transition(id).unwrap().roles.clone();
    assert_eq!(roles("answer"), [Role::Agent, Role::Supervisor, Role::Admin]);
    assert_eq!(roles("close"), [Role::Agent, Role::Supervisor, Role::Service, Role::Admin]);
    assert_eq!(roles("reopen"), [Role::Requester]);
    assert!(!definition.transition("reopen").unwrap().permits(Role::Admin));
}

#[test]
fn numbers_are_written_as_the_policy_says() {
    let write = |format: &str| NumberFormat::parse(format).map(|format| format.write(42));
    assert_eq!(write("").as_deref(), Ok("42"));
    assert_eq!(write("T-{number:06}/x").as_deref(), Ok("T-000042/x"));
    assert_eq!(write("{number:012}").as_deref(), Ok("000000000042"));
    for wrong in [
        "x",
        "{number}{number}",
        "{number:8}",
        "{number:01}",
        "{number:013}",
        "{nummer}",
        "{",
        "}{number}",
        "{{number}}",
    ] {
        assert!(write(wrong).is_err(), "{wrong}");
    }
}
