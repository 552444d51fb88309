//! What runs on each database. It is taken in once for each, by `main.rs` and `postgres.rs`, under the database's name.

mod claims;
mod contract;
mod crash;
mod drain;
mod errors;
mod idempotency;
mod lists;
mod presets;
mod roles;
mod start;
mod texts;
mod watch;
mod watch_life;
mod watch_queue;
mod watch_tokens;
mod workflow;

/// The database that this copy of the suite runs on.
fn database() -> crate::support::Database {
    crate::support::Database::named(module_path!().split("::").nth(1).unwrap())
}
