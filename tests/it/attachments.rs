//! Files on tickets: uploads, quotas, who sees them, and what becomes of those that nobody wants.

mod cases;
mod cli;
mod refused;
mod streams;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use loket::v1::upload::State;
use loket::v1::{CreateTicketRequest, ErrorReason, GetUploadRequest, ReplyKind, Role, Upload};
use tonic::Code;

use super::database;
use crate::support::tail::{Tail, narrow, now};
use crate::support::{Caller, Desk, Server, ServerProcess, draft, eventually, noise, own, reason, send};

const MIB: usize = 1 << 20;

async fn committed(caller: &Caller, upload: &str) -> i64 {
    caller.get_upload(GetUploadRequest { name: upload.to_owned() }).await.unwrap().committed_bytes
}

#[tokio::test]
async fn a_file_comes_with_a_ticket_and_is_fetched_whole_or_in_part() {
    let desk = Desk::open(database()).await;
    let ani = desk.requester("ani@example.com").await;
    let bytes = noise(1, 2 * MIB + 7);
    let upload = ani.upload_bytes("scan invoice.pdf", &bytes).await.unwrap();
    assert_eq!((upload.state(), upload.committed_bytes), (State::Finished, 2_097_159));
    assert_eq!(upload.mime_type, "application/octet-stream");

    let ticket = ani.create_with(own("Invoice"), &[&upload.name]).await.unwrap();
    assert_eq!((ticket.attachment_count, ticket.attachment_bytes), (1, 2_097_159));
    let used = ani.get_upload(GetUploadRequest { name: upload.name.clone() }).await.unwrap();
    assert_eq!(used.state(), State::Used);

    let [attachment] = ani.attached_to(&ticket.name).await.unwrap().try_into().unwrap();
    assert_eq!(attachment.name, used.attachment);
    assert_eq!((attachment.filename.as_str(), attachment.size_bytes), ("scan invoice.pdf", 2_097_159));
    assert_eq!((attachment.sha256, attachment.reply.as_str()), (upload.sha256, ""));
    assert_eq!(ani.fetch(&attachment.name).await.unwrap(), bytes);
    // Across the parts in which it came, and beyond the end.
    for (offset, length) in [(0, 1), (MIB - 3, 7), (MIB, 300_000), (2 * MIB, 0), (2 * MIB + 6, 100)] {
        let end = if length == 0 { bytes.len() } else { (offset + length).min(bytes.len()) };
        let (from, most) = (i64::try_from(offset).unwrap(), i64::try_from(length).unwrap());
        let fetched = ani.fetch_range(&attachment.name, from, most).await.unwrap();
        assert!(fetched == bytes[offset..end], "{offset} {length}");
    }
    assert_eq!(ani.fetch_range(&attachment.name, 2_097_159, 0).await.unwrap(), b"");
    assert_eq!(reason(ani.fetch_range(&attachment.name, 2_097_160, 0).await), ErrorReason::InvalidRequest);

    let history = ani.changes(&ticket.name).await.unwrap();
    assert_eq!(history[0].attachments, ani.attached_to(&ticket.name).await.unwrap());
}

#[tokio::test]
async fn a_reply_has_its_files_in_the_conversation_and_in_the_history() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let first = agent.upload_bytes("a.png", b"first").await.unwrap().name;
    let second = agent.upload_bytes("empty.txt", b"").await.unwrap().name;
    let reply = agent.reply_with(&ticket.name, ReplyKind::Public, &[&first, &second]).await.unwrap();
    assert_eq!(reply.attachments.iter().map(|file| file.filename.as_str()).collect::<Vec<_>>(), ["a.png", "empty.txt"]);
    assert!(reply.attachments.iter().all(|file| file.reply == reply.name && file.author == "budi"));
    agent.reply(&ticket.name, "And without.").await.unwrap();
    let replies = agent.replies(&ticket.name).await.unwrap();
    assert_eq!(replies[0].attachments.len(), 2);
    assert_eq!(replies[1].attachments, []);
    assert_eq!(agent.fetch(&reply.attachments[1].name).await.unwrap(), b"");
    let history = agent.changes(&ticket.name).await.unwrap();
    assert_eq!(history[1].reply.as_ref().unwrap().attachments, reply.attachments);
}

