use proptest::prelude::*;

use super::*;
use crate::domain::upload::AttachmentTotals;
use crate::domain::{LastMove, LastReply, Link, LinkKind, More, ReplyKind, ReplySummary};

fn holds(source: &str) -> bool {
    let mut ticket = ticket();
    ticket.fields.insert("type".to_owned(), "order".to_owned());
    let actor = actor(Role::Agent);
    let condition = Condition::compile(source).unwrap_or_else(|wrong| panic!("{source}: {wrong}"));
    condition.holds(&Facts::new(&ticket, &actor))
}

#[test]
fn conditions_see_the_ticket_and_the_actor() {
    for source in [
        "true",
        "ticket.fields.type == 'order'",
        "ticket.fields.missing == ''",
        "has(ticket.fields.type) && !has(ticket.fields.missing)",
        "has(ticket.subject) && !has(ticket.solution) && !has(ticket.cc) && has(ticket.tags) && has(actor.role)",
        "ticket.state == 'new' && ticket.status in ['new', 'open']",
        "'vip' in ticket.tags && !('x' in ticket.tags)",
        "size(ticket.tags) == 2 && ticket.cc.size() == 0 && size(ticket.number) == 0",
        "ticket.subject.startsWith('Pesanan') && ticket.requester.endsWith('.com') && ticket.subject.contains('belum')",
        "ticket.reply_count == 4 && ticket.staff_reply_count == 2 && ticket.requester_reply_count == 1 && ticket.note_count == 1",
        "actor.role == 'agent' && actor.subject == 'somebody@example.com' && actor.on_behalf_of == ''",
        "(ticket.channel == 'web' ? ticket.requester : '') + '!' == 'customer@example.com!'",
        "ticket.staff_reply_count + 2 > 3 || 1 / 0 == 1",
        "int('9') < 100 && int('-7') + 7 == 0 && int('9223372036854775807') > 0 && (int('') > 0 || true)",
    ] {
        assert!(holds(source), "{source}");
    }
}

#[test]
fn conditions_see_what_few_tickets_have() {
    let mut ticket = ticket();
    let actor = actor(Role::Supervisor);
    let empty = [
        "ticket.last_reply_role == '' && !has(ticket.last_reply_time) && !ticket.last_reply_solves",
        "ticket.last_transition == '' && !has(ticket.last_transition_by) && !has(ticket.read_time)",
        "!has(ticket.child_count) && ticket.parent_count + ticket.original_count + ticket.related_count == 0",
    ];
    let holds = |source: &str, ticket: &Ticket| {
        let condition = Condition::compile(source).unwrap_or_else(|wrong| panic!("{source}: {wrong}"));
        condition.holds(&Facts::new(ticket, &actor))
    };
    for source in empty {
        assert!(holds(source, &ticket), "{source}");
    }
    let link = |kind, ticket| Link { kind, ticket, same_requester: false };
    ticket.more = More {
        links: vec![link(LinkKind::Child, 2), link(LinkKind::Child, 3), link(LinkKind::Duplicate, 4)],
        hand_placed: false,
        read_time: Some(1_700_000_001_000_000),
        last_reply: Some(LastReply { role: Role::Agent, time: 1_700_000_002_000_000, solves: true }),
        last_move: Some(LastMove {
            transition: "answer".to_owned(),
            by: "budi@example.com".to_owned(),
            role: Role::Agent,
        }),
        last_canned_response: "closing".to_owned(),
        attachments: AttachmentTotals::default(),
        ..More::default()
    };
    for source in [
        "ticket.last_canned_response == 'closing' && has(ticket.last_canned_response)",
        "ticket.child_count == 2 && ticket.duplicate_count == 1 && ticket.related_count == 0 && has(ticket.child_count)",
        "ticket.last_reply_role == 'agent' && ticket.last_reply_solves && has(ticket.last_reply_solves)",
        "ticket.read_time == '2023-11-14T22:13:21.000000Z' && ticket.read_time > ticket.receive_time",
        "ticket.last_reply_time > ticket.read_time && ticket.close_time == '' && has(ticket.queue_time)",
        "ticket.last_transition == 'answer' && ticket.last_transition_role == 'agent'",
        "ticket.last_transition_by != actor.subject && ticket.last_transition_by == 'budi@example.com'",
    ] {
        assert!(holds(source, &ticket), "{source}");
    }
    for source in empty {
        assert!(!holds(source, &ticket), "{source}");
    }
}

