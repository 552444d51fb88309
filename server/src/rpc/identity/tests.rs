//! What the process knows of the keys.

use std::path::Path;
use std::sync::mpsc;

use diesel::RunQueryDsl;

use super::*;
use crate::domain::{Actor, Change, Role};
use crate::store::{AnyConnection, BatchRows, Database, HeadRow, LogEntry, NewChangeRow, dialect, write_batch};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_not_known_share_a_look_and_keep_no_connection_from_others() {
    const CALLERS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let database: Database = format!("sqlite:{}", folder.path().join("keys.db").display()).parse().unwrap();
    dialect::migrate(&mut database.open().unwrap()).unwrap();
    let pool = Pool::of(&database, 1).unwrap();
    let keys = Keys::load(pool.clone()).unwrap();

    // Somebody reads the keys, and takes long.
    let (release, released) = mpsc::channel::<()>();
    let (held, is_held) = tokio::sync::oneshot::channel();
    let reader = std::thread::spawn({
        let keys = Arc::clone(&keys);
        move || {
            let _reading = keys.read_at.lock().unwrap();
            held.send(()).unwrap();
            released.recv().ok();
        }
    });
    is_held.await.unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..CALLERS {
        let keys = Arc::clone(&keys);
        callers.spawn(async move {
            let mut headers = http::HeaderMap::new();
            headers.insert(http::header::AUTHORIZATION, format!("Bearer made-up-{number}").parse().unwrap());
            keys.admit_unknown(&headers).await.map(drop)
        });
    }
    while keys.looked.try_lock().is_ok() {
        tokio::task::yield_now().await;
    }
    let connection = tokio::task::spawn_blocking(move || pool.get().map(drop));
    connection.await.unwrap().unwrap();
    release.send(()).unwrap();
    reader.join().unwrap();

    // Each look of its own would take a tenth of a second for each.
    let all = tokio::time::timeout(Duration::from_secs(5), callers.join_all()).await.unwrap();
    assert!(all.iter().all(|denied| matches!(denied, Err(Denied::UnknownKey))), "{all:?}");
}

fn head(last_revision: i64) -> HeadRow {
    HeadRow { last_revision, ..HeadRow::fresh(SYSTEM) }
}

/// A database at revision 2 with the keys `kept` and `lost`, and those who know them.
fn with_two_keys(folder: &Path) -> (AnyConnection, Arc<Keys>, [Arc<KeyEntry>; 2]) {
    let database: Database = format!("sqlite:{}", folder.join("keys.db").display()).parse().unwrap();
    let mut connection = database.open().unwrap();
    dialect::migrate(&mut connection).unwrap();
    heads::insert(&mut connection, &head(2)).unwrap();
    diesel::sql_query(
        "INSERT INTO changes (helpdesk, revision, ordinal, ticket, uid, payload) VALUES (?, 2, 0, 0, 7, '')",
    )
    .bind::<diesel::sql_types::Text, _>(SYSTEM)
    .execute(&mut connection)
    .unwrap();
    let ids = ["kept", "lost"];
    for id in ids {
        let key = AccessKey {
            id: id.to_owned(),
            hash: hash(id),
            role: Role::Agent,
            subject: id.to_owned(),
            helpdesks: Vec::new(),
            display_name: String::new(),
            create_time: 0,
            revoke_time: None,
            revision: 1,
        };
        keys::insert(&mut connection, &key).unwrap();
    }
    let keys = Keys::load(Pool::of(&database, 1).unwrap()).unwrap();
    let entries = ids.map(|id| keys.get(&hash(id)).unwrap());
    (connection, keys, entries)
}

#[test]
fn a_key_that_the_database_has_lost_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut connection, keys, [kept, lost]) = with_two_keys(folder.path());
    diesel::sql_query("DELETE FROM access_keys WHERE id = 'lost'").execute(&mut connection).unwrap();
    keys.refresh().unwrap();
    assert!(!lost.revoked.is_cancelled(), "the directory is as it was read: nothing of it is read again");

    write_batch(&mut connection, &BatchRows::of(&head(1))).unwrap();
    keys.refresh().unwrap();
    assert!(lost.revoked.is_cancelled() && !kept.revoked.is_cancelled());
    assert!(keys.get(&hash("lost")).is_none() && keys.get(&hash("kept")).is_some());
}

