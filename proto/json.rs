//! The standard JSON mapping of the messages, and YAML read by the same rules.
//!
//! A helpdesk's definition is a YAML (or JSON) file in the JSON mapping of [`Helpdesk`].

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use crate::v1::Helpdesk;

/// Everything that [`FILE_DESCRIPTOR_SET`](crate::FILE_DESCRIPTOR_SET) describes.
///
/// # Panics
///
/// Never: a test decodes the same constant.
#[allow(clippy::expect_used)]
pub static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).expect("the embedded descriptor set decodes"));

/// Why a file is not a message. Reads `line:column: path: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Line and column, from 1, where they are known.
    pub position: Option<(u64, u64)>,
    /// The path of the field within the message; empty for the message itself.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.position {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() && self.path != "." {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// A message of package `loket.v1` as JSON, with the field names of the `.proto` files.
///
/// # Errors
///
/// When `name` is not a message of the package, or `message` not of that type.
pub fn to_json<M: Message>(name: &str, message: &M) -> Result<serde_json::Value, ParseError> {
    let mut dynamic = DynamicMessage::new(descriptor(name)?);
    dynamic.transcode_from(message).map_err(plain)?;
    let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(true);
    dynamic.serialize_with_options(serde_json::value::Serializer, &options).map_err(plain)
}

/// Reads a helpdesk's definition from YAML or JSON. Unknown and repeated keys are errors.
///
/// # Errors
///
/// With the place, the path and what is wrong there.
pub fn helpdesk_from_yaml(text: &str) -> Result<Helpdesk, ParseError> {
    let descriptor = descriptor("Helpdesk")?;
    let mut track = serde_path_to_error::Track::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        DynamicMessage::deserialize_with_options(descriptor.clone(), tracked, &DeserializeOptions::new())
    });
    match read {
        Ok(dynamic) => dynamic.transcode_to().map_err(plain),
        Err(error) => {
            let position = error.location().map(|place| (place.line(), place.column()));
            let position = position.or_else(|| unknown_key(text, &descriptor));
            Err(ParseError {
                position,
                path: track.path().to_string(),
                message: without_position(&error.without_snippet().to_string()),
            })
        }
    }
}

/// Where the first unknown key of the root stands, which the parser does not tell.
fn unknown_key(text: &str, descriptor: &MessageDescriptor) -> Option<(u64, u64)> {
    let known =
        |key: &str| descriptor.get_field_by_name(key).or_else(|| descriptor.get_field_by_json_name(key)).is_some();
    #[allow(clippy::zero_sized_map_values)] // A map in the file, of which only the keys matter.
    let keys: HashMap<Spanned<String>, IgnoredAny> = serde_saphyr::from_str(text).ok()?;
    keys.keys().filter(|key| !known(&key.value)).map(|key| (key.referenced.line(), key.referenced.column())).min()
}

fn descriptor(name: &str) -> Result<MessageDescriptor, ParseError> {
    POOL.get_message_by_name(&format!("loket.v1.{name}"))
        .ok_or_else(|| plain(format!("there is no message loket.v1.{name}")))
}

fn plain(error: impl fmt::Display) -> ParseError {
    ParseError { position: None, path: String::new(), message: error.to_string() }
}

/// The parser ends most of its messages with the position, which is told apart here.
fn without_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_file_is_told_by_line_column_and_path() {
        for (text, told) in [
            ("display_name: A\nnmae: x\n", "2:1: unrecognized field name 'nmae'"),
            // Below the root it is the place of what holds the key.
            ("queues:\n- id: a\n  dislay_name: B\n", "2:3: queues[0]: unrecognized field name 'dislay_name'"),
        ] {
            assert_eq!(helpdesk_from_yaml(text).unwrap_err().to_string(), told);
        }
    }
}
