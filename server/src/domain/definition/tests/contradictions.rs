//! Definitions whose parts are right and whose whole is not.

use super::spec::{EffectsSpec, EscalationSpec, GuardSpec, NotificationSpec, ReplyRuleSpec};
use super::*;
use crate::domain::LinkKind;

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
    insta::assert_snapshot!(told(broken), @r#"
    transitions[1].effects.priority: there is no priority "top": valid are `high` or `normal`
    transitions[1].effects.queue: the queue `attic` is retired and takes nothing new: valid are `desk` or `orders`
    transitions[1].effects.queue: puts it into `attic`, and `route` where the rules lead: leave one out
    transitions[1].effects.fields.always: is emptied here and always required, so that the transition is never possible: leave it out
    transitions[1].effects.fields.nope: there is no field "nope": valid are `type`, `place`, `order_id` or `always`
    transitions[1].effects.fields.old: the field `old` is retired and takes no new values: leave it out
    transitions[1].effects.fields.type: "ordre" is none of the choices: valid are `order` or `deposit`
    transitions[1].effects.notifications[1].field: there is no field "nope": valid are `type`, `place`, `order_id` or `always`
    transitions[1].effects.notifications[2].field: is required: valid are `type`, `place`, `order_id` or `always`
    transitions[1].effects.notifications[3].message: is required: say what there is to know
    transitions[1].effects.notifications[3].field: names whom to tell only with NOTIFICATION_RECIPIENT_FIELD: leave it out
    transitions[2].effects.assign: gives the ticket to who takes the transition, and a requester may take it: leave the role out, or write ASSIGNMENT_NOBODY or ASSIGNMENT_KEEP
    transitions[3].effects.assign: contradicts the claim, which gives the ticket to who claims it: leave it out
    "#);
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
fn policies_that_cannot_be_met_are_refused() {
    let mut broken = spec();
    broken.mandatory_cc = ["boss@example.com", "boss", "Boss@Example.com "].map(str::to_owned).into();
    broken.reply_rules = vec![
        rule_for("reply.words > 3"),
        rule_for("1 > 2"),
        rule_for("reply.kind == 'letter' || reply.transition == 'clsoe'"),
        rule_for("reply.body != ''"),
        ReplyRuleSpec { roles: vec![Role::Agent, Role::Agent], ..ReplyRuleSpec::default() },
    ];
    broken.transitions[1].guards = vec![guard("reply.words > 3")];
    insta::assert_snapshot!(told(broken), @r#"
    transitions[1].guards[0].expression: `reply.words` is known to `reply_rules` only: look at ticket.last_reply_… here
    mandatory_cc[1]: "boss" is not an e-mail address, such as customer@example.com
    mandatory_cc[2]: `boss@example.com` is given twice: leave one out
    reply_rules[1].expression: never holds, so that nobody could reply: look at the reply
    reply_rules[2].expression: there is no kind of reply "letter": valid are `public` or `note`
    reply_rules[2].expression: reply.transition is compared with "clsoe": there is no transition "clsoe": valid are `answer`, `close` or `reopen`
    reply_rules[3].expression: `reply` has no `body`: valid are kind, words, links, lines, characters, solution, transition (in "reply.body != ''")
    reply_rules[4].roles[1]: `agent` is given twice: leave one out
    reply_rules[4].message: is required: tell the author what would be right
    reply_rules[4].expression: the expression is empty: write a CEL condition, such as ticket.solution != '' (in "")
    "#);
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
        // Old tickets keep the values of a retired field, and an admin sets every field.
        &["ticket.fields.old == 'x'", "has(ticket.fields.old)"],
        &["has(ticket.fields.theirs)"],
    ] {
        assert!(with(guards).is_ok(), "{guards:?}: {}", lines(&with(guards).unwrap_err()));
    }
    let wrong: Vec<String> = [
        &["false"][..],
        &["1 + 1 == 3"],
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
    insta::assert_snapshot!(wrong.join("\n"), @r#"
    > false
    transitions[1].guards[0].expression: never holds, so that the transition is never possible: look at the ticket
    > 1 + 1 == 3
    transitions[1].guards[0].expression: never holds, so that the transition is never possible: look at the ticket
    > ticket.fields.type == 'order' & ticket.solution != '' & ticket.fields.type == 'deposit'
    transitions[1].guards[2].expression: no ticket can pass: fields.type must be "deposit", and here it can only be "order"
    > has(ticket.solution) && ticket.solution == ''
    transitions[1].guards[0].expression: no ticket can pass: solution must be "", and another condition asks that it is not ""
    > ticket.status == 'closed'
    transitions[1].guards[0].expression: no ticket can pass: status must be "closed", and here it can only be "new" or "open"
    > ticket.state in ['closed', 'solved']
    transitions[1].guards[0].expression: no ticket can pass: state must be "closed" or "solved", and here it can only be "new" or "active"
    > actor.role == 'requester'
    transitions[1].guards[0].expression: no ticket can pass: actor.role must be "requester", and here it can only be "agent" or "supervisor" or "service" or "admin"
    > ticket.fields.sure != 'true' && ticket.fields.sure != 'false' && has(ticket.fields.sure)
    transitions[1].guards[0].expression: no ticket can pass: fields.sure must not be "", and here it can only be ""
    > ticket.fields.sure == 'yes'
    transitions[1].guards[0].expression: fields.sure is compared with "yes": "yes" is not a boolean: write true or false
    > ticket.last_reply_role == 'boss'
    transitions[1].guards[0].expression: there is no role "boss": valid are `requester`, `agent`, `supervisor`, `service` or `admin`
    "#);
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
    insta::assert_snapshot!(told(twice), @r"
    routing[3].queue: takes every ticket to `orders`, and `default_queue` is `desk`: there are two defaults, leave the rule out
    routing[4]: is never tried: routing[3] takes every ticket
    routing[3].priority: gives every ticket `high`, and `default_priority` is `normal`: there are two defaults, leave one out
    transitions[3].from[0]: `answer` always comes before `answer_again` from `new`, having no guards: give that one guards, or leave this status out
    transitions[4].from[0]: `answer` always comes before `answer_too` from `new`, having no guards: give that one guards, or leave this status out
    ");
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
fn a_default_is_one_only_for_what_comes_to_it() {
    // Those that the first rule takes have the default priority, and all others the second's.
    let mut both = spec();
    both.routing = vec![rule("ticket.channel == 'bulk'", "orders", ""), rule("", "", "high")];
    assert!(Definition::check(both.clone()).is_ok());
    both.routing[0].priority = "high".to_owned();
    insta::assert_snapshot!(told(both), @"routing[1].priority: gives every ticket `high`, and `default_priority` is `normal`: there are two defaults, leave one out");
    // The first objects while the field is empty, which the second fills.
    let mut filled = spec();
    filled.fields.push(FieldSpec {
        required_when: "ticket.status == 'open'".to_owned(),
        ..field("reason", FieldType::Text, &[])
    });
    let mut fills = transition("fills", &["new", "open"], "open", Trigger::AgentReply);
    fills.effects.fields = [("reason".to_owned(), "auto".to_owned())].into();
    filled.transitions.push(fills.clone());
    assert!(Definition::check(filled.clone()).is_ok());
    filled.transitions.push(TransitionSpec { id: "fills_too".to_owned(), from: vec!["open".to_owned()], ..fills });
    insta::assert_snapshot!(told(filled), @"transitions[4].from[0]: `fills` always comes before `fills_too` from `open`, having no guards: give that one guards, or leave this status out");
    // What cannot be linked objects too.
    let mut links = spec();
    links.fields.push(field("see", FieldType::Text, &[]));
    let mut attach = transition("attach", &["new"], "open", Trigger::Note);
    attach.effects.link = Some(LinkEffect { kind: LinkKind::Related, field: "see".to_owned() });
    links.transitions.extend([attach, transition("plain", &["new"], "open", Trigger::Note)]);
    assert!(Definition::check(links).is_ok());
}

/// It was applied when nobody looked for them, and helpdesks go on with it.
#[test]
fn a_definition_in_force_may_contradict_itself() {
    let mut old = spec();
    old.routing.push(rule("", "orders", "high"));
    old.statuses[2].requester_reply = ReplyPolicy::Refuse;
    old.statuses[2].requester_reply_message = "It is over.".to_owned();
    old.fields.push(field("count", FieldType::Integer, &[]));
    old.transitions[1].guards = vec![guard("ticket.fields.count == '07'"), guard("false")];
    old.reply_rules = vec![rule_for("1 > 2")];
    assert!(Definition::check(old.clone()).is_err());
    assert!(Definition::stored(old.clone()).is_ok());
    old.transitions[1].to = "nowhere".to_owned();
    insta::assert_snapshot!(lines(&Definition::stored(old).unwrap_err()), @r#"
    transitions[1].to: there is no status "nowhere": valid are `new`, `open` or `closed`
    statuses[2]: `closed` cannot be reached from the initial status: add a transition that leads there, or mark it `retired`
    "#);
}

/// An update that has nothing to do with it is taken, and one that makes it worse is told of that alone.
#[test]
fn what_contradicts_itself_already_stands_in_nobodys_way() {
    let fields = |wrong: &[Violation]| wrong.iter().map(|wrong| wrong.field.clone()).collect::<Vec<_>>();
    let mut old = spec();
    old.transitions[1].guards = vec![guard("false")];
    old.reply_rules = vec![rule_for("1 > 2")];
    let old = Definition::stored(old).unwrap();
    assert_eq!(fields(old.contradictions()), ["reply_rules[0].expression", "transitions[1].guards[0].expression"]);
    let renamed = DefinitionSpec { display_name: "Renamed".to_owned(), ..old.spec().clone() };
    let renamed = old.amend(renamed).unwrap();
    assert_eq!(renamed.contradictions(), old.contradictions());
    // Also where it moves to another place.
    let mut moved = renamed.spec().clone();
    moved.transitions.insert(0, transition("first", &["new"], "new", Trigger::Manual));
    let moved = renamed.amend(moved).unwrap();
    assert_eq!(fields(moved.contradictions()), ["reply_rules[0].expression", "transitions[2].guards[0].expression"]);
    // What is new is refused, be it one more of the same kind.
    let mut worse = moved.spec().clone();
    worse.reply_rules.push(rule_for("2 > 3"));
    worse.transitions[3].guards = vec![guard("ticket.status == 'open'")];
    let wrong = moved.amend(worse).unwrap_err();
    assert_eq!(fields(&wrong), ["reply_rules[1].expression", "transitions[3].guards[0].expression"]);
    // What cannot be worked with is refused anyway.
    let mut broken = moved.spec().clone();
    "nowhere".clone_into(&mut broken.transitions[2].to);
    let wrong = fields(&moved.amend(broken).unwrap_err());
    assert!(wrong.contains(&"transitions[2].to".to_owned()), "{wrong:?}");
    assert!(!wrong.contains(&"reply_rules[0].expression".to_owned()), "{wrong:?}");
    // Mended, it is as good as new.
    let mut mended = moved.spec().clone();
    mended.transitions[2].guards.clear();
    mended.reply_rules.clear();
    assert_eq!(moved.amend(mended).unwrap().contradictions(), []);
}

/// The largest that is taken: who applies it holds up everybody while it is checked.
#[test]
fn a_check_compares_nothing_with_everything() {
    let mut spec = spec();
    let wide = || (0..190).map(|n| format!("s{n}"));
    spec.statuses.extend(wide().map(|id| status(&id, State::Active, WaitsOn::Staff)));
    let from: Vec<String> = wide().chain(["new".to_owned(), "open".to_owned()]).collect();
    spec.fields
        .push(FieldSpec { required_when: "ticket.solution == 'x'".to_owned(), ..field("f", FieldType::Text, &[]) });
    let choices = (0..1_900).map(|n| ChoiceSpec { value: format!("c{n}"), ..ChoiceSpec::default() });
    spec.fields.push(FieldSpec { choices: choices.collect(), ..field("many", FieldType::Choice, &[]) });
    spec.transitions.extend((0..490).map(|n| TransitionSpec {
        from: from.clone(),
        guards: vec![guard("has(ticket.fields.many) && ticket.fields.many != 'c1'")],
        ..transition(&format!("t{n}"), &[], &format!("s{}", n % 190), Trigger::AgentReply)
    }));
    // Each is checked against the one before it, and none of them comes before any other.
    for (n, transition) in spec.transitions.iter_mut().skip(3).enumerate().filter(|(n, _)| n % 2 == 0) {
        transition.guards.clear();
        transition.effects.fields = [("f".to_owned(), format!("{n}"))].into();
    }
    assert!(Definition::check(spec).is_ok());
}

#[test]
fn what_is_refused_sets_nothing_off() {
    let mut spec = spec();
    spec.statuses[2].requester_reply = ReplyPolicy::Refuse;
    spec.statuses[2].requester_reply_message = "It is over.".to_owned();
    insta::assert_snapshot!(told(spec), @"transitions[2].from[0]: `closed` refuses the requester's replies, which would set it off: leave it out, or let the status take replies");
}

#[test]
fn there_is_a_limit_to_policies_and_effects() {
    let mut spec = spec();
    spec.mandatory_cc = (0..11).map(|n| format!("{n}@example.com")).collect();
    spec.reply_rules = vec![rule_for("true"); 51];
    spec.transitions[0].effects.notifications = vec![notice(Recipient::Queue, "", "Look."); 11];
    insta::assert_snapshot!(told(spec), @r"
    mandatory_cc: there are 11: at most 10 are taken
    reply_rules: there are 51: at most 50 are taken
    transitions[0].effects.notifications: there are 11: at most 10 are taken
    ");
}

#[test]
fn a_number_is_not_ordered_as_a_text() {
    let mut broken = spec();
    broken.fields.push(field("price", FieldType::Integer, &[]));
    broken.fields.push(field("due", FieldType::Date, &[]));
    broken.transitions[0].guards = vec![
        guard("ticket.fields.price > '100' && ticket.fields.due < '2026-01-01'"),
        guard("'7' <= ticket.fields.price"),
        guard("int(ticket.fields.price) > 100 && ticket.fields.price != '' && ticket.fields.price == '7'"),
    ];
    insta::assert_snapshot!(told(broken), @"
    transitions[0].guards[0].expression: fields.price is a number and is compared as a text, where 9 comes after 100: write int(ticket.fields.price) and a number
    transitions[0].guards[1].expression: fields.price is a number and is compared as a text, where 9 comes after 100: write int(ticket.fields.price) and a number
    ");
}

#[test]
fn comparisons_with_what_is_never_kept_so_are_refused() {
    let mut broken = spec();
    broken.fields.push(field("due", FieldType::Date, &[]));
    broken.transitions[0].guards = [
        "startsWith(ticket.subject, 'x')",
        "ticket.fields.order_id.int() == 7",
        "ticket.fields.due > '31.12.2026'",
        "ticket.fields.due > '2026-12-31' && '2026-12' >= ticket.fields.due && ticket.receive_time < '2026'",
        "ticket.receive_time < '2026-01-01T00:00:00+07:00'",
        "ticket.receive_time == '2026-01-01T00:00:00Z'",
        "ticket.requester == 'Dean@uni.example'",
        "ticket.requester.endsWith('@Uni.example') || 'Boss@x.example' in ticket.cc",
        "ticket.channel == 'Web'",
        "ticket.channel == 'web' && ticket.requester == 'dean@uni.example' && 'Vip' in ticket.tags",
    ]
    .map(guard)
    .into();
    insta::assert_snapshot!(told(broken), @r#"
    transitions[0].guards[0].expression: `startsWith(…, …)` never holds: write it behind the text, as in ticket.subject.startsWith('x')
    transitions[0].guards[1].expression: `….int()` never gives a number: write int(ticket.fields.name)
    transitions[0].guards[2].expression: fields.due is compared with "31.12.2026": "31.12.2026" is not a date: write YYYY-MM-DD, such as 2026-03-31
    transitions[0].guards[4].expression: receive_time is compared with "2026-01-01T00:00:00+07:00": a timestamp is kept as "2025-12-31T17:00:00.000000Z": write it so
    transitions[0].guards[5].expression: receive_time is compared with "2026-01-01T00:00:00Z": a timestamp is kept as "2026-01-01T00:00:00.000000Z": write it so
    transitions[0].guards[6].expression: requester is compared with "Dean@uni.example": an address is kept as "dean@uni.example": write it so
    transitions[0].guards[7].expression: requester is kept in lower case, and never has "@Uni.example": write "@uni.example"
    transitions[0].guards[7].expression: cc is kept in lower case, and never has "Boss@x.example": write "boss@x.example"
    transitions[0].guards[8].expression: channel is compared with "Web": it is not a channel; write it like `email` or `web-form`
    "#);
}

#[test]
fn conditions_that_can_never_hold_are_refused_wherever_they_stand() {
    let mut broken = spec();
    broken.fields.push(FieldSpec { required_when: "false".to_owned(), ..field("never", FieldType::Text, &[]) });
    broken.fields.push(FieldSpec { set_when: "1 > 2".to_owned(), ..field("nobody", FieldType::Text, &[]) });
    let later = FieldSpec {
        required_when: "true".to_owned(),
        set_when: "ticket.status == 'open'".to_owned(),
        ..field("later", FieldType::Text, &[])
    };
    broken.fields.push(FieldSpec { id: "with".to_owned(), default_value: "x".to_owned(), ..later.clone() });
    broken.fields.push(later);
    broken.routing.push(RoutingRuleSpec {
        when: "1 == 2".to_owned(),
        queue: "orders".to_owned(),
        ..RoutingRuleSpec::default()
    });
    broken.transitions[0].guards =
        ["ticket.last_reply_role == 'requester'", "has(ticket.last_reply_time)"].map(guard).into();
    broken.escalations.push(EscalationSpec {
        id: "up".to_owned(),
        display_name: String::new(),
        mode: EscalationMode::Move,
        queues: vec!["orders".to_owned()],
        from_queues: vec!["desk".to_owned()],
        from_statuses: Vec::new(),
        roles: vec![Role::Supervisor],
        guards: [
            "false",
            "ticket.status == 'closed'",
            "actor.role == 'agent'",
            "actor.role == 'admin' && ticket.queue == 'desk'",
            "ticket.queue == 'orders'",
        ]
        .map(guard)
        .into(),
    });
    insta::assert_snapshot!(told(broken), @r#"
    transitions[0].guards[0].expression: no ticket can pass: last_reply_role must be "requester", and here it can only be "agent" or "supervisor" or "admin"
    escalations[0].guards[0].expression: never holds, so that the escalation is never possible: look at the ticket
    escalations[0].guards[1].expression: no ticket can pass: status must be "closed", and here it can only be "new" or "open"
    escalations[0].guards[2].expression: no ticket can pass: actor.role must be "agent", and here it can only be "supervisor" or "admin"
    escalations[0].guards[4].expression: no ticket can pass: queue must be "orders", and here it can only be "desk"
    fields[3].required_when: never holds: leave it out, or look at the ticket
    fields[4].set_when: never holds, so that nobody may ever set it: name roles in `set_by` instead
    fields[6].set_when: holds for no new ticket, whose status is '' yet, and `required_when` asks every ticket for a value: nobody but admins could file any; give it a default value, or ask for it later
    routing[3].when: never holds: leave the rule out, or look at the ticket
    "#);
}

#[test]
fn a_rule_that_always_holds_takes_every_ticket_however_it_is_written() {
    let mut broken = spec();
    let to = |queue: &str, when: &str| RoutingRuleSpec {
        when: when.to_owned(),
        queue: queue.to_owned(),
        ..RoutingRuleSpec::default()
    };
    broken.routing = vec![to("orders", "1 < 2"), to("desk", "ticket.channel == 'web'")];
    let mut other = broken.transitions[0].clone();
    other.id = "other".to_owned();
    broken.transitions[0].guards = vec![guard("true")];
    broken.transitions.push(other);
    insta::assert_snapshot!(told(broken), @"
    routing[0].queue: takes every ticket to `orders`, and `default_queue` is `desk`: there are two defaults, leave the rule out
    routing[1]: is never tried: routing[0] takes every ticket
    transitions[3].from[0]: `answer` always comes before `other` from `new`, having guards that always hold: give that one guards, or leave this status out
    ");
}
