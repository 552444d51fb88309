//! Brings the database to this version's schema.

use diesel::Connection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::store::{AnyConnection, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Runs the migrations that are missing; none is no error. On PostgreSQL all of them in one transaction, so that one that
/// fails leaves the schema of the version before. Only one process at a time may do it: see [`super::Starting`].
pub fn migrate(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Migrate(error.to_string());
    match connection {
        AnyConnection::Sqlite(connection) => connection.run_pending_migrations(SQLITE).map(drop).map_err(failed),
        AnyConnection::Postgres(connection) => {
            connection.transaction(|connection| connection.run_pending_migrations(POSTGRES).map(drop).map_err(failed))
        }
    }
}
