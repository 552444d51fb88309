//! Memory and SQL must say the same of every filter and ticket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Bind, Dialect, condition};
use crate::domain::filter::{FieldKind, Filter, MAX_BYTES, MAX_COMPARISONS, Schema};
use crate::domain::ticket::ReplyCounts;
use crate::domain::{Micros, More, State, Ticket};
use crate::store::throwaway::Cluster;

const SQLITE_UP: &str = include_str!("../../../../../migrations/sqlite/2026-11-23-000001_base/up.sql");
const POSTGRES_UP: &str = include_str!("../../../../../migrations/postgres/2026-11-23-000001_base/up.sql");

#[derive(diesel::MultiConnection)]
enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

struct BackEnd {
    dialect: Dialect,
    connection: AnyConnection,
}

/// Every database that the property is tested on, with an empty `tickets`.
fn back_ends() -> Vec<BackEnd> {
    let mut sqlite = SqliteConnection::establish(":memory:").unwrap();
    sqlite.batch_execute(SQLITE_UP).unwrap();
    let mut postgres = PgConnection::establish(&Cluster::shared().create_database()).unwrap();
    // What is asked here is what is found, and not whether it is on disk.
    postgres.batch_execute("SET synchronous_commit = off").unwrap();
    postgres.batch_execute(POSTGRES_UP).unwrap();
    vec![
        BackEnd { dialect: Dialect::Sqlite, connection: AnyConnection::Sqlite(sqlite) },
        BackEnd { dialect: Dialect::Postgres, connection: AnyConnection::Postgres(postgres) },
    ]
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    ticket: i64,
}

impl BackEnd {
    fn replace(&mut self, tickets: &[Ticket]) {
        sql_query("DELETE FROM tickets").execute(&mut self.connection).unwrap();
        for ticket in tickets {
            self.insert(ticket);
        }
    }

    fn insert(&mut self, ticket: &Ticket) {
        sql_query(
            "INSERT INTO tickets (helpdesk, ticket, uid, number, requester, subject, channel, fields, tags, cc, \
             external_refs, priority, status, state, queue, queue_key, assignee, solution, receive_time, queue_time, \
             create_time, update_time, first_reply_time, close_time, revision, staff_replies, requester_replies, \
             service_replies, notes, more, body) \
             VALUES ('desk', $1, '', $2, $3, $4, $5, $6, $7, $8, '[]', $9, $10, $11, $12, '', $13, '', $14, $15, $16, \
             $17, $18, $19, $20, 0, 0, 0, 0, '', '')",
        )
        .bind::<BigInt, _>(ticket.id)
        .bind::<Text, _>(&ticket.number)
        .bind::<Text, _>(&ticket.requester)
        .bind::<Text, _>(&ticket.subject)
        .bind::<Text, _>(&ticket.channel)
        .bind::<Text, _>(serde_json::to_string(&ticket.fields).unwrap())
        .bind::<Text, _>(serde_json::to_string(&ticket.tags).unwrap())
        .bind::<Text, _>(serde_json::to_string(&ticket.cc).unwrap())
        .bind::<Text, _>(&ticket.priority)
        .bind::<Text, _>(&ticket.status)
        .bind::<Text, _>(ticket.state.word())
        .bind::<Text, _>(&ticket.queue)
        .bind::<Text, _>(&ticket.assignee)
        .bind::<BigInt, _>(ticket.receive_time)
        .bind::<Nullable<BigInt>, _>(ticket.queue_time)
        .bind::<BigInt, _>(ticket.create_time)
        .bind::<BigInt, _>(ticket.update_time)
        .bind::<Nullable<BigInt>, _>(ticket.first_reply_time)
        .bind::<Nullable<BigInt>, _>(ticket.close_time)
        .bind::<BigInt, _>(ticket.revision)
        .execute(&mut self.connection)
        .unwrap();
    }

    /// The tickets that match, or, negated, those for which SQL says that they do not.
    fn select(&mut self, filter: &Filter, negated: bool) -> BTreeSet<i64> {
        // The first value is not the filter's: its numbers must not start at 1.
        let condition = condition(filter, self.dialect, 2);
        let not = if negated { "NOT " } else { "" };
        let mut query =
            sql_query(format!("SELECT t.ticket FROM tickets t WHERE t.helpdesk = $1 AND {not}{}", condition.sql))
                .into_boxed::<<AnyConnection as Connection>::Backend>()
                .bind::<Text, _>("desk");
        for bind in condition.binds {
            query = match bind {
                Bind::Text(value) => query.bind::<Text, _>(value),
                Bind::BigInt(value) => query.bind::<BigInt, _>(value),
            };
        }
        let rows: Vec<Row> =
            query.load(&mut self.connection).unwrap_or_else(|error| panic!("{error}: {}", condition.sql));
        rows.into_iter().map(|row| row.ticket).collect()
    }
}

