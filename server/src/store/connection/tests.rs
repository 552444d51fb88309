//! SQLite as it is compiled and opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{AnyConnection, Database};
use crate::store::dialect::migrate;
use crate::store::throwaway::Throwaway;

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

fn values(connection: &mut AnyConnection, pragma: &str) -> Vec<String> {
    let sql = format!("SELECT CAST({pragma} AS TEXT) AS value FROM pragma_{pragma}");
    let rows: Vec<Value> = diesel::sql_query(sql).load(connection).unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

/// The flags are in `.cargo/config.toml`, which a build from elsewhere does not read.
#[test]
fn sqlite_is_compiled_as_the_workspace_says() {
    let throwaway = Throwaway::named("sqlite");
    let mut connection = throwaway.database.open().unwrap();
    let options: BTreeSet<_> = values(&mut connection, "compile_options").into_iter().collect();
    for there in ["THREADSAFE=2", "DEFAULT_MEMSTATUS=0", "ENABLE_QPSG"] {
        assert!(options.contains(there), "{there}: {options:?}");
    }
    for not_there in ["ENABLE_MEMORY_MANAGEMENT", "ENABLE_API_ARMOR"] {
        assert!(!options.contains(not_there), "{not_there}: {options:?}");
    }
}

/// Only the writer's own commits may be ahead of the disk, as it waits for that itself.
#[test]
fn only_the_writer_commits_ahead_of_the_disk() {
    let throwaway = Throwaway::named("sqlite");
    let mut reader = throwaway.database.open().unwrap();
    let (mut writer, wal) = throwaway.database.open_to_write().unwrap();
    assert!(wal.is_some());
    let [full, normal] = ["2", "1"];
    for (connection, synchronous, cache) in [(&mut reader, full, "-32768"), (&mut writer, normal, "-4096")] {
        for (pragma, expected) in [
            ("synchronous", synchronous),
            ("cache_size", cache),
            ("journal_mode", "wal"),
            ("page_size", "8192"),
            ("foreign_keys", "0"),
        ] {
            assert_eq!(values(connection, pragma), [expected], "{pragma}");
        }
    }
}

/// Its pages are settled when a file is made: one of an older version goes on with its own.
#[test]
fn a_file_keeps_the_pages_that_it_was_made_with() {
    let throwaway = Throwaway::named("sqlite");
    let Database::Sqlite(path) = &throwaway.database else { unreachable!() };
    let mut older = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    older.batch_execute("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; CREATE TABLE kept (word TEXT)").unwrap();
    drop(older);
    let (mut writer, wal) = throwaway.database.open_to_write().unwrap();
    writer.batch_execute("INSERT INTO kept VALUES ('there')").unwrap();
    wal.unwrap().flush().unwrap();
    let mut reader = throwaway.database.open().unwrap();
    for (pragma, expected) in [("page_size", "4096"), ("journal_mode", "wal")] {
        assert_eq!(values(&mut reader, pragma), [expected], "{pragma}");
    }
    let rows: Vec<Value> = diesel::sql_query("SELECT word AS value FROM kept").load(&mut reader).unwrap();
    assert_eq!(rows.into_iter().map(|row| row.value).collect::<Vec<_>>(), ["there"]);
}

#[cfg(unix)]
#[test]
fn a_new_file_and_its_log_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loket.db");
    let database = Database::Sqlite(path.clone());
    database.claim().unwrap();
    let (mut writer, _) = database.open_to_write().unwrap();
    migrate(&mut writer).unwrap();
    for name in ["loket.db", "loket.db-wal", "loket.db-shm"] {
        let mode = std::fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(writer);
    // A start that has left nothing but the file, and one that comes to what is there.
    database.claim().unwrap();
}

#[test]
fn another_programs_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let told = |name: &str, content: &dyn Fn(&std::path::Path)| {
        let path = folder.path().join(name);
        content(&path);
        let before = std::fs::read(&path).unwrap();
        let told = Database::Sqlite(path.clone()).claim().unwrap_err().to_string();
        assert!(told.contains(name), "{told}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        told
    };
    let foreign = |sql: &'static str| {
        move |path: &std::path::Path| {
            SqliteConnection::establish(&path.to_string_lossy()).unwrap().batch_execute(sql).unwrap();
        }
    };
    let whose = "it holds another program's tables, and none of Loket's: name another file";
    assert!(told("notes.db", &foreign("CREATE TABLE notes (text TEXT)")).ends_with(whose));
    let diesels = "CREATE TABLE __diesel_schema_migrations (version TEXT); CREATE TABLE notes (text TEXT)";
    assert!(told("diesel.db", &foreign(diesels)).ends_with(whose));
    let garbage = told("garbage.db", &|path| std::fs::write(path, "not a database, by far not".repeat(99)).unwrap());
    assert!(garbage.contains("file is not a database"), "{garbage}");
}
