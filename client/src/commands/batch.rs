//! The error of one item in the answer to a batch.

use loket_client::Error;
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::pb;

/// The error that the call for this item alone would have ended with.
pub(crate) fn error_of(status: &pb::Status) -> Error {
    Status::with_details(Code::from(status.code), &status.message, status.encode_to_vec().into()).into()
}