fn agree(back_ends: &mut [BackEnd], filter: &Filter, tickets: &[Ticket]) -> BTreeSet<i64> {
    let (matching, others): (Vec<_>, Vec<_>) = tickets.iter().partition(|ticket| filter.matches(ticket));
    let ids = |tickets: Vec<&Ticket>| tickets.into_iter().map(|ticket| ticket.id).collect::<BTreeSet<_>>();
    let (matching, others) = (ids(matching), ids(others));
    for back_end in back_ends {
        let sql = condition(filter, back_end.dialect, 2);
        assert_eq!(back_end.select(filter, false), matching, "{} {sql:?}", filter.canonical());
        assert_eq!(back_end.select(filter, true), others, "NOT {} {sql:?}", filter.canonical());
    }
    matching
}

/// Own fields of each type; the ids try the quoting.
const FIELDS: [(&str, FieldKind); 7] = [
    ("text", FieldKind::Text),
    ("integer_2", FieldKind::Integer),
    ("null", FieldKind::Boolean),
    ("date", FieldKind::Date),
    ("timestamp", FieldKind::Timestamp),
    ("choice", FieldKind::Choice),
    ("tree_", FieldKind::Tree),
];

struct Fields;

impl Schema for Fields {
    fn field_type(&self, id: &str) -> Option<FieldKind> {
        FIELDS.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind)
    }

    fn field_ids(&self) -> Vec<String> {
        FIELDS.iter().map(|(id, _)| (*id).to_owned()).collect()
    }
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "b",
    "a/b",
    "a/b/c",
    "a/bc",
    "a/",
    "/",
    "é",
    "e\u{301}",
    "É",
    "z",
    "😀",
    "\u{ffff}",
    "ß",
    " ",
    "a ",
    "\"",
    "'",
    "\\",
    "\\\"",
    "\\u0041",
    "%",
    "_",
    "*",
    "?",
    "[a]",
    "{\"text\":\"a\"}",
    "[]",
    "null",
    "$1",
    "$.text",
    "--",
    ";",
    "\u{1}",
    "\n",
    "a\nb",
    "\u{7f}",
    "\u{2028}",
];
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "9",
    "10",
    "-10",
    "100",
    "9223372036854775807",
    "-9223372036854775808",
    "9007199254740993",
    "9007199254740992",
];
const NOT_INTEGERS: &[&str] = &[
    "-0",
    "+1",
    "007",
    "1.0",
    "1e3",
    "0x10",
    " 1",
    "1 ",
    "1\n",
    "-",
    "--1",
    "9223372036854775808",
    "-9223372036854775809",
    "9999999999999999999",
    "99999999999999999999",
    "１",
    "٣",
    "1_000",
];
const DATES: &[&str] = &["2026-11-23", "2026-11-24", "2025-12-31", "0001-01-01", "9999-12-31"];
const TIMESTAMPS: &[&str] = &[
    "2026-11-23T08:30:00.000000Z",
    "2026-11-23T08:30:00.000001Z",
    "2026-11-23T08:29:59.999999Z",
    "2025-01-01T00:00:00.000000Z",
];
const NEARLY_TIMES: &[&str] = &[
    "2026-11-2",
    "2026-11-230",
    "2026-11-23\n",
    "٢026-11-23",
    "2026-11-23T08:30:00Z",
    "2026-11-23T08:30:00x000000Z",
    "9999-99-99",
    "2026-11-23T08:30:00.000000Z\n",
];
const BOOLEANS: &[&str] = &["true", "false"];
const TIMES: &[Micros] = &[-1, 0, 1, 1_795_422_599_999_999, 1_795_422_600_000_000, 1_795_422_600_000_001];

fn text() -> BoxedStrategy<String> {
    let any = "[^\0]{0,4}";
    prop_oneof![8 => select(TEXTS).prop_map(str::to_owned), 1 => any, 1 => "[a-c/\"\\\\]{0,5}"].boxed()
}

fn line() -> BoxedStrategy<String> {
    prop_oneof![3 => select(vec!["a", "b", "", "é"]).prop_map(str::to_owned), 1 => text()].boxed()
}

