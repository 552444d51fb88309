//! What is acknowledged is on disk: shown by the server's own system calls.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use crate::support::{Database, SIMPLE, ServerProcess, draft};

/// How many tickets are filed, one after the other.
const TICKETS: usize = 10;

#[tokio::test]
async fn on_sqlite_every_create_is_synced_to_disk_before_it_is_answered() {
    let strace = Command::new("strace").arg("-V").output();
    assert!(strace.is_ok_and(|strace| strace.status.success()), "strace is missing: apt-get install strace");
    let trace = tempfile::tempdir().unwrap();
    let trace = trace.path().join("trace.txt");
    let calls = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg";
    // -D: the server stays this process's child; -y: files by name; -s: whole pages, so that a ticket is found in them.
    let strace = ["strace", "-D", "-f", "-y", "-s", "65536", "-e", calls, "-e", "signal=none", "-o"];
    let options = Database::Sqlite.with().under(strace.iter().copied().chain([trace.to_str().unwrap()]));
    let mut server = ServerProcess::start(options).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    let subjects: Vec<_> = (0..TICKETS).map(|number| format!("durable ticket {number:04}")).collect();
    for subject in &subjects {
        admin.create(draft(subject)).await.unwrap();
    }
    server.terminate();
    assert!(server.ended().await, "{}", server.log());

    let calls = calls_in_order(&trace);
    for subject in &subjects {
        let of = |is: fn(&Call) -> bool| {
            let found = calls.iter().position(|call| is(call) && call.text.contains(subject));
            found.unwrap_or_else(|| panic!("{subject} is not in the trace"))
        };
        let written = of(Call::writes_log);
        let answered = of(Call::answers);
        let synced = calls.iter().skip(written).position(Call::syncs_log).map(|behind| written + behind);
        assert!(written < answered, "{subject} is answered before it is written");
        assert!(synced.is_some_and(|synced| synced < answered), "{subject} is answered before it is on disk");
    }
}

/// A system call that has returned.
struct Call {
    text: String,
}

impl Call {
    fn writes_log(&self) -> bool {
        self.text.starts_with("pwrite64(") && self.is_on_log()
    }

    fn syncs_log(&self) -> bool {
        let syncs = self.text.starts_with("fdatasync(") || self.text.starts_with("fsync(");
        syncs && self.is_on_log() && self.text.trim_end().ends_with("= 0")
    }

    fn answers(&self) -> bool {
        let sends = ["write(", "writev(", "sendto(", "sendmsg("].iter().any(|call| self.text.starts_with(call));
        sends && self.file().starts_with("socket:")
    }

    fn is_on_log(&self) -> bool {
        self.file().ends_with("loket.db-wal")
    }

    /// What the first argument stands for: `fdatasync(9</tmp/…/loket.db-wal>)`.
    fn file(&self) -> &str {
        let named = self.text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
        named.map_or("", |(name, _)| name)
    }
}

/// The calls in the order in which they returned, but for what is sent: that may be read before the call returns, so it
/// counts from its beginning.
fn calls_in_order(trace: &Path) -> Vec<Call> {
    const UNFINISHED: &str = " <unfinished ...>";
    let text = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    let mut begun = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(beginning) = rest.strip_suffix(UNFINISHED) {
            let call = Call { text: beginning.to_owned() };
            if call.answers() {
                calls.push(call);
            } else {
                begun.insert(thread.to_owned(), beginning.to_owned());
            }
        } else if rest.starts_with("<... ") {
            let end = rest.split_once("resumed>").map_or("", |(_, end)| end);
            if let Some(beginning) = begun.remove(thread) {
                calls.push(Call { text: beginning + end });
            }
        } else {
            calls.push(Call { text: rest.to_owned() });
        }
    }
    calls
}
