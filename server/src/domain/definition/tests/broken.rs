use super::spec::{GuardSpec, NumberPolicySpec};
use super::*;

/// One of everything that can be wrong, reported at once.
#[test]
fn everything_wrong_is_reported_at_once() {
    let mut broken = spec();
    broken.display_name = "x".repeat(201);
    broken.statuses[1].id = "Open".to_owned();
    broken.statuses[2].requester_reply = ReplyPolicy::Refuse;
    broken.statuses.push(status("new", State::Active, WaitsOn::Staff));
    broken.statuses.push(status("island", State::Waiting, WaitsOn::Requester));
    broken.initial_status = "start".to_owned();
    broken.transitions[0].to = "opne".to_owned();
    broken.transitions[0].roles = vec![Role::Requester, Role::Service, Role::Agent];
    broken.transitions[1].from = vec!["new".to_owned(), "new".to_owned(), "gone".to_owned()];
    broken.transitions[1].guards = vec![
        GuardSpec { expression: "ticket.fields.nope == '' && ticket.status == 'opne'".to_owned(), message: " ".to_owned() },
        GuardSpec { expression: "ticket.solution".to_owned(), message: "a\0b".to_owned() },
    ];
    broken.transitions.push(transition("close", &[], "", Trigger::Manual));
    broken.fields[0].default_value = "refill".to_owned();
    broken.fields[1].choices.push(ChoiceSpec { value: "bali/denpasar".to_owned(), ..ChoiceSpec::default() });
    broken.fields[1].choices.push(ChoiceSpec { value: "java//x".to_owned(), ..ChoiceSpec::default() });
    broken.fields[2].choices = broken.fields[0].choices.clone();
    broken.fields.push(FieldSpec { retired: true, required_when: "true".to_owned(), ..field("a-b", FieldType::Choice, &[]) });
    broken.priorities.push(priority("high"));
    broken.default_priority = "top".to_owned();
    broken.queues[1].ordering = vec![OrderingKey::QueueTime, OrderingKey::Priority, OrderingKey::QueueTime];
    broken.queues.push(QueueSpec { retired: true, ..queue("old", &[]) });
    broken.routing = vec![
        rule("ticket.fields.type == 'ordre'", "old", ""),
        rule("ticket.state == 'done' || actor.role == 'boss'", "orders", "urgent"),
        rule("", "", ""),
        rule("ticket.priority.matches('.*')", "nowhere", ""),
    ];
    broken.default_queue = String::new();
    broken.number_policy = NumberPolicySpec { format: "T-{number:8}".to_owned(), ..NumberPolicySpec::default() };
    insta::assert_snapshot!(lines(&Definition::check(broken).unwrap_err()), @"");
}

#[test]
fn an_empty_definition_is_told_what_it_needs() {
    insta::assert_snapshot!(lines(&Definition::check(DefinitionSpec::default()).unwrap_err()), @"");
}

#[test]
fn cases_do_not_get_lost_or_stuck() {
    let mut spec = spec();
    spec.transitions = vec![
        transition("stay", &["new"], "new", Trigger::Manual),
        transition("hop", &["open"], "closed", Trigger::Claim),
    ];
    insta::assert_snapshot!(lines(&Definition::check(spec).unwrap_err()), @"");
}

/// Old tickets still stand in a retired status: it need not be reached, but it must be left.
#[test]
fn a_retired_status_keeps_its_way_out() {
    let mut kept = spec();
    kept.statuses.push(StatusSpec { retired: true, ..status("old", State::Active, WaitsOn::Staff) });
    kept.transitions.push(transition("leave_old", &["old"], "open", Trigger::Manual));
    assert!(Definition::check(kept.clone()).is_ok());
    kept.transitions.pop();
    kept.transitions[2].to = "old".to_owned();
    insta::assert_snapshot!(lines(&Definition::check(kept).unwrap_err()), @"");
}

#[test]
fn there_is_a_limit_to_everything() {
    let many = |count: usize| (0..count).map(|n| format!("x{n}"));
    let mut spec = spec();
    spec.statuses.extend(many(200).map(|id| StatusSpec { retired: true, ..status(&id, State::Closed, WaitsOn::Nobody) }));
    spec.transitions.extend(many(500).map(|id| transition(&id, &["new"], "open", Trigger::Manual)));
    spec.fields.extend(many(200).map(|id| field(&id, FieldType::Text, &[])));
    spec.fields[0].choices.extend(many(2_000).map(|value| ChoiceSpec { value, ..ChoiceSpec::default() }));
    spec.priorities.extend(many(50).map(|id| priority(&id)));
    spec.queues.extend(many(500).map(|id| queue(&id, &[])));
    spec.routing.extend(many(500).map(|_| rule("true", "desk", "")));
    spec.statuses[2].requester_reply_message = "x".repeat(1_001);
    insta::assert_snapshot!(lines(&Definition::check(spec).unwrap_err()), @"");
}
