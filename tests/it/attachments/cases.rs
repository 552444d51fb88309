//! What becomes of files when replies are split off and tickets are merged.

use loket::v1::{
    Attachment, ErrorReason, LinkKind, ListAttachmentsRequest, MergeTicketsRequest, Reply, ReplyKind,
    SplitReplyRequest, Ticket, UnlinkTicketsRequest,
};

use super::database;
use crate::support::{Caller, Desk, RICH, SIMPLE, own, reason};

const ANI: &str = "ani@example.com";

/// Files a ticket with a file of its own.
async fn file(caller: &Caller, requester: &str, filename: &str) -> Ticket {
    let upload = caller.upload_bytes(filename, filename.as_bytes()).await.unwrap().name;
    caller.create_with(Ticket { requester: requester.to_owned(), ..own(filename) }, &[&upload]).await.unwrap()
}

async fn reply(caller: &Caller, ticket: &Ticket, kind: ReplyKind, filename: &str) -> Reply {
    let upload = caller.upload_bytes(filename, filename.as_bytes()).await.unwrap().name;
    caller.reply_with(&ticket.name, kind, &[&upload]).await.unwrap()
}

/// The files of a ticket, sorted; each can be fetched.
async fn files(caller: &Caller, ticket: &str) -> Vec<String> {
    let mut files = Vec::new();
    for Attachment { name, filename, .. } in caller.attached_to(ticket).await.unwrap() {
        assert_eq!(caller.fetch(&name).await.unwrap(), filename.as_bytes());
        files.push(filename);
    }
    files.sort();
    files
}

#[tokio::test]
async fn the_files_of_replies_that_were_split_off_are_listed_with_the_new_ticket() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let old = file(&ani, "", "printer.png").await;
    let fax = reply(&ani, &old, ReplyKind::Public, "fax.png").await;
    reply(&ani, &old, ReplyKind::Public, "still the printer.png").await;
    reply(&agent, &old, ReplyKind::Note, "secret.txt").await;
    let request = SplitReplyRequest {
        parent: old.name.clone(),
        replies: vec![fax.name.clone()],
        ticket: Some(Ticket { subject: "Fax".to_owned(), ..Ticket::default() }),
        ..SplitReplyRequest::default()
    };
    let new = agent.split_reply(request).await.unwrap();
    reply(&ani, &new, ReplyKind::Public, "fax inside.png").await;
    for caller in [&agent, &ani] {
        assert_eq!(files(caller, &new.name).await, ["fax inside.png", "fax.png"]);
    }
    // They stay where they were, and count there alone.
    let listed = ani.attached_to(&new.name).await.unwrap();
    let elsewhere = listed.iter().find(|file| file.filename == "fax.png").unwrap();
    assert_eq!((&elsewhere.name, &elsewhere.reply), (&fax.attachments[0].name, &fax.name));
    assert_eq!(files(&ani, &old.name).await, ["fax.png", "printer.png", "still the printer.png"]);
    assert_eq!(agent.get(&new.name).await.unwrap().attachment_count, 1);
    assert_eq!(agent.get(&old.name).await.unwrap().attachment_count, 4);
    // Also when nothing links the two any more.
    let request = UnlinkTicketsRequest {
        name: new.name.clone(),
        other_ticket: old.name.clone(),
        kind: LinkKind::Related.into(),
        ..UnlinkTicketsRequest::default()
    };
    agent.unlink_tickets(request).await.unwrap();
    assert_eq!(files(&ani, &new.name).await, ["fax inside.png", "fax.png"]);
    assert_eq!(pages(&agent, &new.name).await, ["fax inside.png", "fax.png"]);
}

/// The same, one at a time.
async fn pages(caller: &Caller, ticket: &str) -> Vec<String> {
    let (mut files, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListAttachmentsRequest {
            parent: ticket.to_owned(),
            page_size: 1,
            page_token,
            ..ListAttachmentsRequest::default()
        };
        let page = caller.list_attachments(request).await.unwrap();
        files.extend(page.attachments.into_iter().map(|file| file.filename));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            files.sort();
            return files;
        }
    }
}

#[tokio::test]
async fn the_files_of_merged_tickets_are_listed_with_the_first() {
    let across = SIMPLE
        .replace("default_queue: main", "default_queue: main\nmerge_policy: {status: closed, across_requesters: true}");
    let desk = Desk::of(database(), &across).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let bela = desk.requester("bela@example.com").await;
    let one = file(&ani, "", "one.png").await;
    let two = file(&ani, "", "two.png").await;
    let others = file(&bela, "", "bela.png").await;
    reply(&ani, &two, ReplyKind::Public, "two inside.png").await;
    reply(&agent, &two, ReplyKind::Note, "secret.txt").await;
    let request = MergeTicketsRequest {
        name: one.name.clone(),
        duplicates: vec![two.name.clone(), others.name.clone()],
        ..MergeTicketsRequest::default()
    };
    let first = agent.merge_tickets(request).await.unwrap();
    assert_eq!(first.attachment_count, 1);
    let all = ["bela.png", "one.png", "secret.txt", "two inside.png", "two.png"];
    assert_eq!(files(&agent, &one.name).await, all);
    assert_eq!(pages(&agent, &one.name).await, all);
    // Each requester sees what is its own, and nothing of notes.
    assert_eq!(files(&ani, &one.name).await, ["one.png", "two inside.png", "two.png"]);
    assert_eq!(files(&ani, &two.name).await, ["two inside.png", "two.png"]);
    assert_eq!(files(&bela, &others.name).await, ["bela.png"]);
    assert_eq!(reason(bela.attached_to(&one.name).await), ErrorReason::ResourceNotFound);
    // What is a ticket of its own again is listed for itself.
    agent.transition(&two.name, "reopen").await.unwrap();
    assert_eq!(files(&ani, &one.name).await, ["one.png"]);
}
