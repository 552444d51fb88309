//! A message that is encoded once.
#[derive(Clone, Debug, Default)]
pub struct Shared(pub bytes::Bytes);
impl prost::Message for Shared {
    fn encode_raw(&self, buf: &mut impl bytes::BufMut) { buf.put_slice(&self.0); }
    fn merge_field(&mut self, _: u32, _: prost::encoding::WireType, _: &mut impl bytes::Buf, _: prost::encoding::DecodeContext) -> Result<(), prost::DecodeError> { unreachable!() }
    fn encoded_len(&self) -> usize { self.0.len() }
    fn clear(&mut self) {}
}
