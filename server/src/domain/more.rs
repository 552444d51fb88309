//! What few tickets have: kept together, so that a ticket that has nothing of it pays for nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::time::{self, Micros};
use super::upload::AttachmentTotals;
use super::{Feedback, Role};

/// The rarer properties of a ticket; what each means is said in `ticket.proto`.
///
/// Each is also a text, empty when it has the default value: so the database keeps it, and so a change tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct More {
    /// Sorted, without repetition.
    pub links: Vec<Link>,
    pub read_time: Option<Micros>,
    /// Sorted by reply, each once.
    pub splits: Vec<Split>,
    /// The ticket that it was merged into. While it is, this one is closed and linked to it as its duplicate.
    pub merged_into: Option<i64>,
    /// The replies that it was made of; None where it was filed.
    pub split_from: Option<SplitFrom>,
    /// Put into its queue by a transfer or an escalation: the routing rules leave it there.
    pub hand_placed: bool,
    pub attachments: AttachmentTotals,
    pub feedback: Option<Feedback>,
    /// Kept for guards, and not told by changes: the canned response that the last public reply came from.
    pub last_canned_response: String,
    /// Kept for guards, and not told by changes.
    pub last_reply: Option<LastReply>,
    /// Kept for guards, and not told by changes.
    pub last_move: Option<LastMove>,
    /// By name, what a newer version keeps, which may serve beside this one or have served before it: written back as it is.
    pub unknown: BTreeMap<String, String>,
}

/// The last public reply. An internal note leaves no trace here, where a guard could tell a requester of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastReply {
    pub role: Role,
    pub time: Micros,
    /// It came with a solution.
    pub solves: bool,
}

/// The last transition that changed the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastMove {
    pub transition: String,
    /// The subject of who took it.
    pub by: String,
    pub role: Role,
}

impl More {
    /// Every property by its field in the Ticket message, in the order of the fields.
    fn texts(&self) -> [(&'static str, Cow<'_, str>); 11] {
        let (all, notes) = (self.attachments.all(), self.attachments.notes);
        [
            ("links", links_to_text(self.links.iter())),
            ("read_time", time_to_text(self.read_time)),
            ("hand_placed", flag_to_text(self.hand_placed)),
            ("feedback", Feedback::to_text(self.feedback.as_ref())),
            ("splits", splits_to_text(&self.splits)),
            ("attachment_count", number_to_text(all.count.into())),
            ("attachment_bytes", number_to_text(all.bytes)),
            ("note_attachment_count", number_to_text(notes.count.into())),
            ("note_attachment_bytes", number_to_text(notes.bytes)),
            ("merged_into", number_to_text(self.merged_into.unwrap_or_default())),
            ("split_from", split_from_to_text(self.split_from.as_ref())),
        ]
    }

    /// As in a change, the links to tickets of the same requester.
    pub fn own_links_text(&self) -> String {
        links_to_text(self.links.iter().filter(|link| link.same_requester)).into_owned()
    }

    /// What it was merged into, if that is of the same requester.
    pub fn own_merged_into(&self) -> Option<i64> {
        let is_own = |id: &i64| self.links.iter().any(|link| link.ticket == *id && link.same_requester);
        self.merged_into.filter(is_own)
    }

    /// The same, as in a change.
    pub fn own_merged_into_text(&self) -> String {
        number_to_text(self.own_merged_into().unwrap_or_default()).into_owned()
    }

    /// What is kept and not told.
    fn kept(&self) -> [(&'static str, Cow<'_, str>); 3] {
        let reply = self.last_reply.map(|LastReply { role, time, solves }| {
            Cow::from(serde_json::json!((role.word(), time, solves)).to_string())
        });
        let moved = self.last_move.as_ref().map(|LastMove { transition, by, role }| {
            Cow::from(serde_json::json!((transition, by, role.word())).to_string())
        });
        [
            ("last_reply", reply.unwrap_or_default()),
            ("last_move", moved.unwrap_or_default()),
            ("last_canned_response", Cow::from(&self.last_canned_response)),
        ]
    }