/// As after a failover that lost the last commit, when another one has taken its revision.
#[test]
fn a_directory_of_the_same_revision_with_another_uid_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut connection, keys, [kept, lost]) = with_two_keys(folder.path());
    diesel::sql_query("DELETE FROM access_keys WHERE id = 'lost'").execute(&mut connection).unwrap();
    diesel::sql_query("UPDATE changes SET uid = 8").execute(&mut connection).unwrap();
    keys.refresh().unwrap();
    assert!(lost.revoked.is_cancelled() && !kept.revoked.is_cancelled());
    assert!(keys.get(&hash("lost")).is_none() && keys.get(&hash("kept")).is_some());
}

/// The revision that tells of a key.
fn tell(connection: &mut AnyConnection, key: &AccessKey, revision: i64) {
    let actor = Actor { subject: "admin".to_owned(), role: Role::Admin, on_behalf_of: String::new() };
    let change = Change { resource: format!("accessKeys/{}", key.id), ..Change::bare(revision, actor) };
    let entry = LogEntry { uid: revision, change: Arc::new(change) };
    let (changes, head) = ([NewChangeRow::new(SYSTEM, &entry)], head(revision));
    let rows = BatchRows { changes: &changes, ..BatchRows::of(&head) };
    write_batch(connection, &rows).unwrap();
}

#[test]
fn only_keys_that_the_log_tells_of_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut connection, keys, [kept, revoked]) = with_two_keys(folder.path());
    let new = AccessKey { id: "new".to_owned(), hash: hash("new"), ..kept.key.clone() };
    keys::insert(&mut connection, &new).unwrap();
    tell(&mut connection, &new, 3);
    let gone = AccessKey { revoke_time: Some(1), ..revoked.key.clone() };
    keys::update(&mut connection, &gone).unwrap();
    tell(&mut connection, &gone, 4);
    // Nothing tells of it.
    keys::update(&mut connection, &AccessKey { revoke_time: Some(1), ..kept.key.clone() }).unwrap();
    keys.refresh().unwrap();
    assert!(keys.get(&hash("new")).is_some() && keys.get(&hash("kept")).is_some());
    assert!(keys.get(&hash("lost")).is_none() && revoked.revoked.is_cancelled() && !kept.revoked.is_cancelled());
    assert!(keys.bad.read().unwrap().contains(&hash("lost")));
}

/// Of a gap in the log nobody knows what was in it.
#[test]
fn where_the_log_does_not_tell_of_all_every_key_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (mut connection, keys, [kept, lost]) = with_two_keys(folder.path());
    keys::update(&mut connection, &AccessKey { revoke_time: Some(1), ..lost.key.clone() }).unwrap();
    write_batch(&mut connection, &BatchRows::of(&head(3))).unwrap();
    keys.refresh().unwrap();
    assert!(lost.revoked.is_cancelled() && !kept.revoked.is_cancelled());

    let new = AccessKey { id: "new".to_owned(), hash: hash("new"), ..kept.key.clone() };
    keys::insert(&mut connection, &new).unwrap();
    tell(&mut connection, &new, MOST_CHANGED + 4);
    keys.refresh().unwrap();
    assert!(keys.get(&hash("new")).is_some() && keys.get(&hash("kept")).is_some());
}

/// As of a role that a later version knows.
#[test]
fn a_log_that_cannot_be_read_keeps_no_key_from_being_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let (mut connection, keys, [kept, lost]) = with_two_keys(folder.path());
    keys::update(&mut connection, &AccessKey { revoke_time: Some(1), ..lost.key.clone() }).unwrap();
    tell(&mut connection, &lost.key, 3);
    diesel::sql_query("UPDATE changes SET payload = x'ff' WHERE revision = 3").execute(&mut connection).unwrap();
    keys.refresh().unwrap();
    assert!(lost.revoked.is_cancelled() && !kept.revoked.is_cancelled());
}
