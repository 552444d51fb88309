//! Definitions whose parts are right and whose whole is not.

use super::spec::{EffectsSpec, GuardSpec, NotificationSpec, ReplyRuleSpec};
use super::*;

fn told(spec: DefinitionSpec) -> String {
    lines(&Definition::check(spec).unwrap_err())
}

fn guard(expression: &str) -> GuardSpec {
    GuardSpec { expression: expression.to_owned(), message: "No.".to_owned() }
}

fn rule_for(expression: &str) -> ReplyRuleSpec {
    ReplyRuleSpec { expression: expression.to_owned(), message: "No.".to_owned(), roles: Vec::new() }
}

fn notice(recipient: Recipient, field: &str, message: &str) -> NotificationSpec {
    NotificationSpec { recipient, field: field.to_owned(), message: message.to_owned() }
}

#[test]
fn effects_name_what_there_is_and_do_not_undo_each_other() {
    let mut broken = spec();
    broken.fields.push(FieldSpec { required_when: "true".to_owned(), ..field("always", FieldType::Text, &[]) });
    broken.fields.push(FieldSpec { retired: true, ..field("old", FieldType::Text, &[]) });
    broken.queues.push(QueueSpec { retired: true, ..queue("attic", &[]) });
    broken.transitions.push(transition("take", &["new"], "open", Trigger::Claim));
    let values = [("nope", "x"), ("type", "ordre"), ("always", ""), ("old", "x"), ("order_id", "1")];
    broken.transitions[1].effects = EffectsSpec {
        fields: values.map(|(id, value)| (id.to_owned(), value.to_owned())).into(),
        priority: "top".to_owned(),
        queue: "attic".to_owned(),
        route: true,
        assign: Assignment::Nobody,
        notifications: vec![
            notice(Recipient::Assignee, "", "Look."),
            notice(Recipient::Field, "nope", "Look."),
            notice(Recipient::Field, "", "Look."),
            notice(Recipient::Queue, "type", " "),
        ],
        ..EffectsSpec::default()
    };
    broken.transitions[2].effects.assign = Assignment::Actor;
    broken.transitions[3].effects.assign = Assignment::Nobody;
    insta::assert_snapshot!(told(broken), @"");
}

#[test]
fn effects_are_kept_in_the_form_of_their_fields() {
    let mut spec = spec();
    spec.fields.push(field("due", FieldType::Timestamp, &[]));
    let due = ("due".to_owned(), "2026-03-31T09:00:00+07:00".to_owned());
    spec.transitions[0].effects.fields = [due, ("order_id".to_owned(), String::new())].into();
    let definition = Definition::check(spec).unwrap();
    let kept = &definition.transition("answer").unwrap().effects.fields;
    let kept: Vec<_> = kept.iter().map(|(id, value)| (id.as_str(), value.as_str())).collect();
    assert_eq!(kept, [("due", "2026-03-31T02:00:00.000000Z"), ("order_id", "")]);
}

#[test]
fn policies_can_be_met() {
    let mut broken = spec();
    broken.empty_reply = EmptyReplyPolicy::Claim;
    broken.mandatory_cc = ["boss@example.com", "boss", "Boss@Example.com "].map(str::to_owned).into();
    broken.reply_rules = vec![
        rule_for("reply.words > 3"),
        rule_for("1 > 2"),
        rule_for("reply.kind == 'letter' || reply.transition == 'clsoe'"),
        rule_for("reply.body != ''"),
        ReplyRuleSpec { roles: vec![Role::Agent, Role::Agent], ..ReplyRuleSpec::default() },
    ];
    broken.transitions[1].guards = vec![guard("reply.words > 3")];
    insta::assert_snapshot!(told(broken), @"");
    let mut right = spec();
    right.mandatory_cc = vec![" Boss@Example.com".to_owned(), "a@example.com".to_owned()];
    right.reply_rules = vec![rule_for("reply.words > 3")];
    let right = Definition::check(right).unwrap();
    assert_eq!(right.mandatory_cc(), ["a@example.com", "boss@example.com"]);
    assert_eq!(right.reply_rules()[0].roles, [Role::Agent, Role::Supervisor, Role::Admin]);
}

