//! How the databases go about the queries whose cost must not grow: each is taken down as it is sent, and explained on
//! tables that are large.

mod postgres;
mod sqlite;

use std::sync::{Arc, Mutex};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{filter::Bind, load};
use crate::domain::ExternalRef;
use crate::domain::filter::{FieldKind, Filter, Schema};
use crate::store::list::{Key, Order};
use crate::store::skills::WaitingSkillRow;
use crate::store::throwaway::Throwaway;
use crate::store::{
    AnyConnection, ExternalRefRow, FieldRow, StoreError, agents, attachments, changes, dialect, duplicates, heads,
    list, queues, replies, requesters, requests, skills, tickets, uploads,
};

/// Tickets of the helpdesk that is asked about.
const TICKETS: usize = 1_000_000;

/// Portable, and no two tickets alike; as PostgreSQL knows them when it has looked at them last, or has not yet. A tenth is another helpdesk's; one in four waits.
fn fill(connection: &mut AnyConnection, tickets: usize, are_known: bool) {
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {tickets})");
    let helpdesk = "CASE WHEN i % 10 = 0 THEN 'other' ELSE 'desk' END";
    let text = |number: &str| format!("CAST({number} AS TEXT)");
    let empty = match connection {
        AnyConnection::Sqlite(_) => "x''",
        AnyConnection::Postgres(_) => "''::bytea",
    };
    let (i, tenth, place) = (text("i"), text("i % 1000"), text("10000000 + i"));
    for statement in [
        format!(
            "INSERT INTO tickets SELECT {helpdesk}, i, {i}, 'T-' || {i}, 'r' || {tenth} || '@example.com', 'Subject ' || {i},
             'web', '{{\"order\":\"' || {tenth} || '\"}}', '[\"vip\"]', '[]', '[]', 'normal', 'new', 'new',
             CASE WHEN i % 3 = 0 THEN 'main' ELSE 'back' END, CASE WHEN i % 4 = 0 THEN {place} ELSE '' END,
             CASE WHEN i % 4 = 1 THEN 'agent-' || {tenth} ELSE '' END, '', i, i, i, i, NULL, NULL, i, 0, 0, 0, 0, '', 'Body' FROM n"
        ),
        format!("INSERT INTO ticket_fields SELECT {helpdesk}, 'order', {tenth}, i FROM n"),
        format!("INSERT INTO external_refs SELECT {helpdesk}, 'load', {i}, i FROM n"),
        format!("INSERT INTO replies SELECT {helpdesk}, i, 1, 'budi', 'agent', 'public', 'Hello', '', i, i, '' FROM n"),
        format!(
            "INSERT INTO requesters SELECT {helpdesk}, 'r' || {i}, 'r@example.com', '', i, NULL, {empty}, 0, 0, i FROM n"
        ),
        format!("INSERT INTO changes SELECT {helpdesk}, i, 0, i, i, {empty} FROM n"),
        format!(
            "INSERT INTO waiting_skills SELECT {helpdesk}, CASE WHEN i % 3 = 0 THEN 'main' ELSE 'back' END,
             CASE WHEN i % 8 = 0 THEN 's1' ELSE 's2' END, {place}, i FROM n WHERE i % 4 = 0"
        ),
        format!("INSERT INTO duplicate_texts SELECT {helpdesk}, 'd' || {i}, i FROM n WHERE i % 2 = 0"),
        format!(
            "INSERT INTO attachments SELECT {helpdesk}, 'a' || {i}, i, i % 2, 0, 'budi', 'a.pdf', '', 1, {empty}, i, i
             FROM n WHERE i % 5 = 0"
        ),
        format!(
            "INSERT INTO uploads SELECT {helpdesk}, 'u' || {i}, 'r' || {tenth}, 'a.pdf', '', 1, {empty}, {empty},
             CASE WHEN i % 100 = 0 THEN 0 ELSE i END, i, i, i FROM n WHERE i % 5 = 0"
        ),
        format!(
            "INSERT INTO agents SELECT {helpdesk}, 'a' || {i}, 's' || {i}, '', '[]', '[]', 1, i, i, i FROM n
             WHERE i <= 20000"
        ),
        format!("INSERT INTO heads SELECT 'desk-' || {i}, 0, 0, 0, 0, 1 FROM n WHERE i <= 5000"),
        "INSERT INTO heads SELECT helpdesk, 0, max(ticket), 0, 0, 1 FROM tickets GROUP BY helpdesk".to_owned(),
        format!("INSERT INTO requests SELECT {helpdesk}, 'budi', {i}, 'CreateTicket', {empty}, i, i FROM n"),
    ] {
        connection.batch_execute(&format!("{numbers} {statement}")).unwrap();
    }
    dialect::settle_requesters(connection).unwrap();
    // On SQLite none ever runs: the migrations say what the planner is to expect.
    if matches!(connection, AnyConnection::Postgres(_)) {
        let statistics =
            "DELETE FROM pg_statistic; UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relkind IN ('r', 'i')";
        connection.batch_execute(if are_known { "ANALYZE" } else { statistics }).unwrap();
    }
}