    /// Puts a property back, one that is not known as it is; None when the text cannot be read.
    pub fn set(&mut self, field: &str, text: &str) -> Option<()> {
        match field {
            "links" => self.links = links_from_text(text)?,
            "read_time" => self.read_time = time_from_text(text)?,
            "splits" => self.splits = splits_from_text(text)?,
            "merged_into" => self.merged_into = Some(number_from_text(text)?).filter(|ticket| *ticket != 0),
            "split_from" => self.split_from = split_from_from_text(text)?,
            "hand_placed" => self.hand_placed = flag_from_text(text)?,
            // Those of notes among all: whichever of the two comes first, both are right in the end.
            "attachment_count" => {
                let count = number_from_text(text)?;
                self.attachments.public.count = i32::try_from(count).ok()? - self.attachments.notes.count;
            }
            "attachment_bytes" => {
                self.attachments.public.bytes = number_from_text(text)? - self.attachments.notes.bytes;
            }
            "note_attachment_count" => {
                let all = self.attachments.all().count;
                self.attachments.notes.count = i32::try_from(number_from_text(text)?).ok()?;
                self.attachments.public.count = all - self.attachments.notes.count;
            }
            "note_attachment_bytes" => {
                let all = self.attachments.all().bytes;
                self.attachments.notes.bytes = number_from_text(text)?;
                self.attachments.public.bytes = all - self.attachments.notes.bytes;
            }
            "feedback" => self.feedback = Feedback::from_text(text)?,
            "last_canned_response" => text.clone_into(&mut self.last_canned_response),
            "last_reply" => self.last_reply = Some(last_reply_from_text(text)?),
            "last_move" => self.last_move = Some(last_move_from_text(text)?),
            _ => drop(self.unknown.insert(field.to_owned(), text.to_owned())),
        }
        Some(())
    }

    /// The properties of the message that differ: field, old and new text.
    pub fn differences<'a>(&'a self, before: &'a Self) -> Vec<(&'static str, Cow<'a, str>, Cow<'a, str>)> {
        if self == before {
            return Vec::new();
        }
        let pairs = before.texts().into_iter().zip(self.texts());
        pairs.filter(|(old, new)| old.1 != new.1).map(|((field, old), (_, new))| (field, old, new)).collect()
    }

    /// A JSON object of the texts that are not empty; without any, no text at all.
    pub fn to_json(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        let unknown = self.unknown.iter().map(|(field, text)| (field.as_str(), Cow::from(text)));
        let texts = self.texts().into_iter().chain(self.kept()).chain(unknown);
        let texts: BTreeMap<_, _> = texts.filter(|(_, text)| !text.is_empty()).collect();
        serde_json::json!(texts).to_string()
    }

    /// None when it cannot be read.
    pub fn from_json(json: &str) -> Option<Self> {
        let mut more = Self::default();
        if !json.is_empty() {
            for (field, text) in serde_json::from_str::<BTreeMap<String, String>>(json).ok()? {
                more.set(&field, &text)?;
            }
        }
        Some(more)
    }
}

/// What binds a ticket to another one of its helpdesk. That one has a link of the inverse kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub kind: LinkKind,
    /// The id of the other ticket.
    pub ticket: i64,
    /// Whether both are of the same requester, who then sees the link. A ticket's requester never changes.
    pub same_requester: bool,
}

/// A reply that was made a ticket of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Split {
    /// The id of the reply within this ticket.
    pub reply: i64,
    /// The id of the ticket that was made of it.
    pub ticket: i64,
}

/// The replies of another ticket that a ticket was made of. It is of the same requester, and so are they.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFrom {
    /// The id of their ticket.
    pub ticket: i64,
    /// Their ids within it, sorted.
    pub replies: Vec<i64>,
}

/// What the other ticket is to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkKind {
    Parent,
    Child,
    /// The one that this one repeats.
    Original,
    /// It repeats this one.
    Duplicate,
    Related,
}

impl LinkKind {
    pub const ALL: [Self; 5] = [Self::Parent, Self::Child, Self::Original, Self::Duplicate, Self::Related];

    /// As people, conditions and the database call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Child => "child",
            Self::Original => "original",
            Self::Duplicate => "duplicate",
            Self::Related => "related",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What this ticket is to the other one.
    #[must_use]
    pub fn inverse(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
            Self::Original => Self::Duplicate,
            Self::Duplicate => Self::Original,
            Self::Related => Self::Related,
        }
    }
}

/// A JSON array of triples: kind, ticket, and whether it is of the same requester.
fn links_to_text<'l>(links: impl Iterator<Item = &'l Link>) -> Cow<'static, str> {
    list_to_text(links.map(|link| serde_json::json!([link.kind.word(), link.ticket, link.same_requester])).collect())
}

fn links_from_text(text: &str) -> Option<Vec<Link>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let triples: Vec<(String, i64, bool)> = serde_json::from_str(text).ok()?;
    let read = |(kind, ticket, same_requester): (String, i64, bool)| {
        Some(Link { kind: LinkKind::from_word(&kind)?, ticket, same_requester })
    };
    triples.into_iter().map(read).collect()
}

/// A JSON array of pairs: reply and ticket.
fn splits_to_text(splits: &[Split]) -> Cow<'static, str> {
    list_to_text(splits.iter().map(|split| serde_json::json!([split.reply, split.ticket])).collect())
}

fn splits_from_text(text: &str) -> Option<Vec<Split>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let pairs: Vec<(i64, i64)> = serde_json::from_str(text).ok()?;
    Some(pairs.into_iter().map(|(reply, ticket)| Split { reply, ticket }).collect())
}

/// A JSON array: the ticket, and its replies.
fn split_from_to_text(from: Option<&SplitFrom>) -> Cow<'static, str> {
    from.map(|SplitFrom { ticket, replies }| Cow::from(serde_json::json!((ticket, replies)).to_string()))
        .unwrap_or_default()
}