#[tokio::test]
async fn a_call_that_is_repeated_uses_its_files_once_and_one_that_only_validates_not_at_all() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.upload_bytes("a.png", b"bytes").await.unwrap();
    let request = CreateTicketRequest {
        parent: agent.parent.clone(),
        ticket: Some(draft("Printer")),
        request_id: uuid::Uuid::new_v4().to_string(),
        uploads: vec![upload.name.clone()],
        ..CreateTicketRequest::default()
    };
    let validated = CreateTicketRequest { validate_only: true, ..request.clone() };
    assert_eq!(agent.create_ticket(validated).await.unwrap().attachment_count, 1);
    let ticket = agent.create_ticket(request.clone()).await.unwrap();
    assert_eq!(agent.create_ticket(request).await.unwrap(), ticket);
    assert_eq!(agent.attached_to(&ticket.name).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_files_of_a_note_are_hidden_from_the_requester_everywhere() {
    let desk = Desk::open(database()).await;
    let ani = desk.requester("ani@example.com").await;
    let agent = desk.agent("budi").await;
    let open = ani.upload_bytes("open.txt", b"open").await.unwrap().name;
    let ticket = ani.create_with(own("Printer"), &[&open]).await.unwrap();
    let mut tail = Tail::open(narrow(&ani, 65_535).await, now(&ani, "")).await.unwrap();
    let secret = agent.upload_bytes("secret.txt", b"secret").await.unwrap().name;
    let note = agent.reply_with(&ticket.name, ReplyKind::Note, &[&secret]).await.unwrap();
    let name = &note.attachments[0].name;

    let staffs = agent.get(&ticket.name).await.unwrap();
    assert_eq!((staffs.attachment_count, staffs.attachment_bytes), (2, 10));
    assert_eq!((staffs.note_attachment_count, staffs.note_attachment_bytes), (1, 6));
    assert_eq!(agent.attached_to(&ticket.name).await.unwrap().len(), 2);
    assert_eq!(agent.fetch(name).await.unwrap(), b"secret");
    let changed: Vec<_> = agent.changes(&ticket.name).await.unwrap().remove(1).field_changes;
    assert!(changed.iter().any(|change| change.field == "note_attachment_count"), "{changed:?}");

    let seen = ani.get(&ticket.name).await.unwrap();
    assert_eq!((seen.attachment_count, seen.attachment_bytes), (1, 4));
    assert_eq!((seen.note_attachment_count, seen.note_attachment_bytes), (0, 0));
    assert_eq!(ani.attached_to(&ticket.name).await.unwrap().len(), 1);
    // Word for word what is told of one that there is not.
    let unseen = ani.fetch(name).await.unwrap_err();
    assert_eq!(unseen.reason(), Some(ErrorReason::ResourceNotFound));
    let missing = name.replace(name.rsplit('/').next().unwrap(), &"0".repeat(32));
    assert_eq!(
        unseen.message().replace(name, "?"),
        ani.fetch(&missing).await.unwrap_err().message().replace(&missing, "?")
    );
    assert_eq!(ani.changes(&ticket.name).await.unwrap().len(), 1);
    // The next that the feed tells is the public reply, with counts as if there were no note.
    let public = agent.upload_bytes("public.txt", b"public!").await.unwrap().name;
    agent.reply_with(&ticket.name, ReplyKind::Public, &[&public]).await.unwrap();
    let event = loop {
        if let Some(event) = tail.follow().await.events.into_iter().next() {
            break event;
        }
    };
    assert_eq!(event.revision, agent.get(&ticket.name).await.unwrap().revision);
    assert_eq!(event.ticket.unwrap().attachment_count, 2);
    let change = event.change.unwrap();
    let counts: Vec<_> = change.field_changes.iter().filter(|change| change.field.contains("attachment")).collect();
    assert_eq!(counts.len(), 2, "{counts:?}");
    assert_eq!((counts[0].old_value.as_str(), counts[0].new_value.as_str()), ("1", "2"));
    assert_eq!((counts[1].old_value.as_str(), counts[1].new_value.as_str()), ("4", "11"));

    let bela = desk.requester("bela@example.com").await;
    assert_eq!(reason(bela.attached_to(&ticket.name).await), ErrorReason::ResourceNotFound);
    let open = &ani.attached_to(&ticket.name).await.unwrap()[0].name;
    assert_eq!(reason(bela.fetch(open).await), ErrorReason::ResourceNotFound);
}

#[tokio::test]
async fn what_is_on_disk_outlives_a_kill_and_the_upload_goes_on() {
    let mut server = ServerProcess::start(database()).await;
    let admin = server.admin().await;
    admin.open("desk", crate::support::SIMPLE).await;
    let bytes = noise(2, 5 * MIB);
    let upload = admin.begin_upload("video.mp4", &bytes).await.unwrap();

    // It is killed while bytes come.
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let sending = tokio::spawn({
        let admin = admin.clone();
        async move { admin.attachments().upload_attachment(tokio_stream::wrappers::ReceiverStream::new(receiver)).await }
    });
    let mut name = upload.name.clone();
    for piece in bytes[..3 * MIB + 1000].chunks(100_000) {
        let message =
            loket::v1::UploadAttachmentRequest { name: std::mem::take(&mut name), data: piece.to_vec(), offset: 0 };
        sender.send(message).await.unwrap();
    }
    let told = eventually("two parts are on disk", async || {
        let told = committed(&admin, &upload.name).await;
        (told >= 2 * 1024 * 1024).then_some(told)
    })
    .await;
    server.kill();
    drop(sender);
    sending.await.unwrap().unwrap_err();
    server.restart().await;
    let kept = committed(&admin, &upload.name).await;
    assert!(kept >= told, "{kept} bytes of {told} that were told");

    let source = bytes.clone().into();
    let finished = admin
        .resume_upload(
            admin.get_upload(GetUploadRequest { name: upload.name.clone() }).await.unwrap(),
            source,
            |_, _| {},
        )
        .await
        .unwrap();
    assert_eq!(finished.state(), State::Finished);
    let ticket = admin.create_with(draft("Video"), &[&upload.name]).await.unwrap();
    server.kill();
    server.restart().await;
    let attachment = admin.attached_to(&ticket.name).await.unwrap().remove(0);
    assert!(admin.fetch(&attachment.name).await.unwrap() == bytes);
}

#[tokio::test]
async fn the_client_goes_on_by_itself_when_the_server_is_killed() {
    let mut server = ServerProcess::start(database()).await;
    let admin = server.admin().await;
    admin.open("desk", crate::support::SIMPLE).await;
    let bytes = noise(3, 24 * MIB);
    let file = loket_client::files::FileUpload {
        parent: admin.parent.clone(),
        filename: "large.bin".to_owned(),
        mime_type: String::new(),
        source: bytes.clone().into(),
    };
    let (told, mut tells) = tokio::sync::watch::channel(0);
    let uploading = tokio::spawn({
        let admin = admin.clone();
        async move { admin.upload(file, move |sent, _| told.send_modify(|last| *last = sent)).await }
    });
    tells.wait_for(|sent| *sent > 4 * 1024 * 1024).await.unwrap();
    server.kill();
    server.restart().await;
    let upload = uploading.await.unwrap().unwrap();
    assert_eq!(upload.state(), State::Finished);
    let ticket = admin.create_with(draft("Large"), &[&upload.name]).await.unwrap();
    let attachment = admin.attached_to(&ticket.name).await.unwrap().remove(0);
    assert!(admin.fetch(&attachment.name).await.unwrap() == bytes);
}

#[tokio::test]
async fn of_two_streams_at_one_offset_one_is_taken() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let bytes = noise(4, 2 * MIB);
    let upload = agent.begin_upload("a.bin", &bytes).await.unwrap();
    let all = (0..8).map(|_| send(&agent, &upload.name, 0, &bytes, 100_000));
    let results = futures_util::future::join_all(all).await;
    for result in results {
        match result {
            Ok(upload) => assert_eq!(upload.state(), State::Finished),
            Err(error) => assert_eq!(error.reason(), Some(ErrorReason::UploadOffsetMismatch), "{error}"),
        }
    }
    let upload = agent.get_upload(GetUploadRequest { name: upload.name }).await.unwrap();
    // Each may have lost to another; then it goes on from where they have come.
    let finished = agent.resume_upload(upload, bytes.clone().into(), |_, _| {}).await.unwrap();
    let ticket = agent.create_with(draft("Both"), &[&finished.name]).await.unwrap();
    let attachment = agent.attached_to(&ticket.name).await.unwrap().remove(0);
    assert!(agent.fetch(&attachment.name).await.unwrap() == bytes);
}

