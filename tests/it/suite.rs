//! What runs on each database. It is taken in once for each, by `main.rs` and `postgres.rs`, under the database's name.

mod agents;
mod attachments;
mod bench;
mod canned;
mod cases;
mod claims;
mod connections;
mod contract;
mod crash;
mod definitions;
mod drain;
mod duplicates;
mod effects;
mod errors;
mod explain;
mod feedback;
mod filters;
mod histories;
mod idempotency;
mod import;
mod keys;
mod limits;
mod link_effects;
mod lists;
mod operations;
mod policies;
mod presets;
mod requester_commands;
mod requesters;
mod roles;
pub(crate) mod scenarios;
mod secrecy;
mod start;
mod texts;
mod ticket_commands;
mod together;
mod tour;
mod transfers;
mod waiting;
mod watch;
mod watch_life;
mod watch_queue;
mod watch_tokens;
mod workflow;

/// The database that this copy of the suite runs on.
fn database() -> crate::support::Database {
    crate::support::Database::named(module_path!().split("::").nth(1).unwrap())
}
