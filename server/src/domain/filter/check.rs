//! What each field compares with: from a field, an operator and a value to a test.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};

use super::{FieldKind, Form, ListField, Node, Order, Schema, Test, TextField, TimeField};
use crate::domain::{Micros, State, text};

/// What a comparison names.
#[derive(Debug, Clone)]
pub(super) enum Field {
    Text(TextField),
    List(ListField),
    Time(TimeField),
    Own(String, FieldKind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Has,
    Order(Order),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// An unquoted `*`.
    Any,
    Text(String),
}

/// Which part of a comparison is wrong, and why.
#[derive(Debug)]
pub(super) enum Wrong {
    Operator(String),
    Value(String),
}

pub(super) fn comparison(field: Field, operator: Operator, value: Value, schema: &dyn Schema) -> Result<Node, Wrong> {
    let sought = match (operator, value) {
        (_, Value::Text(text)) => text,
        (Operator::Has, Value::Any) => return Ok(present(field)),
        (Operator::Equal | Operator::NotEqual | Operator::Order(_), Value::Any) => {
            return Err(Wrong::Value(format!(
                "`*` goes with `:` only: `{}:*` asks whether it is not empty; the text `*` is put in double quotes",
                field.name()
            )));
        }
    };
    let test = match operator {
        Operator::Equal | Operator::NotEqual => equal(field, sought),
        Operator::Has => has(field, sought),
        Operator::Order(order) => ranks(field, order, sought),
    }?;
    declared(&test, schema)?;
    let test = Node::Test(test);
    Ok(if operator == Operator::NotEqual { test.negate() } else { test })
}

/// A value that no ticket can have is a slip of the pen: nothing would be found, without a word. Of a tree, each node is listed.
fn declared(test: &Test, schema: &dyn Schema) -> Result<(), Wrong> {
    let (field, sought) = match test {
        Test::Is(field, sought) | Test::Below(field, sought) => (field, sought.as_str()),
        Test::Contains(..)
        | Test::Ranks(..)
        | Test::Counts(..)
        | Test::Has(..)
        | Test::NotEmpty(_)
        | Test::At(..)
        | Test::When(..)
        | Test::IsSet(_) => return Ok(()),
    };
    let Some(values) = schema.values(field).filter(|_| !sought.is_empty()) else { return Ok(()) };
    if values.contains(&sought) {
        return Ok(());
    }
    let right = if values.is_empty() { "it has none".to_owned() } else { text::listed(values.into_iter()) };
    Err(value(sought, &format!("a value of `{}` in this helpdesk: {right}", field.name())))
}

fn present(field: Field) -> Node {
    match field {
        Field::Text(field) => Node::Test(Test::Is(field, String::new())).negate(),
        Field::Own(id, _) => Node::Test(Test::Is(TextField::Own(id), String::new())).negate(),
        Field::List(field) => Node::Test(Test::NotEmpty(field)),
        Field::Time(field) => Node::Test(Test::IsSet(field)),
    }
}

/// As addresses are kept; what is none is compared as it is.
fn address(text: String) -> String {
    text::email(&text).unwrap_or(text)
}

fn equal(field: Field, text: String) -> Result<Test, Wrong> {
    match field {
        Field::Text(TextField::State) => Ok(Test::Is(TextField::State, state(&text)?)),
        Field::Text(TextField::Requester) => Ok(Test::Is(TextField::Requester, address(text))),
        Field::Text(field) => Ok(Test::Is(field, text)),
        Field::Own(id, _) if text.is_empty() => Ok(Test::Is(TextField::Own(id), text)),
        Field::Own(id, kind) => {
            let text = match kind {
                FieldKind::Text | FieldKind::Choice | FieldKind::Tree => text,
                FieldKind::Integer => checked_integer(&text)?.to_string(),
                FieldKind::Boolean if text == "true" || text == "false" => text,
                FieldKind::Boolean => return Err(value(&text, "a boolean: `true` or `false`")),
                FieldKind::Date => date(text)?,
                FieldKind::Timestamp => rfc3339(time(&text)?),
            };
            Ok(Test::Is(TextField::Own(id), text))
        }
        Field::Time(field) if text.is_empty() => Err(Wrong::Value(format!(
            "a time is not compared with `\"\"`: `NOT {}:*` asks whether it is unset",
            field.name()
        ))),
        Field::Time(field) => Ok(Test::At(field, time(&text)?)),
        Field::List(_) => Err(field.operator_wrong()),
    }
}

fn has(field: Field, text: String) -> Result<Test, Wrong> {
    let empty = text.is_empty();
    let found = match field {
        Field::Text(TextField::Subject) => Test::Contains(TextField::Subject, text),
        Field::Own(id, FieldKind::Text) => Test::Contains(TextField::Own(id), text),
        Field::Own(id, FieldKind::Tree) => Test::Below(TextField::Own(id), text),
        Field::List(ListField::Cc) => Test::Has(ListField::Cc, address(text)),
        Field::List(ListField::Tags) => Test::Has(ListField::Tags, text),
        Field::Text(_) | Field::Own(..) | Field::Time(_) => return Err(field.operator_wrong()),
    };
    if empty {
        let message = "`:` needs a value that is not empty; `:*` asks whether the field is not empty";
        return Err(Wrong::Value(message.to_owned()));
    }
    Ok(found)
}

fn ranks(field: Field, order: Order, text: String) -> Result<Test, Wrong> {
    match field {
        Field::Time(field) => Ok(Test::When(field, order, time(&text)?)),
        Field::Own(id, FieldKind::Integer) => Ok(Test::Counts(TextField::Own(id), order, checked_integer(&text)?)),
        Field::Own(id, FieldKind::Date) => Ok(Test::Ranks(TextField::Own(id), Form::Date, order, date(text)?)),
        Field::Own(id, FieldKind::Timestamp) => {
            Ok(Test::Ranks(TextField::Own(id), Form::Timestamp, order, rfc3339(time(&text)?)))
        }
        Field::Own(_, FieldKind::Text) if text.is_empty() => Err(Wrong::Value(format!(
            "nothing comes before or after `\"\"`: `{} = \"\"` and `!=` ask whether it is empty",
            field.name()
        ))),
        Field::Own(id, FieldKind::Text) => Ok(Test::Ranks(TextField::Own(id), Form::Text, order, text)),
        Field::Own(_, FieldKind::Boolean | FieldKind::Choice | FieldKind::Tree) | Field::Text(_) | Field::List(_) => {
            Err(field.operator_wrong())
        }
    }
}

impl Field {
    /// One of those that every ticket has.
    pub(super) fn fixed(name: &str) -> Option<Self> {
        let text = TextField::FIXED.into_iter().find(|field| field.name() == name).map(Self::Text);
        let list = || ListField::ALL.into_iter().find(|field| field.name() == name).map(Self::List);
        let time = || TimeField::ALL.into_iter().find(|field| field.name() == name).map(Self::Time);
        text.or_else(list).or_else(time)
    }

