//! What a condition may look at.

/// What sort of value an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Truth,
    Texts,
    Numbers,
}

impl Kind {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Truth => "true or false",
            Self::Texts => "a list of texts",
            Self::Numbers => "a list of whole numbers",
        }
    }
}

/// The members of `ticket`, besides `fields`.
pub(super) const TICKET: &[(&str, Kind)] = &[
    ("requester", Kind::Text),
    ("subject", Kind::Text),
    ("channel", Kind::Text),
    ("priority", Kind::Text),
    ("status", Kind::Text),
    ("state", Kind::Text),
    ("queue", Kind::Text),
    ("assignee", Kind::Text),
    ("solution", Kind::Text),
    ("number", Kind::Text),
    ("last_canned_response", Kind::Text),
    ("tags", Kind::Texts),
    ("cc", Kind::Texts),
    ("reply_count", Kind::Number),
    ("staff_reply_count", Kind::Number),
    ("requester_reply_count", Kind::Number),
    ("note_count", Kind::Number),
];

pub(super) const ACTOR: &[(&str, Kind)] =
    &[("role", Kind::Text), ("subject", Kind::Text), ("on_behalf_of", Kind::Text)];

pub(super) fn kind_of(members: &[(&str, Kind)], member: &str) -> Option<Kind> {
    members.iter().find(|(name, _)| *name == member).map(|(_, kind)| *kind)
}
