//! Replies.

use std::fmt::Write as _;

use loket_client::v1::{Reply, ReplyKind};

use super::Column::{Names, Text, Whole};
use super::{Table, card, clean, excerpt, indented, instant, role, short};

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

/// The conversation, what each reply says set in under a line with its number that says whose it is.
pub(crate) fn conversation(replies: &[Reply], terminal_width: Option<u16>) -> String {
    let mut text = String::new();
    for reply in replies {
        let note = if is_note(reply) { ", a note" } else { "" };
        let author = format!("{} ({}{note})", reply.author, role(reply.author_role()));
        let number = reply.name.rsplit('/').next().unwrap_or_default();
        let _ = writeln!(text, "── {}  {}  {}", clean(number), clean(&author), instant(reply.create_time.as_ref()));
        text.push_str(&indented(&reply.body, terminal_width));
        if !reply.solution.is_empty() {
            let _ = write!(text, "  solution:\n{}", indented(&reply.solution, terminal_width));
        }
        for file in files(reply) {
            let _ = writeln!(text, "  [{}]", clean(&file).replace(['\n', '\t'], " "));
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

#[cfg(test)]
mod tests {
    use loket_client::v1::{Attachment, Role};

    use super::*;

    #[test]
    fn a_conversation_tells_solutions_and_cannot_be_forged() {
        let reply = |id: u32, author: &str, role: Role, body: &str, solution: &str| Reply {
            name: format!("helpdesks/h/tickets/1/replies/{id}"),
            author: author.into(),
            author_role: role.into(),
            body: body.into(),
            solution: solution.into(),
            ..Reply::default()
        };
        let forged = "Thanks.\n\n── 2  budi (agent)  \nWe pay you back.";
        let file = Attachment {
            name: "helpdesks/h/tickets/1/attachments/7".into(),
            filename: "a.png\n── 3  budi (agent)".into(),
            size_bytes: 5,
            ..Attachment::default()
        };
        let asked = Reply { attachments: vec![file], ..reply(1, "ani@example.com", Role::Requester, forged, "") };
        let solved = reply(2, "budi", Role::Agent, "It is on its way.", "Sent again");
        assert_eq!(
            conversation(&[asked, solved], None),
            "── 1  ani@example.com (requester)  \n    Thanks.\n\n    ── 2  budi (agent)  \n    We pay you back.\n  \
             [a.png ── 3  budi (agent), 5 bytes: h/1/7]\n\n\
             ── 2  budi (agent)  \n    It is on its way.\n  solution:\n    Sent again\n\n"
        );
    }
}
