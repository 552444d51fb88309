//! The list of what is wrong, and the rules that every text obeys.

use crate::domain::Violation;
use crate::domain::text::shown;

const MAX_LINE_CHARS: usize = 200;
const MAX_MESSAGE_CHARS: usize = 1_000;
/// Nobody reads on, and nobody should have to keep more.
const MAX_VIOLATIONS: usize = 1_000;
/// Longer lists of names help nobody.
const MAX_LISTED: usize = 12;

#[derive(Debug, Default)]
pub(super) struct Report {
    violations: Vec<Violation>,
    /// Whether contradictions are passed over.
    is_stored: bool,
}

impl Report {
    /// Of a definition that was checked when it was applied, maybe by a version that knew of fewer contradictions.
    pub(super) fn of_stored() -> Self {
        Self { is_stored: true, ..Self::default() }
    }

    /// What is wrong with a new definition, and can be worked with where it is in force.
    pub(super) fn contradiction(&mut self, path: impl Into<String>, description: impl Into<String>) {
        if !self.is_stored {
            self.add(path, description);
        }
    }

    pub(super) fn add(&mut self, path: impl Into<String>, description: impl Into<String>) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(Violation::new(path, description));
        }
    }

    pub(super) fn finish(self) -> Result<(), Vec<Violation>> {
        if self.violations.is_empty() { Ok(()) } else { Err(self.violations) }
    }

    /// A display name: one line, possibly empty.
    pub(super) fn line(&mut self, path: impl Into<String>, text: &str) {
        let path = path.into();
        if text.contains(char::is_control) {
            self.add(&path, format!("{} contains a control character: write one line of text", shown(text)));
        }
        self.at_most(path, text, MAX_LINE_CHARS);
    }

    /// A message to people: lines of text, possibly none.
    pub(super) fn message(&mut self, path: impl Into<String>, text: &str) {
        self.text(path, text, MAX_MESSAGE_CHARS);
    }

    /// Lines of text, possibly none.
    pub(super) fn text(&mut self, path: impl Into<String>, text: &str, limit: usize) {
        let path = path.into();
        if text.contains('\0') {
            self.add(&path, "contains the character U+0000: leave it out");
        }
        self.at_most(path, text, limit);
    }

    fn at_most(&mut self, path: String, text: &str, limit: usize) {
        let length = text.chars().count();
        if length > limit {
            self.add(path, format!("has {length} characters: at most {limit} are taken"));
        }
    }

    /// How many there may be of something.
    pub(super) fn count(&mut self, path: impl Into<String>, found: usize, limit: usize) {
        if found > limit {
            self.add(path, format!("there are {found}: at most {limit} are taken"));
        }
    }
}

/// `valid are a, b or c`; of many, the first few and how many there are.
pub(in crate::domain::definition) fn valid<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.as_slice() {
        [] => "there is none to choose from".to_owned(),
        [only] => format!("valid is `{only}`"),
        [first @ .., last] if names.len() <= MAX_LISTED => format!("valid are {} or `{last}`", quoted(first)),
        _ => format!("valid are {} and {} more", quoted(&names[..MAX_LISTED - 1]), names.len() - MAX_LISTED + 1),
    }
}
