//! What a condition may look at.

use crate::domain::definition::Field;
use crate::domain::text;

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

/// Who sees what a path tells. A field's definition says it of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    All,
    Staff,
}

pub(super) type Member = (&'static str, Kind, Sight);

/// The members of `ticket`, besides `fields`. Requesters do not see notes, which `reply_count` counts too, nor links to others'
/// tickets.
pub(super) const TICKET: &[Member] = &[
    ("requester", Kind::Text, Sight::All),
    ("subject", Kind::Text, Sight::All),
    ("channel", Kind::Text, Sight::All),
    ("priority", Kind::Text, Sight::All),
    ("status", Kind::Text, Sight::All),
    ("state", Kind::Text, Sight::All),
    ("queue", Kind::Text, Sight::All),
    ("assignee", Kind::Text, Sight::All),
    ("solution", Kind::Text, Sight::All),
    ("number", Kind::Text, Sight::All),
    ("last_canned_response", Kind::Text, Sight::All),
    ("tags", Kind::Texts, Sight::All),
    ("cc", Kind::Texts, Sight::All),
    ("reply_count", Kind::Number, Sight::Staff),
    ("staff_reply_count", Kind::Number, Sight::All),
    ("requester_reply_count", Kind::Number, Sight::All),
    ("note_count", Kind::Number, Sight::Staff),
    ("receive_time", Kind::Text, Sight::All),
    ("queue_time", Kind::Text, Sight::All),
    ("first_reply_time", Kind::Text, Sight::All),
    ("read_time", Kind::Text, Sight::All),
    ("close_time", Kind::Text, Sight::All),
    ("last_reply_time", Kind::Text, Sight::All),
    ("last_reply_role", Kind::Text, Sight::All),
    ("last_reply_solves", Kind::Truth, Sight::All),
    ("last_transition", Kind::Text, Sight::All),
    ("last_transition_by", Kind::Text, Sight::All),
    ("last_transition_role", Kind::Text, Sight::All),
    ("parent_count", Kind::Number, Sight::Staff),
    ("child_count", Kind::Number, Sight::Staff),
    ("original_count", Kind::Number, Sight::Staff),
    ("duplicate_count", Kind::Number, Sight::Staff),
    ("related_count", Kind::Number, Sight::Staff),
];

/// The members of `reply`, which only rules for replies know.
pub(super) const REPLY: &[Member] = &[
    ("kind", Kind::Text, Sight::All),
    ("words", Kind::Number, Sight::All),
    ("links", Kind::Number, Sight::All),
    ("lines", Kind::Number, Sight::All),
    ("characters", Kind::Number, Sight::All),
    ("solution", Kind::Text, Sight::All),
    ("transition", Kind::Text, Sight::All),
];

pub(super) const ACTOR: &[Member] =
    &[("role", Kind::Text, Sight::All), ("subject", Kind::Text, Sight::All), ("on_behalf_of", Kind::Text, Sight::All)];

pub(super) fn kind_of(members: &[Member], member: &str) -> Option<Kind> {
    members.iter().find(|(name, ..)| *name == member).map(|(_, kind, _)| *kind)
}

/// The most bytes that the text at a path may have, or all texts of its list together; 0 where it is neither.
pub(super) fn most_bytes(path: &str) -> usize {
    /// UTF-8 has no longer characters.
    const CHARACTER: usize = 4;
    /// Ids, numbers, times, addresses, subjects of keys.
    const SHORT: usize = 1_024;
    match path {
        "solution" | "reply.solution" => text::BODY_MAX * CHARACTER,
        "subject" => text::SUBJECT_MAX * CHARACTER,
        "tags" => text::TAGS_MAX * text::TAG_MAX * CHARACTER,
        "cc" => (text::CC_MAX + text::MANDATORY_CC_MAX) * text::EMAIL_MAX,
        _ if path.starts_with("fields.") => Field::MAX_TEXT_CHARS * CHARACTER,
        _ if member(path).is_some_and(|(_, kind, _)| *kind == Kind::Text) => SHORT,
        _ => 0,
    }
}

/// Whether requesters see what a path tells that is no field's.
pub fn is_shown(path: &str) -> bool {
    member(path).is_some_and(|(_, _, sight)| *sight == Sight::All)
}

/// What is at a path that is no field's.
fn member(path: &str) -> Option<&'static Member> {
    let (members, member) = match path.split_once('.') {
        None => (TICKET, path),
        Some(("actor", member)) => (ACTOR, member),
        Some(("reply", member)) => (REPLY, member),
        Some(_) => return None,
    };
    members.iter().find(|(name, ..)| *name == member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requesters_are_shown_these_and_no_others() {
        let shown = |root: &str, members: &[Member]| -> Vec<String> {
            members.iter().map(|(name, ..)| format!("{root}{name}")).filter(|path| is_shown(path)).collect()
        };
        let all = [shown("", TICKET), shown("actor.", ACTOR), shown("reply.", REPLY)].concat();
        let expected = "
            requester subject channel priority status state queue assignee solution number last_canned_response tags cc
            staff_reply_count requester_reply_count receive_time queue_time first_reply_time read_time close_time
            last_reply_time last_reply_role last_reply_solves last_transition last_transition_by last_transition_role
            actor.role actor.subject actor.on_behalf_of
            reply.kind reply.words reply.links reply.lines reply.characters reply.solution reply.transition";
        assert_eq!(all, expected.split_whitespace().collect::<Vec<_>>());
        assert!(!is_shown("fields.type") && !is_shown("unknown") && !is_shown("actor.unknown"));
    }
}
