//! Every query of a list, a claim or a catch-up is led by an index, on an empty database as on a large one: SQLite plans by
//! what the migration tells it, and never looks at the rows.

use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tempfile::TempDir;

use super::list::{self, Key, Order};
use super::{AnyConnection, Database, changes, dialect, queues, replies, tickets};
use crate::domain::filter::{FieldKind, Filter, Schema};

struct Fields;

impl Schema for Fields {
    fn field_type(&self, id: &str) -> Option<FieldKind> {
        (id == "product").then_some(FieldKind::Text)
    }

    fn field_ids(&self) -> Vec<String> {
        vec!["product".to_owned()]
    }
}

fn database() -> (AnyConnection, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database: Database = format!("sqlite:{}", folder.path().join("plans.db").display()).parse().unwrap();
    dialect::migrate(&mut database.open().unwrap()).unwrap();
    (database.open().unwrap(), folder)
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// How SQLite would run the queries that `work` runs, a line for each step.
fn plans(connection: &mut AnyConnection, work: impl FnOnce(&mut AnyConnection)) -> String {
    let run = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&run);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            noted.lock().unwrap().push(query.to_string());
        }
    });
    work(connection);
    connection.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let run = std::mem::take(&mut *run.lock().unwrap());
    let selects = run.iter().map(|query| query.split(" -- binds").next().unwrap_or(query));
    let mut lines = Vec::new();
    for select in selects.filter(|query| query.starts_with("SELECT")) {
        let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {select}")).load(connection).unwrap();
        // What is read through an index is filtered and sorted again outside, which looks at no other rows.
        let steps = steps.into_iter().map(|step| step.detail).filter(|detail| !detail.starts_with("SCAN t"));
        lines.extend(steps.filter(|detail| !detail.starts_with("CO-ROUTINE") && detail != "MATERIALIZE t"));
    }
    lines.join("\n")
}

fn listed(connection: &mut AnyConnection, filter: &str, order: &Order, after: Option<Key>) -> String {
    let filter = Filter::parse(filter, &Fields).unwrap();
    let indexed = ["product".to_owned()];
    plans(connection, |connection| {
        list::page(connection, "desk", &filter, &indexed, order, after, 10).unwrap();
    })
}

#[test]
fn lists_are_led_by_the_index_of_what_they_ask_for() {
    let (mut connection, _folder) = database();
    let mut all = Vec::new();
    for filter in ["", "requester = \"ani@example.com\"", "assignee = budi", "number = \"7\"", "fields.product = app"] {
        for order in [Order::Created, Order::CreatedDesc] {
            for after in [None, Some(Key { queue_key: String::new(), ticket: 7 })] {
                let is_next = after.is_some();
                let plan = listed(&mut connection, filter, &order, after);
                all.push(format!("{filter} {order:?} {is_next}\n{plan}"));
            }
        }
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
     Created false
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=?)
     Created true
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket>?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket>?)
     CreatedDesc false
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=?)
     CreatedDesc true
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket<?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket<?)
    requester = "ani@example.com" Created false
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=?)
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=?)
    requester = "ani@example.com" Created true
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=? AND ticket>?)
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=? AND ticket>?)
    requester = "ani@example.com" CreatedDesc false
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=?)
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=?)
    requester = "ani@example.com" CreatedDesc true
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=? AND ticket<?)
    SEARCH s USING INDEX tickets_by_requester (helpdesk=? AND requester=? AND ticket<?)
    assignee = budi Created false
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=?)
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=?)
    assignee = budi Created true
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=? AND ticket>?)
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=? AND ticket>?)
    assignee = budi CreatedDesc false
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=?)
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=?)
    assignee = budi CreatedDesc true
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=? AND ticket<?)
    SEARCH s USING INDEX tickets_by_assignee (helpdesk=? AND assignee=? AND ticket<?)
    number = "7" Created false
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    number = "7" Created true
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    number = "7" CreatedDesc false
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    number = "7" CreatedDesc true
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    SEARCH s USING INDEX tickets_by_number (helpdesk=? AND number=?)
    fields.product = app Created false
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    USE TEMP B-TREE FOR ORDER BY
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    fields.product = app Created true
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=? AND ticket>?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    USE TEMP B-TREE FOR ORDER BY
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=? AND ticket>?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    fields.product = app CreatedDesc false
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    USE TEMP B-TREE FOR ORDER BY
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    fields.product = app CreatedDesc true
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=? AND ticket<?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    USE TEMP B-TREE FOR ORDER BY
    SEARCH f USING PRIMARY KEY (helpdesk=? AND field=? AND value=? AND ticket<?)
    SEARCH s USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    "#);
}

