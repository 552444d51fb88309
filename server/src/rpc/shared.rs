//! A response that is encoded once and sent to many.

use bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, Message};

/// An encoded `WatchTicketsResponse`: `server/build.rs` puts it into the service in the message's place. Sending costs one
/// copy of its bytes, whatever it cost to encode them.
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
