#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::too_many_lines, reason = "a snapshot is as long as what it shows")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::{FieldKind, Filter, MAX_BYTES, MAX_COMPARISONS, Schema};
use crate::domain::ticket::ReplyCounts;
use crate::domain::{More, State, Ticket};

struct Fields;

const FIELDS: [(&str, FieldKind); 7] = [
    ("asset", FieldKind::Text),
    ("seats", FieldKind::Integer),
    ("urgent", FieldKind::Boolean),
    ("due", FieldKind::Date),
    ("seen", FieldKind::Timestamp),
    ("impact", FieldKind::Choice),
    ("place", FieldKind::Tree),
];

impl Schema for Fields {
    fn field_type(&self, id: &str) -> Option<FieldKind> {
        FIELDS.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind)
    }

    fn field_ids(&self) -> Vec<String> {
        FIELDS.iter().map(|(id, _)| (*id).to_owned()).collect()
    }
}

fn parse(text: &str) -> Filter {
    Filter::parse(text, &Fields).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn canonical(text: &str) -> String {
    let filter = parse(text);
    assert_eq!(parse(&filter.canonical()), filter, "{text}");
    filter.canonical()
}

fn ticket() -> Ticket {
    Ticket {
        id: 7,
        uid: "0b1e".to_owned(),
        number: "IT-0007".to_owned(),
        requester: "ana@example.com".to_owned(),
        subject: "The \"big\" printer\\scanner smokes".to_owned(),
        body: String::new(),
        channel: "web".to_owned(),
        fields: BTreeMap::new(),
        tags: vec!["hardware".to_owned(), "zürich".to_owned()],
        cc: Vec::new(),
        external_refs: Vec::new(),
        priority: "high".to_owned(),
        status: "in-work".to_owned(),
        state: State::Active,
        queue: "network".to_owned(),
        queue_key: String::new(),
        assignee: String::new(),
        solution: String::new(),
        // 2026-11-23T08:30:00Z
        receive_time: 1_795_422_600_000_000,
        queue_time: None,
        create_time: 1_795_422_600_000_001,
        update_time: 1_795_422_600_000_001,
        first_reply_time: None,
        close_time: None,
        revision: 12,
        replies: ReplyCounts::default(),
        more: More::default(),
    }
}

fn check(ticket: &Ticket, matching: &[&str], others: &[&str]) {
    for text in matching {
        assert!(parse(text).matches(ticket), "{text} should match");
        assert!(!parse(&format!("NOT ({text})")).matches(ticket), "NOT ({text}) should not match");
    }
    for text in others {
        assert!(!parse(text).matches(ticket), "{text} should not match");
        assert!(parse(&format!("-({text})")).matches(ticket), "-({text}) should match");
    }
}

#[test]
fn texts_lists_and_times() {
    check(
        &ticket(),
        &[
            "queue = network",
            "queue=network AND requester=ana@example.com",
            "number = IT-0007",
            "state = ACTIVE",
            "state = STATE_ACTIVE",
            "state = active",
            "state:*",
            "state != \"\"",
            "assignee = \"\"",
            "queue:*",
            r#"subject:"\"big\" printer\\scanner""#,
            "subject:smoke",
            "tags:hardware",
            "tags:zürich",
            "tags:*",
            "receive_time = \"2026-11-23T15:30:00+07:00\"",
            "receive_time < \"2026-11-23T08:30:00.000001Z\"",
            "create_time >= \"2026-11-23T08:30:00.000001Z\"",
            "queue_time != \"2026-11-23T08:30:00Z\"",
            "NOT queue_time:*",
        ],
        &[
            "queue = Network",
            "state = \"\"",
            "assignee:*",
            "subject:Smoke",
            "tags:hard",
            "cc:*",
            "cc:ana@example.com",
            "create_time <= \"2026-11-23T08:30:00Z\"",
            "queue_time < \"2026-11-23T08:30:00Z\"",
            "queue_time >= \"2026-11-23T08:30:00Z\"",
            "first_reply_time:*",
        ],
    );
}

#[test]
fn or_binds_tighter_than_and() {
    check(
        &ticket(),
        &[
            "queue = network AND state = new OR state = active",
            "state = new OR state = active AND queue = network",
            "-state = new AND -assignee:*",
            "NOT NOT queue = network",
        ],
        &["queue = network OR queue = x AND state = new", "NOT state = new AND NOT queue = network"],
    );
    assert_eq!(parse("cc:a AND cc:b OR cc:c"), parse("cc:a AND (cc:b OR cc:c)"));
    assert_ne!(parse("cc:a AND cc:b OR cc:c"), parse("(cc:a AND cc:b) OR cc:c"));
}

#[test]
fn own_fields_without_a_value_equal_the_empty_text_only() {
    let empty = [
        "fields.asset = \"\"",
        "fields.seats = \"\"",
        "fields.seats != 0",
        "fields.urgent != false",
        "fields.due = \"\"",
        "fields.place != a",
        "NOT fields.place:*",
    ];
    let not = [
        "fields.asset < z",
        "fields.asset >= a",
        "fields.asset:a",
        "fields.seats < 1",
        "fields.seats >= -1",
        "fields.due <= 2026-11-23",
        "fields.seen > \"2026-11-23T00:00:00Z\"",
        "fields.place:a",
        "fields.impact:*",
    ];
    check(&ticket(), &empty, &not);
}

#[test]
fn own_fields_compare_by_type() {
    let mut ticket = ticket();
    let values = [
        ("asset", "Lap top"),
        ("seats", "-12"),
        ("urgent", "true"),
        ("due", "2026-11-23"),
        ("seen", "2026-11-23T08:30:00.000000Z"),
        ("impact", "one person"),
        ("place", "hq/floor 2/room 5"),
    ];
    ticket.fields = values.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect();
    check(
        &ticket,
        &[
            "fields.asset < Lau",
            "fields.asset:\"p t\"",
            "fields.seats = -12",
            "fields.seats < -2",
            "fields.seats > -100",
            "fields.seats <= \"-12\"",
            "fields.urgent = true",
            "fields.due > 2026-11-22",
            "fields.due = 2026-11-23",
            "fields.seen = \"2026-11-23T09:30:00+01:00\"",
            "fields.seen > \"2026-11-23T08:29:59.999999Z\"",
            "fields.impact = \"one person\"",
            "fields.place:hq",
            "fields.place:\"hq/floor 2\"",
            "fields.place:\"hq/floor 2/room 5\"",
        ],
        &[
            "fields.urgent = false",
            "fields.place:h",
            "fields.place:\"hq/floor\"",
            "fields.place:\"floor 2\"",
            "fields.place = hq",
            "fields.seats > -12",
        ],
    );
}

#[test]
fn a_value_of_another_type_comes_neither_before_nor_after() {
    let mut ticket = ticket();
    for value in ["many", "007", "+7", "7.5", " 7", "7\n", "-0", "9223372036854775808", "2026-11-23T00:00:00Z", "é"] {
        for (id, _) in FIELDS {
            ticket.fields.insert(id.to_owned(), value.to_owned());
        }
        check(
            &ticket,
            &["fields.seats != 7", "fields.seats:*", "fields.due:*", "fields.asset > \" \""],
            &[
                "fields.seats = 7",
                "fields.seats < 9223372036854775807",
                "fields.seats > -9223372036854775808",
                "fields.seats >= 0",
                "fields.due > 0001-01-01",
                "fields.due < 9999-12-31",
                "fields.seen >= \"0001-01-01T00:00:00Z\"",
                "fields.seen <= \"9999-12-31T23:59:59Z\"",
            ],
        );
    }
}

#[test]
fn equal_filters_have_one_canonical_text() {
    let alike = [
        ["", " \n "],
        ["queue = a AND state = NEW", "( state=\"new\" AND ((queue = \"a\")) AND queue = a )"],
        ["queue = a OR queue = b OR queue = a", "queue = b OR (queue = a)"],
        ["queue != a", "NOT NOT -queue = a"],
        ["queue:*", "NOT queue = \"\""],
        ["close_time = \"2026-01-01T07:00:00+07:00\"", "close_time=\"2026-01-01T00:00:00.000Z\""],
        ["NOT (queue = a AND queue = b)", "-(queue = b AND queue = a)"],
    ];
    for [one, other] in alike {
        assert_eq!(parse(one), parse(other), "{one}");
        assert_eq!(canonical(one), canonical(other), "{one}");
    }
    insta::assert_snapshot!(
        canonical(r#"(subject:"say \"\\\"" OR queue = "a b" AND state = STATE_NEW) AND -cc:* AND fields.seats >= 3"#),
        @r#"queue = "a b" OR subject:"say \"\\\"" AND NOT cc:* AND state = "new" AND fields.seats >= 3"#
    );
    insta::assert_snapshot!(
        canonical("NOT (close_time != \"2026-01-01T00:00:00Z\" OR queue = a) AND (queue = b OR (queue = c AND queue = d))"),
        @r#"(queue = "c" AND queue = "d") OR queue = "b" AND NOT (close_time != "2026-01-01T00:00:00.000000Z" OR queue = "a")"#
    );
}

#[test]
fn an_equality_is_required_if_every_match_has_it() {
    let filter = parse("queue = network AND (state = new OR state = active) AND fields.impact = big AND number != 5");
    assert_eq!(filter.required_eq("queue"), Some("network"));
    assert_eq!(filter.required_eq("fields.impact"), Some("big"));
    assert_eq!(filter.required_eq("impact"), None);
    assert_eq!(filter.required_eq("state"), None);
    assert_eq!(filter.required_eq("number"), None);
    assert_eq!(parse("queue = \"\"").required_eq("queue"), Some(""));
    assert_eq!(parse("queue = a OR assignee = b").required_eq("queue"), None);
    assert_eq!(Filter::all().required_eq("queue"), None);
}

#[test]
fn a_requester_sees_own_tickets_only() {
    assert!(parse("").is_all() && Filter::all().is_all());
    let own = Filter::all().and_requester("ana@example.com");
    assert_eq!(own, parse("requester = ana@example.com"));
    assert_eq!(own, parse("requester = Ana@Example.COM"), "as addresses are kept");
    assert_eq!(parse("cc:boss@example.com"), parse("cc:Boss@Example.com"));
    assert!(!own.is_all() && own.matches(&ticket()));
    assert_eq!(own.clone().and_requester("ana@example.com"), own);
    let other = parse("queue = network OR state = new").and_requester("\" OR queue:*");
    assert!(!other.matches(&ticket()));
    assert_eq!(other.required_eq("requester"), Some("\" OR queue:*"));
    assert_eq!(parse(&other.canonical()), other);
    for asked in [
        "requester = aaa@example.com",
        "requester = zzz@example.com",
        "requester = aaa@example.com AND requester = ana@example.com",
    ] {
        let nobodys = parse(asked).and_requester("ana@example.com");
        assert_eq!(nobodys.required_eq("requester"), Some("ana@example.com"), "{asked}");
        assert!(!nobodys.matches(&ticket()), "{asked}");
        assert_eq!(parse(&nobodys.canonical()), nobodys);
    }
}

const WRONG: [&str; 49] = [
    "qeue = network",
    "fields.plaec = hq",
    "fields.Place = hq",
    "priority < high",
    "status:open",
    "tags = vip",
    "fields.impact > low",
    "fields.place < hq",
    "create_time:\"2026-11-23T08:30:00Z\"",
    "create_time > 2026-11-23",
    "create_time > 2026-11-23T08:30:00Z",
    "create_time > \"2026-11-23T08:30:00\"",
    "create_time > \"2026-11-23T08:30:00.0000001Z\"",
    "create_time > \"0000-11-23T08:30:00Z\"",
    "close_time = \"\"",
    "state = OPEN",
    "state = STATE_new",
    "fields.seats = 007",
    "fields.seats > 9223372036854775808",
    "fields.seats < \"\"",
    "fields.urgent = yes",
    "fields.due >= 2026-02-30",
    "fields.due >= 2026-2-3",
    "fields.seen >= 2026-02-03",
    "fields.asset > \"\"",
    "subject:\"\"",
    "queue = *",
    "queue = net*",
    "queue = a/b",
    "queue = 'a'",
    "queue = AND",
    "queue =",
    "queue = \"a",
    "queue = \"\\n\"",
    "queue == a",
    "queue = a queue = b",
    "queue = a and state = new",
    "queue = a AND",
    "AND queue = a",
    "urgent",
    "\"übergroß\" AND queue = a",
    "queue = \"übergroß\" AND urgent AND queue = a",
    "queue = a AND (state = new OR (state = active)",
    "queue = a)",
    "()",
    "NOT",
    "has(queue)",
    "queue = a\u{a0}AND state = new",
    "queue = \"\0\"",
];

#[test]
fn errors_say_where_what_and_what_would_be_right() {
    let mut report = String::new();
    for text in WRONG {
        let error = Filter::parse(text, &Fields).expect_err(text);
        assert!(text.is_char_boundary(error.offset), "{text}");
        writeln!(report, "{}\n    {error}", text.escape_debug()).unwrap();
    }
    insta::assert_snapshot!(report, @r#"
    qeue = network
        column 1: there is no field `qeue`; the fields are number, requester, channel, priority, status, state, queue, assignee, subject, tags, cc, receive_time, queue_time, create_time, update_time, first_reply_time, close_time and fields.{id}
    fields.plaec = hq
        column 1: there is no field `fields.plaec`; the helpdesk has fields.asset, fields.seats, fields.urgent, fields.due, fields.seen, fields.impact, fields.place
    fields.Place = hq
        column 1: there is no field `fields.Place`; the helpdesk has fields.asset, fields.seats, fields.urgent, fields.due, fields.seen, fields.impact, fields.place
    priority < high
        column 10: `priority` compares with = and != only; `priority:*` asks whether it is not empty
    status:open
        column 7: `status` compares with = and != only; `status:*` asks whether it is not empty
    tags = vip
        column 6: `tags` compares with : only; `tags:*` asks whether it is not empty
    fields.impact > low
        column 15: `fields.impact` compares with = and != only; `fields.impact:*` asks whether it is not empty
    fields.place < hq
        column 14: `fields.place` compares with =, != and : only; `fields.place:*` asks whether it is not empty
    create_time:\"2026-11-23T08:30:00Z\"
        column 12: `create_time` compares with =, !=, <, <=, > and >= only; `create_time:*` asks whether it is not empty
    create_time > 2026-11-23
        column 15: `2026-11-23` is not a time: RFC 3339 in double quotes, like "2026-11-23T08:30:00Z"
    create_time > 2026-11-23T08:30:00Z
        column 15: `2026-11-23T08:30:00Z` needs double quotes: values with other characters than letters, digits and _ - . @ + are put in double quotes
    create_time > \"2026-11-23T08:30:00\"
        column 15: `2026-11-23T08:30:00` is not a time: RFC 3339 in double quotes, like "2026-11-23T08:30:00Z"
    create_time > \"2026-11-23T08:30:00.0000001Z\"
        column 15: `2026-11-23T08:30:00.0000001Z` is not a time that a ticket may have: they are kept to the microsecond
    create_time > \"0000-11-23T08:30:00Z\"
        column 15: `0000-11-23T08:30:00Z` is not a time of the years 0001 to 9999
    close_time = \"\"
        column 14: a time is not compared with `""`: `NOT close_time:*` asks whether it is unset
    state = OPEN
        column 9: `OPEN` is not a state: NEW, ACTIVE, WAITING, SOLVED, CLOSED
    state = STATE_new
        column 9: `STATE_new` is not a state: NEW, ACTIVE, WAITING, SOLVED, CLOSED
    fields.seats = 007
        column 16: `007` is not an integer: a decimal of 64 bits with sign, without leading zeros or plus, like -12
    fields.seats > 9223372036854775808
        column 16: `9223372036854775808` is not an integer: a decimal of 64 bits with sign, without leading zeros or plus, like -12
    fields.seats < \"\"
        column 16: `""` is not an integer: a decimal of 64 bits with sign, without leading zeros or plus, like -12
    fields.urgent = yes
        column 17: `yes` is not a boolean: `true` or `false`
    fields.due >= 2026-02-30
        column 15: `2026-02-30` is not a date: YYYY-MM-DD, like 2026-11-23
    fields.due >= 2026-2-3
        column 15: `2026-2-3` is not a date: YYYY-MM-DD, like 2026-11-23
    fields.seen >= 2026-02-03
        column 16: `2026-02-03` is not a time: RFC 3339 in double quotes, like "2026-11-23T08:30:00Z"
    fields.asset > \"\"
        column 16: nothing comes before or after `""`: `fields.asset = ""` and `!=` ask whether it is empty
    subject:\"\"
        column 9: `:` needs a value that is not empty; `:*` asks whether the field is not empty
    queue = *
        column 9: `*` goes with `:` only: `queue:*` asks whether it is not empty; the text `*` is put in double quotes
    queue = net*
        column 9: `net*` needs double quotes: values with other characters than letters, digits and _ - . @ + are put in double quotes
    queue = a/b
        column 9: `a/b` needs double quotes: values with other characters than letters, digits and _ - . @ + are put in double quotes
    queue = \'a\'
        column 9: `'a'` needs double quotes: values with other characters than letters, digits and _ - . @ + are put in double quotes
    queue = AND
        column 9: `AND` is a keyword; as a value it is put in double quotes
    queue =
        column 8: a value is missing here
    queue = \"a
        column 9: the double quote is never closed
    queue = \"\\n\"
        column 10: a backslash stands before a double quote or another backslash only
    queue == a
        column 7: `==` is not an operator; the operators are = != < <= > >= and :
    queue = a queue = b
        column 11: `queue` follows without AND or OR before it
    queue = a and state = new
        column 11: `and` is not a keyword; comparisons are joined by AND and OR, in capitals
    queue = a AND
        column 14: a comparison is missing here, like `queue = network`
    AND queue = a
        column 1: `AND` where a comparison should begin, like `queue = network`
    urgent
        column 1: `urgent` stands alone: write `field = value`, or `subject:urgent` for those with it in the subject
    \"übergroß\" AND queue = a
        column 1: a text stands alone: write `field = "text"`, or `subject:"text"` for those with it in the subject
    queue = \"übergroß\" AND urgent AND queue = a
        column 24: `urgent` stands alone: write `field = value`, or `subject:urgent` for those with it in the subject
    queue = a AND (state = new OR (state = active)
        column 15: `(` is never closed: a `)` is missing
    queue = a)
        column 10: `)` closes nothing: there is no `(` before it
    ()
        column 2: `)` where a comparison should begin, like `queue = network`
    NOT
        column 4: a comparison is missing here, like `queue = network`
    has(queue)
        column 1: `has` stands alone: write `field = value`, or `subject:has` for those with it in the subject
    queue = a\u{a0}AND state = new
        column 9: `a AND` needs double quotes: values with other characters than letters, digits and _ - . @ + are put in double quotes
    queue = \"\0\"
        column 10: U+0000 cannot stand in a filter; no ticket has it
    "#);
}

#[test]
fn length_and_depth_are_bounded() {
    let error = |text: &str| Filter::parse(text, &Fields).expect_err("too much").to_string();
    let nested = |open: &str, close: &str, n: usize| format!("{}queue = a{}", open.repeat(n), close.repeat(n));
    for (open, close) in [("(", ")"), ("NOT ", ""), ("-", ""), ("- ", "")] {
        assert!(Filter::parse(&nested(open, close, 32), &Fields).is_ok());
        assert!(error(&nested(open, close, 33)).ends_with("parentheses and negations nest deeper than 32 levels"));
    }
    assert!(error(&"(".repeat(3000)).starts_with("column 33: "));
    let long = format!("subject:\"{}\"", "é".repeat(MAX_BYTES / 2));
    insta::assert_snapshot!(error(&long), @"column 2053: the filter has 4106 bytes; at most 4096 are taken");
    let most = |comparisons| vec!["cc:a"; comparisons].join(" OR ");
    assert_eq!(parse(&most(MAX_COMPARISONS)), parse("cc:a"));
    insta::assert_snapshot!(error(&most(MAX_COMPARISONS + 1)), @"column 801: the filter has more than 100 comparisons: ask for less at once");
}

#[test]
fn the_canonical_text_nests_no_deeper_than_the_shortest() {
    let mut text = "queue = a AND queue != b".to_owned();
    for level in 0..32 {
        text = if level % 3 == 2 { format!("-({text})") } else { format!("state = new AND cc:c{level} OR ({text})") };
        match Filter::parse(&text, &Fields) {
            Ok(filter) => assert_eq!(parse(&filter.canonical()), filter),
            Err(error) => assert!(error.message.contains("deeper") && level > 20, "{text}: {error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in ".{0,60}") {
        if let Err(error) = Filter::parse(&text, &Fields) {
            prop_assert!(text.is_char_boundary(error.offset));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Filter::parse(&String::from_utf8_lossy(&bytes), &Fields);
    }

    #[test]
    fn no_row_of_tokens_panics(tokens in prop::collection::vec(prop::sample::select(vec![
        "queue", "tags", "subject", "state", "close_time", "fields.seats", "fields.place", "fields.", "fields.x", "=", "!=",
        "<", ":", "==", "*", "\"", "\\", "\"a\"", "\"\"", "a/b", "5", "-", "new", "(", ")", " ", " AND ", " OR ", "NOT ",
        "\"2026-11-23T08:30:00Z\"", "é", "\u{a0}", "\0",
    ]), 0..24)) {
        let text = tokens.concat();
        match Filter::parse(&text, &Fields) {
            Ok(filter) => prop_assert_eq!(parse(&filter.canonical()), filter),
            Err(error) => prop_assert!(text.is_char_boundary(error.offset)),
        }
    }
}
