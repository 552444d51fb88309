//! The wire: decodes, calls the engine, encodes. The only layer that knows `tonic`, and `status.rs` the only file that
//! builds a `Status`.

mod access;
mod agents;
mod attachments;
mod call;
mod caller;
mod convert;
pub mod encoded;
mod feedback;
mod helpdesks;
pub mod identity;
mod layers;
mod names;
mod page;
mod queues;
mod read;
mod requesters;
mod server;
mod share;
mod socket;
mod status;
mod streams;
mod tickets;

/// What `server/build.rs` generates from the services.
#[allow(clippy::all, clippy::pedantic, unreachable_pub, missing_docs, reason = "it is generated")]
mod grpc {
    tonic::include_proto!("loket.v1");
}

pub use identity::Keys;
pub use layers::{LayerOptions, stack};
pub use server::{Limits, SERVICE_NAMES, Server, services};
pub use socket::incoming;