#[tokio::test]
async fn a_file_is_fetched_by_the_name_of_its_own_ticket_alone() {
    let desk = Desk::open(database()).await;
    let mut names = Vec::new();
    let requesters = [desk.requester("ani@example.com").await, desk.requester("bela@example.com").await];
    for requester in &requesters {
        let upload = requester.upload_bytes("mine.txt", b"mine").await.unwrap().name;
        let ticket = requester.create_with(own("Mine"), &[&upload]).await.unwrap().name;
        names.push((ticket.clone(), requester.attached_to(&ticket).await.unwrap().remove(0).name));
    }
    let [ani, bela] = &requesters;
    let [(anis, _), (belas, file)] = &names[..] else { panic!("{names:?}") };
    assert_eq!(bela.fetch(file).await.unwrap(), b"mine");
    // Ani sees the ticket, and Bela the file.
    let crossed = file.replace(belas, anis);
    assert_ne!(crossed, *file);
    for caller in [ani, bela, desk.admin()] {
        assert_eq!(reason(caller.fetch(&crossed).await), ErrorReason::ResourceNotFound);
    }
}

#[tokio::test]
async fn bytes_that_are_not_what_was_attached_are_noticed_by_who_fetches_them() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.upload_bytes("scan.pdf", b"as it was attached").await.unwrap().name;
    let ticket = agent.create_with(draft("Printer"), &[&upload]).await.unwrap();
    let attachment = agent.attached_to(&ticket.name).await.unwrap().remove(0).name;
    for part in parts(&desk.server) {
        let mut bytes = std::fs::read(&part).unwrap();
        bytes[0] ^= 1;
        std::fs::write(&part, bytes).unwrap();
    }
    assert_eq!(agent.fetch(&attachment).await.unwrap_err().code(), Code::DataLoss);
}

