//! The harness itself: servers start, can be called, and come back after a kill.

use loket::v1::{Role, State};

use super::database;
use crate::support::{Desk, SIMPLE, ServerProcess, draft, own};

#[tokio::test]
async fn a_server_in_this_process_files_a_ticket() {
    let desk = Desk::open(database()).await;
    let ticket = desk.requester("ani@example.com").await.create(own("Printer on fire")).await.unwrap();
    assert_eq!(ticket.name, "helpdesks/desk/tickets/1");
    assert_eq!(ticket.state(), State::New);
    assert_eq!(ticket.create_time.unwrap(), desk.clock.timestamp());
}

#[tokio::test]
async fn a_server_in_this_process_is_stopped_and_started_on_the_same_data() {
    let desk = Desk::open(database()).await;
    let ticket = desk.admin().create(draft("Printer on fire")).await.unwrap();
    let server = desk.server.again().await;
    assert_eq!(server.admin().get(&ticket.name).await.unwrap().uid, ticket.uid);
}

#[tokio::test]
async fn a_server_process_comes_back_after_a_kill_with_what_it_acknowledged() {
    let mut server = ServerProcess::start(database()).await;
    server.admin().await.open("desk", SIMPLE).await;
    let agent = server.caller(Role::Agent, "budi", &["desk"]).await;
    let ticket = agent.create(draft("Printer on fire")).await.unwrap();
    for _ in 0..2 {
        server.kill();
        server.restart().await;
        assert_eq!(agent.get(&ticket.name).await.unwrap().uid, ticket.uid);
    }
    server.terminate();
    assert!(server.ended().await, "{}", server.log());
}
