//! The protocol of Loket: its messages, its generated clients and its descriptors.
//!
//! Most programs want `loket-client`, which adds keys, retries and watches that resume by themselves. The contract itself
//! is documented on the messages and services of [`v1`], and says what is promised; clients in other languages are
//! generated from the same `.proto` files.

/// Package `loket.v1`.
#[allow(clippy::all, clippy::pedantic, unreachable_pub, missing_docs)]
pub mod v1 {
    tonic::include_proto!("loket.v1");
}

pub mod codec;
#[cfg(feature = "json")]
pub mod json;
pub mod reason;

/// The descriptors of package `loket.v1` and all it imports, with comments and options, as an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/loket_descriptors.bin"));
