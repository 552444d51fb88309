//! `loket import` from files into a server.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::database;
use crate::support::programs::{json, loket, run, said, signal};
use crate::support::{Desk, eventually};

const MAPPING: [&str; 9] = [
    "--helpdesk=desk",
    "--id-column=number",
    "--source=calls",
    "--map=email=requester",
    "--map=subject=subject",
    "--map=text=body",
    "--in-flight=2",
    "-o",
    "json",
];

fn import(desk: &Desk, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = loket(&desk.endpoint(), desk.data().folder(), folder);
    command.arg("import").args(MAPPING).args(arguments);
    command
}

/// Rows whose requesters exist.
fn rows(numbers: impl Iterator<Item = u32>) -> String {
    let mut text = "number,email,subject,text\n".to_owned();
    for number in numbers {
        writeln!(text, "C{number},caller-{number}@example.com,\"Call {number}, of many\",\"two\nlines\"").unwrap();
    }
    text
}

fn gzip(path: &Path, text: &str) {
    let mut encoder = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
}

/// Created, already there, refused.
fn counts(output: &Output) -> [u64; 3] {
    let summary = json(output);
    ["created", "already_there", "refused"].map(|count| summary[count].as_u64().unwrap())
}

async fn subjects(desk: &Desk) -> Vec<String> {
    desk.admin().list("").await.unwrap().into_iter().map(|ticket| ticket.subject).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_rows_are_corrected_and_nothing_is_imported_twice() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = "C900,nobody,No address,x\nC7,caller-7@example.com,The id of another,x\n";
    gzip(&folder.path().join("calls.csv.gz"), &(rows(1..101) + wrong));
    let calls = ["calls.csv.gz"];

    let dry = run(import(&desk, folder.path(), &["calls.csv.gz", "--dry-run"])).await;
    assert_eq!((dry.status.code(), counts(&dry)), (Some(1), [100, 0, 2]), "{}", said(&dry));
    assert!(subjects(&desk).await.is_empty());
    assert_eq!(json(&dry)["reasons"].as_array().unwrap().len(), 2, "{}", said(&dry));
    assert!(!folder.path().join("calls.rej.csv").exists(), "a dry run writes nothing");

    // Stopped on the way, and repeated.
    let begun = run(import(&desk, folder.path(), &["calls.csv.gz", "--limit=40"])).await;
    assert_eq!((begun.status.code(), counts(&begun)), (Some(0), [40, 0, 0]), "{}", said(&begun));
    let whole = run(import(&desk, folder.path(), &calls)).await;
    assert_eq!((whole.status.code(), counts(&whole)), (Some(1), [60, 40, 2]), "{}", said(&whole));
    assert_eq!(json(&whole)["rejects"], Value::from(vec!["calls.rej.csv"]));

    // The rejects are a file like the first, with the reason in one more column.
    let rejects = fs::read_to_string(folder.path().join("calls.rej.csv")).unwrap();
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "number,email,subject,text,loket_error"), "{rejects}");
    assert!(rejects.contains("calls.csv.gz:202: ") && rejects.contains("requester"), "{rejects}");
    let corrected = rejects.replace(",nobody,", ",somebody@example.com,").replace("C7,", "C901,");
    fs::write(folder.path().join("calls.rej.csv"), corrected).unwrap();
    let output = run(import(&desk, folder.path(), &["calls.rej.csv"])).await;
    assert_eq!((output.status.code(), counts(&output)), (Some(0), [2, 0, 0]), "{}", said(&output));

    let again = run(import(&desk, folder.path(), &["calls.rej.csv"])).await;
    assert_eq!((again.status.code(), counts(&again)), (Some(0), [0, 2, 0]), "{}", said(&again));
    let subjects = subjects(&desk).await;
    assert_eq!(subjects.len(), 102);
    assert_eq!(subjects.iter().collect::<HashSet<_>>().len(), 102);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_killed_is_finished_by_the_next() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("calls.csv"), rows(1..601)).unwrap();
    let mut command = import(&desk, folder.path(), &["calls.csv", "--batch=20"]);
    let mut killed = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the import has begun", async || (!subjects(&desk).await.is_empty()).then_some(())).await;
    killed.kill().unwrap();
    killed.wait().unwrap();

    let output = run(import(&desk, folder.path(), &["calls.csv"])).await;
    let [created, already_there, refused] = counts(&output);
    assert_eq!((output.status.code(), created + already_there, refused), (Some(0), 600, 0), "{}", said(&output));
    assert!(already_there > 0);
    assert_eq!(subjects(&desk).await.iter().collect::<HashSet<_>>().len(), 600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_interrupted_tells_what_it_has_done() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    // So many that it is at work when it is told to stop.
    fs::write(folder.path().join("calls.csv"), rows(1..30_001)).unwrap();
    let mut command = import(&desk, folder.path(), &["calls.csv", "--batch=20"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the import has begun", async || (!subjects(&desk).await.is_empty()).then_some(())).await;
    signal(child.id(), "INT");
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();

    let [created, already_there, refused] = counts(&output);
    assert_eq!((output.status.code(), already_there, refused), (Some(130), 0, 0), "{}", said(&output));
    assert!(said(&output).contains("error: stopped before the end; the same command goes on where it was\n"));
    assert_eq!(subjects(&desk).await.len() as u64, created);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_interrupted_also_where_its_input_does_not_end() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = import(&desk, folder.path(), &["-", "--batch=20", "--rejects=calls.rej.csv"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(rows(1..101).as_bytes()).unwrap();
    input.flush().unwrap();
    eventually("the import has begun", async || (!subjects(&desk).await.is_empty()).then_some(())).await;
    signal(child.id(), "INT");
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert_eq!(subjects(&desk).await.len() as u64, counts(&output)[0]);
    drop(input);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_too_large_are_refused_and_the_others_imported() {
    let desk = Desk::open(database().with().max_message_bytes(16 << 10)).await;
    let folder = tempfile::tempdir().unwrap();
    // One that no server takes, one that this server does not, and more than it takes at once of the others.
    let mut text = rows(1..101);
    for (number, length) in [(901, 3 << 20), (902, 20 << 10)] {
        writeln!(text, "C{number},caller@example.com,Too long,{}", "x".repeat(length)).unwrap();
    }
    text += rows(101..201).split_once('\n').unwrap().1;
    fs::write(folder.path().join("calls.csv"), text).unwrap();
    let output = run(import(&desk, folder.path(), &["calls.csv"])).await;
    assert_eq!((output.status.code(), counts(&output)), (Some(1), [200, 0, 2]), "{}", said(&output));
    let rejects = fs::read_to_string(folder.path().join("calls.rej.csv")).unwrap();
    assert!(rejects.contains("more than the 2097152 that one may have"));
    assert!(rejects.contains("larger than the 16384 bytes that this server takes"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_mapping_asks_for_and_nothing_has_is_told_at_once() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("calls.csv"), rows(1..3)).unwrap();
    let mut command = loket(&desk.endpoint(), desk.data().folder(), folder.path());
    command.args(["import", "calls.csv", "--helpdesk=desk", "--id-column=number", "--source=The calls"]);
    command.args(["--map=email=requester", "--map=subject=subject", "--set=priority=soon", "--map=text=fields.text"]);
    let output = run(command).await;
    assert_eq!((output.status.code(), subjects(&desk).await.len()), (Some(3), 0), "{}", said(&output));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    error: --source: `The calls` is no source; write it like `crm` or `mail.message-id`
    error: fields.text: the helpdesk has no field `text`; it has: none
    error: priority: the helpdesk has no priority `soon`; it has: none
    ");

    // The rows that would be refused must have a place before the first is sent.
    let output = run(import(&desk, folder.path(), &["calls.csv", "--rejects=none/calls.rej.csv"])).await;
    assert_eq!((output.status.code(), subjects(&desk).await.len()), (Some(1), 0), "{}", said(&output));
    let output = run(import(&desk, folder.path(), &["calls.csv", "--rejects=calls.csv"])).await;
    assert_eq!((output.status.code(), subjects(&desk).await.len()), (Some(2), 0), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_say_something_else_than_their_tickets_are_told() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("calls.csv"), rows(1..4)).unwrap();
    let output = run(import(&desk, folder.path(), &["calls.csv"])).await;
    assert_eq!(json(&output)["there_otherwise"], 0, "{}", said(&output));
    fs::write(folder.path().join("calls.csv"), rows(1..4).replace("Call 2,", "Call two,")).unwrap();
    let mut command = loket(&desk.endpoint(), desk.data().folder(), folder.path());
    let output = run({
        command.arg("import").args(&MAPPING[..6]).args(["calls.csv", "-o", "table"]);
        command
    })
    .await;
    let said = said(&output);
    assert!(said.contains("calls.csv:4: its case is there already with other content, and stays as it is"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_no_success_because_nobody_reads_it() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("calls.csv"), rows(1..3) + "C3,nobody,No address,x\n").unwrap();
    fs::write(folder.path().join("good.yaml"), format!("name: helpdesks/good\n{}", crate::support::SIMPLE)).unwrap();
    fs::write(folder.path().join("bad.yaml"), "name: helpdesks/bad\ndisplay_name: Bad\n").unwrap();
    let mut apply = loket(&desk.endpoint(), desk.data().folder(), folder.path());
    apply.args(["helpdesk", "apply", "good.yaml", "bad.yaml"]);
    let mut import = loket(&desk.endpoint(), desk.data().folder(), folder.path());
    import.arg("import").args(&MAPPING[..6]).arg("calls.csv");
    for (mut command, code) in [(import, 1), (apply, 3)] {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert_eq!(status.code(), Some(code), "{command:?}");
    }
    assert_eq!(subjects(&desk).await.len(), 2, "the import went on though nobody read what it said");
}
