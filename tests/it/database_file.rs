//! The file of SQLite, when it is copied and when it is damaged.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use loket::v1::ErrorReason;
use loket_client::Error;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::{Database, Desk, SIMPLE, ServerProcess, draft, eventually};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn ask(connection: &mut SqliteConnection, sql: &str) -> i64 {
    diesel::sql_query(sql).get_result::<Number>(connection).unwrap().number
}

#[tokio::test]
async fn the_file_of_a_server_that_has_stopped_is_all_of_it() {
    const TICKETS: usize = 700;
    let mut server = ServerProcess::start(Database::Sqlite).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    admin.fill((0..TICKETS).map(|number| draft(&format!("Ticket {number}")))).await;
    server.terminate();
    assert!(server.ended().await, "{}", server.log());
    let copy = server.data().folder().join("copy.db");
    std::fs::copy(server.data().folder().join("loket.db"), &copy).unwrap();
    let mut copy = SqliteConnection::establish(copy.to_str().unwrap()).unwrap();
    assert_eq!(ask(&mut copy, "SELECT count(*) AS number FROM tickets"), TICKETS as i64);
}

#[tokio::test]
async fn a_damaged_file_is_told_and_nothing_is_served_from_it() {
    let desk = Desk::open(Database::Sqlite).await;
    desk.admin().create(draft("Printer on fire")).await.unwrap();
    desk.stop();
    let path = desk.data().folder().join("loket.db");
    // Looked for in what has the log too, whoever comes first.
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let page =
        ask(&mut connection, "SELECT rootpage AS number FROM sqlite_schema WHERE name = 'tickets_waiting'") as u64;
    let size = ask(&mut connection, "SELECT page_size AS number FROM pragma_page_size") as u64;
    let server = desk.server.again().await;
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0xA5; size as usize], (page - 1) * size).unwrap();

    let mut health = HealthClient::new(server.admin().channel());
    let refused: Error = server.admin().claim_next("main").await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::Internal, Some(ErrorReason::InternalError)));
    let mut is = async |status: ServingStatus| {
        let answer = health.check(HealthCheckRequest::default()).await.unwrap().into_inner();
        (answer.status() == status).then_some(())
    };
    eventually("it is told that nothing can be served", async || is(ServingStatus::NotServing).await).await;
}

/// As where a backup is put in its place while the server runs.
#[tokio::test]
async fn a_server_whose_file_is_replaced_ends_and_says_why() {
    let mut server = ServerProcess::start(Database::Sqlite).await;
    let path = server.data().folder().join("loket.db");
    let copy = server.data().folder().join("copy.db");
    // As `.backup` makes it.
    let mut live = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query(format!("VACUUM INTO '{}'", copy.display())).execute(&mut live).unwrap();
    drop(live);
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    admin.fill((0..200).map(|number| draft(&format!("Ticket {number}")))).await;
    std::fs::rename(&copy, &path).unwrap();
    assert!(!server.ended().await);
    assert!(server.log().contains("the file of the database was moved, removed or replaced"), "{}", server.log());
    // What stood in the log of the one that is gone does not come into the one that is there.
    server.restart().await;
    let gone = server.admin().await.on("desk").list("").await.unwrap_err();
    assert_eq!(gone.reason(), Some(ErrorReason::ResourceNotFound));
    server.terminate();
    assert!(server.ended().await, "{}", server.log());
    let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    assert_eq!(
        ask(&mut file, "SELECT count(*) AS number FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
        0
    );
}
