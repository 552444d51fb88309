//! What whoever runs a server relies on: its settings, its metrics, its health, and that it stops.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::database;
use crate::support::programs::{SERVER, program, run, said, without_settings};
use crate::support::tail::{Tail, narrow, now};
use crate::support::{Desk, SIMPLE, ServerProcess, draft, eventually, free_port};

/// A server with these flags, and these variables.
fn server(folder: &Path, flags: &[String], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program(SERVER));
    without_settings(&mut command)
        .current_dir(folder)
        .args(flags)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

#[tokio::test]
async fn a_flag_comes_before_a_variable_before_the_file_before_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("loket.toml"), "listen = \"127.0.0.1:0\"\ndata_dir = \"of-file\"\nmax_calls = 10\n").unwrap();
    let config = "--config=loket.toml".to_owned();
    let variable = [("LOKET_DATA_DIR", "of-variable")];
    let flag = "--data-dir=of-flag".to_owned();
    let listen = "--listen=127.0.0.1:0".to_owned();
    for (flags, variables, expected) in [
        (vec![config.clone(), flag.clone()], &variable[..], "of-flag"),
        (vec![config.clone()], &variable[..], "of-variable"),
        (vec![config], &[][..], "of-file"),
        (vec![listen], &[][..], "loket-data"),
    ] {
        let before: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let mut child = server(folder, &flags, variables).stderr(Stdio::null()).spawn().unwrap();
        let key = folder.join(expected).join("admin.key");
        eventually("the server writes its key where it should", async || {
            assert!(child.try_wait().unwrap().is_none(), "the server ended: {flags:?}");
            key.exists().then_some(())
        })
        .await;
        child.kill().unwrap();
        child.wait().unwrap();
        let after = fs::read_dir(folder).unwrap().count();
        assert_eq!(after, before.len() + 1, "only {expected} is new");
    }
}

#[tokio::test]
async fn a_setting_that_is_not_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("loket.toml"), "data_folder = \"x\"\n").unwrap();
    let output = run(server(folder.path(), &["--config=loket.toml".to_owned()], &[])).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("there is no setting `data_folder`"), "{}", said(&output));
    let output = run(server(folder.path(), &[], &[("LOKET_LISTEN", "nowhere")])).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("nowhere") && told.contains("--listen"), "{}", said(&output));
}

#[tokio::test]
async fn prometheus_is_told_of_calls_commits_and_watchers() {
    let port = free_port();
    let server = ServerProcess::start(database().with().flag(&format!("--metrics-listen=127.0.0.1:{port}"))).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    admin.create(draft("Printer on fire")).await.unwrap();
    admin.get("helpdesks/desk/tickets/77").await.unwrap_err();
    let mut tail = Tail::open(narrow(&admin, 1 << 16).await, now(&admin, "")).await.unwrap();
    tail.next().await.unwrap();

    let metrics = scrape(port).await;
    for (name, labels) in [
        ("loket_calls_total", ["TicketService/CreateTicket", "code=\"Ok\""].as_slice()),
        ("loket_calls_total", &["TicketService/GetTicket", "code=\"NotFound\""]),
        ("loket_call_seconds_bucket", &["TicketService/CreateTicket"]),
        ("loket_batch_commands_sum", &[]),
        ("loket_queued_commands", &[]),
        ("loket_serving 1", &[]),
        ("loket_build_info", &["version=\""]),
        ("loket_feed_watchers", &[]),
        ("loket_streams_open", &["TicketService/WatchTickets"]),
    ] {
        let line = metrics.lines().find(|line| line.starts_with(name) && labels.iter().all(|l| line.contains(l)));
        assert!(line.is_some(), "{name} {labels:?} is not in\n{metrics}");
    }
}

pub(super) async fn scrape(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

#[tokio::test]
async fn health_follows_the_database() {
    let desk = Desk::open(database()).await;
    let mut connection = desk.data().connect();
    let mut health = HealthClient::new(desk.admin().channel());
    let mut is = async |status: ServingStatus| {
        let request = HealthCheckRequest { service: "loket.v1.TicketService".to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        (answer.status() == status).then_some(())
    };
    connection.batch_execute("ALTER TABLE heads RENAME TO lost").unwrap();
    eventually("it is told that nothing can be served", async || is(ServingStatus::NotServing).await).await;
    connection.batch_execute("ALTER TABLE lost RENAME TO heads").unwrap();
    eventually("it is told that all is well again", async || is(ServingStatus::Serving).await).await;
    desk.admin().create(draft("Printer on fire")).await.unwrap();
}

#[tokio::test]
async fn whoever_watches_the_health_is_told_what_changes() {
    let desk = Desk::open(database()).await;
    let mut health = HealthClient::new(desk.admin().channel());
    let mut told = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut next = async || told.message().await.map(|answer| answer.map(|answer| answer.status()));
    assert_eq!(next().await.unwrap(), Some(ServingStatus::Serving));
    // All is asked for once a second, and found as it was.
    let silent = tokio::time::timeout(Duration::from_millis(1_500), next()).await;
    assert!(silent.is_err(), "{silent:?}");
    desk.stop();
    assert_eq!(next().await.unwrap(), Some(ServingStatus::NotServing));
    assert_eq!(next().await.unwrap_err().code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("log");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Open at both ends, so that neither waits for the other, and full after 64 KiB.
    let _pipe = fs::File::options().read(true).write(true).open(&pipe).unwrap();
    let shell = format!("exec \"$@\" 2>'{}'", pipe.display());
    let into_it = ["sh", "-c", &shell, "sh"].map(str::to_owned).to_vec();
    let mut server = ServerProcess::start(database().with().under(into_it).flag("--log=trace")).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    for number in 0..200 {
        admin.create(draft(&format!("Ticket {number}"))).await.unwrap();
    }
    server.terminate();
    assert!(server.ended().await);
}

#[tokio::test]
async fn ctrl_c_stops_a_server_in_order() {
    let mut server = ServerProcess::start(database()).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    let mut tail = Tail::open(narrow(&admin, 1 << 16).await, now(&admin, "")).await.unwrap();
    server.interrupt();
    while tail.next().await.unwrap().is_some() {}
    assert!(tail.seen.closing, "the stream says that it closes");
    assert!(server.ended().await, "{}", server.log());
}
