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
        let (mut links, mut words) = (0, 0);
        for word in body.split_whitespace() {
            let (found, rest) = links_in(word);
            links += found;
            words += usize::from(rest.contains(char::is_alphanumeric));
        }
        Self {
            kind,
            words: count(words),
            links: count(links),
            lines: count(body.lines().filter(|line| !line.trim().is_empty()).count()),
            characters: count(body.chars().count()),
            solution,
            transition,
        }
    }
}

/// How many links a word holds, and what stands before them. A link may stand behind anything, as in `[here](https://…)` and
/// `see:https://…`; one without a scheme only behind a sign.
fn links_in(word: &str) -> (usize, &str) {
    let lower = word.to_ascii_lowercase();
    let schemes = || ["http://", "https://"].into_iter().flat_map(|scheme| lower.match_indices(scheme));
    let before = schemes().map(|(place, _)| place).min().unwrap_or(word.len());
    let bare = |place: &usize| !lower[..*place].ends_with(char::is_alphanumeric);
    let mut without = lower[..before].match_indices("www.").map(|(place, _)| place).filter(bare);
    let first = without.next();
    (schemes().count() + without.count() + usize::from(first.is_some()), &word[..first.unwrap_or(before)])
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
        for (body, expected) in [
            ("http", (1, 0)),
            ("awww.", (1, 0)),
            ("Silakan:https://example.com", (1, 1)),
            ("[klik](HTTPS://www.example.com)", (1, 1)),
            (r#"<a href="https://example.com">"#, (2, 1)),
            ("www.example.com,https://example.com", (0, 2)),
            ("(www.example.com)", (0, 1)),
        ] {
            let found = ReplySummary::new(ReplyKind::Note, body, "", "");
            assert_eq!((found.words, found.links), expected, "{body}");
        }
    }
}
