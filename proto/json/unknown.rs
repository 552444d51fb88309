//! What a file says that the messages do not know: the parser tells of the first such thing only, and not always where.

use std::fmt;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

use super::ParseError;

/// A file as it stands, whatever it means.
enum Node {
    Map(Vec<(Spanned<Node>, Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Text(String),
    /// Something that is no name of anything.
    Other,
}

/// All keys and values of enums that are not known. Nothing where the file is no YAML.
pub(super) fn all(text: &str, descriptor: &MessageDescriptor) -> Vec<ParseError> {
    let mut found = Vec::new();
    // Keys that are there twice are told by the parser.
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::PassThrough };
    if let Ok(root) = serde_saphyr::from_str_with_options::<Spanned<Node>>(text, options) {
        message(&root, descriptor, "", &mut found);
    }
    found
}

fn message(node: &Spanned<Node>, descriptor: &MessageDescriptor, path: &str, found: &mut Vec<ParseError>) {
    // These have forms of their own.
    if descriptor.full_name().starts_with("google.protobuf.") {
        return;
    }
    let Node::Map(entries) = &node.value else { return };
    for (key, value) in entries {
        let Node::Text(name) = &key.value else { continue };
        let field = descriptor.get_field_by_name(name).or_else(|| descriptor.get_field_by_json_name(name));
        if let Some(field) = field {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            values(value, &field, &path, found);
        } else {
            let fields: Vec<_> = descriptor.fields().map(|field| field.name().to_owned()).collect();
            found.push(ParseError {
                position: Some((key.referenced.line(), key.referenced.column())),
                path: path.to_owned(),
                message: format!("there is no field '{}'; the fields are {}", name.escape_debug(), fields.join(", ")),
            });
        }
    }
}

/// The values of a field: one, many, or one for each key.
fn values(node: &Spanned<Node>, field: &FieldDescriptor, path: &str, found: &mut Vec<ParseError>) {
    match (&node.value, field.kind()) {
        (Node::Map(entries), Kind::Message(entry)) if field.is_map() => {
            for (key, each) in entries {
                let key =
                    if let Node::Text(key) = &key.value { key.escape_debug().to_string() } else { "?".to_owned() };
                value(each, &entry.map_entry_value_field().kind(), &format!("{path}.{key}"), found);
            }
        }
        (Node::List(items), kind) if field.is_list() => {
            for (place, each) in items.iter().enumerate() {
                value(each, &kind, &format!("{path}[{place}]"), found);
            }
        }
        (_, kind) => value(node, &kind, path, found),
    }
}

fn value(node: &Spanned<Node>, kind: &Kind, path: &str, found: &mut Vec<ParseError>) {
    match (kind, &node.value) {
        (Kind::Message(descriptor), _) => message(node, descriptor, path, found),
        (Kind::Enum(known), Node::Text(name)) if known.get_value_by_name(name).is_none() => {
            let names: Vec<_> = known.values().skip(1).map(|value| value.name().to_owned()).collect();
            found.push(ParseError {
                position: Some((node.referenced.line(), node.referenced.column())),
                path: path.to_owned(),
                message: format!("there is no value '{}'; the values are {}", name.escape_debug(), names.join(", ")),
            });
        }
        _ => {}
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _value: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _value: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }
}
