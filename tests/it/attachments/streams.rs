//! Streams of bytes: how many there may be, how long they may take, and when they end.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use loket::v1::{DownloadAttachmentRequest, ErrorReason, GetUploadRequest, UploadAttachmentRequest};
use loket_client::Error;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::super::database;
use super::{MIB, committed};
use crate::support::{Caller, Desk, draft, eventually, noise, reason, send, told};

/// A stream into which one writes message by message.
fn open(
    caller: &Caller,
    upload: &str,
) -> (mpsc::Sender<UploadAttachmentRequest>, tokio::task::JoinHandle<Result<(), Error>>) {
    let (sender, receiver) = mpsc::channel(1);
    sender.try_send(UploadAttachmentRequest { name: upload.to_owned(), ..UploadAttachmentRequest::default() }).unwrap();
    let caller = caller.clone();
    let answer = tokio::spawn(async move {
        let answered = caller.attachments().upload_attachment(ReceiverStream::new(receiver)).await;
        Ok(answered.map(drop)?)
    });
    (sender, answer)
}

fn bytes(data: &[u8]) -> UploadAttachmentRequest {
    UploadAttachmentRequest { data: data.to_vec(), ..UploadAttachmentRequest::default() }
}

#[tokio::test]
async fn an_upload_may_take_longer_than_a_call_and_ends_when_it_is_silent() {
    let timeout = Duration::from_secs(1);
    let desk = Desk::open(database().with().request_timeout(timeout)).await;
    let agent = desk.agent("budi").await;
    let upload = agent.begin_upload("a.bin", &noise(1, 24 * MIB)).await.unwrap().name;
    let (sender, answer) = open(&agent, &upload);
    let begin = Instant::now();
    let mut sent = 0;
    while begin.elapsed() < 2 * timeout {
        // As little as counts.
        sender.send(bytes(&vec![7; 64 << 10])).await.unwrap();
        sent += 64 << 10;
        // As long as some calls take, so that the file lasts.
        for _ in 0..4 {
            committed(&agent, &upload).await;
        }
    }
    assert!(!answer.is_finished(), "{:?}", answer.await);
    // Nothing more comes: it ends, and what came is kept.
    assert_eq!(reason(answer.await.unwrap()), ErrorReason::StreamIdle);
    assert_eq!(committed(&agent, &upload).await, sent);
}