    pub(super) fn fixed_names() -> Vec<String> {
        let texts = TextField::FIXED.into_iter().map(|field| field.name().into_owned());
        let lists = ListField::ALL.into_iter().map(|field| field.name().to_owned());
        let times = TimeField::ALL.into_iter().map(|field| field.name().to_owned());
        texts.chain(lists).chain(times).collect()
    }

    fn name(&self) -> String {
        match self {
            Self::Text(field) => field.name().into_owned(),
            Self::List(field) => field.name().to_owned(),
            Self::Time(field) => field.name().to_owned(),
            Self::Own(id, _) => format!("fields.{id}"),
        }
    }

    fn operators(&self) -> &'static str {
        match self {
            Self::Text(TextField::Subject) | Self::Own(_, FieldKind::Tree) => "=, != and :",
            Self::Own(_, FieldKind::Text) => "=, !=, <, <=, >, >= and :",
            Self::Text(_) | Self::Own(_, FieldKind::Boolean | FieldKind::Choice) => "= and !=",
            Self::Time(_) | Self::Own(_, FieldKind::Integer | FieldKind::Date | FieldKind::Timestamp) => {
                "=, !=, <, <=, > and >="
            }
            Self::List(_) => ":",
        }
    }

    fn operator_wrong(&self) -> Wrong {
        let (name, operators) = (self.name(), self.operators());
        Wrong::Operator(format!("`{name}` compares with {operators} only; `{name}:*` asks whether it is not empty"))
    }
}

fn value(text: &str, right: &str) -> Wrong {
    let shown = if text.is_empty() { "\"\"".to_owned() } else { super::parse::excerpt(text) };
    Wrong::Value(format!("`{shown}` is not {right}"))
}

/// `NEW`, `STATE_NEW` or `new`; empty stays empty, though no ticket has it.
fn state(text: &str) -> Result<String, Wrong> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let upper = |state: &State| state.word().to_ascii_uppercase();
    let word = text.strip_prefix("STATE_").unwrap_or(text);
    let prefixed = word.len() < text.len();
    let found = State::ALL.iter().find(|state| word == upper(state) || (!prefixed && word == state.word()));
    found.map(|state| state.word().to_owned()).ok_or_else(|| {
        let words: Vec<_> = State::ALL.iter().map(upper).collect();
        value(text, &format!("a state: {}", words.join(", ")))
    })
}

/// The one spelling of an integer: nothing else is one, in tickets as in filters.
pub(super) fn integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

fn checked_integer(text: &str) -> Result<i64, Wrong> {
    integer(text).ok_or_else(|| {
        value(text, "an integer: a decimal of 64 bits with sign, without leading zeros or plus, like -12")
    })
}

fn date(text: String) -> Result<String, Wrong> {
    if Form::Date.fits(&text) && NaiveDate::parse_from_str(&text, "%Y-%m-%d").is_ok() {
        Ok(text)
    } else {
        Err(value(&text, "a date: YYYY-MM-DD, like 2026-11-23"))
    }
}

fn time(text: &str) -> Result<Micros, Wrong> {
    let right = "a time: RFC 3339 in double quotes, like \"2026-11-23T08:30:00Z\"";
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| value(text, right))?.with_timezone(&Utc);
    if time.timestamp_subsec_nanos() % 1000 != 0 {
        return Err(value(text, "a time that a ticket may have: they are kept to the microsecond"));
    }
    let micros = time.timestamp_micros();
    match DateTime::from_timestamp_micros(micros) {
        Some(time) if (1..=9999).contains(&time.year()) => Ok(micros),
        _ => Err(value(text, "a time of the years 0001 to 9999")),
    }
}

/// In UTC, with microseconds: as TIMESTAMP fields are kept, so that they compare as texts.
pub(super) fn rfc3339(micros: Micros) -> String {
    DateTime::from_timestamp_micros(micros)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
        .unwrap_or_default()
}
