//! What is acknowledged is on disk: shown by the system calls of the server, and of its database.
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use diesel::RunQueryDsl as _;
use futures_util::future::join_all;

use crate::support::{Cluster, Database, SIMPLE, ServerProcess, draft};

/// How many tickets are filed, one after the other.
const TICKETS: usize = 10;

#[tokio::test]
async fn on_sqlite_every_create_is_synced_to_disk_before_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.txt");
    let mut server = ServerProcess::start(Database::Sqlite.with().under(strace(&trace))).await;
    let subjects = file(&server).await;
    server.terminate();
    assert!(server.ended().await, "{}", server.log());
    let calls = calls(&trace);
    check(&subjects, &calls, &calls, "loket.db-wal");
}

/// While others come, the writer does not wait for the disk: those who are answered have, each of them.
#[tokio::test]
async fn on_sqlite_many_creates_at_once_are_synced_to_disk_before_they_are_answered() {
    const AT_ONCE: usize = 50;
    const ROUNDS: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.txt");
    let mut server = ServerProcess::start(Database::Sqlite.with().under(strace(&trace))).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    let subject = |caller: usize, round: usize| format!("durable ticket {caller:04} {round:04}");
    join_all((0..AT_ONCE).map(|caller| {
        let admin = &admin;
        async move {
            for round in 0..ROUNDS {
                admin.create(draft(&subject(caller, round))).await.unwrap();
            }
        }
    }))
    .await;
    server.terminate();
    assert!(server.ended().await, "{}", server.log());
    let calls = calls(&trace);
    let subjects: Vec<_> =
        (0..AT_ONCE).flat_map(|caller| (0..ROUNDS).map(move |round| subject(caller, round))).collect();
    check(&subjects, &calls, &calls, "loket.db-wal");
}

/// SQLite keeps its log as long as it finds another process's locks on the file. A server that has lost them goes on writing
/// into a log that is gone.
#[tokio::test]
async fn on_sqlite_a_program_that_looks_into_the_file_takes_nothing_away_from_the_server() {
    let mut server = ServerProcess::start(Database::Sqlite).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    for round in 0..3 {
        let before = admin.create(draft(&format!("Before {round}"))).await.unwrap();
        // Opened, looked into and closed, as by a backup.
        let mut other = server.data().connect();
        assert!(diesel::sql_query("SELECT ticket FROM tickets").execute(&mut other).is_ok());
        drop(other);
        // What keeps also those away that do not look at anything else.
        assert!(has_locked(server.id(), &server.data().folder().join("loket.db")), "{}", server.log());
        let after = admin.create(draft(&format!("After {round}"))).await.unwrap();
        server.kill();
        server.restart().await;
        for ticket in [before, after] {
            assert_eq!(admin.get(&ticket.name).await.unwrap().uid, ticket.uid);
        }
    }
}

/// Whether a process has a lock on a file.
fn has_locked(process: u32, file: &Path) -> bool {
    let (process, file) = (process.to_string(), format!(":{}", std::fs::metadata(file).unwrap().ino()));
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|lock| {
        let mut words = lock.split_whitespace();
        words.any(|word| word == process) && words.any(|word| word.ends_with(&file))
    })
}

/// What the server is told by its database is true: the log that holds a ticket was synced before the ticket was answered.
#[tokio::test]
async fn on_postgres_every_create_is_synced_to_disk_before_it_is_answered() {
    let cluster = Cluster::start(&[]);
    cluster.crash();
    let written = cluster.folder().join("trace.txt");
    cluster.go_under(&strace(&written));
    let folder = tempfile::tempdir().unwrap();
    let answered = folder.path().join("trace.txt");
    let options = Database::Postgres.with().at(&cluster.create_database());
    let mut server = ServerProcess::start(options.under(strace(&answered))).await;
    let subjects = file(&server).await;
    server.terminate();
    assert!(server.ended().await, "{}", server.log());
    check(&subjects, &calls(&written), &calls(&answered), "/pg_wal/");
}

