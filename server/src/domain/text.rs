//! The rules for texts that come from outside.

use super::context::Violations;

pub const SUBJECT_MAX: usize = 500;
pub const BODY_MAX: usize = 65_536;
/// Of an access key, and so of an assignee.
pub const SUBJECT_OF_KEY_MAX: usize = 200;
pub const REASON_MAX: usize = 1_000;
pub const DISPLAY_NAME_MAX: usize = 200;
pub const TAGS_MAX: usize = 50;
pub const TAG_MAX: usize = 64;
pub const CC_MAX: usize = 50;
/// Addresses that a definition puts on every ticket's cc, besides those of its own.
pub const MANDATORY_CC_MAX: usize = 10;
pub const REFS_MAX: usize = 20;
pub const REF_ID_MAX: usize = 200;
/// As many as a definition has at most.
pub const FIELDS_MAX: usize = 200;
/// Bytes of an id, whatever it is of.
pub const ID_MAX: usize = 63;
/// RFC 5321, 4.5.3.1.3, less the angle brackets.
pub const EMAIL_MAX: usize = 254;

/// A required text in one line.
pub fn line(violations: &mut Violations, field: &str, text: &str, max: usize) {
    if text.trim().is_empty() {
        violations.add(field, format!("is required: 1 to {max} characters"));
    } else if text.chars().any(char::is_control) {
        violations.add(field, "holds a line break or another control character; it must be one line of text");
    }
    at_most(violations, field, text, max);
}

/// A text that may be empty and may have many lines.
pub fn optional(violations: &mut Violations, field: &str, text: &str, max: usize) {
    if text.contains('\0') {
        violations.add(field, "holds the character U+0000, which is not text");
    }
    at_most(violations, field, text, max);
}

/// A required text that may have many lines.
pub fn required(violations: &mut Violations, field: &str, text: &str, max: usize) {
    if text.trim().is_empty() {
        violations.add(field, format!("is required: 1 to {max} characters"));
    }
    optional(violations, field, text, max);
}

fn at_most(violations: &mut Violations, field: &str, text: &str, max: usize) {
    // Bytes are at least as many as characters: the usual text is not counted.
    if text.len() > max {
        let length = text.chars().count();
        if length > max {
            violations.add(field, format!("has {length} characters; at most {max} are taken"));
        }
    }
}

/// `[a-z][a-z0-9_-]{0,62}`, with further characters that may follow the first.
pub fn is_id(text: &str, further: &str) -> bool {
    let mut characters = text.chars();
    text.len() <= ID_MAX
        && characters.next().is_some_and(|first| first.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || further.contains(c))
}

/// A type and a subtype in lower case: RFC 6838, 4.2.
pub fn is_mime_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let mut characters = name.chars();
        name.len() <= 127
            && characters.next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
            && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "!#$&-^_.+".contains(c))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

/// An e-mail address in its normal form: trimmed, in lower case. None when it is none.
///
/// Not RFC 5322 in full: quoted local parts and comments are refused, as the systems that send mail refuse them too.
pub fn email(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"()<>[]\\,;:\"@".contains(c);
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    let good = !local.is_empty()
        && !domain.is_empty()
        && local.len() <= 64
        && address.len() <= EMAIL_MAX
        && local.chars().all(plain)
        && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
        && dots(local)
        && dots(domain);
    good.then_some(address)
}

/// A value as it may be quoted in a message: in one line and of bearable length.
pub fn shown(value: &str) -> String {
    const MAX: usize = 60;
    let mut short: String = value.chars().take(MAX).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// What should be an id, as a step of a path: as it is, unless it is none.
pub fn shown_id(id: &str) -> String {
    if id.len() <= ID_MAX && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        id.to_owned()
    } else {
        shown(id)
    }
}

/// Names in a sentence; of many, the first few and how many more there are.
pub fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let names: Vec<_> = names.collect();
    match names.get(..MOST).filter(|_| names.len() > MOST + 1) {
        Some(first) => format!("{} and {} more", first.join(", "), names.len() - MOST),
        None => names.join(", "),
    }
}

/// The beginning of a text, at most so many bytes of it and of the sign that something is missing.
pub fn cut(text: &str, bytes: usize) -> std::borrow::Cow<'_, str> {
    const SIGN: &str = "…";
    if text.len() <= bytes {
        return text.into();
    }
    let end = (0..=bytes.saturating_sub(SIGN.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{SIGN}", &text[..end]).into()
}
