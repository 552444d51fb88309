//! A message on a ticket.

use super::{Attachment, Micros, Role};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub ticket: i64,
    /// From 1 within the ticket.
    pub id: i64,
    pub author: String,
    pub author_role: Role,
    pub kind: ReplyKind,
    pub body: String,
    pub solution: String,
    pub create_time: Micros,
    pub revision: i64,
    /// Absent where a reply is read without them.
    pub attachments: Vec<Attachment>,
    /// The id of the one that the body begins with; empty when it comes from none.
    pub canned_response: String,
}

/// What the rules for replies look at: never the text itself.
#[derive(Debug, Clone, Copy)]
pub struct ReplySummary<'a> {
    pub kind: ReplyKind,
    /// Without links.
    pub words: i32,
    pub links: i32,
    /// Those that are not blank.
    pub lines: i32,
    pub characters: i32,
    pub solution: &'a str,
    /// The id of the transition that it names.
    pub transition: &'a str,
}

impl<'a> ReplySummary<'a> {
    pub fn new(kind: ReplyKind, body: &str, solution: &'a str, transition: &'a str) -> Self {
        let count = |items: usize| i32::try_from(items).unwrap_or(i32::MAX);
        let (links, words): (Vec<&str>, Vec<&str>) = body.split_whitespace().partition(|word| is_link(word));
        Self {
            kind,
            words: count(words.iter().filter(|word| word.contains(char::is_alphanumeric)).count()),
            links: count(links.len()),
            lines: count(body.lines().filter(|line| !line.trim().is_empty()).count()),
            characters: count(body.chars().count()),
            solution,
            transition,
        }
    }
}

/// With or without brackets and quotes around it.
fn is_link(word: &str) -> bool {
    let bare = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let begins = |start: &str| bare.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
    ["http://", "https://", "www."].into_iter().any(begins)
}

/// Who may see a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKind {
    Public,
    Note,
}

impl ReplyKind {
    /// The word in CEL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Note => "note",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Public, Self::Note].into_iter().find(|kind| kind.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_counted_up() {
        let body =
            "Silakan ikuti langkah ini:\n\n1. buka (https://example.com/a?b=c)\n2. lihat WWW.example.com - selesai.\n";
        let ReplySummary { words, links, lines, characters, .. } = ReplySummary::new(ReplyKind::Public, body, "", "");
        // The numbers of a list are words, a dash is none.
        assert_eq!((words, links, lines), (9, 2, 3));
        assert_eq!(characters, i32::try_from(body.chars().count()).unwrap());
        let nothing = ReplySummary::new(ReplyKind::Note, "http", "", "");
        assert_eq!((nothing.words, nothing.links), (1, 0));
    }
}
