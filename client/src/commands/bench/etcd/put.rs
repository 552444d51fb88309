//! Puts one key after another into etcd.

use prost::bytes::Bytes;
use tonic::Status;

use super::PREFIX;
use crate::commands::bench::connection::Connection;
use crate::commands::bench::desk::PRODUCTS;
use crate::commands::bench::fanout::{Writer, Written};
use crate::commands::bench::load::Operation;

const PUT: &str = "/etcdserverpb.KV/Put";

/// Puts distinct keys, in turn under each product's prefix.
pub(super) struct Putter {
    connection: Connection,
    value: Bytes,
    /// Sets its keys apart from those of every other, now and in earlier measurements.
    caller: u64,
    next: usize,
    /// Noted when it is asked for.
    written: Option<Vec<Written>>,
}

impl Putter {
    /// Values of `size` bytes, beginning with the `number`th product.
    pub(super) fn new(connection: &Connection, size: u32, number: usize, noting: bool) -> Self {
        Self {
            connection: connection.clone(),
            value: vec![b'.'; size as usize].into(),
            caller: rand::random(),
            next: number,
            written: noting.then(Vec::new),
        }
    }
}

impl Operation for Putter {
    async fn call(&mut self) -> Result<(), Status> {
        let product = self.next % PRODUCTS;
        let key = format!("{PREFIX}p{product}/{:016x}/{:08}", self.caller, self.next);
        self.next += 1;
        let request = PutRequest { key: key.into(), value: self.value.clone() };
        let PutResponse { header } = self.connection.call(PUT, request).await?;
        if let Some(written) = &mut self.written {
            written.push(Written { product, revision: header.unwrap_or_default().revision });
        }
        Ok(())
    }
}

impl Writer for Putter {
    fn written(&mut self) -> Vec<Written> {
        self.written.take().unwrap_or_default()
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct PutRequest {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

/// What the load generator looks at of the answer.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct PutResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
}

#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Header {
    #[prost(int64, tag = "3")]
    revision: i64,
}
