//! What `loket import --history` makes of a log, and what it keeps of the rows that it leaves out.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Stdio};

use loket::v1::{Reply, ReplyKind};
use loket_client::Error;

use super::micros;
use super::replay::{HEADER, counts, desk, histories, import};
use crate::support::programs::{json, run, said, signal};
use crate::support::{Caller, eventually};

const MAPPING: &str = "
id_column: case
source: old-desk
time_format: '%d/%m/%Y %H:%M'
time_zone: Asia/Jakarta
ticket:
  requester: '{mail}'
  subject: '{subject|squeeze}'
  body: '{text}'
  role: requester
  time: '{opened}'
events:
  time: '{time}'
  actor: '{agent}'
  role: {text: '{agent}', values: {'': requester}, other: agent}
  assignee: {text: '{owner}', removed: ['-']}
  fields.product: {text: '{product}', removed: [none]}
  reply: '{text}'
  reply_kind: {text: '{private}', values: {'1': note}, other: public}
";

const LOG: &str = "\
case,opened,time,mail,subject,agent,owner,product,private,text
 C1 ,02/03/2015 08:00,02/03/2015 08:30,ani@example.com,\"Broken,\n\tagain\",,,,0,It does not start
C1,02/03/2015 08:00,02/03/2015 09:00,,,budi,budi,app,1,He always says so
C1,02/03/2015 08:00,02/03/2015 09:05,,,budi,,,0,Is it plugged in?
C1,02/03/2015 08:00,02/03/2015 09:10,,,budi,-,none,0,
";

