//! An upload to which a stream appends.

use bytes::{Bytes, BytesMut};
use loket::v1 as proto;
use sha2::{Digest, Sha256};

use super::super::{own, settle, settled_parts, unavailable};
use crate::domain::commands::{Command, Step, UploadAttachment};
use crate::domain::context::Answer;
use crate::domain::upload::{FileHash, UploadRefusal, upload_name};
use crate::domain::{Refusal, Upload};
use crate::engine::Failure;
use crate::rpc::call::{Asked, Call};
use crate::rpc::server::Server;
use crate::store::{content, payload};

/// What comes gathers to so many bytes before it goes to disk; a larger message goes at once.
const PART: usize = 1 << 20;
/// So many parts may be smaller: each stream that broke has left one.
const SMALL_PARTS: usize = 1_000;

pub(super) struct Appending<'s> {
    server: &'s Server,
    call: &'s Call,
    helpdesk: String,
    upload: Upload,
    /// How many bytes are on disk.
    committed: i64,
    parts: usize,
    gathered: BytesMut,
    /// Of everything on disk; None where some of it came by another stream.
    hash: Option<Sha256>,
}

impl<'s> Appending<'s> {
    pub(super) async fn begin(
        server: &'s Server,
        call: &'s Call,
        helpdesk: String,
        id: String,
        offset: i64,
    ) -> Result<Self, Failure> {
        let upload = own(server, call, &helpdesk, &id).await?;
        let parts = settled_parts(server.engine.content(), &helpdesk, &id).await?;
        let committed = content::end(&parts);
        let appending = Self {
            server,
            call,
            helpdesk,
            committed,
            parts: parts.len(),
            gathered: BytesMut::new(),
            hash: (committed == 0).then(Sha256::new),
            upload,
        };
        let name = appending.name();
        if let Some(ticket) = appending.upload.ticket {
            let attachment = crate::domain::upload::attachment_name(&appending.helpdesk, ticket, &id);
            return Err(refused(UploadRefusal::Used { name, attachment }));
        }
        if appending.upload.is_expired(server.engine.clock().now()) {
            return Err(refused(UploadRefusal::Expired { name }));
        }
        if offset != committed {
            return Err(refused(UploadRefusal::OffsetMismatch { name, sent: offset, committed }));
        }
        Ok(appending)
    }

    /// Takes bytes, and brings what has gathered to disk when it is enough.
    pub(super) async fn take(&mut self, data: &[u8]) -> Result<(), Failure> {
        // However slowly they come, and before there are enough to bring them to disk.
        if self.upload.is_expired(self.server.engine.clock().now()) {
            return Err(refused(UploadRefusal::Expired { name: self.name() }));
        }
        let after = self.committed + self.gathered.len() as i64 + data.len() as i64;
        if after > self.upload.size {
            return Err(refused(UploadRefusal::TooLong { name: self.name(), size: self.upload.size }));
        }
        self.gathered.extend_from_slice(data);
        if self.gathered.len() >= PART { self.flush().await } else { Ok(()) }
    }