/// The files that hold the bytes.
fn parts(server: &Server) -> Vec<PathBuf> {
    let folder = server.data().attachments().join("desk");
    let of = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let files = of(&folder).iter().flat_map(|bucket| of(bucket)).collect::<Vec<_>>();
    let parts = files.iter().flat_map(|file| of(file)).collect::<Vec<_>>();
    assert!(!parts.is_empty());
    parts
}

/// The folders of files that there are.
fn folders(server: &Server) -> Vec<String> {
    let mut found = Vec::new();
    for bucket in std::fs::read_dir(server.data().attachments().join("desk")).into_iter().flatten() {
        let bucket = bucket.unwrap();
        if bucket.file_name() == ".orphans" {
            continue;
        }
        for file in std::fs::read_dir(bucket.path()).into_iter().flatten() {
            found.push(file.unwrap().file_name().into_string().unwrap());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_nobody_has_is_swept_and_what_is_attached_stays() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let id = |upload: &Upload| upload.name.rsplit('/').next().unwrap().to_owned();
    let attached = agent.upload_bytes("kept.txt", b"kept").await.unwrap();
    let ticket = agent.create_with(draft("Printer"), &[&attached.name]).await.unwrap();
    let finished = agent.upload_bytes("finished.txt", b"finished").await.unwrap();
    let open = agent.begin_upload("open.txt", b"open").await.unwrap();
    send(&agent, &open.name, 0, b"op", 2).await.unwrap();
    let mut all = vec![id(&attached), id(&finished), id(&open)];
    all.sort();
    assert_eq!(folders(&desk.server), all);
    // Bytes without a row, as a crash leaves them between the one and the other; with what was being written.
    let orphan = "0195501bd40070000000000000000000";
    let folder = desk.data().attachments().join("desk/01955").join(orphan);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("00000000000000000000"), b"orphan").unwrap();
    std::fs::write(folder.join("00000000000000000006#1"), b"half").unwrap();

    desk.clock.advance(Duration::from_mins(61));
    assert_eq!(reason(agent.create_with(draft("Late"), &[&finished.name]).await), ErrorReason::UploadExpired);
    // By a process whose clock is far ahead nothing is taken away that the helpdesk's time has not passed.
    desk.clock.advance(Duration::from_hours(30));
    let server = desk.server.again().await;
    let ahead = Caller::connect(&server.endpoint(), &agent.secret, "desk").await;
    eventually("the orphan is noted", async || (orphans(&server) == [orphan]).then_some(())).await;
    assert_eq!(reason(ahead.create_with(draft("Late"), &[&finished.name]).await), ErrorReason::UploadExpired);
    // The folder is looked through when the server starts, among other times.
    ahead.create(draft("Time goes on")).await.unwrap();
    let server = server.again().await;
    all.push(orphan.to_owned());
    all.sort();
    let nobodys = all.iter().filter(|one| **one != id(&attached)).cloned().collect::<Vec<_>>();
    eventually("it is noted", async || (orphans(&server) == nobodys).then_some(())).await;
    // However old it is, it is kept for a day: the database may be the wrong one.
    assert_eq!(folders(&server), all);
    server.clock.advance(Duration::from_hours(25));
    let agent = Caller::connect(&server.endpoint(), &agent.secret, "desk").await;
    agent.create(draft("So it does")).await.unwrap();
    let server = server.again().await;
    eventually("what nobody has is gone", async || (folders(&server) == [id(&attached)]).then_some(())).await;
    let agent = Caller::connect(&server.endpoint(), &agent.secret, "desk").await;
    assert_eq!(reason(agent.create_with(draft("Late"), &[&finished.name]).await), ErrorReason::ResourceNotFound);
    let attachment = agent.attached_to(&ticket.name).await.unwrap().remove(0);
    assert_eq!(agent.fetch(&attachment.name).await.unwrap(), b"kept");
}

/// Starts the server again on its data, and waits until the folder was looked through, as it is then.
async fn swept(server: Server, time: usize) -> Server {
    let stray = format!("0195501bd4007000000000000000{time:04}");
    let folder = server.data().attachments().join("desk/01955").join(&stray);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("00000000000000000000"), b"stray").unwrap();
    server.admin().create(draft("Time goes on")).await.unwrap();
    let server = server.again().await;
    eventually("the stray is noted", async || orphans(&server).contains(&stray).then_some(())).await;
    server
}

