//! Watches of etcd.

use futures_util::{StreamExt as _, stream};
use prost::bytes::Bytes;
use tonic::Streaming;

use super::PREFIX;
use crate::commands::bench::connection::Connection;
use crate::commands::bench::fanout::{self, Told};
use crate::failure::Failure;

const WATCH: &str = "/etcdserverpb.Watch/Watch";

/// Opens a stream of what is put from now on under a product's prefix, or under that of all. It is in place when this
/// returns.
pub(super) async fn open(connection: &mut Connection, product: Option<usize>) -> Result<Streaming<Response>, Failure> {
    let prefix = product.map_or(PREFIX.to_owned(), |product| format!("{PREFIX}p{product}/"));
    let create = CreateRequest { range_end: end_of(&prefix), key: prefix.into() };
    let request = WatchRequest { create: Some(create) };
    // The stream of requests stays open as long as that of responses.
    let requests = stream::iter([request]).chain(stream::pending());
    let mut responses: Streaming<Response> =
        connection.stream_both(WATCH, requests).await.map_err(loket_client::Error::from)?;
    match responses.message().await.map_err(loket_client::Error::from)? {
        Some(Response { created: true, canceled: false, .. }) => Ok(responses),
        other => Err(Failure::Other(format!("etcd did not begin the watch: {other:?}"))),
    }
}

/// The first key behind all those with the prefix, which ends in a slash.
fn end_of(prefix: &str) -> Bytes {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end.into()
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct WatchRequest {
    #[prost(message, optional, tag = "1")]
    create: Option<CreateRequest>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct CreateRequest {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    range_end: Bytes,
}

/// What the load generator looks at of a response.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Response {
    #[prost(bool, tag = "3")]
    created: bool,
    #[prost(bool, tag = "4")]
    canceled: bool,
    #[prost(string, tag = "6")]
    cancel_reason: String,
    #[prost(message, repeated, tag = "11")]
    events: Vec<Event>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Event {
    #[prost(message, optional, tag = "2")]
    kv: Option<KeyValue>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct KeyValue {
    #[prost(int64, tag = "3")]
    mod_revision: i64,
}

impl Told for Response {
    fn events(&self) -> impl Iterator<Item = fanout::Event> {
        self.events.iter().map(|event| fanout::Event {
            revision: event.kv.unwrap_or_default().mod_revision,
            ordinal: 0,
            commit_micros: None,
        })
    }

    fn revision(&self) -> i64 {
        0
    }

    fn end(&self) -> Option<String> {
        self.canceled.then(|| format!("etcd ended a watch: {}", self.cancel_reason))
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        assert_eq!(end_of("loket-bench/p3/"), "loket-bench/p30");
    }

    #[test]
    fn reads_what_etcd_writes() -> Result<(), prost::DecodeError> {
        // header {1: cluster, 3: revision}, events {type, kv {key, create_revision, mod_revision, version, value}}.
        let sent = b"\x0a\x04\x08\x01\x18\x09\x5a\x0e\x12\x0c\x0a\x01k\x10\x09\x18\x09\x20\x01\x2a\x01v";
        let response = Response::decode(&sent[..])?;
        assert_eq!(response.events().map(|event| event.revision).collect::<Vec<_>>(), [9]);
        assert!(!response.created && response.end().is_none());
        Ok(())
    }
}
