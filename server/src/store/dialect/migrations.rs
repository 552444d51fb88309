//! Brings the database to this version's schema.

use diesel::Connection;
use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::store::{AnyConnection, StoreError};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Runs the migrations that are missing; none is no error. On PostgreSQL all of them in one transaction, so that one that
/// fails leaves the schema of the version before. Only one process at a time may do it: see [`super::Starting`].
pub fn migrate(connection: &mut AnyConnection) -> Result<(), StoreError> {
    match connection {
        AnyConnection::Sqlite(connection) => run(connection, || SQLITE),
        AnyConnection::Postgres(connection) => connection.transaction(|connection| run(connection, || POSTGRES)),
    }
}

fn run<B: Backend>(
    connection: &mut impl MigrationHarness<B>,
    migrations: impl Fn() -> EmbeddedMigrations,
) -> Result<(), StoreError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Migrate(error.to_string());
    let known: Vec<Box<dyn Migration<B>>> = migrations().migrations().map_err(failed)?;
    let is_known = |version: &MigrationVersion<'_>| known.iter().any(|known| known.name().version() == *version);
    let there = connection.applied_migrations().map_err(failed)?;
    if let Some(newer) = there.iter().filter(|version| !is_known(version)).max() {
        tracing::info!(schema = %newer, "the database has the schema of a newer version");
    }
    let ran = connection.run_pending_migrations(migrations()).map_err(failed)?;
    match (there.iter().max(), ran.iter().max()) {
        (_, None) => {}
        (None, Some(now)) => tracing::info!(schema = %now, "made the tables in the database"),
        (Some(before), Some(now)) => {
            tracing::info!(%before, schema = %now, "brought the database to the schema of this version");
        }
    }
    Ok(())
}