#[test]
fn every_guard_can_be_satisfied() {
    let with = |guards: &[&str]| {
        let mut spec = spec();
        spec.fields.push(FieldSpec { retired: true, ..field("old", FieldType::Text, &[]) });
        spec.fields.push(field("sure", FieldType::Boolean, &[]));
        spec.fields.push(FieldSpec {
            staff_only: true,
            set_by: vec![Role::Requester],
            ..field("theirs", FieldType::Text, &[])
        });
        spec.transitions[1].guards = guards.iter().map(|source| guard(source)).collect();
        Definition::check(spec)
    };
    for guards in [
        &["ticket.status == 'new' || ticket.solution != ''"][..],
        &[
            "ticket.fields.sure == 'true' && ticket.fields.type in ['order', 'deposit']",
            "ticket.fields.type != 'order'",
        ],
        &[
            "!has(ticket.fields.old)",
            "ticket.fields.old == ''",
            "!(ticket.fields.old == 'x' && has(ticket.fields.type))",
        ],
        &["ticket.assignee == actor.subject", "actor.role != 'requester'", "ticket.state == 'new'"],
        &["ticket.last_transition == 'answer'", "ticket.last_transition_by != actor.subject"],
        &["ticket.solution != ''", "ticket.solution != 'x'"],
    ] {
        assert!(with(guards).is_ok(), "{guards:?}: {}", lines(&with(guards).unwrap_err()));
    }
    let wrong: Vec<String> = [
        &["false"][..],
        &["1 + 1 == 3"],
        &["ticket.fields.old == 'x'"],
        &["has(ticket.fields.theirs)"],
        &["ticket.fields.type == 'order'", "ticket.solution != ''", "ticket.fields.type == 'deposit'"],
        &["has(ticket.solution) && ticket.solution == ''"],
        &["ticket.status == 'closed'"],
        &["ticket.state in ['closed', 'solved']"],
        &["actor.role == 'requester'"],
        &["ticket.fields.sure != 'true' && ticket.fields.sure != 'false' && has(ticket.fields.sure)"],
        &["ticket.fields.sure == 'yes'"],
        &["ticket.last_reply_role == 'boss'"],
    ]
    .into_iter()
    .map(|guards| format!("> {}\n{}", guards.join(" & "), lines(&with(guards).unwrap_err())))
    .collect();
    insta::assert_snapshot!(wrong.join("\n"), @"");
}

#[test]
fn of_two_defaults_one_is_meant() {
    let mut twice = spec();
    twice.routing.push(rule("", "orders", "high"));
    twice.routing.push(rule("ticket.channel == 'phone'", "orders", ""));
    twice.transitions.push(transition("answer_again", &["new", "open"], "open", Trigger::AgentReply));
    twice.transitions.push(TransitionSpec {
        roles: vec![Role::Agent],
        ..transition("answer_too", &["new"], "closed", Trigger::AgentReply)
    });
    insta::assert_snapshot!(told(twice), @"");
    // The same queue twice is one default, and what has guards or others' roles may give way to the next.
    let mut once = spec();
    once.routing.push(rule("", "desk", "normal"));
    once.transitions.insert(
        0,
        TransitionSpec {
            guards: vec![guard("ticket.staff_reply_count == 1")],
            ..transition("first", &["new"], "open", Trigger::AgentReply)
        },
    );
    once.transitions.insert(
        0,
        TransitionSpec { roles: vec![Role::Supervisor], ..transition("chief", &["new"], "open", Trigger::AgentReply) },
    );
    assert!(Definition::check(once).is_ok());
}

#[test]
fn what_is_refused_sets_nothing_off() {
    let mut spec = spec();
    spec.statuses[2].requester_reply = ReplyPolicy::Refuse;
    spec.statuses[2].requester_reply_message = "It is over.".to_owned();
    insta::assert_snapshot!(told(spec), @"");
}

#[test]
fn there_is_a_limit_to_policies_and_effects() {
    let mut spec = spec();
    spec.mandatory_cc = (0..11).map(|n| format!("{n}@example.com")).collect();
    spec.reply_rules = vec![rule_for("true"); 51];
    spec.transitions[0].effects.notifications = vec![notice(Recipient::Queue, "", "Look."); 11];
    insta::assert_snapshot!(told(spec), @"");
}