#[tokio::test]
async fn a_stream_that_hardly_moves_ends_and_so_does_one_with_empty_messages() {
    let desk = Desk::open(database().with().request_timeout(Duration::from_millis(400))).await;
    let agent = desk.agent("budi").await;
    let upload = agent.begin_upload("a.bin", &noise(1, 60_000)).await.unwrap().name;
    let (sender, answer) = open(&agent, &upload);
    let mut sent = 0;
    while !answer.is_finished() {
        sent += i64::from(sender.try_send(bytes(&[7])).is_ok());
        committed(&agent, &upload).await;
    }
    assert_eq!(reason(answer.await.unwrap()), ErrorReason::StreamIdle);
    let kept = committed(&agent, &upload).await;
    assert!(kept > 0 && kept <= sent, "{kept} of {sent}");

    let other = agent.begin_upload("b.bin", b"bytes").await.unwrap().name;
    let (sender, answer) = open(&agent, &other);
    sender.send(bytes(b"")).await.unwrap();
    assert_eq!(reason(answer.await.unwrap()), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn one_caller_has_some_of_the_places_for_uploads() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    // A sixteenth of a quarter of the calls that a server takes by default.
    let upload = agent.begin_upload("a.bin", &noise(1, 10)).await.unwrap().name;
    let mut streams: Vec<_> = (0..64).map(|_| open(&agent, &upload)).collect();
    let other = agent.begin_upload("b.bin", b"bytes").await.unwrap().name;
    let refused = eventually("all of its places are taken", async || send(&agent, &other, 0, b"", 1).await.err()).await;
    assert_snapshot!(told(Err::<(), _>(refused)), @r"
    ResourceExhausted TOO_MANY_STREAMS
    this key has 64 uploads coming in on this server, which is all that one key may have; end one first
    - streams: at most 64 uploads coming in for one key
    ");
    desk.agent("citra").await.upload_bytes("c.txt", b"bytes").await.unwrap();
    streams.clear();
    eventually("a place is free", async || send(&agent, &other, 0, b"", 1).await.ok()).await;
}

/// As a volume that is mounted there goes and comes back: what is under it is no place for a file.
#[tokio::test]
async fn nothing_is_taken_while_the_folder_is_away() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.begin_upload("a.bin", b"all the bytes").await.unwrap().name;
    send(&agent, &upload, 0, b"all ", 1).await.unwrap();
    let (folder, away) = (desk.data().attachments(), desk.data().attachments().with_extension("away"));
    std::fs::rename(folder, &away).unwrap();
    std::fs::create_dir(folder).unwrap();
    assert_snapshot!(told(send(&agent, &upload, 4, b"the bytes", 1).await), @r"
    Unavailable STORE_UNAVAILABLE
    the folder of the attachments does not answer or is full; what was told to be there is kept: try again
    ");
    let get = GetUploadRequest { name: upload.clone() };
    assert_eq!(reason(agent.get_upload(get).await), ErrorReason::StoreUnavailable);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
    std::fs::remove_dir(folder).unwrap();
    std::fs::rename(&away, folder).unwrap();
    let whole = send(&agent, &upload, 4, b"the bytes", 1).await.unwrap();
    assert_eq!(whole.committed_bytes, 13);
}

#[tokio::test]
async fn a_stream_ends_when_its_upload_has_expired() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let upload = agent.begin_upload("a.bin", &noise(1, 100)).await.unwrap().name;
    let (sender, answer) = open(&agent, &upload);
    sender.send(bytes(b"abc")).await.unwrap();
    desk.clock.advance(Duration::from_mins(61));
    let _ = sender.try_send(bytes(b"def"));
    drop(sender);
    assert_eq!(reason(answer.await.unwrap()), ErrorReason::UploadExpired);
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_what_came() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let content = noise(2, 3 * MIB);
    let upload = agent.begin_upload("a.bin", &content).await.unwrap().name;
    let (sender, answer) = open(&agent, &upload);
    for piece in content[..2 * MIB].chunks(MIB / 4) {
        sender.send(bytes(piece)).await.unwrap();
    }
    eventually("a part is on disk", async || (committed(&agent, &upload).await > 0).then_some(())).await;
    answer.abort();
    assert!(committed(&agent, &upload).await >= i64::try_from(MIB).unwrap());
    // The server may still be at work on what came last; the client goes on from wherever that ends.
    let begun = agent.get_upload(GetUploadRequest { name: upload.clone() }).await.unwrap();
    agent.resume_upload(begun, content.clone().into(), |_, _| {}).await.unwrap();
    let ticket = agent.create_with(draft("Broken"), &[&upload]).await.unwrap();
    let attachment = agent.attached_to(&ticket.name).await.unwrap().remove(0);
    assert!(agent.fetch(&attachment.name).await.unwrap() == content);
}

#[tokio::test]
async fn uploads_and_downloads_count_as_streams() {
    let desk = Desk::open(database().with().max_streams(1)).await;
    let agent = desk.agent("budi").await;
    let done = agent.upload_bytes("a.txt", b"bytes").await.unwrap().name;
    let ticket = agent.create_with(draft("One"), &[&done]).await.unwrap();
    let attachment = agent.attached_to(&ticket.name).await.unwrap().remove(0).name;
    let upload = agent.begin_upload("b.txt", b"bytes").await.unwrap().name;
    let other = agent.begin_upload("c.txt", b"bytes").await.unwrap().name;
    let (sender, answer) = eventually("the stream is open", async || {
        let (sender, answer) = open(&agent, &upload);
        // What is tried here may have come before it, and have had the place.
        while !answer.is_finished() {
            if let Err(refused) = send(&agent, &other, 0, b"", 1).await {
                assert_eq!(refused.reason(), Some(ErrorReason::TooManyStreams));
                return Some((sender, answer));
            }
        }
        None
    })
    .await;
    let request = DownloadAttachmentRequest { name: attachment.clone(), ..DownloadAttachmentRequest::default() };
    let refused = agent.attachments().download_attachment(request).await.map(drop);
    assert_eq!(reason(refused.map_err(Error::from)), ErrorReason::TooManyStreams);
    drop(sender);
    answer.await.unwrap().unwrap();
    eventually("the place is free", async || agent.fetch(&attachment).await.ok()).await;
}

#[tokio::test]
async fn streams_end_when_the_key_is_revoked() {
    let desk = Desk::open(database()).await;
    let key = desk.admin().key(loket::v1::Role::Agent, "budi", &["desk"]).await;
    let agent = Caller::connect(&desk.endpoint(), &key.secret, "desk").await;
    let upload = agent.begin_upload("a.bin", &noise(3, 10)).await.unwrap().name;
    let (sender, answer) = open(&agent, &upload);
    sender.send(bytes(b"abc")).await.unwrap();
    let request = loket::v1::RevokeAccessKeyRequest { name: key.name, ..loket::v1::RevokeAccessKeyRequest::default() };
    desk.admin().revoke_access_key(request).await.unwrap();
    assert_eq!(reason(answer.await.unwrap()), ErrorReason::AccessKeyRevoked);
}

#[tokio::test]
async fn a_download_that_nobody_takes_ends() {
    let desk = Desk::open(database().with().request_timeout(Duration::from_millis(500)).max_streams(1)).await;
    let agent = desk.agent("budi").await;
    let done = agent.upload_bytes("a.bin", &noise(4, 20 * MIB)).await.unwrap().name;
    let ticket = agent.create_with(draft("Large"), &[&done]).await.unwrap();
    let attachment = agent.attached_to(&ticket.name).await.unwrap().remove(0).name;
    let request = DownloadAttachmentRequest { name: attachment.clone(), ..DownloadAttachmentRequest::default() };
    let stream = agent.attachments().download_attachment(request).await.unwrap().into_inner();
    // Its place is free again though it was never given back.
    let other = Caller::connect(&desk.endpoint(), &agent.secret, "desk").await;
    eventually("it ends", async || other.fetch_range(&attachment, 0, 1).await.ok()).await;
    drop(stream);
}
