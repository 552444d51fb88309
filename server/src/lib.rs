//! The Loket server. `ARCHITECTURE.md` beside this crate has the map; the layers depend on each other in one direction:
//!
//! ```text
//! domain <- store <- feed <- engine <- rpc <- serve <- main
//! ```

mod attachments_folder;
pub mod config;
mod database_file;
pub mod domain;
pub mod engine;
pub mod feed;
mod first_start;
mod health;
mod private_folder;
pub mod rpc;
pub mod serve;
pub mod store;
pub mod telemetry;
