//! Brings the database to this version's schema.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::store::{AnyConnection, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Runs the migrations that are missing; none is no error. On PostgreSQL all of them in one transaction, so that one that
/// fails leaves the schema of the version before. Only one process at a time may do it: see [`super::Starting`].
pub fn migrate(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Migrate(error.to_string());
    match connection {
        AnyConnection::Sqlite(connection) => {
            check_whose(connection)?;
            connection.run_pending_migrations(SQLITE).map(drop).map_err(failed)
        }
        AnyConnection::Postgres(connection) => {
            connection.transaction(|connection| connection.run_pending_migrations(POSTGRES).map(drop).map_err(failed))
        }
    }
}

/// A file that holds something, and nothing of Loket's, is another program's.
fn check_whose(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let sql = "SELECT count(*) AS tables, coalesce(sum(name = '__diesel_schema_migrations'), 0) AS ours
               FROM sqlite_master WHERE type = 'table'";
    let Found { tables, ours } = diesel::sql_query(sql).get_result(connection)?;
    if tables > 0 && ours == 0 {
        return Err(StoreError::Unfit(
            "it holds another program's tables, and none of Loket's: name another file".to_owned(),
        ));
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    tables: i64,
    #[diesel(sql_type = BigInt)]
    ours: i64,
}
