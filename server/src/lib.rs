//! The Loket server. `ARCHITECTURE.md` beside this crate has the map; the layers depend on each other in one direction:
//!
//! ```text
//! domain <- store <- feed <- engine <- rpc <- serve <- main
//! ```

pub mod domain;
pub mod feed;
pub mod store;