async fn replies(caller: &Caller, name: &str) -> Result<Vec<(String, ReplyKind, String)>, Error> {
    let replies = caller.replies(name).await?;
    Ok(replies.into_iter().map(|reply: Reply| (reply.author.clone(), reply.kind(), reply.body)).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_says_no_more_than_it_has() {
    let (desk, folder) = desk(LOG).await;
    let folder = folder.path();
    fs::write(folder.join("mapping.yaml"), MAPPING).unwrap();
    let output = run(import(&desk, folder, &["log.csv"])).await;
    assert_eq!((output.status.code(), counts(&output)), (Some(0), [1, 0, 6, 0, 0]), "{}", said(&output));

    let (ticket, changes) = histories(desk.admin()).await.remove("C1").unwrap();
    let ticket = desk.admin().get(&ticket.name).await.unwrap();
    assert_eq!((ticket.subject.as_str(), ticket.body.as_str()), ("Broken, again", "It does not start"));
    // At eight in Jakarta, half an hour before its first row.
    assert_eq!(micros(ticket.receive_time.as_ref()), 1_425_258_000_000_000);
    let told = |change: &loket::v1::Change| {
        let after = change.ticket_after.as_ref().unwrap();
        let product = after.fields.get("product").cloned().unwrap_or_default();
        format!("{} [{}] ({product})", change.command, after.assignee)
    };
    insta::assert_snapshot!(changes.iter().map(told).collect::<Vec<_>>().join("\n"), @r"
    CreateTicket [] ()
    AssignTicket [budi] ()
    UpdateTicket [budi] (app)
    CreateReply [budi] (app)
    CreateReply [budi] (app)
    AssignTicket [] (app)
    UpdateTicket [] ()
    ");
    let of = |kind, body: &str| ("budi".to_owned(), kind, body.to_owned());
    assert_eq!(
        replies(desk.admin(), &ticket.name).await.unwrap(),
        [of(ReplyKind::Note, "He always says so"), of(ReplyKind::Public, "Is it plugged in?")],
        "its first message is its body"
    );

    // It has grown since.
    fs::write(folder.join("log.csv"), format!("{LOG}C1,,02/03/2015 10:00,,,budi,,,0,Hello?\n")).unwrap();
    let output = run(import(&desk, folder, &["log.csv"])).await;
    assert_eq!((output.status.code(), counts(&output)), (Some(0), [0, 1, 0, 0, 0]), "{}", said(&output));
    assert_eq!(json(&output)["there_otherwise"], 1);

    let late =
        LOG.replace("02/03/2015 08:00,02/03/2015 08:30", "02/03/2015 08:31,02/03/2015 08:30").replace("C1", "C2");
    fs::write(folder.join("log.csv"), late.replace(",1,He", ",maybe,He")).unwrap();
    let output = run(import(&desk, folder, &["log.csv"])).await;
    let rejects = fs::read_to_string(folder.join("log.rej.csv")).unwrap();
    assert_eq!((output.status.code(), counts(&output)[4]), (Some(1), 1), "{}", said(&output));
    assert!(
        rejects.contains("ticket.time: `02/03/2015 08:31` lies behind the time of the case's first row"),
        "{rejects}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_mapping_asks_for_and_nothing_has_is_told_at_once() {
    let (desk, folder) = desk(LOG).await;
    let folder = folder.path();
    let wrong = MAPPING
        .replace("source: old-desk", "source: Old desk")
        .replace("time_zone: Asia/Jakarta\n", "")
        .replace("  role: requester\n", "  role: requester\n  fields.kind: '{text}'\n  priority: urgent\n")
        .replace("fields.product", "fields.produce")
        .replace("'1': note", "'1': private");
    fs::write(folder.join("mapping.yaml"), wrong).unwrap();
    let output = run(import(&desk, folder, &["log.csv"])).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    error: events.reply_kind: `private` is no kind of reply; there are public and note
    error: events.fields.produce: the helpdesk has no field `produce`; it has: product, line
    error: ticket.fields.kind: the helpdesk has no field `kind`; it has: product, line
    error: ticket.priority: the helpdesk has no priority `urgent`; it has: major, high, medium, low
    error: source: `Old desk` is no source; write it like `crm` or `mail.message-id`
    error: time_format: `%d/%m/%Y %H:%M` has no offset (%z): say with time_zone where the times are from, such as Asia/Jakarta, +07:00 or UTC
    ");
    assert_eq!(desk.head().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_that_makes_nothing_of_a_text_says_what_that_is() {
    let (desk, folder) = desk(LOG).await;
    let folder = folder.path();
    let wrong = MAPPING
        .replace("removed: ['-']}", "values: {'-': '', nobody: ''}}")
        .replace("removed: [none]}", "values: {app: Application}, other: ''}");
    fs::write(folder.join("mapping.yaml"), wrong).unwrap();
    let output = run(import(&desk, folder, &["log.csv"])).await;
    assert_eq!((output.status.code(), desk.head().await), (Some(3), 0), "{}", said(&output));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"
    error: events.fields.product: `other` is '', and what is empty says nothing: leave it out, and name in `removed` the texts that stand for no value any more, and in `empty` at the top those that say nothing
    error: events.assignee: `values` has '' for '-', and what is empty says nothing: where '-' stands for nobody any more, take it out of `values` and write `removed: ['-']`; where it says nothing, name it in `empty` at the top
    error: events.assignee: `values` has '' for 'nobody', and what is empty says nothing: where 'nobody' stands for nobody any more, take it out of `values` and write `removed: ['nobody']`; where it says nothing, name it in `empty` at the top
    ");
}

/// A case of which some rows are refused: what is closed is not resolved.
fn refused(text: &mut String, case: &str, count: usize) {
    for status in ["Queued,Awaiting Assignment", "Completed,Resolved", "Completed,Closed"] {
        writeln!(text, "{case},2012-04-01T08:00:00+02:00,{status},Denny,Network,1st,High,PROD1").unwrap();
    }
    for _ in 0..count {
        writeln!(text, "{case},2012-04-02T08:00:00+02:00,Completed,Resolved,Denny,Network,1st,High,PROD1").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_left_out_is_told_before_its_case_is_there() {
    const CASES: u64 = 150;
    let mut log = HEADER.to_owned();
    for case in 0..CASES {
        refused(&mut log, &format!("I-{case}"), 1);
    }
    let (desk, folder) = desk(&log).await;
    let folder = folder.path();
    let flags = ["log.csv", "--skip-refused-events", "--batch=1"];
    let mut command = import(&desk, folder, &flags);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the first case is there", async || (desk.head().await > 0).then_some(())).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let there = histories(desk.admin()).await;
    assert!((there.len() as u64) < CASES, "it was killed too late");
    let rejects = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let told = |rejects: &str, case: &str| {
        rejects.lines().filter(|line| line.starts_with(&format!("{case},"))).map(str::to_owned).collect::<Vec<_>>()
    };
    let first = rejects("log.rej.csv");
    for case in there.keys() {
        let told = told(&first, case);
        assert!(matches!(told.as_slice(), [row] if row.contains("no transition leads")), "{case} {told:?}");
    }
    assert!(told(&first, "I-0")[0].contains("log.csv:5: "), "{first}");

    // Repeated, it says so again only of the others, and finds those that are there as it would make them.
    let output = run(import(&desk, folder, &flags)).await;
    let counted = [CASES - there.len() as u64, there.len() as u64];
    assert_eq!((output.status.code(), &counts(&output)[..2]), (Some(0), counted.as_slice()), "{}", said(&output));
    assert_eq!(json(&output)["there_otherwise"], 0, "{}", said(&output));
    let second = rejects("log.rej.csv");
    assert_eq!(rejects("log.rej.1.csv"), first);
    for case in (0..CASES).map(|case| format!("I-{case}")) {
        assert_eq!(told(&second, &case).len(), usize::from(!there.contains_key(&case)), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_tells_what_is_there_with_other_rows_left_out() {
    let mut log = HEADER.to_owned();
    for case in ["I-1", "I-2"] {
        refused(&mut log, case, 2);
    }
    let (desk, folder) = desk(&log).await;
    let folder = folder.path();
    let flags = ["log.csv", "--skip-refused-events"];
    let output = run(import(&desk, folder, &flags)).await;
    assert_eq!((output.status.code(), counts(&output)[0]), (Some(0), 2), "{}", said(&output));
    fs::remove_file(folder.join("log.rej.csv")).unwrap();

    // One has a further row that is refused as well, the other one that is not.
    let rows = log.strip_prefix(HEADER).unwrap();
    let further = |status: &str| format!(",2012-04-03T08:00:00+02:00,{status},Denny,Network,1st,High,PROD1\n");
    let (first, second) = rows.split_at(rows.find("I-2").unwrap());
    let grown = [
        HEADER,
        first,
        &format!("I-1{}", further("Completed,Resolved")),
        second,
        &format!("I-2{}", further("Accepted,In Progress")),
    ];
    fs::write(folder.join("log.csv"), grown.concat()).unwrap();
    let output = run(import(&desk, folder, &[&flags[..], &["--dry-run"]].concat())).await;
    let otherwise = json(&output)["there_otherwise"].as_u64();
    assert_eq!((counts(&output), otherwise), ([0, 2, 0, 0, 0], Some(1)), "{}", said(&output));
    let output = run(import(&desk, folder, &flags)).await;
    let otherwise = json(&output)["there_otherwise"].as_u64();
    assert_eq!((counts(&output), otherwise), ([0, 2, 0, 0, 0], Some(1)), "{}", said(&output));
    assert!(!folder.join("log.rej.csv").exists(), "what is there has nothing left out now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_is_refused_after_its_rows_were_left_out_has_each_row_once_in_the_rejects() {
    let mut log = HEADER.to_owned();
    for case in ["I-1", "I-2"] {
        refused(&mut log, case, 1);
    }
    let (desk, folder) = desk(&log).await;
    let folder = folder.path();
    // Both bring the same further reference, which is known only when the first of them is there.
    let mapping = fs::read_to_string(folder.join("mapping.yaml")).unwrap();
    let mapping = mapping.replace("ticket:\n", "ticket:\n  external_refs.orders: 'A1'\n");
    fs::write(folder.join("mapping.yaml"), mapping).unwrap();
    let output = run(import(&desk, folder, &["log.csv", "--skip-refused-events"])).await;
    assert_eq!((output.status.code(), counts(&output)), (Some(1), [1, 0, 4, 1, 1]), "{}", said(&output));
    assert_eq!(json(&output)["refused"], 4);
    let rejects = fs::read_to_string(folder.join("log.rej.csv")).unwrap();
    let told: Vec<_> = rejects.lines().map(|line| line.split_once("PROD1,").map_or(line, |(_, why)| why)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    case,time,status,sub_status,agent,group,line,impact,product,loket_error
    "log.csv:5: status TRANSITION_REFUSED: no transition leads from the status `closed` to `resolved`; it leads to: in_progress, queued"
    "log.csv:9: status TRANSITION_REFUSED: no transition leads from the status `closed` to `resolved`; it leads to: in_progress, queued"
    log.csv:6: helpdesks/desk/tickets/1 carries the external reference orders:A1 already
    "log.csv:7: its case is not imported, because of line 6"
    "log.csv:8: its case is not imported, because of line 6"
    "#);
}

/// The same program, also where this one was started with `nohup`, which those that it starts inherit.
fn hearing_hangups(command: &Command) -> Command {
    // Perl is what every system has that can hear a signal again which it was told to ignore.
    let mut hearing = Command::new("perl");
    hearing.args(["-e", "$SIG{HUP} = 'DEFAULT'; exec { $ARGV[0] } @ARGV or die $!"]);
    hearing.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => hearing.env(name, value),
            None => hearing.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        hearing.current_dir(folder);
    }
    hearing
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_told_to_end_tells_what_it_has_done() {
    let mut log = HEADER.to_owned();
    // More than it gets to before it is told.
    for case in 0..2_000 {
        refused(&mut log, &format!("I-{case}"), 1);
    }
    for name in ["TERM", "HUP"] {
        let (desk, folder) = desk(&log).await;
        let command = import(&desk, folder.path(), &["log.csv", "--skip-refused-events", "--batch=1"]);
        let mut command = hearing_hangups(&command);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        eventually("the first case is there", async || (desk.head().await > 0).then_some(())).await;
        signal(child.id(), name);
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(130), "{name} {}", said(&output));
        assert_eq!(counts(&output)[0], u64::try_from(desk.head().await).unwrap(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejects_can_be_imported_as_they_are() {
    // Cases too long, by rows and by events, among others; and one that is refused on the way.
    let mut log = HEADER.to_owned();
    for case in ["I-1", "I-2"] {
        refused(&mut log, case, 1_300);
    }
    for row in 0..300 {
        let group = ["Network", "Mail"][row % 2];
        writeln!(log, "I-3,2012-04-01T08:00:00+02:00,Accepted,In Progress,Denny,{group},1st,High,PROD1").unwrap();
    }
    for case in 10..40 {
        refused(&mut log, &format!("I-{case}"), 1);
    }
    let (desk, folder) = desk(&log).await;
    let folder = folder.path();
    let output = run(import(&desk, folder, &["log.csv", "--batch=3", "--in-flight=4"])).await;
    assert_eq!((output.status.code(), counts(&output)[4]), (Some(1), 33), "{}", said(&output));
    let rejects = fs::read_to_string(folder.join("log.rej.csv")).unwrap();
    let reasons: Vec<_> = rejects.lines().filter(|line| line.contains("a history takes 500 events")).collect();
    assert_eq!(reasons.len(), 3, "each once: {reasons:#?}");
    assert!(
        reasons[2].contains("the case has 601 events") && reasons[2].contains("an id of their own"),
        "{reasons:#?}"
    );
    let output = run(import(&desk, folder, &["log.rej.csv"])).await;
    assert_eq!((output.status.code(), counts(&output)[4]), (Some(1), 33), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_goes_on_in_another_file_is_told_before_anything_is_written() {
    let mut first = HEADER.to_owned();
    refused(&mut first, "I-1", 0);
    let (desk, folder) = desk(&first).await;
    fs::write(folder.path().join("more.csv"), first.replace("04-01", "04-02")).unwrap();
    let output = run(import(&desk, folder.path(), &["log.csv", "more.csv"])).await;
    assert_eq!((output.status.code(), desk.head().await), (Some(3), 0), "{}", said(&output));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @r"
    error: more.csv:2: the case `I-1` began in line 2 of log.csv and goes on here
    error: more.csv: in 1 place a case goes on behind others or in another file; the rows of a case must stand together, in order of time: put them into one file, sorted by its id and its time
    ");
}
