//! What runs on each database. `main.rs` takes this file in once for each, under the database's name.

mod contract;
mod errors;
mod idempotency;
mod lists;
mod presets;
mod roles;
mod start;
mod workflow;

/// The database that this copy of the suite runs on.
fn database() -> crate::support::Database {
    crate::support::Database::named(module_path!().rsplit("::").next().unwrap())
}
