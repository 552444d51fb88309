//! Logs of incidents that `loket import --history` replays through a definition written for them. The logs are made up; their
//! shape is that of the BPI Challenge 2013 (Volvo IT), doi:10.4121/uuid:500573e6-accc-4b0c-9576-aa5468b10cee.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use futures_util::TryStreamExt as _;
use futures_util::stream::{self, StreamExt as _};
use loket::v1::{Change, Ticket};
use prost_types::Timestamp;

use super::folded;
use crate::support::programs::{json, loket, run, said};
use crate::support::{Caller, Desk, Random};

const DEFINITION: &str = include_str!("incidents.yaml");
const MAPPING: &str = include_str!("incidents.mapping.yaml");
pub(super) const HEADER: &str = "case,time,status,sub_status,agent,group,line,impact,product\n";

/// A row of the log, and what it says of the ticket.
#[derive(Debug, Clone)]
struct Row {
    case: usize,
    time: i64,
    /// As in the log: `Accepted/In Progress`.
    status: &'static str,
    agent: &'static str,
    group: &'static str,
    /// Whether the definition takes it.
    taken: bool,
}

const OPEN: [&str; 8] = [
    "Queued/Awaiting Assignment",
    "Accepted/In Progress",
    "Accepted/Assigned",
    "Accepted/Wait",
    "Accepted/Wait - User",
    "Accepted/Wait - Implementation",
    "Accepted/Wait - Vendor",
    "Accepted/Wait - Customer",
];
const GROUPS: [&str; 5] = ["Network", "Network 2nd", "Mail", "Mail 2nd", "Mail 3rd"];
const AGENTS: [&str; 6] = ["Åse", "Denny", "Anne Claire", "Paul", "Siv", "Eric"];

/// Cases that go to and fro: from hand to hand, from line to line, closed and opened again; now and then as the
/// definition does not have it.
fn log(cases: usize, random: &mut Random) -> Vec<Row> {
    let mut rows = Vec::new();
    for case in 0..cases {
        let mut time = 1_333_238_400 + i64::try_from(case).unwrap() * 500;
        let mut status = any(random, &OPEN[..2]);
        let mut group = any(random, &GROUPS);
        let mut agent = any(random, &AGENTS);
        for step in 0..=random.below(20) {
            let mut taken = true;
            if step > 0 {
                let next = next(status, random);
                let handed = any(random, &GROUPS);
                let is_closed = |status: &str| status == "Completed/Closed";
                // A closed ticket is not sent on, and only opened again.
                taken = !(is_closed(status) && next == "Completed/Resolved");
                let is_sent = next == OPEN[0] || (random.chance(8) && taken);
                taken &= !(is_sent && is_closed(next) && is_closed(status) && handed != group);
                agent = if next == "Completed/Closed" { "System" } else { any(random, &AGENTS) };
                time += 60 + i64::try_from(random.below(100_000)).unwrap();
                let row_group = if is_sent { handed } else { group };
                rows.push(Row { case, time, status: next, agent, group: row_group, taken });
                if taken {
                    (status, group) = (next, row_group);
                }
            } else {
                rows.push(Row { case, time, status, agent, group, taken });
            }
        }
    }
    rows
}