fn own_value(kind: FieldKind) -> BoxedStrategy<String> {
    let of = |texts: &'static [&'static str]| select(texts).prop_map(str::to_owned).boxed();
    let right = match kind {
        FieldKind::Text | FieldKind::Choice | FieldKind::Tree => text(),
        FieldKind::Integer => prop_oneof![of(INTEGERS), any::<i64>().prop_map(|n| n.to_string())].boxed(),
        FieldKind::Boolean => of(BOOLEANS),
        FieldKind::Date => of(DATES),
        FieldKind::Timestamp => of(TIMESTAMPS),
    };
    // Fields change their types; tickets keep their values.
    let wrong =
        prop_oneof![of(INTEGERS), of(NOT_INTEGERS), of(BOOLEANS), of(DATES), of(TIMESTAMPS), of(NEARLY_TIMES), text()];
    prop_oneof![3 => right, 1 => wrong].boxed()
}

fn ticket() -> impl Strategy<Value = Ticket> {
    let time = || select(TIMES);
    let unset = || prop::option::of(select(TIMES));
    let list = || prop::collection::btree_set(line(), 0..3).prop_map(|set| set.into_iter().collect::<Vec<_>>());
    let own: Vec<_> =
        FIELDS.iter().map(|(id, kind)| (Just((*id).to_owned()), prop::option::of(own_value(*kind)))).collect();
    (
        (line(), line(), text(), line(), line(), line(), line(), line()),
        (own, list(), list(), select(State::ALL.as_slice())),
        (time(), unset(), time(), time(), unset(), unset()),
    )
        .prop_map(|(texts, (own, tags, cc, state), times)| {
            let (number, requester, subject, channel, priority, status, queue, assignee) = texts;
            let (receive_time, queue_time, create_time, update_time, first_reply_time, close_time) = times;
            let fields: BTreeMap<_, _> = own.into_iter().filter_map(|(id, value)| Some((id, value?))).collect();
            Ticket {
                id: 0,
                uid: String::new(),
                number,
                requester,
                subject,
                body: String::new(),
                channel,
                fields,
                tags,
                cc,
                external_refs: Vec::new(),
                priority,
                status,
                state,
                queue,
                queue_key: String::new(),
                assignee,
                solution: String::new(),
                receive_time,
                queue_time,
                create_time,
                update_time,
                first_reply_time,
                close_time,
                revision: 1,
                replies: ReplyCounts::default(),
                more: More::default(),
            }
        })
}

fn tickets(count: usize) -> impl Strategy<Value = Vec<Ticket>> {
    prop::collection::vec(ticket(), count).prop_map(|mut tickets| {
        for (id, ticket) in (1..).zip(&mut tickets) {
            ticket.id = id;
            // Unique where there is one.
            if !ticket.number.is_empty() {
                ticket.number = format!("{}{id}", ticket.number);
            }
        }
        tickets
    })
}

/// One documented field with one of its operators, and the texts that may stand behind it.
#[derive(Clone)]
struct Comparison {
    field: String,
    operator: &'static str,
    value: BoxedStrategy<String>,
}

const ORDERS: [&str; 4] = ["<", "<=", ">", ">="];