/// The outer None is a text that cannot be read.
#[allow(clippy::option_option)]
fn split_from_from_text(text: &str) -> Option<Option<SplitFrom>> {
    if text.is_empty() {
        return Some(None);
    }
    let (ticket, replies) = serde_json::from_str(text).ok()?;
    Some(Some(SplitFrom { ticket, replies }))
}

fn list_to_text(list: Vec<serde_json::Value>) -> Cow<'static, str> {
    if list.is_empty() { Cow::from("") } else { Cow::from(serde_json::Value::from(list).to_string()) }
}

/// Nothing for 0.
fn number_to_text(number: i64) -> Cow<'static, str> {
    if number == 0 { Cow::from("") } else { Cow::from(number.to_string()) }
}

fn number_from_text(text: &str) -> Option<i64> {
    if text.is_empty() { Some(0) } else { text.parse().ok() }
}

fn last_reply_from_text(text: &str) -> Option<LastReply> {
    let (role, time, solves): (String, Micros, bool) = serde_json::from_str(text).ok()?;
    Some(LastReply { role: Role::from_word(&role)?, time, solves })
}

fn last_move_from_text(text: &str) -> Option<LastMove> {
    let (transition, by, role): (String, String, String) = serde_json::from_str(text).ok()?;
    Some(LastMove { transition, by, role: Role::from_word(&role)? })
}

fn time_to_text(time: Option<Micros>) -> Cow<'static, str> {
    time.map(|micros| Cow::from(time::rfc3339(micros))).unwrap_or_default()
}

/// As a default value, `false` is no text.
fn flag_to_text(flag: bool) -> Cow<'static, str> {
    Cow::from(if flag { "true" } else { "" })
}

fn flag_from_text(text: &str) -> Option<bool> {
    match text {
        "" => Some(false),
        "true" => Some(true),
        _ => None,
    }
}

/// The outer None is a time that cannot be read.
#[allow(clippy::option_option)]
pub(super) fn time_from_text(text: &str) -> Option<Option<Micros>> {
    if text.is_empty() { Some(None) } else { time::parse_rfc3339(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::upload::Total;

    #[test]
    fn what_is_kept_comes_back() {
        let links = LinkKind::ALL.map(|kind| Link { kind, ticket: 7, same_requester: kind == LinkKind::Child }).into();
        let attachments =
            AttachmentTotals { public: Total { count: 2, bytes: 8_000_000_000 }, notes: Total { count: 1, bytes: 7 } };
        let feedback = Feedback {
            rating: 5,
            comment: "Cepat \"sekali\"".to_owned(),
            submit_time: 1_764_000_000_000_002,
            close_time: 1_764_000_000_000_001,
            via_link: true,
        };
        let last_canned_response = "closing".to_owned();
        let read_time = Some(1_764_000_000_000_001);
        let splits = vec![Split { reply: 2, ticket: 9 }];
        let more = More {
            links,
            read_time,
            feedback: Some(feedback),
            last_canned_response,
            attachments,
            splits,
            hand_placed: true,
            merged_into: Some(3),
            split_from: Some(SplitFrom { ticket: 8, replies: vec![1, 4] }),
            ..More::default()
        };
        assert_eq!(More::from_json(&more.to_json()), Some(more.clone()));
        let kept = More {
            last_reply: Some(LastReply { role: Role::Agent, time: 1_764_000_000_000_001, solves: true }),
            last_move: Some(LastMove { transition: "close".to_owned(), by: "budi".to_owned(), role: Role::Supervisor }),
            ..more.clone()
        };
        assert_eq!(More::from_json(&kept.to_json()), Some(kept.clone()));
        assert_eq!(kept.differences(&more), []);
        assert_eq!(More::default().to_json(), "");
        assert_eq!(More::from_json(""), Some(More::default()));
        let mut undone = More { last_canned_response: String::new(), ..more.clone() };
        let nothing = More::default();
        for (field, old, _) in more.differences(&nothing) {
            undone.set(field, &old).unwrap();
        }
        assert_eq!(undone, nothing);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for json in [
            "{",
            r#"{"links":"[[\"uncle\",1]]"}"#,
            r#"{"read_time":"noon"}"#,
            r#"{"splits":"[1]"}"#,
            r#"{"last_move":"[]"}"#,
        ] {
            assert_eq!(More::from_json(json), None, "{json}");
        }
    }

    #[test]
    fn what_a_newer_version_keeps_is_written_back() {
        let newer = r#"{"foreseen":"1","last_canned_response":"closing"}"#;
        let more = More::from_json(newer).unwrap();
        assert_eq!(more.to_json(), newer);
        // Changes tell of what is known.
        let known = More { last_canned_response: "closing".to_owned(), ..More::default() };
        assert_eq!(more.differences(&known), []);
    }
}
