//! Replies.

use std::fmt::Write as _;

use loket_client::v1::{Reply, ReplyKind};

use super::Column::{Names, Text, Whole};
use super::{Table, card, clean, excerpt, instant, role, short};

/// A list of replies.
pub(crate) fn list(replies: &[Reply]) -> Table {
    Table::new(
        &[Whole("REPLY"), Whole("TIME"), Names("AUTHOR"), Whole("KIND"), Text("BODY")],
        replies.iter().map(|reply| {
            vec![
                short(&reply.name),
                instant(reply.create_time.as_ref()),
                format!("{} ({})", reply.author, role(reply.author_role())),
                if is_note(reply) { "note" } else { "public" }.to_owned(),
                excerpt(&reply.body, 80),
            ]
        }),
    )
}

/// A reply that was just made.
pub(crate) fn whole(reply: &Reply) -> String {
    if !reply.claimed_ticket.is_empty() {
        return card(&[
            ("claimed", reply.claimed_ticket.clone()),
            ("number", reply.claimed_number.clone()),
            ("by", format!("{} ({})", reply.author, role(reply.author_role()))),
            ("revision", reply.revision.to_string()),
        ]);
    }
    card(&[
        ("reply", reply.name.clone()),
        ("kind", if is_note(reply) { "note" } else { "public" }.to_owned()),
        ("author", format!("{} ({})", reply.author, role(reply.author_role()))),
        ("created", instant(reply.create_time.as_ref())),
        ("canned", reply.canned_response.clone()),
        ("solution", reply.solution.clone()),
        ("revision", reply.revision.to_string()),
        ("warning", reply.warning.clone()),
        ("attachments", files(reply).join("\n")),
        ("body", reply.body.clone()),
    ])
}

/// The conversation, each reply under a line with its number that says whose it is.
pub(crate) fn conversation(replies: &[Reply]) -> String {
    let mut text = String::new();
    for reply in replies {
        let note = if is_note(reply) { ", a note" } else { "" };
        let author = format!("{} ({}{note})", reply.author, role(reply.author_role()));
        let number = reply.name.rsplit('/').next().unwrap_or_default();
        let _ = writeln!(text, "── {}  {}  {}", clean(number), clean(&author), instant(reply.create_time.as_ref()));
        let _ = writeln!(text, "{}", clean(&reply.body));
        for file in files(reply) {
            let _ = writeln!(text, "[{}]", clean(&file));
        }
        text.push('\n');
    }
    text
}

/// The files of a reply.
fn files(reply: &Reply) -> Vec<String> {
    reply
        .attachments
        .iter()
        .map(|file| format!("{}, {} bytes: {}", file.filename, file.size_bytes, short(&file.name)))
        .collect()
}

fn is_note(reply: &Reply) -> bool {
    reply.kind() == ReplyKind::Note
}