#[test]
fn rules_for_replies_see_the_reply() {
    let (ticket, actor) = (ticket(), actor(Role::Agent));
    let reply = ReplySummary::new(ReplyKind::Public, "See\nhttps://example.com", "Water", "");
    let facts = Facts::of_reply(&ticket, &actor, &reply);
    for source in [
        "reply.kind == 'public' && reply.words == 1 && reply.links == 1 && reply.lines == 2 && reply.characters == 23",
        "has(reply.solution) && reply.solution == 'Water' && !has(reply.transition)",
        "reply.words < 2 && ticket.status == 'new' && actor.role == 'agent'",
    ] {
        assert!(Condition::compile(source).unwrap().holds(&facts), "{source}");
        assert!(!Condition::compile(source).unwrap().holds(&Facts::new(&ticket, &actor)), "{source}");
    }
}

#[test]
fn what_cannot_be_evaluated_does_not_hold() {
    for source in [
        "1 / (ticket.note_count - 1) == 0",
        "9223372036854775807 + ticket.note_count > 0",
        "1 % 0 == 0",
        "int('') < 1",
        "!(int('x') == 0)",
        "int(ticket.fields.missing) < 1",
    ] {
        assert!(!holds(source), "{source}");
    }
}

#[test]
fn a_condition_knows_what_it_reads() {
    let condition = Condition::compile(
        "has(ticket.fields.a) || ticket.status in ['x', 'y'] || actor.role != 'z' || ticket.fields.b.contains('q') || 'w' == ticket.status",
    )
    .unwrap();
    assert_eq!(condition.paths().collect::<Vec<_>>(), ["actor.role", "fields.a", "fields.b", "status"]);
    let compared: Vec<String> =
        condition.comparisons().iter().map(|compared| format!("{}={}", compared.path, compared.text)).collect();
    assert_eq!(compared, ["status=x", "status=y", "actor.role=z", "status=w"]);
}

#[test]
fn what_is_no_condition_is_told_what_would_be_right() {
    let told: Vec<String> = [
        "",
        "ticket.status ==",
        "status == 'new'",
        "ticket",
        "ticket.fields",
        "ticket.statuz == 'new'",
        "ticket.fields.a.b == ''",
        "actor.name == ''",
        "ticket.subject",
        "ticket.reply_count == '0'",
        "ticket.tags.contains('x')",
        "ticket.tags == ['x']",
        "ticket.fields['a'] == ''",
        "ticket.tags.exists(t, t == 'x')",
        "ticket.subject.matches('a+')",
        "now() > 1",
        "ticket.solution == null",
        "ticket.fields.a == 1.5",
        "{'a': 1}.a == 1",
        "1 in [1, 'a']",
        "ticket.?subject == ''",
        "has(ticket.fields)",
        "ticket.status == 'new' && 'x'",
        "ticket.fields.price > 100",
        "int(ticket.reply_count) > 1",
    ]
    .into_iter()
    .map(|source| format!("> {source}\n{}", Condition::compile(source).unwrap_err()))
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    > 
    the expression is empty: write a CEL condition, such as ticket.solution != ''
    > ticket.status ==
    the expression does not compile: line 1, column 17: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}
    > status == 'new'
    there is no variable `status`: valid are ticket, actor and, in rules for replies, reply; texts are written in quotes
    > ticket
    `ticket` is not a value: name one of its members, as in ticket.subject
    > ticket.fields
    `ticket.fields` is not a value: write ticket.fields.name
    > ticket.statuz == 'new'
    `ticket` has no `statuz`: valid are requester, subject, channel, priority, status, state, queue, assignee, solution, number, last_canned_response, tags, cc, reply_count, staff_reply_count, requester_reply_count, note_count, receive_time, queue_time, first_reply_time, read_time, close_time, last_reply_time, last_reply_role, last_reply_solves, last_transition, last_transition_by, last_transition_role, parent_count, child_count, original_count, duplicate_count, related_count, fields
    > ticket.fields.a.b == ''
    `.b` is asked of something without members: write ticket.…, ticket.fields.… or actor.…
    > actor.name == ''
    `actor` has no `name`: valid are role, subject, on_behalf_of
    > ticket.subject
    the expression gives a text: write a condition, such as ticket.solution != ''
    > ticket.reply_count == '0'
    `==` does not take a whole number and a text: compare values of the same kind; values of fields are texts, written in quotes
    > ticket.tags.contains('x')
    `contains` does not take a list of texts and a text: it asks a text; of a list, ask 'x' in ticket.tags
    > ticket.tags == ['x']
    `==` does not take a list of texts and a list of texts: compare values of the same kind; values of fields are texts, written in quotes
    > ticket.fields['a'] == ''
    looking up with [ ] is not available: write ticket.fields.name, or 'x' in ticket.tags
    > ticket.tags.exists(t, t == 'x')
    all, exists, exists_one, map and filter are not available: write 'x' in ticket.tags to look into a list
    > ticket.subject.matches('a+')
    there is no function `matches` here: valid are int, size, contains, startsWith, endsWith, has, in and the operators
    > now() > 1
    there is no function `now` here: valid are int, size, contains, startsWith, endsWith, has, in and the operators
    > ticket.solution == null
    null is not available: what has no value reads as ''
    > ticket.fields.a == 1.5
    only texts, whole numbers, true and false can be written
    > {'a': 1}.a == 1
    `.a` is asked of something without members: write ticket.…, ticket.fields.… or actor.…
    > 1 in [1, 'a']
    a list holds different kinds of values: write texts only, or numbers only
    > ticket.?subject == ''
    the expression does not compile: line 1, column 7: unsupported syntax '.?'
    > has(ticket.fields)
    `ticket.fields` is not a value: write ticket.fields.name
    > ticket.status == 'new' && 'x'
    `&&` does not take true or false and a text
    > ticket.fields.price > 100
    `>` does not take a text and a whole number: of a field that holds a number, ask int(ticket.fields.name)
    > int(ticket.reply_count) > 1
    `int` does not take a whole number
    ");
}

