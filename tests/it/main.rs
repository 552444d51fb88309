//! The end-to-end tests: a real server, a real database, one typed client.
//!
//! Everything in `suite` runs once for each database; the tests' names say on which: `sqlite::errors::…` and
//! `postgres::suite::errors::…`.
#![allow(
    clippy::format_push_string,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod database_file;
mod durability;
mod layers;
mod preset_names;
mod scenario_table;
mod schema_parity;
mod support;

mod postgres;
#[allow(clippy::duplicate_mod, reason = "the same tests run on each database")]
#[path = "suite.rs"]
mod sqlite;
