//! Responses that are encoded before they are sent: `server/build.rs` puts them into the services in the place of the messages.

use std::marker::PhantomData;

use bytes::{Buf, BufMut, Bytes};
use loket::v1 as proto;
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};

/// A ticket that a method answers with: often that which was just encoded for the log.
pub type EncodedTicket = Encoded<proto::Ticket>;

/// What a watch sends: encoded once, for many streams.
pub type EncodedWatchResponse = Encoded<proto::WatchTicketsResponse>;

/// The bytes of a message. Sending costs one copy of them, whatever it cost to encode it.
#[derive(Debug, Clone)]
pub struct Encoded<M> {
    bytes: Bytes,
    message: PhantomData<fn() -> M>,
}

impl<M> Encoded<M> {
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, message: PhantomData }
    }
}

impl<M: Message> From<M> for Encoded<M> {
    fn from(message: M) -> Self {
        Self::new(message.encode_to_vec().into())
    }
}

impl<M: Message> Message for Encoded<M> {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.bytes);
    }

    /// Never called: the server only sends it.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.bytes.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
    }
}
