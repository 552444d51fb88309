//! `loket bench verify`: the proof that users have made, at two servers.

use std::process::{Child, Command, Output, Stdio};

use loket::v1::ListTicketsRequest;

use crate::support::programs::{CLIENT, program, signal};
use crate::support::{Caller, Cluster, Database, ServerProcess, eventually};

/// It runs until it is interrupted, and then says what it found.
struct Verifying(Child);

impl Verifying {
    fn begin(servers: &[ServerProcess; 2], secret: &str) -> Self {
        let mut command = Command::new(program(CLIENT));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.args([
            "bench",
            "verify",
            "-o",
            "json",
            "--duration",
            "10m",
            "--writers",
            "6",
            "--resume-every",
            "500ms",
        ]);
        command.args(["--endpoint", &servers[0].endpoint(), "--further-endpoint", &servers[1].endpoint()]);
        Self(command.args(["--token", secret]).spawn().unwrap())
    }

    async fn end(self) -> Output {
        signal(self.0.id(), "INT");
        tokio::task::spawn_blocking(move || self.0.wait_with_output().unwrap()).await.unwrap()
    }
}

/// Waits until so many revisions of its helpdesk are there, however slow the machine is, while there are ever more. Returns how
/// many there are.
async fn reach(admin: &Caller, revision: i64) -> i64 {
    let request = ListTicketsRequest { parent: "helpdesks/bench".to_owned(), page_size: 1, ..Default::default() };
    let mut seen = 0;
    while seen < revision {
        let further = async || {
            let answer = admin.tickets().list_tickets(request.clone()).await.ok()?;
            Some(answer.into_inner().revision).filter(|revision| *revision > seen)
        };
        seen = eventually(&format!("the helpdesk is worked beyond revision {seen}"), further).await;
    }
    seen
}

/// How many tickets each of the writers has filed whose home is the second server, as they call their requesters.
async fn filed_from_second(admin: &Caller) -> [usize; 3] {
    let mut filed = [0; 3];
    for (writer, filed) in [1, 3, 5].into_iter().zip(&mut filed) {
        let request = ListTicketsRequest {
            parent: "helpdesks/bench".to_owned(),
            filter: format!("requester = \"requester-{writer}@example.com\""),
            page_size: 1_000,
            ..Default::default()
        };
        *filed = admin.tickets().list_tickets(request).await.unwrap().into_inner().tickets.len();
    }
    filed
}

fn report(output: &Output) -> serde_json::Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_finds_nothing_while_a_server_is_killed() {
    let first = ServerProcess::start(Database::Postgres).await;
    let second = first.beside(Database::Postgres).await;
    let admin = first.admin().await;
    let mut servers = [first, second];
    let verifying = Verifying::begin(&servers, &admin.secret);
    reach(&admin, 50).await;
    servers[1].kill();
    // What one files next may have been filed before the end; before the second, a call was repeated.
    let before = filed_from_second(&admin).await;
    eventually("a writer files at the other server", async || {
        let filed = filed_from_second(&admin).await;
        filed.iter().zip(&before).any(|(filed, before)| before + 2 <= *filed).then_some(())
    })
    .await;
    let down = reach(&admin, 150).await;
    servers[1].restart().await;
    reach(&admin, down + 100).await;
    let output = verifying.end().await;
    let report = report(&output);
    assert!(output.status.success(), "{report} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((&report["violations"], &report["endpoints"]), (&0.into(), &2.into()), "{report}");
    for counted in ["tickets", "replies", "claims", "repeated_calls", "resumed_streams", "revisions"] {
        assert!(report[counted].as_u64().unwrap() > 0, "{counted}: {report}");
    }
    // Four watchers, each of which was told of each revision.
    assert_eq!(report["events"].as_u64(), report["revisions"].as_u64().map(|revisions| 4 * revisions), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_finds_what_was_taken_away() {
    let first = ServerProcess::start(Database::Postgres).await;
    let second = first.beside(Database::Postgres).await;
    let admin = first.admin().await;
    let servers = [first, second];
    let verifying = Verifying::begin(&servers, &admin.secret);
    reach(&admin, 100).await;
    let name = servers[0].data().url().rsplit('/').next().unwrap().to_owned();
    let take = "DELETE FROM tickets WHERE helpdesk = 'bench' AND ticket = (SELECT min(ticket) FROM tickets WHERE \
                helpdesk = 'bench')";
    tokio::task::spawn_blocking(move || Cluster::shared().execute(&name, take)).await.unwrap();
    let output = verifying.end().await;
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["lost"].as_u64().unwrap() > 0 && report["violations"].as_u64().unwrap() > 0, "{report}");
}
