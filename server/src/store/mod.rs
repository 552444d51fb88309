//! Rows, queries and migrations.

pub mod definition_payload;