fn any(random: &mut Random, all: &[&'static str]) -> &'static str {
    random.one_of::<&'static str>(all)
}

fn next(status: &str, random: &mut Random) -> &'static str {
    match status {
        "Completed/Resolved" => {
            any(random, &["Completed/Closed", "Completed/Closed", OPEN[1], OPEN[0], "Unmatched/Unmatched"])
        }
        "Completed/Closed" => any(random, &[OPEN[1], OPEN[0], "Completed/Closed", "Completed/Resolved"]),
        "Completed/In Call" | "Unmatched/Unmatched" => any(random, &OPEN[..2]),
        "Accepted/In Progress" if random.chance(6) => "Completed/In Call",
        _ if random.chance(5) => "Completed/Resolved",
        _ if random.chance(3) => OPEN.iter().find(|known| **known == status).copied().unwrap_or(OPEN[1]),
        _ => any(random, &OPEN),
    }
}

/// With an offset of its own: the instant counts.
fn text(rows: &[Row]) -> String {
    let mut text = HEADER.to_owned();
    for row in rows {
        let (status, sub_status) = row.status.split_once('/').unwrap();
        let local = Timestamp { seconds: row.time + 7_200, nanos: 0 }.to_string().replace('Z', "+02:00");
        let line = row.group.split_once(' ').map_or("1st", |(_, line)| line);
        let Row { case, agent, group, .. } = row;
        let product = case % 7;
        writeln!(text, "I-{case},{local},{status},{sub_status},{agent},{group},{line},Medium,PROD{product}").unwrap();
    }
    text
}

/// As the mapping reads it.
fn id(word: &str) -> String {
    let word = word.rsplit('/').next().unwrap();
    match word {
        "Awaiting Assignment" => "queued".to_owned(),
        _ => word.to_lowercase().replace(" - ", "_").replace(' ', "_"),
    }
}

pub(super) fn import(desk: &Desk, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = loket(&desk.endpoint(), desk.data().folder(), folder);
    command.args(["import", "--helpdesk=desk", "--history=mapping.yaml", "-o", "json"]).args(arguments);
    command
}

pub(super) async fn desk(log: &str) -> (Desk, tempfile::TempDir) {
    let desk = Desk::of(super::database(), DEFINITION).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mapping.yaml"), MAPPING).unwrap();
    fs::write(folder.path().join("log.csv"), log).unwrap();
    (desk, folder)
}

/// Tickets, those already there, events, refused events, refused cases.
pub(super) fn counts(output: &Output) -> [u64; 5] {
    let summary = json(output);
    let happened = &summary["history"];
    [
        &summary["created"],
        &summary["already_there"],
        &happened["events"],
        &happened["refused_events"],
        &happened["refused_cases"],
    ]
    .map(|count| count.as_u64().unwrap_or_else(|| panic!("{}", said(output))))
}

pub(super) async fn histories(caller: &Caller) -> BTreeMap<String, (Ticket, Vec<Change>)> {
    let tickets = caller.list("").await.unwrap();
    let read = stream::iter(tickets).map(|ticket| async move {
        let changes = caller.changes(&ticket.name).await?;
        Ok::<_, loket_client::Error>((ticket.external_refs[0].id.clone(), (ticket, changes)))
    });
    read.buffer_unordered(8).try_collect().await.unwrap()
}

/// What each case's rows say, and what its history has, row by row.
fn compare(rows: &[Row], imported: &BTreeMap<String, (Ticket, Vec<Change>)>) {
    let mut cases: BTreeMap<usize, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        cases.entry(row.case).or_default().push(row);
    }
    assert_eq!(cases.len(), imported.len());
    for (case, rows) in cases {
        let (ticket, changes) = &imported[&format!("I-{case}")];
        let mut left: &[Change] = changes;
        for row in rows.iter().filter(|row| row.taken) {
            let at = |change: &&Change| change.event_time.unwrap().seconds == row.time;
            let count = left.iter().take_while(at).count();
            let (of_row, behind) = left.split_at(count);
            let last = of_row.last().unwrap_or_else(|| panic!("{row:?} is not in the history of {case}"));
            let after = last.ticket_after.as_ref().unwrap();
            assert_eq!((&after.status, &after.queue), (&id(row.status), &id(row.group)), "{row:?}");
            assert!(of_row.iter().all(|change| change.actor == row.agent), "{row:?}");
            let takes = ["Accepted/In Progress", "Accepted/Assigned"].contains(&row.status);
            assert!(!takes || after.assignee == row.agent, "{row:?}");
            assert!(row.status != OPEN[0] || after.assignee.is_empty() || count == 1, "{row:?}");
            left = behind;
        }
        assert!(left.is_empty(), "{left:?} is in no row of {case}");
        let fold = folded(changes);
        for (field, value) in [("status", &ticket.status), ("queue", &ticket.queue), ("assignee", &ticket.assignee)] {
            assert_eq!(fold.get(field).map_or("", String::as_str), value, "{case} {field}");
        }
        assert_eq!(ticket.receive_time.unwrap().seconds, rows[0].time);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_replayed_event_by_event() {
    let rows = log(150, &mut Random::new(2013));
    let refused = rows.iter().filter(|row| !row.taken).count() as u64;
    assert!(refused > 5, "{refused}");
    let (desk, folder) = desk(&text(&rows)).await;
    let (folder, arguments) = (folder.path(), ["log.csv", "--batch=20", "--in-flight=3", "--skip-refused-events"]);

    let dry = run(import(&desk, folder, &[&arguments[..], &["--dry-run"]].concat())).await;
    assert_eq!((dry.status.code(), desk.head().await), (Some(0), 0), "{}", said(&dry));
    let begun = run(import(&desk, folder, &[&arguments[..], &["--limit=40"]].concat())).await;
    assert_eq!((counts(&begun)[0], desk.head().await), (40, 40), "{}", said(&begun));
    let whole = run(import(&desk, folder, &arguments)).await;
    let [created, already_there, events, ..] = counts(&whole);
    assert_eq!((created, already_there, desk.head().await), (110, 40, 150), "{}", said(&whole));
    assert_eq!(counts(&dry)[3], counts(&begun)[3] + counts(&whole)[3], "as many were refused");
    assert!(counts(&dry)[3] >= refused);

    let imported = histories(desk.admin()).await;
    compare(&rows, &imported);
    let written: usize = imported.values().map(|(_, changes)| changes.len() - 1).sum();
    assert_eq!(written as u64, events + counts(&begun)[2]);

    // What was left out lies beside the log, with why.
    let rejects = fs::read_to_string(folder.join("log.rej.csv")).unwrap();
    let reasons = ["no transition leads from the status `closed` to `resolved`", "a closed ticket stays"];
    for line in rejects.lines().skip(1) {
        assert!(reasons.iter().any(|reason| line.contains(reason)), "{line}");
    }
    let again = run(import(&desk, folder, &arguments)).await;
    assert_eq!((counts(&again), again.status.code()), ([0, 150, 0, 0, 0], Some(0)), "{}", said(&again));
    assert_eq!(desk.head().await, 150);
}

const SMALL: &str = "\
I-1,2012-04-01T08:00:00+02:00,Accepted,In Progress,Denny,Network,1st,High,PROD1
I-1,2012-04-01T08:05:00+02:00,Accepted,Wait - User,Denny,Network,1st,High,PROD1
I-2,2012-04-01T09:00:00+02:00,Accepted,In Progress,Siv,Mail,1st,Low,PROD2
I-2,2012-04-01T09:05:00+02:00,Completed,Resolved,Siv,Mail,1st,Low,PROD2
I-2,2012-04-02T09:05:00+02:00,Completed,Closed,System,Mail,1st,Low,PROD2
I-2,2012-04-03T09:05:00+02:00,Completed,Resolved,Siv,Mail,1st,Low,PROD2
I-2,2012-04-03T09:04:00+02:00,Accepted,In Progress,Siv,Mail,1st,Low,PROD2
I-2,soon,Accepted,In Progress,Siv,Mail,1st,Low,PROD2
I-3,2012-04-01T10:00:00+02:00,Accepted,In Progress,Paul,Attic,1st,Low,PROD2
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_leave_to_skip_a_case_is_refused_whole_and_each_row_says_why() {
    let (desk, folder) = desk(&format!("{HEADER}{SMALL}")).await;
    let folder = folder.path();
    let output = run(import(&desk, folder, &["log.csv"])).await;
    assert_eq!((output.status.code(), counts(&output)), (Some(1), [1, 0, 4, 1, 2]), "{}", said(&output));
    let rejects = fs::read_to_string(folder.join("log.rej.csv")).unwrap();
    let told: Vec<_> = rejects.lines().map(|line| line.split_once("PROD2,").map_or(line, |(_, why)| why)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    case,time,status,sub_status,agent,group,line,impact,product,loket_error
    "log.csv:4: its case is not imported, because of line 9"
    "log.csv:5: its case is not imported, because of line 9"
    "log.csv:6: its case is not imported, because of line 9"
    "log.csv:7: its case is not imported, because of line 9"
    "log.csv:8: its case is not imported, because of line 9"
    log.csv:9: `soon` is no time like 2026-03-02T08:00:00+07:00; say how it is written with time_format
    "log.csv:10: transfer.queue INVALID_REQUEST: there is no queue ""attic""; there are desk, network, network_2nd, mail, mail_2nd, mail_3rd"
    "#);
    assert_eq!(desk.head().await, 1);

    // Corrected, it is the same case.
    let good = rejects.lines().filter(|line| !line.contains("soon") && !line.contains("Attic"));
    let good = good.filter(|line| !line.contains("04-03")).collect::<Vec<_>>().join("\n");
    fs::write(folder.join("log.rej.csv"), good).unwrap();
    let output = run(import(&desk, folder, &["log.rej.csv"])).await;
    assert_eq!((output.status.code(), counts(&output)[0]), (Some(0), 1), "{}", said(&output));
    let name = histories(desk.admin()).await["I-2"].0.name.clone();
    let body = desk.admin().get(&name).await.unwrap().body;
    assert!(body.contains("agent: Siv") && !body.contains("loket_error"), "{body}");

    // With leave, what can be is imported.
    let (desk, folder) = self::desk(&format!("{HEADER}{SMALL}")).await;
    let output = run(import(&desk, folder.path(), &["log.csv", "--skip-refused-events"])).await;
    assert_eq!((output.status.code(), counts(&output)), (Some(1), [2, 0, 10, 2, 1]), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_come_to_histories_is_told_before_anything_is_written() {
    let rows: Vec<&str> = SMALL.lines().collect();
    let apart = [rows[0], rows[2], rows[1], rows[3]].join("\n");
    let (desk, folder) = desk(&format!("{HEADER}{apart}\n")).await;
    let output = run(import(&desk, folder.path(), &["log.csv"])).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    error: log.csv:4: the case `I-1` began in line 2 and goes on here
    error: log.csv:5: the case `I-2` began in line 3 and goes on here
    error: log.csv: in 2 places a case goes on behind others or in another file; the rows of a case must stand together, in order of time: put them into one file, sorted by its id and its time
    ");

    let wrong =
        MAPPING.replace("resolved\n", "solved\n").replace("'{agent}'\n", "'{agnet}'\n").replace("fields.line", "line");
    fs::write(folder.path().join("mapping.yaml"), wrong).unwrap();
    let output = run(import(&desk, folder.path(), &["log.csv"])).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    error: events.actor: log.csv has no column `agnet`; it has: case, time, status, sub_status, agent, group, line, impact, product
    error: events.line: there are time, actor, role, status, queue, assignee, priority, solution, reason, reply, reply_kind, note and fields.ID
    error: events.status: the helpdesk has no status `solved`; it has: assigned, cancelled, closed, in_call, in_progress, queued, resolved, unmatched, wait, wait_customer, wait_implementation, wait_user, wait_vendor
    ");
    let output = run(import(&desk, folder.path(), &["-"])).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert_eq!(desk.head().await, 0);
}