#[test]
fn queues_and_logs_are_read_from_where_they_begin() {
    let (mut connection, _folder) = database();
    let mut all = Vec::new();
    let in_queue = Order::Queue("main".to_owned());
    for after in [None, Some(Key { queue_key: "007".to_owned(), ticket: 7 })] {
        all.push(format!("queue {}", listed(&mut connection, "queue = main", &in_queue, after)));
    }
    let claim = plans(&mut connection, |connection| {
        queues::first(connection, "desk", "main", 5).unwrap();
        queues::first_keys(connection, "desk", "main", &["000".to_owned()]).unwrap();
    });
    let looked_up = plans(&mut connection, |connection| {
        tickets::by_number(connection, "desk", "7").unwrap();
        tickets::by_ids(connection, "desk", &[7]).unwrap();
        dialect::numbers_taken(connection, "desk", &["7".to_owned()]).unwrap();
    });
    let history = plans(&mut connection, |connection| {
        changes::of_ticket(connection, "desk", 7, (3, 0), 10).unwrap();
        replies::page(connection, "desk", 7, false, 3, 10).unwrap();
    });
    let catch_up = plans(&mut connection, |connection| {
        changes::after(connection, "desk", 3, 10).unwrap();
        changes::of_revision(connection, "desk", 3).unwrap();
        changes::uid(connection, "desk", 3).unwrap();
    });
    all.push(format!("claim\n{claim}\nlook-up\n{looked_up}\nhistory\n{history}\ncatch-up\n{catch_up}"));
    insta::assert_snapshot!(all.join("\n"), @r"
    queue SEARCH s USING INDEX tickets_waiting (helpdesk=? AND queue=?)
    SEARCH s USING COVERING INDEX tickets_waiting (helpdesk=? AND queue=?)
    queue SEARCH s USING INDEX tickets_waiting (helpdesk=? AND queue=? AND (queue_key,ticket)>(?,?))
    SEARCH s USING COVERING INDEX tickets_waiting (helpdesk=? AND queue=? AND (queue_key,ticket)>(?,?))
    claim
    SEARCH tickets USING INDEX tickets_waiting (helpdesk=? AND queue=?)
    SEARCH tickets USING COVERING INDEX tickets_waiting (helpdesk=? AND queue=? AND queue_key>? AND queue_key<?)
    look-up
    SEARCH tickets USING INDEX tickets_by_number (helpdesk=? AND number=?)
    SCAN wanted VIRTUAL TABLE INDEX 1:
    SEARCH t USING INDEX sqlite_autoindex_tickets_1 (helpdesk=? AND ticket=?)
    SCAN wanted VIRTUAL TABLE INDEX 1:
    SEARCH t USING COVERING INDEX tickets_by_number (helpdesk=? AND number=?)
    history
    SEARCH changes USING INDEX changes_by_ticket (helpdesk=? AND ticket=? AND revision>?)
    USE TEMP B-TREE FOR LAST TERM OF ORDER BY
    SEARCH replies USING INDEX sqlite_autoindex_replies_1 (helpdesk=? AND ticket=? AND reply>?)
    catch-up
    SEARCH changes USING INDEX sqlite_autoindex_changes_1 (helpdesk=? AND revision>?)
    SEARCH changes USING INDEX sqlite_autoindex_changes_1 (helpdesk=? AND revision=?)
    SEARCH changes USING INDEX sqlite_autoindex_changes_1 (helpdesk=? AND revision=?)
    ");
}
