//! `DownloadAttachment`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use loket::v1 as proto;
use tokio::sync::mpsc::{Sender, channel};
use tonic::{Request, Response, Status};

use super::unavailable;
use crate::domain::{Attachment, Refusal, Violation};
use crate::engine::Engine;
use crate::rpc::call::Call;
use crate::rpc::names;
use crate::rpc::read::Reading;
use crate::rpc::server::Server;
use crate::rpc::status::Fault;
use crate::rpc::streams::{End, Open};
use crate::store::{AnyConnection, attachments, payload, tickets};

pub(in crate::rpc) type DownloadStream =
    Pin<Box<dyn Stream<Item = Result<proto::DownloadAttachmentResponse, Status>> + Send>>;

/// In one message.
const PIECE: i64 = 256 << 10;

pub(in crate::rpc) async fn download(
    server: &Server,
    request: Request<proto::DownloadAttachmentRequest>,
) -> Result<Response<DownloadStream>, Status> {
    let call = Call::of(request.extensions())?;
    let open = Open::new(server, &call, "/loket.v1.AttachmentService/DownloadAttachment")?;
    let proto::DownloadAttachmentRequest { name, offset, length } = request.into_inner();
    let (helpdesk, ticket, id) = names::attachment("name", &name)?;
    let key = helpdesk.clone();
    let read = move |connection: &mut AnyConnection| {
        let found = attachments::get(connection, &key, &id)?.filter(|attachment| attachment.ticket == ticket);
        Ok((tickets::by_ids(connection, &key, &[ticket])?.remove(&ticket), found))
    };
    let (reading, (ticket, found)) = Reading::of(server, &call, &helpdesk, 0, read).await?;
    let is_visible = ticket.is_some_and(|ticket| reading.sight.sees(&ticket));
    let Some(attachment) = found.filter(|attachment| is_visible && reading.sight.sees_attachment(attachment)) else {
        return Err(Refusal::NotFound { kind: "Attachment", name }.into());
    };
    let end = end(&attachment, offset, length)?;
    let (sender, mut receiver) = channel(1);
    let sending = Sending {
        engine: Arc::clone(&server.engine),
        open,
        helpdesk,
        attachment,
        offset,
        end,
        patience: server.limits.idle,
    };
    tokio::spawn(sending.run(sender));
    Ok(Response::new(Box::pin(stream::poll_fn(move |context| receiver.poll_recv(context)))))
}

/// Where the bytes that are asked for end.
fn end(attachment: &Attachment, offset: i64, length: i64) -> Result<i64, Refusal> {
    let mut violations = Vec::new();
    if !(0..=attachment.size).contains(&offset) {
        violations.push(Violation::new("offset", format!("{offset} is not within 0 to {}, its size", attachment.size)));
    }
    if length < 0 {
        violations.push(Violation::new("length", format!("{length} is negative; write 0 for all the rest")));
    }
    if !violations.is_empty() {
        return Err(Refusal::Invalid(violations));
    }
    Ok(if length == 0 { attachment.size } else { offset.saturating_add(length).min(attachment.size) })
}

/// A file on its way to the caller, in a task of its own: one that takes nothing is noticed, and holds one piece meanwhile.
struct Sending {
    engine: Arc<Engine>,
    open: Open,
    helpdesk: String,
    attachment: Attachment,
    offset: i64,
    end: i64,
    /// How long the caller may take for a message.
    patience: Duration,
}

type Sent = Result<proto::DownloadAttachmentResponse, Status>;

impl Sending {
    async fn run(mut self, sender: Sender<Sent>) {
        match self.send_all(&sender).await {
            Ok(true) => self.open.done(),
            // The caller has gone.
            Ok(false) => {}
            Err(end) => {
                let status = self.open.end(end).unwrap_or_else(|| Fault::ShuttingDown.into());
                // Who takes nothing is not told either.
                let _ = tokio::time::timeout(Duration::from_secs(1), sender.send(Err(status))).await;
            }
        }
    }

    /// False when the caller has gone.
    async fn send_all(&mut self, sender: &Sender<Sent>) -> Result<bool, End> {
        let content = self.engine.content();
        let (helpdesk, id) = (&self.helpdesk, &self.attachment.id);
        let parts = content.parts(helpdesk, id).await.map_err(unavailable)?;
        let mut attachment = Some(payload::attachment_to_proto(helpdesk, &self.attachment));
        while attachment.is_some() || self.offset < self.end {
            self.open.check()?;
            let most = PIECE.min(self.end - self.offset);
            let data = if most == 0 {
                Vec::new()
            } else {
                content.read(helpdesk, id, &parts, self.offset, most).await.map_err(unavailable)?.into()
            };
            let taken = data.len() as i64;
            let message =
                proto::DownloadAttachmentResponse { attachment: attachment.take(), offset: self.offset, data };
            let sent = tokio::select! {
                sent = tokio::time::timeout(self.patience, sender.send(Ok(message))) => sent,
                end = self.open.interrupted() => return Err(end),
            };
            match sent {
                Ok(Ok(())) => self.offset += taken,
                Ok(Err(_gone)) => return Ok(false),
                Err(_elapsed) => return Err(Fault::Idle { after: self.patience }.into()),
            }
        }
        Ok(true)
    }
}
