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
        GuardSpec {
            expression: "ticket.fields.nope == '' && ticket.status == 'opne'".to_owned(),
            message: " ".to_owned(),
        },
        GuardSpec { expression: "ticket.solution".to_owned(), message: "a\0b".to_owned() },
    ];
    broken.transitions.push(transition("close", &[], "", Trigger::Manual));
    broken.fields[0].default_value = "refill".to_owned();
    broken.fields[1].choices.push(ChoiceSpec { value: "bali/denpasar".to_owned(), ..ChoiceSpec::default() });
    broken.fields[1].choices.push(ChoiceSpec { value: "java//x".to_owned(), ..ChoiceSpec::default() });
    broken.fields[2].choices = broken.fields[0].choices.clone();
    broken.fields.push(FieldSpec {
        retired: true,
        required_when: "true".to_owned(),
        set_when: "ticket.fields.nope == ''".to_owned(),
        ..field("a-b", FieldType::Choice, &[])
    });
    broken.priorities.push(priority("high"));
    broken.priorities[0].description = "x".repeat(501);
    broken.default_priority = "top".to_owned();
    broken.priority_set_by = vec![Role::Agent, Role::Agent];
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
    insta::assert_snapshot!(lines(&Definition::check(broken).unwrap_err()), @r#"
    display_name: has 201 characters: at most 200 are taken
    statuses[1].id: "Open" is no id: write at most 63 of a-z, digits, _ and -, beginning with a letter
    statuses[3].id: "new" is also the id of statuses[0]: each status needs its own
    initial_status: there is no status "start": valid are `new`, `Open`, `closed` or `island`
    statuses[2].requester_reply_message: is required, as `closed` refuses replies: tell the requester which way is open instead
    transitions[3].id: "close" is also the id of transitions[1]: each transition needs its own
    transitions[0].to: there is no status "opne": valid are `new`, `Open`, `closed` or `island`
    transitions[0].roles[0]: an AGENT_REPLY never comes from the role `requester`: valid are `agent`, `supervisor` or `admin`
    transitions[0].roles[1]: an AGENT_REPLY never comes from the role `service`: valid are `agent`, `supervisor` or `admin`
    transitions[1].from[2]: there is no status "gone": valid are `new`, `Open`, `closed` or `island`
    transitions[1].from[1]: `new` is given twice: leave one out
    transitions[1].guards[0].message: is required: tell who is refused what would be right
    transitions[1].guards[0].expression: there is no field "nope": valid are `type`, `place` or `order_id`
    transitions[1].guards[0].expression: status is compared with "opne": there is no status "opne": valid are `new`, `Open`, `closed` or `island`
    transitions[1].guards[1].message: contains the character U+0000: leave it out
    transitions[1].guards[1].expression: the expression gives a text: write a condition, such as ticket.solution != '' (in "ticket.solution")
    transitions[3].from: is empty: name the statuses it leads from
    transitions[3].to: is required: valid are `new`, `Open`, `closed` or `island`
    fields[3].id: "a-b" is no id: write at most 63 of a-z, digits and _, beginning with a letter
    fields[0].default_value: "refill" is none of the choices: valid are `order` or `deposit`
    fields[1].choices[2].value: "bali/denpasar" has no parent: list "bali" too
    fields[1].choices[3].value: "java//x" is no path: write its steps joined by single slashes, as in a/b
    fields[2].choices: a field of type text has no choices: leave them out, or make it a choice
    fields[3].choices: a choice needs at least one choice that is not retired
    fields[3].required_when: `a-b` is retired and takes no new values, so it cannot be required: leave it out
    fields[3].set_when: there is no field "nope": valid are `type`, `place` or `order_id`
    priorities[2].id: "high" is also the id of priorities[0]: each priority needs its own
    default_priority: there is no priority "top": valid are `high` or `normal`
    priority_set_by[1]: `agent` is given twice: leave one out
    priorities[0].description: has 501 characters: at most 500 are taken
    default_queue: is required: valid are `desk` or `orders`
    queues[1].ordering[2]: `QUEUE_TIME` is given twice: leave one out
    queues[1].ordering[0]: `QUEUE_TIME` leaves nothing to order by after it: a time comes last
    routing[0].queue: the queue `old` is retired and takes nothing new: valid are `desk` or `orders`
    routing[0].when: fields.type is compared with "ordre": there is no choice "ordre": valid are `order` or `deposit`
    routing[1].priority: there is no priority "urgent": valid are `high` or `normal`
    routing[1].when: there is no state "done": valid are `new`, `active`, `waiting`, `solved` or `closed`
    routing[1].when: there is no role "boss": valid are `requester`, `agent`, `supervisor`, `service` or `admin`
    routing[2]: gives neither a queue nor a priority: name one of them
    routing[3].queue: there is no queue "nowhere": valid are `desk` or `orders`
    routing[3].when: there is no function `matches` here: valid are int, size, contains, startsWith, endsWith, has, in and the operators (in "ticket.priority.matches('.*')")
    number_policy.format: `T-{number:8}` is no format of a number: write at most 64 printable characters with exactly one `{number}` or, padded with zeros to a width of 2 to 12, `{number:08}`
    statuses[1]: no transition leaves `Open`, where a case would be stuck: add a transition from it, or give it STATE_CLOSED
    statuses[4]: no transition leaves `island`, where a case would be stuck: add a transition from it, or give it STATE_CLOSED
    transitions[2].from[0]: `closed` refuses the requester's replies, which would set it off: leave it out, or let the status take replies
    "#);
}

