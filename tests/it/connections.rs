//! Connections that are no use to anybody: they keep nobody else's out.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::database;
use crate::support::{Desk, SIMPLE, ServerProcess, draft, eventually};

#[tokio::test]
async fn who_connects_and_says_nothing_is_sent_away() {
    let desk = Desk::open(database()).await;
    let address = desk.endpoint().trim_start_matches("http://").to_owned();
    let mut connections = Vec::new();
    for said in ["", "PRI * HTT"] {
        let mut connection = TcpStream::connect(&address).await.unwrap();
        connection.write_all(said.as_bytes()).await.unwrap();
        connections.push((said, connection));
    }
    for (said, mut connection) in connections {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), connection.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the server waits for more than {said:?}");
    }
    // Who is there and calls nobody stays.
    desk.admin().create(draft("Printer")).await.unwrap();
}

#[tokio::test]
async fn when_no_connection_can_be_taken_it_is_told_and_waited_for() {
    let limited = ["sh", "-c", "ulimit -n 64 && exec \"$@\"", "sh"].map(str::to_owned).to_vec();
    let server = ServerProcess::start(database().with().under(limited)).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    let address = server.endpoint().trim_start_matches("http://").to_owned();
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    eventually("the log tells of it", async || server.log().contains("no connection can be taken").then_some(())).await;
    // Who is connected already goes on.
    admin.create(draft("Meanwhile")).await.unwrap();
    drop(idle);
    server.admin().await.create(draft("Afterwards")).await.unwrap();
    let lines = server.log().matches("no connection can be taken").count();
    assert!(lines < 5, "{lines} lines for one trouble");
}