fn comparisons() -> Vec<Comparison> {
    let mut all = Vec::new();
    let mut add = |field: &str, operators: &[&'static str], value: BoxedStrategy<String>| {
        for operator in operators {
            all.push(Comparison { field: field.to_owned(), operator, value: value.clone() });
        }
    };
    let full = |text: BoxedStrategy<String>| text.prop_filter("empty", |text| !text.is_empty()).boxed();
    let any = || Just("*".to_owned()).boxed();
    let number = (line(), 1..9).prop_map(|(text, id)| if text.is_empty() { text } else { format!("{text}{id}") });
    add("number", &["=", "!="], spelled(number.boxed()));
    for field in ["requester", "channel", "priority", "status", "queue", "assignee"] {
        add(field, &["=", "!="], spelled(line()));
    }
    add("subject", &["=", "!="], spelled(text()));
    add("subject", &[":"], spelled(full(text())));
    let states = vec!["NEW", "STATE_NEW", "new", "ACTIVE", "STATE_WAITING", "solved", "CLOSED"];
    add("state", &["=", "!="], spelled(select(states).prop_map(str::to_owned).boxed()));
    for field in ["tags", "cc"] {
        add(field, &[":"], spelled(full(line())));
    }
    for field in ["receive_time", "queue_time", "create_time", "update_time", "first_reply_time", "close_time"] {
        add(field, &["=", "!="], time());
        add(field, &ORDERS, time());
        add(field, &[":"], any());
    }
    for field in
        ["number", "requester", "channel", "priority", "status", "queue", "assignee", "subject", "state", "tags", "cc"]
    {
        add(field, &[":"], any());
    }
    for (id, kind) in FIELDS {
        let field = &format!("fields.{id}");
        let of = |texts: &'static [&'static str]| spelled(select(texts).prop_map(str::to_owned).boxed());
        add(field, &["=", "!="], Just("\"\"".to_owned()).boxed());
        add(field, &[":"], any());
        match kind {
            FieldKind::Text => {
                add(field, &["=", "!="], spelled(text()));
                add(field, &ORDERS, spelled(full(text())));
                add(field, &[":"], spelled(full(text())));
            }
            FieldKind::Tree => {
                add(field, &["=", "!="], spelled(text()));
                add(field, &[":"], spelled(full(text())));
            }
            FieldKind::Choice => add(field, &["=", "!="], spelled(text())),
            FieldKind::Boolean => add(field, &["=", "!="], of(BOOLEANS)),
            FieldKind::Integer => {
                add(field, &["=", "!="], of(INTEGERS));
                add(field, &ORDERS, of(INTEGERS));
            }
            FieldKind::Date => {
                add(field, &["=", "!="], of(DATES));
                add(field, &ORDERS, of(DATES));
            }
            FieldKind::Timestamp => {
                add(field, &["=", "!="], time());
                add(field, &ORDERS, time());
            }
        }
    }
    all
}

/// A value as it stands in a filter: bare where that is allowed, now and then, and else quoted.
fn spelled(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    (value, any::<bool>())
        .prop_map(|(value, bare)| {
            let word = value.chars().all(|c| c.is_alphanumeric() || "_-.@+".contains(c));
            if bare && word && !["", "AND", "OR", "NOT"].contains(&value.as_str()) { value } else { quote(&value) }
        })
        .boxed()
}

fn time() -> BoxedStrategy<String> {
    let times = vec![
        "\"2026-11-23T08:30:00Z\"",
        "\"2026-11-23T15:30:00.000+07:00\"",
        "\"2026-11-23T08:30:00.000001Z\"",
        "\"2026-11-23T03:29:59.999999-05:00\"",
        "\"1970-01-01T00:00:00Z\"",
        "\"1969-12-31T23:59:59.999999Z\"",
    ];
    select(times).prop_map(str::to_owned).boxed()
}

fn quote(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

fn comparison(of: &Comparison) -> BoxedStrategy<String> {
    let (field, operator) = (of.field.clone(), of.operator);
    (of.value.clone(), select(["", " ", " \n\t"].as_slice()), select(["", " "].as_slice()))
        .prop_map(move |(value, before, after)| format!("{field}{before}{operator}{after}{value}"))
        .boxed()
}

/// Of filters: what joins the parts decides where parentheses are needed, and some stand where none are.
#[derive(Debug, Clone)]
enum Draft {
    Comparison(String),
    And(Vec<Draft>),
    Or(Vec<Draft>),
    Not(&'static str, Box<Draft>),
    Parentheses(Box<Draft>),
}

impl Draft {
    fn text(&self) -> String {
        let join = |parts: &[Self], with| parts.iter().map(Self::text).collect::<Vec<_>>().join(with);
        match self {
            Self::Comparison(text) => text.clone(),
            Self::And(parts) => format!("({})", join(parts, " AND ")),
            Self::Or(parts) if parts.iter().any(|part| matches!(part, Self::Or(_))) => {
                format!("({})", join(parts, " OR "))
            }
            Self::Or(parts) => join(parts, "\nOR "),
            Self::Not(not, inner) => match inner.as_ref() {
                Self::Or(_) => format!("{not}({})", inner.text()),
                Self::Comparison(_) | Self::And(_) | Self::Not(..) | Self::Parentheses(_) => {
                    format!("{not}{}", inner.text())
                }
            },
            Self::Parentheses(inner) => format!("( {} )", inner.text()),
        }
    }
}

fn filter() -> impl Strategy<Value = String> {
    let comparison = select(comparisons()).prop_flat_map(|of| comparison(&of)).prop_map(Draft::Comparison);
    let draft = comparison.prop_recursive(4, 12, 3, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            2 => parts().prop_map(Draft::And),
            2 => parts().prop_map(Draft::Or),
            1 => (select(["NOT ", "-", "- "].as_slice()), inner.clone())
                .prop_map(|(not, inner)| Draft::Not(not, Box::new(inner))),
            1 => inner.clone().prop_map(|inner| Draft::Parentheses(Box::new(inner))),
        ]
    });
    prop_oneof![40 => draft.prop_map(|draft| draft.text()), 1 => Just(String::new())]
}

