//! SQLite as it is compiled and opened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::AnyConnection;
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
