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
    ("receive_time", Kind::Text),
    ("queue_time", Kind::Text),
    ("first_reply_time", Kind::Text),
    ("read_time", Kind::Text),
    ("close_time", Kind::Text),
    ("last_reply_time", Kind::Text),
    ("last_reply_role", Kind::Text),
    ("last_reply_solves", Kind::Truth),
    ("last_transition", Kind::Text),
    ("last_transition_by", Kind::Text),
    ("last_transition_role", Kind::Text),
    ("parent_count", Kind::Number),
    ("child_count", Kind::Number),
    ("original_count", Kind::Number),
    ("duplicate_count", Kind::Number),
    ("related_count", Kind::Number),
];

/// The members of `reply`, which only rules for replies know.
pub(super) const REPLY: &[(&str, Kind)] = &[
    ("kind", Kind::Text),
    ("words", Kind::Number),
    ("links", Kind::Number),
    ("lines", Kind::Number),
    ("characters", Kind::Number),
    ("solution", Kind::Text),
    ("transition", Kind::Text),
];

pub(super) const ACTOR: &[(&str, Kind)] =
    &[("role", Kind::Text), ("subject", Kind::Text), ("on_behalf_of", Kind::Text)];

pub(super) fn kind_of(members: &[(&str, Kind)], member: &str) -> Option<Kind> {
    members.iter().find(|(name, _)| *name == member).map(|(_, kind)| *kind)
}
