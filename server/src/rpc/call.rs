//! What every mutation has in common: who calls, until when, under which request id, with which content.

use std::sync::Arc;
use std::time::Instant;

use loket::v1 as proto;
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use tonic::Extensions;
use uuid::Uuid;

use super::caller::Caller;
use super::server::Server;
use super::status::Denied;
use crate::domain::commands::Command;
use crate::domain::{Refusal, Violation, text};
use crate::engine::{Failure, Outcome, Request, RequestId};

/// Until when the caller waits: put into the request by the layer that keeps it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(pub(super) Instant);

/// The id under which the log has a call: put into the request by the layer that made it.
#[derive(Debug, Clone, Default)]
pub(super) struct CallId(pub(super) Arc<str>);

/// Who calls, and until when it waits.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) caller: Arc<Caller>,
    pub(super) deadline: Option<Instant>,
    /// Under which the log has the call.
    pub(super) id: CallId,
}

impl Call {
    /// The layer that lets callers in has put it there.
    pub(super) fn of(extensions: &Extensions) -> Result<Self, Denied> {
        let caller = extensions.get::<Arc<Caller>>().cloned().ok_or(Denied::NoKey)?;
        Ok(Self {
            caller,
            deadline: extensions.get::<Deadline>().map(|deadline| deadline.0),
            id: extensions.get::<CallId>().cloned().unwrap_or_default(),
        })
    }

    /// Acting for somebody else is another request.
    fn digest(&self, content: [u8; 32]) -> [u8; 32] {
        let on_behalf_of = &self.caller.actor.on_behalf_of;
        if on_behalf_of.is_empty() {
            return content;
        }
        Sha256::new().chain_update(content).chain_update(on_behalf_of).finalize().into()
    }

    /// A command of this caller.
    pub(super) fn request(&self, helpdesk: &str, command: Command, asked: Asked) -> Box<Request> {
        Box::new(Request {
            helpdesk: Arc::from(helpdesk),
            actor: self.caller.actor.clone(),
            command,
            request_id: asked.request_id,
            digest: self.digest(asked.digest),
            deadline: self.deadline,
            bytes: asked.bytes,
            bulk: false,
            validate_only: asked.validate_only,
        })
    }

    /// Submits it. One that is only to be tried is a read, in the caller's turn.
    pub(super) async fn submit(&self, server: &Server, request: Box<Request>) -> Result<Outcome, Failure> {
        if request.validate_only {
            // Boxed: few are.
            return Box::pin(async { server.engine.validate(request, self.turn().await?).await }).await;
        }
        server.engine.submit(request).await
    }

    /// The caller's turn to read: who asks for much at once waits for itself.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.caller.entry.reads).acquire_owned().await.map_err(|_| Failure::ShuttingDown)
    }
}

/// Both of two things that a request says, or everything that is wrong with either: who is told all at once corrects it once.
pub(super) fn both<A, B>(one: Result<A, Refusal>, other: Result<B, Refusal>) -> Result<(A, B), Refusal> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Refusal::Invalid(mut wrong)), Err(Refusal::Invalid(more))) => {
            wrong.extend(more);
            Err(Refusal::Invalid(wrong))
        }
        (Err(wrong), Ok(_) | Err(_)) | (Ok(_), Err(wrong)) => Err(wrong),
    }
}

/// A request message of a mutation.
pub(super) trait Mutation: Message {
    fn request_id(&mut self) -> &mut String;
    fn validate_only(&mut self) -> &mut bool;
}

macro_rules! mutations {
    ($($message:ident),* $(,)?) => { $(
        impl Mutation for proto::$message {
            fn request_id(&mut self) -> &mut String {
                &mut self.request_id
            }

            fn validate_only(&mut self) -> &mut bool {
                &mut self.validate_only
            }
        }
    )* };
}

mutations!(
    CreateTicketRequest,
    TicketHistory,
    UpdateTicketRequest,
    TransitionTicketRequest,
    CreateReplyRequest,
    ClaimTicketRequest,
    ReleaseTicketRequest,
    MarkTicketReadRequest,
    ClaimNextTicketRequest,
    LinkTicketsRequest,
    UnlinkTicketsRequest,
    MergeTicketsRequest,
    SplitReplyRequest,
    AssignTicketRequest,
    TransferTicketRequest,
    EscalateTicketRequest,
    CreateAgentRequest,
    UpdateAgentRequest,
    CreateHelpdeskRequest,
    UpdateHelpdeskRequest,
    CreateAccessKeyRequest,
    RevokeAccessKeyRequest,
    CreateUploadRequest,
    RegisterRequesterRequest,
    VerifyRequesterRequest,
    SubmitFeedbackRequest,
);

/// What a mutation's message says of itself.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) request_id: RequestId,
    pub(super) validate_only: bool,
    pub(super) digest: [u8; 32],
    pub(super) bytes: usize,
}

impl Asked {
    /// Of a step that a call takes by itself: nobody repeats it.
    pub(super) fn by_the_way() -> Self {
        let request_id = RequestId { id: Uuid::now_v7().to_string(), fresh: true };
        Self { request_id, validate_only: false, digest: [0; 32], bytes: 256 }
    }

    /// The canonical request is the message without its request id and whether it is only to be validated, its maps in order,
    /// unknown fields left out.
    pub(super) fn of(message: &mut impl Mutation) -> Result<Self, Refusal> {
        let given = std::mem::take(message.request_id());
        let validate_only = std::mem::take(message.validate_only());
        let canonical = message.encode_to_vec();
        Ok(Self {
            request_id: request_id(&given)?,
            validate_only,
            digest: Sha256::digest(&canonical).into(),
            bytes: canonical.len() + 256,
        })
    }
}

fn request_id(given: &str) -> Result<RequestId, Refusal> {
    if given.is_empty() {
        return Ok(RequestId { id: Uuid::now_v7().to_string(), fresh: true });
    }
    match Uuid::try_parse(given) {
        Ok(id) => Ok(RequestId { id: id.to_string(), fresh: false }),
        Err(_) => Err(Refusal::Invalid(vec![Violation::new(
            "request_id",
            format!("{} is not a UUID, such as 3f0c1e5a-9f0b-4c58-a3d1-5b8f0e6a2f10", text::shown(given)),
        )])),
    }
}