/// A deep expression would overflow the stack of whoever walks it, which no test could catch: the process would end.
#[test]
fn size_and_depth_are_bounded() {
    let long = format!("ticket.subject == '{}'", "x".repeat(1_024));
    assert_eq!(Condition::compile(&long).unwrap_err(), "the expression has 1044 bytes: at most 1024 are taken");
    let fill = |open: &str, close: &str| {
        let count = 1_000 / (open.len() + close.len());
        format!("{}true{}", open.repeat(count), close.repeat(count))
    };
    let deep = [
        fill("(", ")"),
        fill("!", ""),
        fill("-", ""),
        fill("[", "]"),
        fill("{1:", "}"),
        fill("size(", ")"),
        fill("[", "].size()"),
        fill("true?", ":true"),
        fill("true?true:", ""),
        fill("true&&", ""),
        fill("true&&(", ")"),
        fill("1+", ""),
        fill("1==", ""),
        fill("", ".a"),
        fill("", "[0]"),
        fill("", ".f()"),
        fill("f(", ""),
        fill("[1].all(x,", ")"),
        fill("'", ""),
        fill("a?", ""),
        fill("a[", ""),
    ];
    for source in deep {
        // Whether it is refused or short enough after all, it comes back.
        let _ =
            Condition::compile(&source).map(|condition| condition.holds(&Facts::new(&ticket(), &actor(Role::Agent))));
    }
    let chain = |terms: usize| vec!["ticket.note_count"; terms].join("+") + " > 0";
    assert!(Condition::compile(&chain(20)).is_ok());
    assert_eq!(
        Condition::compile(&chain(40)).unwrap_err(),
        "the expression is nested more than 32 levels deep: make it simpler"
    );
}

proptest! {
    /// Whatever is written, compiling ends with a condition or a sentence.
    #[test]
    fn compiling_never_fails_otherwise(words in proptest::collection::vec(proptest::sample::select(vec![
        "ticket", ".", "fields", "a", "status", "(", ")", "[", "]", "{", "}", "==", "&&", "||", "!", "-", "'x'", "1", "in",
        "has", "size", "?", ":", ",", "+", "actor.role", "ticket.subject", "true", "\"", "\\", "\n", "é", "//",
    ]), 0..24)) {
        let source = words.join("");
        if let Ok(condition) = Condition::compile(&source) {
            condition.holds(&Facts::new(&ticket(), &actor(Role::Requester)));
        }
    }
}