struct Fields;

impl Schema for Fields {
    fn field_type(&self, id: &str) -> Option<FieldKind> {
        (id == "order").then_some(FieldKind::Text)
    }

    fn field_ids(&self) -> Vec<String> {
        vec!["order".to_owned()]
    }
}

/// Runs every query of a list, a claim and a catch-up, each under a name.
fn ask(connection: &mut AnyConnection, mut name: impl FnMut(&'static str)) {
    let indexed = ["order".to_owned()];
    let page = |connection: &mut AnyConnection, filter: &str, order: &Order, after: Option<Key>| {
        let filter = Filter::parse(filter, &Fields).unwrap();
        list::page(connection, "desk", &filter, &indexed, order, after.as_ref(), 50).unwrap();
    };
    let key = |queue_key: &str| Some(Key { queue_key: queue_key.to_owned(), ticket: 100_001 });
    name("list: the first page");
    page(connection, "", &Order::CreatedDesc, None);
    name("list: a later page");
    page(connection, "", &Order::Created, key(""));
    name("list: what no index knows");
    page(connection, "subject:\"Subject 7\" AND tags:vip", &Order::Created, key(""));
    name("list: by requester");
    page(connection, "requester = \"r7@example.com\"", &Order::CreatedDesc, key(""));
    name("list: by assignee");
    page(connection, "assignee = \"agent-5\"", &Order::CreatedDesc, None);
    name("list: by number");
    page(connection, "number = \"T-7\"", &Order::CreatedDesc, None);
    name("list: by an indexed field");
    page(connection, "fields.order = \"7\"", &Order::Created, key(""));
    name("list: a queue");
    page(connection, "", &Order::Queue("main".to_owned()), key("10000012"));
    name("list: a requester's own in a queue");
    let own = "requester = \"r1@example.com\"";
    page(connection, own, &Order::Queue("main".to_owned()), key("10000012"));
    name("claim: the first in line");
    queues::first(connection, "desk", "main", 3).unwrap();
    name("claim: the first in line with one of several skills");
    skills::first(connection, "desk", "main", &["s1", "s2", ""], 16).unwrap();
    name("queue: tickets ahead");
    let ticket = tickets::by_ids(connection, "desk", &[240_012]).unwrap().remove(&240_012).unwrap();
    queues::ahead(connection, "desk", &ticket).unwrap();
    name("queue: the longest wait");
    queues::first_keys(connection, "desk", "main", &["1".to_owned()]).unwrap();
    name("batch: tickets");
    tickets::by_ids(connection, "desk", &[7, 8, 9]).unwrap();
    name("batch: request ids");
    // As many as a batch has: of few, any plan is good.
    let ids: Vec<_> = (1..=512).map(|id: i32| id.to_string()).collect();
    let pairs: Vec<_> = ids.iter().map(|id| ("budi", id.as_str())).collect();
    requests::by_ids(connection, "desk", &pairs).unwrap();
    name("batch: request ids in order of time");
    let in_order: Vec<_> = (0..512).map(in_order_of_time).collect();
    let pairs: Vec<_> = in_order.iter().map(|id| ("budi", id.as_str())).collect();
    requests::by_ids(connection, "desk", &pairs).unwrap();
    name("batch: external references");
    let reference = |id: &String| ExternalRef { source: "load".to_owned(), id: id.clone() };
    tickets::by_external_refs(connection, "desk", &ids.iter().map(reference).collect::<Vec<_>>()).unwrap();
    name("batch: bodies");
    let numbers: Vec<i64> = (1..=512).collect();
    tickets::bodies(connection, "desk", &numbers).unwrap();
    name("batch: numbers that are taken");
    dialect::numbers_taken(connection, "desk", &ids).unwrap();
    name("batch: what links lead to");
    tickets::by_ids(connection, "desk", &numbers).unwrap();
    name("batch: replies");
    let pairs: Vec<(i64, i64)> = numbers.iter().map(|number| (*number, 1)).collect();
    replies::by_ids(connection, "desk", &pairs).unwrap();
    name("batch: texts that must not be repeated");
    duplicates::by_digests(connection, "desk", &named("d")).unwrap();
    name("batch: uploads");
    uploads::by_ids(connection, "desk", &named("u")).unwrap();
    uploads::open_of(connection, "desk", &named("r")[..3], 5).unwrap();
    name("batch: agents");
    agents::find(connection, "desk", &named("s"), &named("a")).unwrap();
    name("batch: what is gone");
    gone(connection);
    name("get: by number");
    tickets::by_number(connection, "desk", "T-7").unwrap();
    name("requesters");
    requesters::by_ids(connection, "desk", &named("r")).unwrap();
    requesters::page(connection, "desk", "r1", 50).unwrap();
    name("replies");
    replies::page(connection, "desk", 7, false, 0, 50).unwrap();
    name("attachments");
    let wanted = attachments::Wanted { tickets: vec![5], replies: None, with_notes: false };
    let _ = attachments::page(connection, "desk", &wanted, "", 50);
    let _ = attachments::of_replies(connection, "desk", 5, &[1, 2, 3]);
    let _ = attachments::get(connection, "desk", "a5");
    name("history");
    let _ = changes::of_ticket(connection, "desk", 7, (3, 0), 50);
    name("catch up");
    let _ = changes::after(connection, "desk", 150_000, changes::Limit { rows: 2_000, bytes: 8 << 20 });
    name("catch up: one revision");
    let _ = changes::of_revision(connection, "desk", 7);
    name("catch up: the uid");
    changes::uid(connection, "desk", 7).unwrap();
    name("housekeeping");
    let place = ("budi".to_owned(), "7".to_owned());
    requests::behind(connection, "desk", &place, 2, 1_000).unwrap();
    dialect::write(connection, |connection| Ok::<_, StoreError>(requests::forget(connection, "desk", &[place])?))
        .unwrap();
    name("head");
    heads::last_revision(connection, "desk").unwrap();
}

fn in_order_of_time(millisecond: u64) -> String {
    uuid::Builder::from_unix_timestamp_millis(millisecond, &[0; 10]).into_uuid().to_string()
}

/// As many ids as a batch has keys.
fn named(prefix: &str) -> Vec<String> {
    (1..=512).map(|number| format!("{prefix}{number}")).collect()
}

/// Deletes by as many keys as a batch has, and moves a ticket.
fn gone(connection: &mut AnyConnection) {
    let helpdesk = || "desk".to_owned();
    let numbers: Vec<i64> = (1..=512).collect();
    let reference = |ticket: &i64| {
        let (source, id) = ("load".to_owned(), ticket.to_string());
        ExternalRefRow { helpdesk: helpdesk(), source, id, ticket: *ticket }
    };
    let field = |ticket: &i64| {
        let (field, value) = ("order".to_owned(), ticket.to_string());
        FieldRow { helpdesk: helpdesk(), field, value, ticket: *ticket }
    };
    let listed = |ticket: &i64| {
        let (queue, skill, queue_key) = ("main".to_owned(), "s1".to_owned(), (10_000_000 + ticket).to_string());
        WaitingSkillRow { helpdesk: helpdesk(), queue, skill, queue_key, ticket: *ticket }
    };
    dialect::write(connection, |connection| {
        tickets::delete_external_refs(connection, "desk", &numbers.iter().map(reference).collect::<Vec<_>>())?;
        tickets::delete_fields(connection, "desk", &numbers.iter().map(field).collect::<Vec<_>>())?;
        skills::delete(connection, "desk", &numbers.iter().map(listed).collect::<Vec<_>>())?;
        duplicates::delete(connection, "desk", &numbers)?;
        uploads::remove(connection, "desk", &named("u"))?;
        Ok::<_, StoreError>(dialect::place_tickets(connection, "desk", &[(1, "00000001")])?)
    })
    .unwrap();
}

/// The plans of all of them, each statement with the values that it was sent with.
fn plans(database: &str, tickets: usize, are_known: bool) -> String {
    let throwaway = Throwaway::named(database);
    let mut connection = throwaway.database.open().unwrap();
    dialect::migrate(&mut connection).unwrap();
    fill(&mut connection, tickets, are_known);
    // SQLite reads what it is to expect when it opens a file.
    drop(connection);
    let mut connection = throwaway.database.open().unwrap();
    let sent: Arc<Mutex<Vec<(&'static str, String)>>> = Arc::default();
    let (heard, asked) = (Arc::clone(&sent), Arc::clone(&sent));
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && let Some((_, sql)) = heard.lock().unwrap().last_mut()
        {
            sql.push_str(&query.to_string());
            sql.push('\0');
        }
    });
    ask(&mut connection, |name| asked.lock().unwrap().push((name, String::new())));
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let mut text = String::new();
    for (name, sql) in sent.lock().unwrap().iter() {
        for statement in sql.split_terminator('\0').filter(|sql| is_planned(sql)) {
            let plan = explain(&mut connection, statement);
            text.extend([name, "\n  ", &plan.join("\n  "), "\n\n"]);
        }
    }
    text
}

