//! A command on its way, and what becomes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::domain::commands::Command;
use crate::domain::context::Answer;
use crate::domain::{Actor, Refusal};
use crate::store::StoreError;

/// A command with everything that came with it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its id.
    pub helpdesk: Arc<str>,
    pub actor: Actor,
    pub command: Command,
    pub request_id: RequestId,
    /// SHA-256 of the canonical request.
    pub digest: [u8; 32],
    /// Nobody waits for it any longer than this.
    pub deadline: Option<Instant>,
    /// What it weighs in the queue.
    pub bytes: usize,
    /// Gives way to what people wait for.
    pub bulk: bool,
    pub validate_only: bool,
}

/// What makes a command safe to repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    pub id: String,
    /// Made by the server and never tried: nobody can have used it, so it is not looked up. Cleared by a commit of unknown
    /// outcome.
    pub fresh: bool,
}

/// What was committed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The revision that did it; for what changed nothing, the last that mattered; 0 for none.
    pub revision: i64,
    /// It was done before, under the same request id: the answer is to be rebuilt from the revision.
    pub replayed: bool,
    pub answer: Answer,
    /// The ticket of the answer as the log has it, if it was just written: a message as staff see it, without its body.
    pub encoded: Option<Bytes>,
}

/// Why nothing, or nothing certain, was committed. As a sentence it is for the operator; what callers read is made of its parts.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    #[error("it was refused: {0:?}")]
    Refused(Refusal),
    /// Nothing was done.
    #[error("as many commands wait for the helpdesk as there may")]
    Overloaded { retry_after: Duration },
    #[error("{limit} claims wait for a ticket, which are as many as there may")]
    TooManyWaiting { limit: usize },
    /// Nothing more is taken.
    #[error("the server is stopping")]
    ShuttingDown,
    /// Whether the command was done is open.
    #[error("the database does not answer")]
    StoreUnavailable,
    /// What was acknowledged is kept.
    #[error("the folder of the attachments does not answer, or is full")]
    ContentUnavailable,
    #[error("it took too long")]
    TimedOut,
    /// For a reason that trying again does not mend; the text is for the operator.
    #[error("{0}")]
    Store(Arc<str>),
    #[error("the server failed, as its log says")]
    Internal,
}

impl Failure {
    /// The operator reads the error, where it is not transient with the call that it failed; the caller learns only whether trying
    /// again may help.
    pub fn from_store(error: &StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "the database does not answer");
            Self::StoreUnavailable
        } else {
            Self::Store(error.to_string().into())
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A request and who waits for it.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) request: Box<Request>,
    answer: oneshot::Sender<Result<Outcome, Failure>>,
}

impl Submission {
    pub(super) fn new(request: Box<Request>, answer: oneshot::Sender<Result<Outcome, Failure>>) -> Self {
        Self { request, answer }
    }

    /// Whether anybody still waits for it.
    pub(super) fn is_wanted(&self, now: Instant) -> bool {
        !self.answer.is_closed() && self.request.deadline.is_none_or(|deadline| deadline > now)
    }

    /// Tells who waits; nobody waiting any more is no error.
    pub(super) fn answer(self, outcome: Result<Outcome, Failure>) {
        let _ = self.answer.send(outcome);
    }
}
