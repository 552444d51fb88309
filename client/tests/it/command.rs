//! The command as scripts see it: what it writes where, and its exit codes.

use std::process::{Command, Output, Stdio};

use loket_client::v1::{Change, FieldChange, Ticket, TicketEvent, TicketEventType, WatchMarker, WatchTicketsResponse};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::scripted::{End, Scene, serve};

pub(crate) const CREATE: &[&str] =
    &["ticket", "create", "--helpdesk", "h", "--subject", "S", "--body", "B", "--field", "type=order"];

pub(crate) fn loket(endpoint: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loket"));
    command.env("LOKET_ENDPOINT", endpoint).env("LOKET_TOKEN", "secret").stdin(Stdio::null());
    command
}

pub(crate) async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_ticket_is_one_object_of_the_protobuf_mapping() {
    let ticket = Ticket { name: "helpdesks/h/tickets/1".into(), revision: 7, ..Ticket::default() };
    let (endpoint, seen) = serve([Scene::Answers(Box::new(ticket))]).await;
    let mut command = loket(&endpoint);
    command.args(CREATE).args(["-o", "json"]);
    let output = run(command).await;

    assert_eq!(text(&output.stdout), "{\"name\":\"helpdesks/h/tickets/1\",\"revision\":\"7\"}\n");
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success());
    let seen = seen.lock().unwrap();
    assert_eq!(seen.creates[0].parent, "helpdesks/h");
    assert_eq!(seen.creates[0].ticket.as_ref().unwrap().fields["type"], "order");
}

#[tokio::test]
async fn each_kind_of_failure_has_its_exit_code() {
    for (code, exit) in [
        (Code::InvalidArgument, 3),
        (Code::OutOfRange, 3),
        (Code::NotFound, 4),
        (Code::Unauthenticated, 5),
        (Code::PermissionDenied, 5),
        (Code::AlreadyExists, 6),
        (Code::Aborted, 6),
        (Code::FailedPrecondition, 6),
        (Code::DeadlineExceeded, 7),
        (Code::ResourceExhausted, 7),
        (Code::Internal, 1),
    ] {
        let (endpoint, _) = serve([Scene::Fails(Status::new(code, "no"))]).await;
        let mut command = loket(&endpoint);
        command.args(CREATE);
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(exit), "{code:?}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn every_violation_is_told_on_a_line_of_its_own() {
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation("ticket.requester", "is empty");
    details.add_bad_request_violation("ticket.fields.type", "is \x1b[2Jnot one of the choices");
    let refused = Status::with_error_details(Code::InvalidArgument, "the ticket breaks 2 rules", details);
    let (endpoint, _) = serve([Scene::Fails(refused)]).await;
    let mut command = loket(&endpoint);
    command.args(CREATE);
    assert_eq!(
        text(&run(command).await.stderr),
        "error: the ticket breaks 2 rules\n  ticket.requester: is empty\n  \
         ticket.fields.type: is \u{FFFD}[2Jnot one of the choices\n"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let mut command = loket("http://127.0.0.1:1");
    command.args(CREATE);
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(7));
    assert!(text(&output.stderr).contains("hint: is the server running?"), "{}", text(&output.stderr));

    let mut command = loket("http://127.0.0.1:1");
    command.args(CREATE).env_remove("LOKET_TOKEN").env("LOKET_DATA_DIR", "/nowhere");
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stderr).contains("/nowhere/admin.key does not exist"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn a_web_server_is_told_from_one_of_loket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            // The caller may have gone: it tries more than once.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
            open.push(stream);
        }
    });
    let mut command = loket(&endpoint);
    command.args(CREATE).args(["--timeout", "200ms"]);
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(7));
    let told = text(&output.stderr);
    assert!(told.contains("hint: is it a server of Loket that listens there?"), "{told}");
}

