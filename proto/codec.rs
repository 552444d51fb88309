//! How messages become the bytes of a call, and are read from them.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::BufferSettings;
use tonic_prost::{ProstDecoder, ProstEncoder};

/// What a call has as a buffer in each direction, before it is known how large its messages are. Most fit; larger ones make
/// it grow. With the 8 KiB that are usual a stream that waits keeps more than twice as much.
const BUFFER: usize = 1 << 10;

/// What gathers at most before it is sent, of a stream that has more.
const GATHERED: usize = 32 << 10;

/// [`tonic_prost::ProstCodec`] with buffers that fit the messages of this contract.
#[derive(Debug, Clone)]
pub struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> tonic::codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::new(BUFFER, GATHERED))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(BufferSettings::new(BUFFER, GATHERED))
    }
}