#[tokio::test]
async fn an_upload_is_told_to_have_expired_for_an_hour_and_its_bytes_are_kept_for_a_day() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.upload_bytes("late.txt", b"late").await.unwrap().name;
    let id = upload.rsplit('/').next().unwrap().to_owned();
    let attach = async |server: &Server| {
        let agent = Caller::connect(&server.endpoint(), &agent.secret, "desk").await;
        reason(agent.create_with(draft("Late"), &[&upload]).await)
    };
    desk.clock.advance(Duration::from_mins(119));
    let server = swept(desk.server, 1).await;
    assert_eq!(attach(&server).await, ErrorReason::UploadExpired);
    server.clock.advance(Duration::from_mins(2));
    let server = swept(server, 2).await;
    assert_eq!(attach(&server).await, ErrorReason::ResourceNotFound);
    assert!(orphans(&server).contains(&id));
    server.clock.advance(Duration::from_hours(23));
    let server = swept(server, 3).await;
    assert!(folders(&server).contains(&id));
    server.clock.advance(Duration::from_hours(2));
    let server = swept(server, 4).await;
    eventually("it is gone", async || (!folders(&server).contains(&id)).then_some(())).await;
}

/// The files that are noted to be nobody's.
fn orphans(server: &Server) -> Vec<String> {
    let noted = std::fs::read_dir(server.data().attachments().join("desk/.orphans")).into_iter().flatten();
    let mut found: Vec<_> = noted.map(|note| note.unwrap().file_name().into_string().unwrap()).collect();
    for name in &mut found {
        name.truncate(32);
    }
    found.sort();
    found
}

