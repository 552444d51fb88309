//! The standard JSON mapping of the messages, and YAML read by the same rules.
//!
//! A helpdesk's definition is a YAML (or JSON) file in the JSON mapping of [`Helpdesk`].

mod unknown;

use std::fmt;
use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};

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

/// Everything that keeps a file from being a message, in the order of the file. Reads as a line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseErrors(pub Vec<ParseError>);

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}

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
/// With the place, the path and what is wrong there: of all keys and values of enums that are not known, and of the first
/// thing that is otherwise wrong.
pub fn helpdesk_from_yaml(text: &str) -> Result<Helpdesk, ParseErrors> {
    let descriptor = descriptor("Helpdesk").map_err(|error| ParseErrors(vec![error]))?;
    let dynamic = read(text, &descriptor, &DeserializeOptions::new()).map_err(|first| {
        let mut wrong = unknown::all(text, &descriptor);
        // The reading ended with the first such thing, if there was one before: so once more, as if there were none.
        wrong.extend(read(text, &descriptor, &DeserializeOptions::new().deny_unknown_fields(false)).err());
        if wrong.is_empty() {
            wrong.push(first);
        }
        wrong.sort_by_key(|wrong| wrong.position);
        ParseErrors(wrong)
    })?;
    dynamic.transcode_to().map_err(|error| ParseErrors(vec![plain(error)]))
}

/// A message of this type, or the first thing that is wrong.
fn read(
    text: &str,
    descriptor: &MessageDescriptor,
    options: &DeserializeOptions,
) -> Result<DynamicMessage, ParseError> {
    let mut track = serde_path_to_error::Track::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        DynamicMessage::deserialize_with_options(descriptor.clone(), tracked, options)
    });
    read.map_err(|error| ParseError {
        position: error.location().map(|place| (place.line(), place.column())),
        path: track.path().to_string(),
        message: without_position(&error.without_snippet().to_string()),
    })
}

fn descriptor(name: &str) -> Result<MessageDescriptor, ParseError> {
    POOL.get_message_by_name(&format!("loket.v1.{name}"))
        .ok_or_else(|| plain(format!("there is no message loket.v1.{name}")))
}

fn plain(error: impl fmt::Display) -> ParseError {
    ParseError { position: None, path: String::new(), message: error.to_string() }
}

/// The parser ends most of its messages with the position, which is told apart here, or with a hint for programmers.
fn without_position(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    message.split(", set DuplicateKeyPolicy").next().unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        helpdesk_from_yaml(text).unwrap_err().to_string()
    }

    #[test]
    fn all_that_is_unknown_is_told_by_line_column_and_path() {
        let text = "nmae: x\nstatuses:\n- id: a\n  state: STATE_NEWW\nqueues:\n- id: a\n- {id: b, colour: red}\n";
        let told = told(text);
        let lines: Vec<_> = told.lines().map(|line| line.split(';').next().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "1:1: there is no field 'nmae'",
                "4:10: statuses[0].state: there is no value 'STATE_NEWW'",
                "7:11: queues[1]: there is no field 'colour'",
            ]
        );
        assert!(told.contains("the values are STATE_NEW, STATE_ACTIVE"), "{told}");
        assert!(told.contains("the fields are id, display_name"), "{told}");
    }

    #[test]
    fn the_first_thing_that_is_otherwise_wrong_is_told_with_it() {
        assert_eq!(told("queues:\n- id: a\n  id: b\n"), "3:3: queues[0].?: duplicate mapping key: id");
        let both = told("nmae: x\nqueues:\n- {id: a, colour: red}\n- {id: b, id: c}\n");
        let places: Vec<_> = both.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(places, ["1:1", "3:11", "4:11"], "{both}");
        assert_eq!(told("queues: [\n"), "1:9: queues: unclosed bracket '['");
        let told = told("statuses:\n- id: {}\nnmae: x\n");
        assert!(
            told.starts_with("2:7: statuses[0].id: ") && told.contains("\n3:1: there is no field 'nmae'"),
            "{told}"
        );
    }
}
