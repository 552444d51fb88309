//! What is refused, each with its own reason, and nothing half done.

use futures_util::future::join_all;
use insta::assert_snapshot;
use loket::v1::upload::State;
use loket::v1::{ErrorReason, GetUploadRequest, ReplyKind, Upload};

use super::super::database;
use super::{committed, parts};
use crate::support::{Desk, SIMPLE, draft, noise, own, reason, send, told};

/// An error without the id in it, which is made by chance.
fn without_id(told: &str, upload: &str) -> String {
    told.replace(upload.rsplit('/').next().unwrap(), "{id}")
}

async fn narrow() -> Desk {
    let policy = "attachment_policy: {ticket_quota_bytes: 1000, max_file_bytes: 600, open_upload_bytes: 1500, mime_types: [image/*, text/plain]}";
    Desk::of(database(), &format!("{SIMPLE}{policy}\n")).await
}

fn file(filename: &str, mime_type: &str, size_bytes: i64) -> Upload {
    Upload { filename: filename.to_owned(), mime_type: mime_type.to_owned(), size_bytes, ..Upload::default() }
}

#[tokio::test]
async fn what_is_declared_is_checked_whole() {
    let desk = narrow().await;
    let agent = desk.agent("budi").await;
    assert_snapshot!(told(agent.declare(file("../etc/passwd", "application/pdf", -1)).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - upload.filename: holds / or \: give the last part of the path alone
    - upload.mime_type: application/pdf is not taken here; taken are image/*, text/plain
    - upload.size_bytes: -1 is negative
    ");
    assert_snapshot!(told(agent.declare(file("", "image", 601)).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - upload.filename: is required: 1 to 255 characters
    - upload.mime_type: "image" is no type; write it like `image/png`, without parameters
    - upload.size_bytes: 601 is more than the 600 that one file may have
    "#);
    let hash = Upload { sha256: "12".to_owned(), ..file("a.png", "image/png", 1) };
    assert_snapshot!(told(agent.declare(hash).await), @r#"
    InvalidArgument INVALID_REQUEST
    upload.sha256: "12" is no SHA-256; write 64 hexadecimal digits
    - upload.sha256: "12" is no SHA-256; write 64 hexadecimal digits
    "#);
    assert_eq!(desk.head().await, 0);
    assert_eq!(agent.declare(file("A.PNG", "Image/PNG", 1)).await.unwrap().mime_type, "image/png");
}

#[tokio::test]
async fn what_one_caller_has_under_way_is_limited() {
    let desk = narrow().await;
    let agent = desk.agent("budi").await;
    for _ in 0..2 {
        agent.declare(file("a.png", "image/png", 600)).await.unwrap();
    }
    assert_snapshot!(told(agent.declare(file("a.png", "image/png", 301)).await), @r"
    ResourceExhausted TOO_MANY_UPLOADS
    301 bytes more are not taken: this caller has uploads of 1200 under way, and may have 1500; attach them, or wait until they expire
    - uploads: at most 1500 bytes that are not attached
    ");
    agent.declare(file("a.png", "image/png", 300)).await.unwrap();
    // Of each for itself, and only for a time.
    desk.agent("citra").await.declare(file("a.png", "image/png", 600)).await.unwrap();
    desk.clock.advance(std::time::Duration::from_mins(61));
    agent.declare(file("a.png", "image/png", 600)).await.unwrap();
}

#[tokio::test]
async fn one_caller_has_a_thousand_uploads_under_way_however_small() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let declare = async |_| agent.declare(file("empty.txt", "", 0)).await;
    let declared = join_all((0..1_000).map(declare)).await;
    assert!(declared.iter().all(Result::is_ok));
    assert_snapshot!(told(declare(1_000).await), @r"
    ResourceExhausted TOO_MANY_UPLOADS
    this caller has 1000 uploads under way, which is all it may have; attach them first
    - uploads: at most 1000 that are not attached
    ");
    desk.agent("citra").await.declare(file("empty.txt", "", 0)).await.unwrap();
}

/// Each stream leaves a part for what it has brought, however little.
#[tokio::test]
async fn an_upload_does_not_come_in_any_number_of_parts() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.begin_upload("drops.bin", &noise(7, 1_001)).await.unwrap().name;
    send(&agent, &upload, 0, b"x", 1).await.unwrap();
    // As many other streams would have left them.
    let first = parts(&desk.server).remove(0);
    for offset in 1..1_000 {
        std::fs::write(first.with_file_name(format!("{offset:020}")), b"x").unwrap();
    }
    assert_snapshot!(without_id(&told(send(&agent, &upload, 1_000, b"x", 1).await), &upload), @r"
    ResourceExhausted TOO_MANY_UPLOADS
    helpdesks/desk/uploads/{id} came in 1000 pieces, which is all that is kept; begin a new one, and send more at a time
    - parts: at most 1000 for one file
    ");
    assert_eq!(committed(&agent, &upload).await, 1_000);
}

#[tokio::test]
async fn what_is_not_whole_is_not_attached() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.begin_upload("a.txt", b"0123456789").await.unwrap().name;
    let sent = send(&agent, &upload, 0, b"01234", 2).await.unwrap();
    assert_eq!((sent.state(), sent.committed_bytes), (State::Open, 5));
    let refused = agent.create_with(draft("Half"), &[&upload]).await;
    assert_snapshot!(without_id(&told(refused), &upload), @r"
    FailedPrecondition UPLOAD_INCOMPLETE
    helpdesks/desk/uploads/{id} is not complete: no stream has come to the end of its 10 bytes; ask GetUpload where to go on from
    ");
    let refused = send(&agent, &upload, 4, b"456789", 10).await;
    assert_snapshot!(without_id(&told(refused), &upload), @r"
    FailedPrecondition UPLOAD_OFFSET_MISMATCH
    helpdesks/desk/uploads/{id} goes on at offset 5, not at 4; nothing of the stream was taken there
    ");
    let refused = send(&agent, &upload, 5, b"56789x", 2).await;
    assert_snapshot!(without_id(&told(refused), &upload), @r"
    OutOfRange UPLOAD_TOO_LONG
    helpdesks/desk/uploads/{id} has 10 bytes as declared, and more came; the message that went beyond was not taken
    ");
    assert_eq!(committed(&agent, &upload).await, 9);
    assert_eq!(agent.list("").await.unwrap(), []);
    assert_eq!(send(&agent, &upload, 9, b"9", 1).await.unwrap().state(), State::Finished);
    // Who has not heard the answer may ask again.
    assert_eq!(send(&agent, &upload, 10, b"", 1).await.unwrap().state(), State::Finished);
    agent.create_with(draft("Whole"), &[&upload]).await.unwrap();
}

#[tokio::test]
async fn other_bytes_than_declared_are_given_up() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.declare(Upload { sha256: "ab".repeat(32), ..file("a.txt", "", 5) }).await.unwrap().name;
    let refused = send(&agent, &upload, 0, b"bytes", 2).await;
    assert_snapshot!(without_id(&told(refused), &upload), @r"
    FailedPrecondition UPLOAD_HASH_MISMATCH
    what came for helpdesks/desk/uploads/{id} has the SHA-256 277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9, and abababababababababababababababababababababababababababababababab was declared; the upload is given up: make a new one
    ");
    let get = GetUploadRequest { name: upload.clone() };
    assert_eq!(reason(agent.get_upload(get).await), ErrorReason::ResourceNotFound);
    assert_eq!(reason(agent.create_with(draft("Other"), &[&upload]).await), ErrorReason::ResourceNotFound);
    assert_eq!(agent.list("").await.unwrap(), []);
}

#[tokio::test]
async fn an_upload_is_used_once() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.upload_bytes("a.txt", b"bytes").await.unwrap().name;
    let fresh = agent.upload_bytes("b.txt", b"bytes").await.unwrap().name;
    assert_snapshot!(without_id(&told(agent.create_with(draft("Twice"), &[&upload, &upload]).await), &upload), @r"
    InvalidArgument INVALID_REQUEST
    uploads[1]: is named twice
    - uploads[1]: is named twice
    ");
    let ticket = agent.create_with(draft("Once"), &[&upload]).await.unwrap();
    let refused = agent.reply_with(&ticket.name, ReplyKind::Public, &[&fresh, &upload]).await;
    assert_snapshot!(without_id(&told(refused), &upload), @r"
    FailedPrecondition UPLOAD_USED
    helpdesks/desk/uploads/{id} is helpdesks/desk/tickets/1/attachments/{id} already; upload the file again to attach it again
    ");
    // Not even the one that would have gone.
    assert_eq!(agent.replies(&ticket.name).await.unwrap(), []);
    agent.reply_with(&ticket.name, ReplyKind::Public, &[&fresh]).await.unwrap();
    assert_eq!(reason(send(&agent, &upload, 5, b"", 1).await), ErrorReason::UploadUsed);
}

#[tokio::test]
async fn the_files_of_a_ticket_have_a_quota_and_those_of_notes_their_own() {
    let policy = "attachment_policy: {ticket_quota_bytes: 1000}";
    let desk = Desk::of(database(), &format!("{SIMPLE}{policy}\n")).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    assert_snapshot!(told(ani.declare(file("a.bin", "", 1001)).await), @r"
    ResourceExhausted ATTACHMENT_QUOTA_EXCEEDED
    1001 bytes do not fit: the files of a ticket may have 1000 together
    - attachments: at most 1000 bytes for a ticket
    ");
    let bytes = noise(1, 1000);
    let first = ani.upload_bytes("a.bin", &bytes[..600]).await.unwrap().name;
    let ticket = ani.create_with(own("Files"), &[&first]).await.unwrap();
    let note = agent.upload_bytes("note.bin", &bytes).await.unwrap().name;
    agent.reply_with(&ticket.name, ReplyKind::Note, &[&note]).await.unwrap();
    let (fits, more) = (
        ani.upload_bytes("b.bin", &bytes[..400]).await.unwrap().name,
        ani.upload_bytes("c.bin", b"c").await.unwrap().name,
    );
    assert_snapshot!(told(ani.reply_with(&ticket.name, ReplyKind::Public, &[&fits, &more]).await), @r"
    ResourceExhausted ATTACHMENT_QUOTA_EXCEEDED
    401 bytes do not fit: the files of a ticket may have 1000 together, and 600 are there
    - attachments: at most 1000 bytes for a ticket
    ");
    ani.reply_with(&ticket.name, ReplyKind::Public, &[&fits]).await.unwrap();
    assert_eq!(
        reason(ani.reply_with(&ticket.name, ReplyKind::Public, &[&more]).await),
        ErrorReason::AttachmentQuotaExceeded
    );
    let note = agent.upload_bytes("note.txt", b"n").await.unwrap().name;
    assert_eq!(
        reason(agent.reply_with(&ticket.name, ReplyKind::Note, &[&note]).await),
        ErrorReason::AttachmentQuotaExceeded
    );
    let seen = ani.get(&ticket.name).await.unwrap();
    assert_eq!((seen.attachment_count, seen.attachment_bytes, seen.reply_count), (2, 1000, 1));
}

/// However many come at once.
#[tokio::test]
async fn replies_at_once_do_not_exceed_the_quota() {
    let policy = "attachment_policy: {ticket_quota_bytes: 10}";
    let desk = Desk::of(database(), &format!("{SIMPLE}{policy}\n")).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Files")).await.unwrap();
    let mut uploads = Vec::new();
    for _ in 0..8 {
        uploads.push(agent.upload_bytes("a.bin", b"xyz").await.unwrap().name);
    }
    let replies = uploads.iter().map(async |upload| agent.reply_with(&ticket.name, ReplyKind::Public, &[upload]).await);
    let answers = futures_util::future::join_all(replies).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    assert_eq!(agent.get(&ticket.name).await.unwrap().attachment_bytes, 9);
}

#[tokio::test]
async fn a_policy_that_contradicts_itself_is_refused() {
    let desk = Desk::open(database()).await;
    let policy = "attachment_policy: {ticket_quota_bytes: 10, max_file_bytes: 20, open_upload_bytes: 5, mime_types: [image/*, png]}";
    let helpdesk = loket::json::helpdesk_from_yaml(&format!("{SIMPLE}{policy}\n")).unwrap();
    let request = loket::v1::CreateHelpdeskRequest {
        helpdesk_id: "wrong".to_owned(),
        helpdesk: Some(helpdesk),
        ..loket::v1::CreateHelpdeskRequest::default()
    };
    assert_snapshot!(told(desk.admin().create_helpdesk(request).await), @r#"
    InvalidArgument INVALID_DEFINITION
    the definition is invalid: 3
    - attachment_policy.max_file_bytes: one file may have 20 bytes, and all files of a ticket only 10: give at most that
    - attachment_policy.open_upload_bytes: a caller may have 5 bytes under way, and one file 20: give at least that
    - attachment_policy.mime_types[1]: "png" is no type: write it like `image/png` or `image/*`, in lower case
    "#);
}

#[tokio::test]
async fn a_ticket_has_a_hundred_files_however_small() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Many")).await.unwrap();
    for reply in 0..6 {
        let mut uploads = Vec::new();
        for _ in 0..20 {
            let upload = agent.begin_upload("empty.txt", b"").await.unwrap().name;
            uploads.push(send(&agent, &upload, 0, b"", 1).await.unwrap().name);
        }
        let uploads: Vec<_> = uploads.iter().map(String::as_str).collect();
        if reply < 5 {
            agent.reply_with(&ticket.name, ReplyKind::Public, &uploads).await.unwrap();
            continue;
        }
        assert_snapshot!(told(agent.reply_with(&ticket.name, ReplyKind::Public, &uploads[..1]).await), @r"
        ResourceExhausted ATTACHMENT_QUOTA_EXCEEDED
        1 files do not fit: a ticket may have 100, and 100 are there
        - attachments: at most 100 files for a ticket
        ");
        // Those of notes are counted apart.
        agent.reply_with(&ticket.name, ReplyKind::Note, &uploads).await.unwrap();
    }
    assert_eq!(agent.get(&ticket.name).await.unwrap().attachment_count, 120);
    assert_eq!(agent.replies(&ticket.name).await.unwrap().len(), 6);
}