fn is_planned(sql: &str) -> bool {
    ["SELECT", "DELETE", "UPDATE"].iter().any(|verb| sql.starts_with(verb))
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    detail: String,
}

fn explain(connection: &mut AnyConnection, sent: &str) -> Vec<String> {
    let (sql, binds) = sent.split_once(" -- binds: ").unwrap();
    let none = std::iter::empty::<&Bind>;
    match connection {
        AnyConnection::Sqlite(_) => {
            let rows: Vec<Line> = load(connection, &format!("EXPLAIN QUERY PLAN {sql}"), none()).unwrap();
            rows.into_iter().map(|row| row.detail).collect()
        }
        AnyConnection::Postgres(_) => {
            let values: Vec<serde_json::Value> = serde_json::from_str(binds).unwrap();
            let sql =
                values.iter().enumerate().rev().fold(sql.to_owned(), |sql, (place, value)| {
                    sql.replace(&format!("${}", place + 1), &literal(value))
                });
            let rows: Vec<PostgresLine> = load(connection, &format!("EXPLAIN (COSTS OFF) {sql}"), none()).unwrap();
            rows.into_iter().map(|row| row.detail).collect()
        }
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the enum is another's, and what is bound is a text or a number")]
fn literal(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => format!("'{text}'"),
        serde_json::Value::Array(values) => {
            format!("ARRAY[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        number => number.to_string(),
    }
}