#[tokio::test]
async fn a_key_that_is_refused_is_traced_to_where_it_came_from() {
    let refused = || {
        let mut details = ErrorDetails::new();
        details.set_error_info("INVALID_ACCESS_KEY", "loket.v1", std::collections::HashMap::new());
        Scene::Fails(Status::with_error_details(Code::Unauthenticated, "the access key is unknown", details))
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("admin.key"), "of-the-folder").unwrap();
    let folder = folder.path().to_str().unwrap();
    for (flags, hint) in [
        (&[][..], "hint: the key of LOKET_TOKEN is not one of this server's"),
        (&["--token", "other", "--data-dir", folder], "hint: the key of --token is not one of this server's"),
        (&["--data-dir", folder], "hint: the key is not one of this server's: name its data directory"),
    ] {
        let (endpoint, _) = serve([refused()]).await;
        let mut command = loket(&endpoint);
        command.args(CREATE).args(flags);
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(5));
        assert!(text(&output.stderr).contains(hint), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_told_with_the_flag_that_waits_longer() {
    let (endpoint, seen) = serve([Scene::Hangs]).await;
    let mut command = loket(&endpoint);
    command.args(CREATE).args(["--timeout", "1s"]);
    let output = run(command).await;
    // And how to repeat it, as it may have been done.
    let id = seen.lock().unwrap().creates[0].request_id.clone();
    let told = format!(
        "error: there was no answer within 1s\nhint: --timeout gives it longer\n\
         hint: it may have been done; to repeat it safely, add --request-id {id}\n"
    );
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(7), told.as_str()));
}

#[tokio::test]
async fn a_watch_that_cannot_begin_is_told_and_one_that_breaks_goes_on() {
    const WATCH: &[&str] = &["ticket", "watch", "--helpdesk", "h"];
    let (endpoint, _) = serve([Scene::Hangs, Scene::Hangs, Scene::Hangs]).await;
    let mut command = loket(&endpoint);
    command.args(WATCH).args(["--timeout", "50ms"]);
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no answer within 50ms"), "{}", text(&output.stderr));

    let token = || WatchTicketsResponse { resume_token: "a".into(), ..WatchTicketsResponse::default() };
    let (endpoint, _) = serve([
        Scene::Stream(vec![token()], End::Fails(Status::unavailable("stopping"))),
        Scene::Hangs,
        Scene::Stream(vec![token()], End::Fails(Status::permission_denied("enough"))),
    ])
    .await;
    let mut command = loket(&endpoint);
    // The second stream does not open for so long that it is told of, however late that is looked for.
    command.args(WATCH).args(["--timeout", "5s", "-o", "json"]);
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(5));
    let told = text(&output.stderr);
    assert!(told.starts_with("warning: not connected for ") && told.contains(" s, trying again: stopping\n"), "{told}");
    assert!(told.contains("\nwarning: connected again\n"), "{told}");
    assert!(told.ends_with("error: enough\n"), "{told}");
}

#[tokio::test]
async fn a_key_that_is_set_to_nothing_is_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("admin.key"), "of-the-folder").unwrap();
    let (endpoint, seen) = serve([]).await;
    for (flags, variable, exit, wrong) in [
        (&["--token", ""][..], "secret", 2, "--token is given as nothing"),
        (&["--endpoint", ""][..], "secret", 2, "--endpoint is given as nothing"),
        (&[][..], "", 5, "LOKET_TOKEN is set to nothing"),
    ] {
        let mut command = loket(&endpoint);
        command.args(CREATE).args(flags).env("LOKET_TOKEN", variable).env("LOKET_DATA_DIR", folder.path());
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(exit));
        assert!(text(&output.stderr).contains(wrong), "{}", text(&output.stderr));
    }
    assert!(seen.lock().unwrap().authorization.is_empty());
}

