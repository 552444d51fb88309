//! Attachments of several servers on one database: one folder, and a file that goes on at another server.

use loket::v1::upload::State;
use loket::v1::{GetUploadRequest, Role};

use crate::support::{Caller, Database, Desk, SIMPLE, Server, ServerProcess, draft, noise, reason, send};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn an_upload_goes_on_at_another_process_after_the_first_was_killed() {
    let mut first = ServerProcess::start(Database::Postgres).await;
    let second = first.beside(Database::Postgres).await;
    let admin = first.admin().await;
    admin.open("desk", SIMPLE).await;
    let here = first.caller(Role::Agent, "budi", &["desk"]).await;
    let there = Caller::connect(&second.endpoint(), &here.secret, "desk").await;
    let bytes = noise(1, 4 * MIB);
    let upload = here.begin_upload("a.bin", &bytes).await.unwrap().name;
    let half = i64::try_from(2 * MIB).unwrap();
    let sent = send(&here, &upload, 0, &bytes[..2 * MIB], 300_000).await.unwrap();
    assert_eq!(sent.committed_bytes, half);
    first.kill();

    let get = GetUploadRequest { name: upload.clone() };
    assert_eq!(there.get_upload(get).await.unwrap().committed_bytes, half);
    let finished = send(&there, &upload, half, &bytes[2 * MIB..], 300_000).await.unwrap();
    assert_eq!(finished.state(), State::Finished);
    let ticket = there.create_with(draft("Moved"), &[&upload]).await.unwrap();
    first.restart().await;
    let attachment = here.attached_to(&ticket.name).await.unwrap().remove(0).name;
    assert!(here.fetch(&attachment).await.unwrap() == bytes);
}

#[tokio::test]
async fn streams_at_two_servers_make_one_file() {
    let desk = Desk::open(Database::Postgres).await;
    let other = desk.beside(Database::Postgres).await;
    let here = desk.agent("budi").await;
    let there = Caller::connect(&other.endpoint(), &here.secret, "desk").await;
    let bytes = noise(2, 3 * MIB);
    let upload = here.begin_upload("a.bin", &bytes).await.unwrap();
    // Both send all of it at once, and go on behind what the other has brought.
    let (one, two) = tokio::join!(
        here.resume_upload(upload.clone(), bytes.clone().into(), |_, _| {}),
        there.resume_upload(upload.clone(), bytes.clone().into(), |_, _| {}),
    );
    assert_eq!((one.unwrap().state(), two.unwrap().state()), (State::Finished, State::Finished));
    // Each names it in a ticket: one of them has it.
    let names = [upload.name.as_str()];
    let (one, two) = tokio::join!(here.create_with(draft("One"), &names), there.create_with(draft("Two"), &names));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(reason(lost), loket::v1::ErrorReason::UploadUsed);
    let attachment = here.attached_to(&won.unwrap().name).await.unwrap().remove(0).name;
    assert!(there.fetch(&attachment).await.unwrap() == bytes);
}

/// Why a server does not start.
async fn refusal(server: &Server, folder: &std::path::Path) -> String {
    let options = Database::Postgres.with().at(server.data().url());
    let data = server.data().with_attachments(folder);
    let clock = std::sync::Arc::clone(&server.clock);
    match loket_server::serve::start(options.config(&data), clock as _).await {
        Ok(_) => panic!("it has started"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_server_with_another_folder_does_not_start_and_says_what_to_do() {
    let server = Server::start(Database::Postgres).await;
    let mark = std::fs::read_to_string(server.data().attachments().join(".loket-attachments")).unwrap();
    let mark = mark.trim();
    let empty = tempfile::tempdir().unwrap();
    let told = refusal(&server, empty.path()).await;
    for part in [empty.path().to_str().unwrap(), "it has no mark", mark, "--attachments-dir", ".loket-attachments"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let other = Server::start(Database::Postgres).await;
    let told = refusal(&server, other.data().attachments()).await;
    assert!(told.contains("its mark is ") && told.contains(mark), "{told}");
    // Moved by other means, and marked as told.
    std::fs::write(empty.path().join(".loket-attachments"), mark).unwrap();
    let data = server.data().with_attachments(empty.path());
    let config = Database::Postgres.with().at(server.data().url()).config(&data);
    let clock = std::sync::Arc::clone(&server.clock);
    let running = loket_server::serve::start(config, clock as _).await.unwrap();
    running.stopper().cancel();
    running.stopped().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_holds_something_else_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.pdf"), b"precious").unwrap();
    let server = Server::start(Database::Postgres).await;
    let fresh = crate::support::Cluster::shared().create_database();
    let options = Database::Postgres.with().at(&fresh);
    let data = crate::support::Data::new(&options).with_attachments(folder.path());
    let clock = std::sync::Arc::clone(&server.clock);
    let Err(error) = loket_server::serve::start(options.config(&data), clock as _).await else {
        panic!("it has started")
    };
    let told = error.to_string();
    assert!(told.contains("holds something already") && told.contains("--attachments-dir"), "{told}");
    assert!(folder.path().join("thesis.pdf").exists());
}

/// Why a server with a fresh database does not start with a folder; None: it did.
async fn fresh_start(server: &Server, folder: &std::path::Path) -> Option<String> {
    let fresh = crate::support::Cluster::shared().create_database();
    let options = Database::Postgres.with().at(&fresh);
    let data = crate::support::Data::new(&options).with_attachments(folder);
    let clock = std::sync::Arc::clone(&server.clock);
    match loket_server::serve::start(options.config(&data), clock as _).await {
        Ok(running) => {
            running.stopper().cancel();
            running.stopped().await.unwrap();
            None
        }
        Err(error) => Some(error.to_string()),
    }
}

#[tokio::test]
async fn a_folder_with_the_mark_of_another_database_is_not_taken_though_it_is_empty() {
    let server = Server::start(Database::Postgres).await;
    let folder = server.data().attachments();
    let mark = std::fs::read_to_string(folder.join(".loket-attachments")).unwrap();
    let told = fresh_start(&server, folder).await.unwrap();
    for part in ["belongs to another database", mark.trim(), "--attachments-dir", "/.loket-attachments"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(std::fs::read_to_string(folder.join(".loket-attachments")).unwrap(), mark);
    // One that says nothing, as a crash may leave it, is none.
    let empty = tempfile::tempdir().unwrap();
    std::fs::write(empty.path().join(".loket-attachments"), b"").unwrap();
    assert_eq!(fresh_start(&server, empty.path()).await, None);
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 1);
}
