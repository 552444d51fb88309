//! Responses that need not be encoded anew: `server/build.rs` puts them into the services in the place of the messages.

use bytes::{Buf, BufMut, Bytes};
use loket::v1 as proto;
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};

/// An encoded `WatchTicketsResponse`, sent to many. Sending costs one copy of its bytes, whatever it cost to encode them.
#[derive(Debug, Clone, Default)]
pub struct Shared(pub(super) Bytes);

impl Message for Shared {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.0);
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
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// A ticket that a method answers with: what was written to the log is not encoded again.
#[derive(Debug, Clone)]
pub enum TicketAnswer {
    Encoded(Bytes),
    Message(Box<proto::Ticket>),
}

impl From<proto::Ticket> for TicketAnswer {
    fn from(ticket: proto::Ticket) -> Self {
        Self::Message(Box::new(ticket))
    }
}

impl Message for TicketAnswer {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        match self {
            Self::Encoded(bytes) => buffer.put_slice(bytes),
            Self::Message(ticket) => ticket.encode_raw(buffer),
        }
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
        match self {
            Self::Encoded(bytes) => bytes.len(),
            Self::Message(ticket) => ticket.encoded_len(),
        }
    }

    fn clear(&mut self) {
        *self = Self::Encoded(Bytes::new());
    }
}