#[test]
fn an_empty_definition_is_told_what_it_needs() {
    insta::assert_snapshot!(lines(&Definition::check(DefinitionSpec::default()).unwrap_err()), @r#"
    statuses: there is none: a ticket needs at least one status to stand in
    queues: there is none: a ticket needs at least one queue to wait in
    "#);
}

#[test]
fn cases_do_not_get_lost_or_stuck() {
    let mut spec = spec();
    spec.transitions = vec![
        transition("stay", &["new"], "new", Trigger::Manual),
        transition("hop", &["open"], "closed", Trigger::Claim),
    ];
    insta::assert_snapshot!(lines(&Definition::check(spec).unwrap_err()), @r#"
    statuses[0]: no transition leaves `new`, where a case would be stuck: add a transition from it, or give it STATE_CLOSED
    statuses[1]: `open` cannot be reached from the initial status: add a transition that leads there, or mark it `retired`
    statuses[2]: `closed` cannot be reached from the initial status: add a transition that leads there, or mark it `retired`
    "#);
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
    insta::assert_snapshot!(lines(&Definition::check(kept).unwrap_err()), @r#"
    transitions[2].to: the status `old` is retired and takes nothing new: valid are `new`, `open` or `closed`
    statuses[3]: no transition leaves `old`, where a case would be stuck: add a transition from it, or give it STATE_CLOSED
    "#);
}

#[test]
fn there_is_a_limit_to_everything() {
    let many = |count: usize| (0..count).map(|n| format!("x{n}"));
    let mut spec = spec();
    spec.statuses
        .extend(many(200).map(|id| StatusSpec { retired: true, ..status(&id, State::Closed, WaitsOn::Nobody) }));
    spec.transitions.extend(many(500).map(|id| transition(&id, &["new"], "open", Trigger::Manual)));
    spec.fields.extend(many(200).map(|id| field(&id, FieldType::Text, &[])));
    spec.fields[0].choices.extend(many(2_000).map(|value| ChoiceSpec { value, ..ChoiceSpec::default() }));
    spec.priorities.extend(many(50).map(|id| priority(&id)));
    spec.queues.extend(many(500).map(|id| queue(&id, &[])));
    spec.routing.extend(many(500).map(|_| rule("true", "desk", "")));
    spec.statuses[2].requester_reply_message = "x".repeat(1_001);
    insta::assert_snapshot!(lines(&Definition::check(spec).unwrap_err()), @r#"
    statuses: there are 203: at most 200 are taken
    transitions: there are 503: at most 500 are taken
    fields: there are 203: at most 200 are taken
    priorities: there are 52: at most 50 are taken
    queues: there are 502: at most 500 are taken
    routing: there are 503: at most 500 are taken
    fields[0].choices: there are 2002: at most 2000 are taken
    "#);
}

/// Each part may be as large as it may be, and the whole still is not.
#[test]
fn there_is_a_limit_to_all_expressions_together() {
    let mut spec = spec();
    let guard = GuardSpec { expression: "true".to_owned(), message: "No.".to_owned() };
    spec.transitions.extend((0..50).map(|n| TransitionSpec {
        guards: vec![guard.clone(); 50],
        ..transition(&format!("x{n}"), &["new"], "open", Trigger::Manual)
    }));
    insta::assert_snapshot!(lines(&Definition::check(spec).unwrap_err()), @"transitions: guards, `required_when`, `set_when`, routing and `reply_rules` have 2503 expressions together: at most 2000 are taken");
}