    /// Brings what has gathered to disk.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        let part = self.gathered.split().freeze();
        if part.is_empty() {
            return Ok(());
        }
        let limit = usize::try_from(self.upload.size).unwrap_or(usize::MAX) / PART + SMALL_PARTS;
        if self.parts >= limit {
            return Err(refused(UploadRefusal::TooManyParts { name: self.name(), limit }));
        }
        // Long before it expires, so that nothing takes it away under these bytes.
        if self.upload.expire_time - self.server.engine.clock().now() < Upload::LIFETIME / 2 {
            self.upload = self.submit(Step::Some).await?;
        }
        let size = part.len() as i64;
        let put = Bytes::clone(&part);
        let content = self.server.engine.content();
        let is_taken =
            content.append(&self.helpdesk, &self.upload.id, self.committed, put).await.map_err(unavailable)?;
        if !is_taken {
            let parts = settled_parts(content, &self.helpdesk, &self.upload.id).await?;
            let (sent, committed) = (self.committed, content::end(&parts));
            return Err(refused(UploadRefusal::OffsetMismatch { name: self.name(), sent, committed }));
        }
        if let Some(hash) = &mut self.hash {
            hash.update(&part);
        }
        self.committed += size;
        self.parts += 1;
        Ok(())
    }

    /// Tells what has come; of a file that is complete, whether it is what was declared.
    pub(super) async fn finish(mut self) -> Result<proto::Upload, Failure> {
        if self.committed == self.upload.size && self.upload.digest.is_none() {
            let came = self.hash().await?;
            if let Some(declared) = self.upload.sha256.filter(|declared| *declared != came) {
                self.give_up().await?;
                return Err(refused(UploadRefusal::HashMismatch { name: self.name(), declared, came }));
            }
            // Other streams may have put parts, or made folders, that they did not live to sync.
            settle(self.server.engine.content(), &self.helpdesk, &self.upload.id).await?;
            self.upload = self.submit(Step::All(came)).await?;
            self.in_folder(content::Content::tidy).await;
        } else if self.committed > 0 {
            // What is told of is there for good.
            settle(self.server.engine.content(), &self.helpdesk, &self.upload.id).await?;
        }
        Ok(payload::upload_to_proto(&self.helpdesk, &self.upload, self.committed))
    }

    async fn give_up(&self) -> Result<(), Failure> {
        match self.submit(Step::Other).await {
            // It is gone, as it should be: a commit of which nobody knew, or another stream.
            Ok(_) | Err(Failure::Refused(Refusal::NotFound { .. })) => {}
            Err(failure) => return Err(failure),
        }
        self.in_folder(content::Content::remove).await;
        Ok(())
    }

    async fn hash(&mut self) -> Result<FileHash, Failure> {
        if let Some(hash) = self.hash.take() {
            return Ok(hash.finalize().into());
        }
        let content = self.server.engine.content();
        let parts = content.parts(&self.helpdesk, &self.upload.id).await.map_err(unavailable)?;
        let (mut hash, mut offset) = (Sha256::new(), 0);
        while offset < self.upload.size {
            let read = content.read(&self.helpdesk, &self.upload.id, &parts, offset, PART as i64);
            let bytes = read.await.map_err(unavailable)?;
            hash.update(&bytes);
            offset += bytes.len() as i64;
        }
        Ok(hash.finalize().into())
    }

    async fn submit(&self, step: Step) -> Result<Upload, Failure> {
        let command = Command::UploadAttachment(UploadAttachment { id: self.upload.id.clone(), step });
        let request = self.call.request(&self.helpdesk, command, Asked::by_the_way());
        let outcome = self.call.submit(self.server, request).await?;
        if let Answer::Upload(upload) = outcome.answer {
            return Ok(Upload::clone(&upload));
        }
        if !outcome.replayed {
            return Err(Failure::Internal);
        }
        // Done by a commit of which the writer did not hear, and found again by its request id.
        own(self.server, self.call, &self.helpdesk, &self.upload.id).await
    }

    /// Clears up in the folder, off the async threads. What fails is done again by the sweep.
    async fn in_folder(&self, work: fn(&content::Content, &str, &str) -> std::io::Result<()>) {
        let content = self.server.engine.content().clone();
        let (helpdesk, id) = (self.helpdesk.clone(), self.upload.id.clone());
        let done = tokio::task::spawn_blocking(move || work(&content, &helpdesk, &id)).await;
        if !matches!(done, Ok(Ok(()))) {
            tracing::warn!(?done, "the folder of an upload was not cleared up");
        }
    }

    fn name(&self) -> String {
        upload_name(&self.helpdesk, &self.upload.id)
    }
}

fn refused(refusal: UploadRefusal) -> Failure {
    Failure::Refused(Refusal::Upload(refusal))
}
