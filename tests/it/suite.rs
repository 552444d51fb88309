//! What runs on each database. `main.rs` takes this file in once for each, under the database's name.

mod start;

/// The database that this copy of the suite runs on.
fn database() -> crate::support::Database {
    crate::support::Database::named(module_path!().rsplit("::").next().unwrap())
}