impl std::fmt::Debug for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.field, self.operator)
    }
}

fn parse(text: &str) -> Filter {
    let filter = Filter::parse(text, &Fields).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(Filter::parse(&filter.canonical(), &Fields).as_ref(), Ok(&filter), "{text:?} {}", filter.canonical());
    filter
}

#[test]
fn memory_and_sql_agree() {
    let back_ends = std::cell::RefCell::new(back_ends());
    let config = ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() };
    let drawn = (filter(), tickets(8));
    TestRunner::new(config)
        .run(&drawn, |(text, tickets)| {
            let mut back_ends = back_ends.borrow_mut();
            for back_end in back_ends.iter_mut() {
                back_end.replace(&tickets);
            }
            agree(&mut back_ends, &parse(&text), &tickets);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// Every field with every operator, each on tickets that match and on tickets that do not.
#[test]
fn memory_and_sql_agree_on_every_comparison() {
    let mut runner = TestRunner::deterministic();
    let tickets = tickets(200).new_tree(&mut runner).unwrap().current();
    let mut back_ends = back_ends();
    for back_end in &mut back_ends {
        back_end.replace(&tickets);
    }
    for of in comparisons() {
        let mut matched = 0;
        let mut tried = 0;
        for _ in 0..40 {
            let text = comparison(&of).new_tree(&mut runner).unwrap().current();
            matched += agree(&mut back_ends, &parse(&text), &tickets).len();
            tried += tickets.len();
        }
        let always =
            of.operator == ":" && ["state", "receive_time", "create_time", "update_time"].contains(&of.field.as_str());
        assert!(matched > 0 && (always || matched < tried), "{of:?}: {matched} of {tried}");
    }
}

#[test]
fn the_longest_filter_is_no_trouble_for_the_database() {
    let mut back_ends = back_ends();
    for with in [" OR ", " AND ", " OR -", " AND -"] {
        let longest = (0..MAX_COMPARISONS).map(|n| format!("cc:{n:034x}")).scan(0, |length, part| {
            *length += part.len() + with.len();
            (*length < MAX_BYTES).then_some(part)
        });
        let text = longest.collect::<Vec<_>>().join(with);
        agree(&mut back_ends, &Filter::parse(&text, &Fields).unwrap(), &[]);
    }
}

#[test]
fn values_travel_as_binds_only() {
    let filter =
        parse(r#"subject:"x' OR 1=1" AND fields.integer_2 > 5 AND fields.tree_:"a/b" AND tags:vip AND queue_time:*"#);
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let fragment = condition(&filter, dialect, 4);
        for value in ["1=1", "a/b", "vip", "tree_", "integer_2"] {
            assert!(!fragment.sql.contains(value), "{}", fragment.sql);
        }
        assert_eq!(fragment.binds.len(), 6);
    }
    insta::assert_snapshot!(condition(&filter, Dialect::Sqlite, 4).sql, @"((instr(t.subject, $4) > 0) AND (instr(COALESCE(json_extract(t.fields, $5), '') || '/', $6) = 1) AND (CAST(CAST(COALESCE(json_extract(t.fields, $7), '') AS INTEGER) AS TEXT) = COALESCE(json_extract(t.fields, $7), '') AND CAST(COALESCE(json_extract(t.fields, $7), '') AS INTEGER) > $8) AND (EXISTS (SELECT 1 FROM json_each(t.tags) e WHERE e.value = $9)) AND (t.queue_time IS NOT NULL))");
    insta::assert_snapshot!(condition(&filter, Dialect::Postgres, 4).sql, @r#"((strpos(t.subject, $4) > 0) AND (strpos((COALESCE(t.fields::json ->> $5, '') COLLATE "C") || '/', $6) = 1) AND (CASE WHEN (COALESCE(t.fields::json ->> $7, '') COLLATE "C") ~ '^(0|-?[1-9][0-9]{0,18})$' THEN (COALESCE(t.fields::json ->> $7, '') COLLATE "C")::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 AND (COALESCE(t.fields::json ->> $7, '') COLLATE "C")::numeric > $8 ELSE FALSE END) AND (EXISTS (SELECT 1 FROM json_array_elements_text(t.tags::json) e(value) WHERE e.value = $9)) AND (t.queue_time IS NOT NULL))"#);
}