#[tokio::test]
async fn what_is_only_validated_is_told_so() {
    let ticket = Ticket { name: "helpdesks/h/tickets/1".into(), ..Ticket::default() };
    for (flags, told) in [(&["--validate-only"][..], "Valid; nothing was written.\n"), (&[][..], "")] {
        let (endpoint, _) = serve([Scene::Answers(Box::new(ticket.clone()))]).await;
        let mut command = loket(&endpoint);
        command.args(CREATE).args(flags);
        let output = run(command).await;
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), told));
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_command_line_alone_is_wrong_usage() {
    for (line, told) in [
        ("ticket get ovo/OVO-00000003", "--helpdesk ovo --number OVO-00000003"),
        ("ticket update h/1 --external-ref x", "write `SOURCE=ID`"),
        ("ticket get h/1 --endpoint https://desk.example.com", "no TLS"),
        ("ticket get h/1 --helpdesk other", "'[TICKET]' cannot be used with '--helpdesk <HELPDESK>'"),
        (
            "ticket transfer h/1 --to other/main --reason R",
            "--to other/main is a queue of the helpdesk other, and not of h",
        ),
        (
            "agent create h/rina --subject rina --queue other/main",
            "--queue other/main is a queue of the helpdesk other",
        ),
        ("ticket reply h/1 --body - --solution -", "--body and --solution both read standard input"),
        ("ticket transition h/1 close --comment - --solution -", "--comment and --solution both read standard input"),
        ("helpdesk apply - -", "`-` is given twice"),
        ("attachment upload - --helpdesk h", "standard input is read once"),
        ("ticket get --helpdesk h", "not provided:\n  --number <NUMBER>\n\n"),
        ("completions", "Usage: loket completions <SHELL>"),
    ] {
        let mut command = loket("http://127.0.0.1:1");
        command.args(line.split(' '));
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(text(&output.stderr).contains(told), "{}", text(&output.stderr));
    }
}

fn story() -> [Scene; 3] {
    let ticket = Ticket { name: "helpdesks/h/tickets/1".into(), status: "waiting".into(), ..Ticket::default() };
    let moved = FieldChange { field: "status".into(), old_value: "waiting".into(), new_value: "answered".into() };
    let change =
        Change { command: "CreateReply".into(), actor: "budi".into(), field_changes: vec![moved], ..Change::default() };
    let event = |kind: TicketEventType, change| TicketEvent {
        r#type: kind.into(),
        ticket: Some(ticket.clone()),
        change,
        revision: 3,
    };
    let snapshot = WatchTicketsResponse {
        events: vec![event(TicketEventType::Snapshot, None)],
        revision: 3,
        ..WatchTicketsResponse::default()
    };
    let end = WatchTicketsResponse {
        resume_token: "a".into(),
        revision: 3,
        marker: WatchMarker::SnapshotEnd.into(),
        ..WatchTicketsResponse::default()
    };
    let after = WatchTicketsResponse {
        events: vec![event(TicketEventType::Updated, Some(change))],
        resume_token: "b".into(),
        ..WatchTicketsResponse::default()
    };
    let broken = || End::Fails(Status::unavailable("stopping"));
    [
        Scene::Stream(vec![snapshot.clone()], broken()),
        Scene::Stream(vec![snapshot, end, after], broken()),
        Scene::Fails(Status::out_of_range("the token has expired")),
    ]
}

#[tokio::test]
async fn a_watch_writes_an_object_on_each_line_and_does_not_hide_a_gap() {
    let (endpoint, _) = serve(story()).await;
    let mut command = loket(&endpoint);
    command.args(["ticket", "watch", "--helpdesk", "h", "--start", "snapshot", "-o", "json"]);
    let output = run(command).await;

    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines[1]["restarted"], true);
    assert_eq!(lines[3]["marker"], "WATCH_MARKER_SNAPSHOT_END");
    assert_eq!(lines[4]["resume_token"], "b");
    assert_eq!(text(&output.stderr), "error: the token has expired\n");
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test]
async fn a_watch_for_people_has_a_line_for_each_event() {
    let (endpoint, _) = serve(story()).await;
    let mut command = loket(&endpoint);
    command.args(["ticket", "watch", "--helpdesk", "h", "--start", "snapshot"]);
    assert_eq!(
        text(&run(command).await.stdout),
        "       3  snapshot  helpdesks/h/tickets/1  waiting  -  -  -\n\
         The stream broke and begins anew: forget the above.\n       \
         3  snapshot  helpdesks/h/tickets/1  waiting  -  -  -\n       \
         3  updated   helpdesks/h/tickets/1  waiting  -  -  -  [CreateReply by budi; status: waiting → answered]\n"
    );
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let (endpoint, _) = serve(story()).await;
    let mut command = loket(&endpoint);
    command.args(["ticket", "watch", "--helpdesk", "h", "-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_has_seen_enough_ends_a_watch_to_which_nothing_happens() {
    let token = WatchTicketsResponse { resume_token: "a".into(), ..WatchTicketsResponse::default() };
    let (endpoint, _) = serve([Scene::Stream(vec![token], End::Never)]).await;
    let mut command = loket(&endpoint);
    command.args(["ticket", "watch", "--helpdesk", "h"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}
