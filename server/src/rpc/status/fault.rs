//! What is told of failures that no handler sees.

use std::time::Duration;

use tonic::{Code, Status};

use super::{ErrorReason, build, kind_name, overloaded};

/// What no handler sees.
#[derive(Debug, Clone)]
pub(in crate::rpc) enum Fault {
    Undecodable(String),
    TooLarge {
        limit: usize,
    },
    TooManyStreams {
        limit: usize,
    },
    /// What waits to be sent of other snapshots is all that this server keeps.
    TooManySnapshots {
        limit: u64,
    },
    /// What waits to be sent of this key's snapshots is all that this server keeps for one.
    TooManyOwnSnapshots {
        most: u64,
    },
    /// The folder in which snapshots wait to be sent does not take them, or does not give them back.
    SnapshotsUnkept,
    Overloaded,
    TimedOut,
    /// Nothing moved on a stream of bytes for so long.
    Idle {
        after: Duration,
    },
    UnknownMethod(String),
    /// The request is compressed, which no method takes.
    Compressed,
    /// The health service was asked for a name that it does not know.
    UnknownService,
    /// The id under which the log has it.
    Internal {
        request_id: String,
    },
    ShuttingDown,
    /// A stream ends that says nothing of it itself: the server stops, or the log turned out to be another one.
    StreamClosing {
        retry_after: Duration,
    },
}

impl Fault {
    /// What tonic says, with the code INTERNAL, of bytes that are no message.
    pub(in crate::rpc) fn is_about_decoding(message: &str) -> bool {
        ["failed to decode", "Missing request message", "protocol error", "compression flag", "Unexpected EOF"]
            .iter()
            .any(|known| message.contains(known))
    }

    /// What tonic says, with any code, where the request broke off: its sender has gone, or has ended the connection.
    pub(in crate::rpc) fn is_about_the_connection(message: &str) -> bool {
        ["error reading a body", "h2 protocol error"].iter().any(|known| message.contains(known))
    }
}

impl From<Fault> for Status {
    // A table: an arm for each fault.
    #[allow(clippy::too_many_lines)]
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Undecodable(what) => build(
                Code::InvalidArgument,
                ErrorReason::UndecodableRequest,
                [],
                format!("the request is not a message of this method: {what}"),
                |_| {},
            ),
            Fault::TooLarge { limit } => build(
                Code::ResourceExhausted,
                ErrorReason::MessageTooLarge,
                [("limit_bytes", limit.to_string())],
                format!("the message is larger than the {limit} bytes that this server takes"),
                |details| {
                    details.add_quota_failure_violation("message", format!("at most {limit} bytes"));
                },
            ),
            Fault::TooManyStreams { limit } => build(
                Code::ResourceExhausted,
                ErrorReason::TooManyStreams,
                [("limit", limit.to_string())],
                format!("{limit} streams are open on this server, which is all it admits; try again later"),
                |details| {
                    details.add_quota_failure_violation("streams", format!("at most {limit} open streams"));
                },
            ),
            Fault::TooManySnapshots { limit } => too_many_snapshots(
                limit,
                format!(
                    "other snapshots that wait to be sent take all the {limit} bytes that this server has for them; try \
                     again a little later"
                ),
                format!("at most {limit} bytes of all keys"),
            ),
            Fault::TooManyOwnSnapshots { most } => too_many_snapshots(
                most,
                format!(
                    "snapshots of this key that wait to be sent take {most} bytes on this server, which is all that one key \
                     may have; read those that were begun, or end them, or ask for fewer tickets by a filter"
                ),
                format!("at most {most} bytes for one key"),
            ),
            Fault::SnapshotsUnkept => build(
                Code::Unavailable,
                ErrorReason::StoreUnavailable,
                [],
                "the folder in which this server keeps snapshots until they are sent does not answer or is full: try again",
                |details| {
                    details.set_retry_info(Some(Duration::from_secs(5)));
                },
            ),
            Fault::Overloaded => overloaded(Duration::from_millis(500)),
            Fault::TimedOut => build(
                Code::DeadlineExceeded,
                ErrorReason::TimedOut,
                [],
                "the call took longer than it may; a change that it asks for may have been made or not: repeat it with the same request id",
                |_| {},
            ),
            Fault::Idle { after } => build(
                Code::DeadlineExceeded,
                ErrorReason::StreamIdle,
                [],
                format!("hardly anything moved for {after:?}; what came until then is kept: go on from there"),
                |_| {},
            ),
            Fault::UnknownMethod(path) => build(
                Code::Unimplemented,
                ErrorReason::UnknownMethod,
                [("method", path.clone())],
                format!("this server has no method {path}"),
                |_| {},
            ),
            Fault::Compressed => build(
                Code::Unimplemented,
                ErrorReason::UnsupportedEncoding,
                [("encodings", "identity".to_owned())],
                "the request is compressed, which this server does not take; send it without `grpc-encoding`",
                |_| {},
            ),
            Fault::UnknownService => build(
                Code::NotFound,
                ErrorReason::ResourceNotFound,
                [("resource", "service".to_owned())],
                "the health service knows no service of this name; the empty name asks for the whole server",
                |details| {
                    details.set_resource_info(kind_name("Service"), "service", "", "is not known");
                },
            ),
            Fault::Internal { request_id } => build(
                Code::Internal,
                ErrorReason::InternalError,
                [("request_id", request_id)],
                "the server failed; its log says why",
                |_| {},
            ),
            Fault::StreamClosing { retry_after } => build(
                Code::Unavailable,
                ErrorReason::ShuttingDown,
                [],
                "the server ends this stream, as it does when it stops: watch again, here or at another server",
                |details| {
                    details.set_retry_info(Some(retry_after));
                },
            ),
            Fault::ShuttingDown => build(
                Code::Unavailable,
                ErrorReason::ShuttingDown,
                [],
                "the server is stopping; nothing was done: try another, or this one again",
                |details| {
                    details.set_retry_info(Some(Duration::from_secs(1)));
                },
            ),
        }
    }
}

fn too_many_snapshots(limit_bytes: u64, text: String, quota: String) -> Status {
    let limit = [("limit_bytes", limit_bytes.to_string())];
    build(Code::ResourceExhausted, ErrorReason::TooManySnapshots, limit, text, |details| {
        details.add_quota_failure_violation("snapshots", quota);
        details.set_retry_info(Some(Duration::from_secs(5)));
    })
}
