//! A typed client of Loket: it retries what is safe to repeat, pages through lists and resumes its watches by itself.
//!
//! ```no_run
//! use loket_client::{Client, Error, Options};
//! use loket_client::v1::{CreateTicketRequest, Ticket};
//!
//! # async fn file() -> Result<(), Error> {
//! let client = Client::connect(Options::from_env()?).await?;
//! let ticket = client
//!     .create_ticket(CreateTicketRequest {
//!         parent: "helpdesks/smmpanel".to_owned(),
//!         ticket: Some(Ticket {
//!             requester: "customer@example.com".to_owned(),
//!             subject: "Pesanan belum masuk".to_owned(),
//!             body: "Mohon speedup".to_owned(),
//!             ..Ticket::default()
//!         }),
//!         ..CreateTicketRequest::default()
//!     })
//!     .await?;
//! # drop(ticket);
//! # Ok(())
//! # }
//! ```
//!
//! The messages, and what each call promises, are documented in [`v1`]. Calls that this crate does not wrap are made
//! through [`Client::tickets`] and its siblings, inside [`Client::retry`] where they may be repeated.
#![warn(missing_docs)]

pub mod client;
pub mod options;

mod calls;
pub mod files;
pub mod pages;
pub mod queue_watch;
pub mod watch;

pub mod backoff;
pub mod error;
mod link;
mod socket;

pub use client::Client;
pub use error::Error;
pub use options::Options;
pub use queue_watch::QueueWatch;
pub use watch::{Watch, WatchItem};

pub use loket::v1;