/// `-D`: what is traced stays the child of who started it; `-yy`: files by name, sockets by
/// protocol; `-s`: whole pages, so that a ticket is found
/// in them; `-ttt` and `-T`: when each call began, and how long it took.
fn strace(trace: &Path) -> Vec<String> {
    let strace = Command::new("strace").arg("-V").output();
    assert!(strace.is_ok_and(|strace| strace.status.success()), "strace is missing: apt-get install strace");
    let calls = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg";
    let options = ["strace", "-D", "-f", "-ttt", "-T", "-yy", "-s", "65536", "-e", calls, "-e", "signal=none", "-o"];
    options.into_iter().chain([trace.to_str().unwrap()]).map(str::to_owned).collect()
}

async fn file(server: &ServerProcess) -> Vec<String> {
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    let subjects: Vec<_> = (0..TICKETS).map(|number| format!("durable ticket {number:04}")).collect();
    for subject in &subjects {
        admin.create(draft(subject)).await.unwrap();
    }
    subjects
}

/// For each ticket: its log was written, then synced, then it was answered.
fn check(subjects: &[String], database: &[Call], server: &[Call], log: &str) {
    for subject in subjects {
        let holds = |call: &&Call| call.text.contains(subject.as_str());
        let written = database.iter().filter(|call| call.writes(log)).find(holds);
        let written = written.unwrap_or_else(|| panic!("{subject} is not written")).end;
        let answered = server.iter().filter(|call| call.answers()).find(holds);
        let answered = answered.unwrap_or_else(|| panic!("{subject} is not answered")).begin;
        assert!(written < answered, "{subject} is answered before it is written");
        let is_synced = |call: &Call| call.syncs(log) && call.begin >= written && call.end <= answered;
        assert!(database.iter().any(is_synced), "{subject} is answered before it is on disk");
    }
}

/// A system call that has returned, and when, in microseconds.
struct Call {
    text: String,
    begin: u64,
    end: u64,
}

impl Call {
    /// `1700000000.000001 fdatasync(9</tmp/…/loket.db-wal>) = 0 <0.000123>`
    fn parse(line: &str) -> Option<Self> {
        let (begin, text) = line.trim_start().split_once(' ')?;
        let (text, took) = text.trim_end().strip_suffix('>')?.rsplit_once(" <")?;
        let begin = micros(begin)?;
        Some(Self { text: text.to_owned(), begin, end: begin + micros(took)? })
    }

    fn writes(&self, log: &str) -> bool {
        self.text.starts_with("pwrite64(") && self.file().contains(log)
    }

    fn syncs(&self, log: &str) -> bool {
        let syncs = self.text.starts_with("fdatasync(") || self.text.starts_with("fsync(");
        syncs && self.file().contains(log) && self.text.trim_end().ends_with("= 0")
    }

    fn answers(&self) -> bool {
        let sends = ["write(", "writev(", "sendto(", "sendmsg("].iter().any(|call| self.text.starts_with(call));
        sends && self.file().starts_with("TCP:")
    }

    /// What the first argument stands for.
    fn file(&self) -> &str {
        let named = self.text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        named.map_or("", |(name, _)| name)
    }
}

fn micros(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.')?;
    (part.len() == 6).then_some(())?;
    Some(whole.parse::<u64>().ok()? * 1_000_000 + part.parse::<u64>().ok()?)
}

/// A call during which another thread's was noted is in two lines.
fn calls(trace: &Path) -> Vec<Call> {
    let text = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    let mut begun = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        if let Some(beginning) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread.to_owned(), beginning.to_owned());
        } else if let Some((resumed, end)) = rest.split_once(" resumed>")
            && resumed.contains(" <... ")
        {
            calls.extend(begun.remove(thread).and_then(|beginning| Call::parse(&(beginning + end))));
        } else {
            calls.extend(Call::parse(rest));
        }
    }
    calls
}
