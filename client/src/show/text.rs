//! Text of others on somebody's terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use console::measure_text_width;
use loket_client::v1::Role;

/// Without control characters but line ends and tabs: what a customer writes must not steer an agent's terminal. The line
/// ends of Windows and of mail are those of others.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let steers = |c: char| (c.is_control() && c != '\n' && c != '\t') || is_bidi_control(c);
    if text.contains(steers) { text.replace("\r\n", "\n").replace(steers, "\u{FFFD}").into() } else { text.into() }
}

/// A text of somebody's under a line that is ours: no line of it begins where ours do, so that none can be taken for one. Nor does
/// what a terminal would wrap.
pub(crate) fn indented(text: &str, terminal_width: Option<u16>) -> String {
    const INDENT: &str = "    ";
    let room = terminal_width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(INDENT.len()).max(1));
    let text = clean(text).replace('\t', INDENT);
    text.lines().flat_map(|line| wrapped(line, room)).fold(String::new(), |mut all, line| {
        let indent = if line.is_empty() { "" } else { INDENT };
        let _ = writeln!(all, "{indent}{line}");
        all
    })
}

/// A line in parts that are no wider than there is room, broken behind a space where there is one.
fn wrapped(line: &str, room: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), line);
    while let Some(end) = overflow(rest, room) {
        let before = end + usize::from(rest[end..].starts_with(' '));
        let place = rest[..before].rfind(' ').map_or(end, |space| space + 1);
        let (part, next) = rest.split_at(place);
        parts.push(part.trim_end());
        rest = next;
    }
    parts.push(rest);
    parts
}

/// Where the first character is for which there is no more room. The first of all always has some.
fn overflow(line: &str, room: usize) -> Option<usize> {
    let mut width = 0;
    let mut ends = line.char_indices().map(|(place, c)| {
        width += measure_text_width(c.encode_utf8(&mut [0; 4]));
        (place, width)
    });
    ends.find(|&(place, width)| place > 0 && width > room).map(|(place, _)| place)
}

/// The beginning of a text on one line, at most `length` characters.
pub(crate) fn excerpt(text: &str, length: usize) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > length {
            let kept: String = words.chars().take(length.saturating_sub(1)).collect();
            return clean(&format!("{kept}…")).into_owned();
        }
    }
    clean(&words).into_owned()
}

/// `smmpanel/1` for `helpdesks/smmpanel/tickets/1`, and the like: the form that fits a table, and that every command takes too.
pub(crate) fn short(name: &str) -> String {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["helpdesks", helpdesk, "tickets" | "queues" | "agents" | "requesters", id] => format!("{helpdesk}/{id}"),
        ["helpdesks", helpdesk, "tickets", ticket, "attachments", id] => format!("{helpdesk}/{ticket}/{id}"),
        ["helpdesks", helpdesk, "tickets", ticket, "replies", id] => format!("{helpdesk}/{ticket}/replies/{id}"),
        _ => name.to_owned(),
    }
}

/// The value of an enum as a word: `STATE_NEW` is `new`. The first part of the name is the enum's.
pub(crate) fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase().replace("unspecified", "")
}

/// A role as a word.
pub(crate) fn role(role: Role) -> String {
    word(role.as_str_name(), "ROLE_")
}

/// These reorder what surrounds them.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\nc\td\u{9b}e\u{202e}"), "a\u{FFFD}[2Jb\nc\td\u{FFFD}e\u{FFFD}");
        assert_eq!(clean("paid\r\nnot paid\rover it"), "paid\nnot paid\u{FFFD}over it");
    }

    #[test]
    fn no_line_of_a_text_begins_at_the_left() {
        let text = "Mohon\n\n── 2  budi (agent)\r\nspeedup\n";
        assert_eq!(indented(text, None), "    Mohon\n\n    ── 2  budi (agent)\n    speedup\n");
        assert_eq!(indented(text, Some(14)), "    Mohon\n\n    ── 2  budi\n    (agent)\n    speedup\n");
        assert_eq!(indented("我的订单\t── 2", Some(10)), "    我的订\n    单\n    ── 2\n");
        assert_eq!(indented("", Some(0)), "");
    }

    #[test]
    fn names_are_short_where_commands_take_them_so() {
        assert_eq!(short("helpdesks/smmpanel/tickets/1"), "smmpanel/1");
        assert_eq!(short("helpdesks/smmpanel/requesters/r01"), "smmpanel/r01");
        assert_eq!(short("helpdesks/smmpanel/tickets/1/attachments/018f"), "smmpanel/1/018f");
        assert_eq!(short("helpdesks/smmpanel/tickets/1/replies/3"), "smmpanel/1/replies/3");
        assert_eq!(short("accessKeys/1"), "accessKeys/1");
    }

    #[test]
    fn an_excerpt_is_one_line() {
        assert_eq!(excerpt("Mohon\n\n speedup", 20), "Mohon speedup");
        assert_eq!(excerpt("Mohon speedup", 7), "Mohon …");
        assert_eq!(excerpt("", 7), "");
    }
}