#[tokio::test]
async fn what_was_noted_as_nobodys_and_is_somebodys_again_stays() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.upload_bytes("kept.txt", b"kept").await.unwrap();
    let ticket = agent.create_with(draft("Printer"), &[&upload.name]).await.unwrap();
    // As if another backup had been restored for a while, before the right one was.
    let id = upload.name.rsplit('/').next().unwrap().to_owned();
    let notes = desk.data().attachments().join("desk/.orphans");
    std::fs::create_dir_all(&notes).unwrap();
    std::fs::write(notes.join(format!("{id}.1")), b"").unwrap();
    // Nor does what is none of ours keep the rest from being looked at.
    std::fs::write(desk.data().attachments().join("desk/notes"), b"stray").unwrap();
    let server = desk.server.again().await;
    eventually("the note is gone", async || orphans(&server).is_empty().then_some(())).await;
    let agent = Caller::connect(&server.endpoint(), &agent.secret, "desk").await;
    let attachment = agent.attached_to(&ticket.name).await.unwrap().remove(0);
    assert_eq!(agent.fetch(&attachment.name).await.unwrap(), b"kept");
}

#[tokio::test]
async fn an_upload_does_not_expire_while_bytes_come() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let bytes = noise(5, 3000);
    let upload = agent.begin_upload("slow.bin", &bytes).await.unwrap();
    for part in 0..3_usize {
        let from = part * 1000;
        let offset = i64::try_from(from).unwrap();
        send(&agent, &upload.name, offset, &bytes[from..from + 1000], 1000).await.unwrap();
        desk.clock.advance(Duration::from_mins(40));
    }
    agent.create_with(draft("Slow"), &[&upload.name]).await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_finished_late_is_kept_for_an_hour_from_then() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.begin_upload("late.bin", b"late").await.unwrap();
    desk.clock.advance(Duration::from_mins(59));
    let finished = send(&agent, &upload.name, 0, b"late", 4).await.unwrap();
    assert_eq!(finished.state(), State::Finished);
    desk.clock.advance(Duration::from_mins(59));
    agent.create_with(draft("Late"), &[&upload.name]).await.unwrap();
}

#[tokio::test]
async fn an_upload_belongs_to_its_caller() {
    let desk = Desk::open(database()).await;
    let (budi, citra) = (desk.agent("budi").await, desk.agent("citra").await);
    let upload = budi.upload_bytes("a.txt", b"mine").await.unwrap().name;
    let get = GetUploadRequest { name: upload.clone() };
    assert_eq!(reason(citra.get_upload(get).await), ErrorReason::ResourceNotFound);
    assert_eq!(reason(send(&citra, &upload, 0, b"more", 4).await), ErrorReason::ResourceNotFound);
    assert_eq!(reason(citra.create_with(draft("Theft"), &[&upload]).await), ErrorReason::ResourceNotFound);
    // Another key of the same subject is the same caller.
    let budi = desk.caller(Role::Service, "budi", &["desk"]).await;
    budi.create_with(draft("Mine"), &[&upload]).await.unwrap();
    assert_eq!(desk.admin().list("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn attachments_are_listed_page_by_page() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Many")).await.unwrap();
    let mut names = Vec::new();
    for number in 0..7 {
        desk.clock.advance(Duration::from_secs(1));
        let upload = agent.upload_bytes(&format!("{number}.txt"), b"x").await.unwrap().name;
        names.extend(agent.reply_with(&ticket.name, ReplyKind::Public, &[&upload]).await.unwrap().attachments);
    }
    let request = loket::v1::ListAttachmentsRequest {
        parent: ticket.name.clone(),
        page_size: 3,
        ..loket::v1::ListAttachmentsRequest::default()
    };
    let first = agent.list_attachments(request.clone()).await.unwrap();
    assert_eq!(first.attachments.len(), 3);
    let listed: Vec<_> = agent.all_attachments(request).try_collect().await.unwrap();
    assert_eq!(listed, names);
}
