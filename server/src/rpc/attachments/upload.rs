//! `UploadAttachment`: bytes go to disk part by part, past the engine, which hears only that an upload goes on and that it is
//! complete.

mod appending;

use std::time::Duration;

use loket::v1 as proto;
use tokio::time::Instant;
use tonic::{Request, Response, Status, Streaming};

use self::appending::Appending;
use crate::domain::{Refusal, Violation};
use crate::rpc::call::Call;
use crate::rpc::names;
use crate::rpc::server::Server;
use crate::rpc::share::{Of, Place};
use crate::rpc::status::Fault;
use crate::rpc::streams::{End, Open};

/// The path by which it is called.
pub(in crate::rpc) const PATH: &str = "/loket.v1.AttachmentService/UploadAttachment";

pub(in crate::rpc) async fn upload(
    server: &Server,
    request: Request<Streaming<proto::UploadAttachmentRequest>>,
) -> Result<Response<proto::UploadAttachmentResponse>, Status> {
    let call = Call::of(request.extensions())?;
    // It holds a call, and for long: most calls are kept for those who do not.
    let limit = server.limits.uploads;
    let _permit = server.uploads.try_acquire().map_err(|_| Fault::TooManyStreams { limit })?;
    let _place = Place::take(&call.caller.entry, Of::Uploads, limit)?;
    let mut incoming = Incoming {
        open: Open::new(server, &call, PATH)?,
        stream: request.into_inner(),
        patience: server.limits.idle,
        until: Instant::now() + server.limits.idle,
        moved: 0,
    };
    match receive(server, &call, &mut incoming).await {
        Ok(upload) => {
            incoming.open.done();
            Ok(Response::new(proto::UploadAttachmentResponse { upload: Some(upload) }))
        }
        Err(end) => Err(incoming.open.end(end).unwrap_or_else(|| Fault::ShuttingDown.into())),
    }
}

async fn receive(server: &Server, call: &Call, incoming: &mut Incoming) -> Result<proto::Upload, End> {
    let Some(first) = incoming.next().await? else {
        return Err(wrong("name", "is required: the first message names the upload, and this stream has none"));
    };
    let (helpdesk, id) = names::upload("name", &first.name)?;
    let mut appending = Appending::begin(server, call, helpdesk, id, first.offset).await?;
    let taken = take_all(&mut appending, first.data, incoming).await;
    // What came before it went wrong is kept.
    let kept = appending.flush().await;
    taken?;
    kept?;
    Ok(appending.finish().await?)
}

async fn take_all(appending: &mut Appending<'_>, first: Vec<u8>, incoming: &mut Incoming) -> Result<(), End> {
    appending.take(&first).await?;
    while let Some(message) = incoming.next().await? {
        let proto::UploadAttachmentRequest { name, offset, data } = message;
        if !name.is_empty() {
            return Err(wrong(
                "name",
                "is given again: the first message names the upload, the others carry bytes alone",
            ));
        }
        if offset != 0 {
            return Err(wrong("offset", "is given again: the bytes follow those of the message before"));
        }
        if data.is_empty() {
            return Err(wrong("data", "is empty: only the first message may have no bytes"));
        }
        appending.take(&data).await?;
        incoming.moved(data.len());
    }
    Ok(())
}

/// What the caller sends. The next message is read when the one before is dealt with: the transport holds the sender back.
struct Incoming {
    open: Open,
    stream: Streaming<proto::UploadAttachmentRequest>,
    /// How long it may take for [`PROGRESS`].
    patience: Duration,
    until: Instant,
    /// Bytes since `until` was last put off.
    moved: usize,
}

/// Fewer bytes than these do not count as progress: who sends one at a time would hold its place for ever.
const PROGRESS: usize = 64 << 10;

impl Incoming {
    async fn next(&mut self) -> Result<Option<proto::UploadAttachmentRequest>, End> {
        self.open.check()?;
        tokio::select! {
            biased;
            message = tokio::time::timeout_at(self.until, self.stream.message()) => match message {
                Ok(Ok(message)) => Ok(message),
                Ok(Err(status)) if Fault::is_about_decoding(status.message()) => {
                    Err(Fault::Undecodable(status.message().to_owned()).into())
                }
                Ok(Err(status)) => Err(End::Broken(status)),
                Err(_elapsed) => Err(Fault::Idle { after: self.patience }.into()),
            },
            end = self.open.interrupted() => Err(end),
        }
    }

    /// Counts what has come and was dealt with: what the disk takes is not the sender's time.
    fn moved(&mut self, bytes: usize) {
        self.moved += bytes;
        if self.moved >= PROGRESS {
            self.moved = 0;
            self.until = Instant::now() + self.patience;
        }
    }
}

fn wrong(field: &str, description: &str) -> End {
    Refusal::Invalid(vec![Violation::new(field, description)]).into()
}
