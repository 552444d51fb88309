//! What is told, and what is read, is on disk: also while the writer goes on. On SQLite, where the two are apart.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::{Connection, SqliteConnection};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::{Desk, create};
use crate::engine::{Engine, Failure, Limits, Setup};
use crate::feed::{FeedOptions, Hub};
use crate::store::throwaway::Throwaway;
use crate::store::{AnyConnection, Content, Database, Pool, SYSTEM, Wal, dialect, heads};

/// A desk that takes one command into a commit, and is told apart from it. With a runtime that it is told in, and whether it
/// has died.
fn desk() -> (Desk, Runtime, Arc<AtomicBool>) {
    let mut desk = Desk::new(Throwaway::named("sqlite"), Limits { batch_commands: 1, ..Limits::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let died = Arc::new(AtomicBool::new(false));
    let note = Arc::clone(&died);
    desk.writer.telling.teller.within(runtime.handle().clone(), Arc::new(move || note.store(true, Ordering::SeqCst)));
    (desk, runtime, died)
}

/// A log that reaches the disk when the test says so, and says when it is about to.
fn held() -> (Arc<Wal>, Receiver<()>, Sender<io::Result<()>>) {
    let (about, is_about) = channel();
    let (let_go, go) = channel();
    let go = Mutex::new(go);
    let flush = move || {
        about.send(()).unwrap();
        go.lock().unwrap().recv().unwrap()
    };
    (Arc::new(Wal::flushed_by(flush)), is_about, let_go)
}

#[test]
fn what_is_not_on_disk_is_neither_told_nor_given_to_readers() {
    let (mut desk, runtime, _) = desk();
    let (wal, is_about, let_go) = held();
    desk.writer.wal = Some(wal);
    let before = desk.head();
    let mut answers = [desk.put(create("One")), desk.put(create("Two")), desk.put(create("Three"))];

    // The writer does not wait for the first, since others come behind it; nor for those, since they come behind the first.
    desk.run();
    is_about.recv().unwrap();
    desk.run();
    desk.run();
    assert_eq!(desk.head(), before + 3, "all are committed");
    assert!(answers.iter_mut().all(|answer| answer.try_recv().is_err()), "and nobody is told");
    let durable = Arc::clone(desk.durable());
    let reading = runtime.spawn(async move { durable.wait().await });
    assert!(!desk.durable().has(desk.durable().begun()));
    assert!(!reading.is_finished());

    // The first goes alone; what came meanwhile goes together.
    let_go.send(Ok(())).unwrap();
    let [first, second, third] = answers;
    first.blocking_recv().unwrap().unwrap();
    is_about.recv().unwrap();
    assert!(!reading.is_finished(), "what was read may be the third");
    let_go.send(Ok(())).unwrap();
    second.blocking_recv().unwrap().unwrap();
    third.blocking_recv().unwrap().unwrap();
    runtime.block_on(reading).unwrap().unwrap();
    assert!(is_about.try_recv().is_err(), "the disk was waited for twice");
}

#[test]
fn a_refusal_waits_for_what_it_rests_on() {
    let (mut desk, _runtime, _) = desk();
    let (wal, is_about, let_go) = held();
    desk.writer.wal = Some(wal);
    let first = create("One");
    let [created, mut again] = [first.clone(), first].map(|request| desk.put(request));
    desk.run();
    is_about.recv().unwrap();
    // Found by its request id: nothing is written, and yet it tells of what is not on disk.
    desk.run();
    assert!(again.try_recv().is_err());
    let_go.send(Ok(())).unwrap();
    let created = created.blocking_recv().unwrap().unwrap();
    let again = again.blocking_recv().unwrap().unwrap();
    assert_eq!((again.revision, again.replayed), (created.revision, true));
    assert!(is_about.try_recv().is_err(), "nothing had to be put on disk for it");
}

#[test]
fn a_disk_that_fails_once_ends_the_server() {
    for apart in [false, true] {
        let (mut desk, runtime, died) = desk();
        let (wal, _is_about, let_go) = held();
        desk.writer.wal = Some(wal);
        let fail = || {
            let_go.send(Err(io::Error::other("as the test asked for"))).unwrap();
            // That the disk takes the next does not bring back the first.
            let_go.send(Ok(())).unwrap();
        };
        let answers: Vec<_> = (0..=usize::from(apart)).map(|_| desk.put(create("One"))).collect();
        // Alone, it is waited for by the writer itself.
        if !apart {
            fail();
        }
        for _ in &answers {
            desk.run();
        }
        if apart {
            fail();
        }
        for answer in answers {
            let failed = answer.blocking_recv().unwrap();
            assert!(matches!(failed, Err(Failure::StoreUnavailable)), "{failed:?}");
        }
        assert!(died.load(Ordering::SeqCst));
        assert!(runtime.block_on(desk.durable().wait()).is_err());
        let (answer, _) = tokio::sync::oneshot::channel();
        let put = desk.inbox.put(crate::engine::submission::Submission::new(create("Two").into(), answer));
        assert!(matches!(put, Err(Failure::ShuttingDown)), "{put:?}");
    }
}

/// Up to which revision the log goes in copies of the files, as they would be found after a loss of power.
fn revision_in_copies(database: &Path) -> i64 {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    for end in ["-wal", ""] {
        let with = |path: &Path| format!("{}{end}", path.display());
        std::fs::copy(with(database), with(&copy)).unwrap();
    }
    let mut connection = AnyConnection::Sqlite(SqliteConnection::establish(&copy.to_string_lossy()).unwrap());
    heads::last_revision(&mut connection, super::DESK).unwrap()
}

#[test]
fn what_is_told_was_in_the_log_before_it_went_to_disk() {
    const COMMANDS: usize = 60;
    let (mut desk, _runtime, _) = desk();
    let Database::Sqlite(path) = desk.writer.database.clone() else { unreachable!() };
    let (on_disk, flushes) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicUsize::new(0)));
    desk.writer.wal = Some(Arc::new(Wal::flushed_by({
        let (on_disk, flushes) = (Arc::clone(&on_disk), Arc::clone(&flushes));
        move || {
            // What comes into the log from now on is not sure to reach the disk with it.
            on_disk.fetch_max(revision_in_copies(&path), Ordering::SeqCst);
            flushes.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    })));
    let answers: Vec<_> = (0..COMMANDS).map(|number| desk.put(create(&format!("Ticket {number}")))).collect();
    let told = std::thread::spawn(move || {
        for answer in answers {
            let told = answer.blocking_recv().unwrap().unwrap();
            assert!(told.revision <= on_disk.load(Ordering::SeqCst), "revision {} is not on disk", told.revision);
        }
    });
    for _ in 0..COMMANDS {
        desk.run();
    }
    told.join().unwrap();
    assert!(flushes.load(Ordering::SeqCst) <= COMMANDS);
}

/// Long enough for an answer that does not wait.
const A_MOMENT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn what_the_engine_has_read_is_given_out_when_it_is_on_disk() {
    let throwaway = Throwaway::named("sqlite");
    let database = throwaway.database.clone();
    dialect::migrate(&mut database.open().unwrap()).unwrap();
    let pool = Pool::of(&database, 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let hub = Arc::new(Hub::new(pool.clone(), FeedOptions::default(), folder.path()));
    let setup = Setup {
        database,
        pool,
        clock: Arc::new(super::TestClock(AtomicI64::new(1))),
        hub: Arc::clone(&hub),
        content: Content::open(folder.path()).unwrap(),
        limits: Limits::default(),
        writers: 1,
        on_death: Arc::new(|| {}),
    };
    let engine = Engine::start(setup).unwrap();
    let read = || engine.read(|connection| Ok(heads::last_revision(connection, SYSTEM)?));
    read().await.unwrap();
    hub.durable().begin();
    let mut reading = std::pin::pin!(read());
    assert!(timeout(A_MOMENT, &mut reading).await.is_err(), "it is given out before it is on disk");
    hub.durable().reach(1).unwrap();
    reading.await.unwrap();
    // When it never will be, that is said.
    hub.durable().begin();
    let mut reading = std::pin::pin!(read());
    assert!(timeout(A_MOMENT, &mut reading).await.is_err());
    hub.durable().fail();
    let failed = reading.await;
    assert!(matches!(failed, Err(Failure::StoreUnavailable)), "{failed:?}");
}

#[test]
fn who_reads_does_not_wait_for_a_commit_that_failed() {
    let mut desk = Desk::new(Throwaway::named("sqlite"), Limits::default());
    desk.execute(
        "PRAGMA foreign_keys = ON;
         CREATE TABLE first (id INTEGER PRIMARY KEY);
         CREATE TABLE second (first INTEGER REFERENCES first (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER fails AFTER INSERT ON tickets BEGIN INSERT INTO second VALUES (1); END",
    );
    // What is wrong is found by COMMIT alone.
    let [failed] = desk.all([create("One")]);
    assert!(matches!(failed, Err(Failure::Store(_))), "{failed:?}");
    assert!(desk.durable().has(desk.durable().begun()), "nothing is to be waited for");
}
