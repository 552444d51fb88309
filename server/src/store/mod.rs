//! Rows, queries and migrations.

pub mod filter_sql;
