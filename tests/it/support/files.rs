//! Files, and what callers do with them.

use loket::v1::{
    Attachment, CreateReplyRequest, CreateTicketRequest, CreateUploadRequest, DownloadAttachmentRequest,
    ListAttachmentsRequest, Reply, ReplyKind, Ticket, Upload, UploadAttachmentRequest,
};
use loket_client::Error;
use loket_client::files::FileUpload;

use futures_util::TryStreamExt as _;

use super::{Caller, Random};

type Result<T> = std::result::Result<T, Error>;

/// Bytes that no two places share.
pub(crate) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..bytes).map(|_| u8::try_from(random.below(256)).unwrap()).collect()
}

/// Sends bytes to an upload from an offset on, in messages of `piece` bytes, and ends the stream.
pub(crate) async fn send(caller: &Caller, upload: &str, offset: i64, bytes: &[u8], piece: usize) -> Result<Upload> {
    let mut messages = vec![UploadAttachmentRequest { name: upload.to_owned(), offset, data: Vec::new() }];
    messages.extend(
        bytes
            .chunks(piece)
            .map(|data| UploadAttachmentRequest { data: data.to_vec(), ..UploadAttachmentRequest::default() }),
    );
    let answer = caller.attachments().upload_attachment(tokio_stream::iter(messages)).await?;
    Ok(answer.into_inner().upload.unwrap())
}

impl Caller {
    /// Declares a file, without its hash, and sends nothing of it.
    pub(crate) async fn begin_upload(&self, filename: &str, bytes: &[u8]) -> Result<Upload> {
        self.declare(Upload {
            filename: filename.to_owned(),
            size_bytes: i64::try_from(bytes.len()).unwrap(),
            ..Upload::default()
        })
        .await
    }

    pub(crate) async fn declare(&self, upload: Upload) -> Result<Upload> {
        let request =
            CreateUploadRequest { parent: self.parent.clone(), upload: Some(upload), ..CreateUploadRequest::default() };
        self.create_upload(request).await
    }

    /// As programs do it.
    pub(crate) async fn upload_bytes(&self, filename: &str, bytes: &[u8]) -> Result<Upload> {
        let file = FileUpload {
            parent: self.parent.clone(),
            filename: filename.to_owned(),
            mime_type: String::new(),
            source: bytes.to_vec().into(),
        };
        self.upload(file, |_, _| {}).await
    }

    pub(crate) async fn create_with(&self, ticket: Ticket, uploads: &[&str]) -> Result<Ticket> {
        let request = CreateTicketRequest {
            parent: self.parent.clone(),
            ticket: Some(ticket),
            uploads: uploads.iter().map(|name| (*name).to_owned()).collect(),
            ..CreateTicketRequest::default()
        };
        self.create_ticket(request).await
    }

    pub(crate) async fn reply_with(&self, ticket: &str, kind: ReplyKind, uploads: &[&str]) -> Result<Reply> {
        let request = CreateReplyRequest {
            parent: ticket.to_owned(),
            reply: Some(Reply { body: "See the file.".to_owned(), kind: kind.into(), ..Reply::default() }),
            uploads: uploads.iter().map(|name| (*name).to_owned()).collect(),
            ..CreateReplyRequest::default()
        };
        self.create_reply(request).await
    }

    pub(crate) async fn attached_to(&self, ticket: &str) -> Result<Vec<Attachment>> {
        let request = ListAttachmentsRequest { parent: ticket.to_owned(), ..ListAttachmentsRequest::default() };
        self.all_attachments(request).try_collect().await
    }

    /// The bytes of an attachment.
    pub(crate) async fn fetch(&self, attachment: &str) -> Result<Vec<u8>> {
        self.fetch_range(attachment, 0, 0).await
    }

    pub(crate) async fn fetch_range(&self, attachment: &str, offset: i64, length: i64) -> Result<Vec<u8>> {
        let request = DownloadAttachmentRequest { name: attachment.to_owned(), offset, length };
        let mut bytes = Vec::new();
        self.download(request, |_, piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })
        .await?;
        Ok(bytes)
    }
}
