//! A helpdesk's own field, and the canonical form of its values.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};

use super::spec::FieldType;
use super::{Condition, Facts};
use crate::domain::Role;
use crate::domain::text::shown;

/// A field of the helpdesk's own.
#[derive(Debug)]
pub struct Field {
    pub id: String,
    pub display_name: String,
    pub field_type: FieldType,
    pub choices: Vec<Choice>,
    /// In canonical form; empty: none.
    pub default_value: String,
    /// While it holds, the field must not be empty.
    pub required_when: Option<Condition>,
    /// Empty: everybody.
    pub set_by: Vec<Role>,
    /// While it holds, the field may be set.
    pub set_when: Option<Condition>,
    pub indexed: bool,
    pub staff_only: bool,
    pub retired: bool,
}

/// One value of a choice or a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub display_name: String,
    pub retired: bool,
}

impl Field {
    pub const MAX_TEXT_CHARS: usize = 4_096;
    /// Of a field that is indexed: a database takes no longer keys.
    pub const MAX_INDEXED_CHARS: usize = 256;

    /// Whether somebody with the role may give or change a value. Admins may do everything.
    pub fn settable_by(&self, role: Role) -> bool {
        self.set_by.is_empty() || role == Role::Admin || self.set_by.contains(&role)
    }

    /// Whether an actor may give or change a value of a ticket as it is. Admins always may.
    pub fn settable_now(&self, facts: &Facts<'_>) -> bool {
        facts.actor.role == Role::Admin || self.set_when.as_ref().is_none_or(|condition| condition.holds(facts))
    }

    /// The form in which a value is kept, retired choices included: what an old ticket may hold and a filter may ask
    /// for. The empty value, which means that there is none, is its own form.
    ///
    /// # Errors
    ///
    /// With what was wrong and what would be right.
    pub fn canonical(&self, value: &str) -> Result<String, String> {
        if value.is_empty() {
            return Ok(String::new());
        }
        if self.field_type.has_choices() {
            return match self.choice(value) {
                Some(choice) => Ok(choice.value.clone()),
                None => Err(self.not_a_choice(value)),
            };
        }
        plain(self.field_type, value)
    }

    /// The form in which a new value is kept: as [`Field::canonical`], and neither the field nor the choice is retired.
    /// Taking a value away is always possible.
    ///
    /// # Errors
    ///
    /// With what was wrong and what would be right.
    pub fn admits(&self, value: &str) -> Result<String, String> {
        let canonical = self.canonical(value)?;
        if canonical.is_empty() {
            return Ok(canonical);
        }
        if self.indexed && canonical.chars().nth(Self::MAX_INDEXED_CHARS).is_some() {
            let (length, most) = (canonical.chars().count(), Self::MAX_INDEXED_CHARS);
            return Err(format!("has {length} characters: at most {most} are kept of a field that is indexed"));
        }
        if self.retired {
            return Err(format!("the field `{}` is retired and takes no new values: leave it out", self.id));
        }
        if self.field_type.has_choices() && self.choice(&canonical).is_some_and(|choice| choice.retired) {
            return Err(format!("{} is retired: {}", shown(value), self.valid_choices()));
        }
        Ok(canonical)
    }

    fn choice(&self, value: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.value == value)
    }

    fn not_a_choice(&self, value: &str) -> String {
        format!("{} is none of the choices: {}", shown(value), self.valid_choices())
    }

    fn valid_choices(&self) -> String {
        let open = self.choices.iter().filter(|choice| !choice.retired);
        super::check::valid(open.map(|choice| choice.value.as_str()))
    }
}

/// The form in which a value that is not empty is kept, whatever the choices are.
///
/// # Errors
///
/// With what was wrong and what would be right.
pub(super) fn plain(field_type: FieldType, value: &str) -> Result<String, String> {
    match field_type {
        FieldType::Text | FieldType::Agent => text(value),
        FieldType::Integer => integer(value),
        FieldType::Boolean => boolean(value),
        FieldType::Date => date(value),
        FieldType::Timestamp => timestamp(value),
        FieldType::Choice | FieldType::Tree => Ok(value.to_owned()),
    }
}

fn text(value: &str) -> Result<String, String> {
    if value.contains('\0') {
        return Err("contains the character U+0000: leave it out".to_owned());
    }
    let length = value.chars().count();
    if length > Field::MAX_TEXT_CHARS {
        return Err(format!("has {length} characters: at most {} are kept", Field::MAX_TEXT_CHARS));
    }
    Ok(value.to_owned())
}

/// Only the canonical form is taken: an identifier with leading zeros belongs into a text field, and would be changed
/// here without a word.
fn integer(value: &str) -> Result<String, String> {
    let read: Option<i64> = value.parse().ok();
    match read {
        Some(number) if number.to_string() == value => Ok(value.to_owned()),
        Some(number) => Err(format!("{} is not how an integer is written here: write {number}", shown(value))),
        None => Err(format!("{} is not an integer of 64 bits: write decimal digits, such as 42 or -7", shown(value))),
    }
}

fn boolean(value: &str) -> Result<String, String> {
    match value {
        "true" | "false" => Ok(value.to_owned()),
        _ => Err(format!("{} is not a boolean: write true or false", shown(value))),
    }
}

fn date(value: &str) -> Result<String, String> {
    let read = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok();
    // The parser also takes single digits and signs.
    match read {
        Some(date) if in_range(date.year()) && date.format("%Y-%m-%d").to_string() == value => Ok(value.to_owned()),
        _ => Err(format!("{} is not a date: write YYYY-MM-DD, such as 2026-03-31", shown(value))),
    }
}

fn timestamp(value: &str) -> Result<String, String> {
    // Through microseconds: leap seconds and digits beyond the sixth have no place in what is kept.
    let read = DateTime::parse_from_rfc3339(value).ok();
    let kept = read.and_then(|time| DateTime::from_timestamp_micros(time.timestamp_micros()));
    match kept {
        Some(time) if in_range(time.year()) => Ok(time.to_rfc3339_opts(SecondsFormat::Micros, true)),
        _ => Err(format!("{} is not a time: write RFC 3339, such as 2026-03-31T09:00:00+07:00", shown(value))),
    }
}

/// Those of a protobuf Timestamp.
fn in_range(year: i32) -> bool {
    (1..=9999).contains(&year)
}
