//! A page that is written line by line.

use std::fmt::Write as _;

use prost::Message;
use serde_json::Value;

use crate::show::{clean, word};

#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    pub(super) fn section(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n{title}");
    }

    pub(super) fn line(&mut self, depth: usize, line: &str) {
        let line = clean(line).replace(['\n', '\t'], " ");
        let _ = writeln!(self.text, "{:width$}{line}", "", width = depth * 2);
    }

    /// A rule, and what it says to people.
    pub(super) fn told(&mut self, depth: usize, rule: &str, message: &str) {
        self.line(depth, rule);
        if !message.is_empty() {
            self.line(depth + 1, &format!("«{message}»"));
        }
    }

    /// What else a message says, by the names of the contract: nothing that a definition has is left out.
    pub(super) fn rest<M: Message>(&mut self, depth: usize, name: &str, message: &M, told: &[&str]) {
        let Ok(Value::Object(fields)) = loket::json::to_json(name, message) else { return };
        for (field, value) in fields.iter().filter(|(field, _)| !told.contains(&field.as_str())) {
            self.value(depth, &field.replace('_', " "), value);
        }
    }

    fn value(&mut self, depth: usize, name: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                self.line(depth, name);
                fields.iter().for_each(|(field, value)| self.value(depth + 1, &field.replace('_', " "), value));
            }
            Value::Array(values) if values.iter().any(Value::is_object) => {
                for value in values {
                    self.value(depth, name, value);
                }
            }
            Value::Array(values) => {
                let values: Vec<_> = values.iter().map(plain).collect();
                self.line(depth, &format!("{name}: {}", values.join(", ")));
            }
            Value::Bool(true) => self.line(depth, name),
            Value::Null | Value::Bool(false) | Value::Number(_) | Value::String(_) => {
                self.line(depth, &format!("{name}: {}", plain(value)));
            }
        }
    }
}

/// As people write it: the values of enums are words.
fn plain(value: &Value) -> String {
    let Some(text) = value.as_str() else { return value.to_string() };
    let of_enum = loket::json::POOL.all_enums().find(|of| of.get_value_by_name(text).is_some());
    let prefix = of_enum.map(|of| of.default_value().name().replace("UNSPECIFIED", ""));
    prefix.map_or_else(|| text.to_owned(), |prefix| word(text, &prefix).replace('_', " "))
}
