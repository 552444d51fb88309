//! What the streams have in common: how many there may be, what makes them end from this side, and what operators see.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

use super::call::{Call, CallId};
use super::caller::Caller;
use super::server::Server;
use super::share::{Of, Place};
use super::status::{Denied, Fault, code_name, failed_call};
use crate::engine::Failure;

/// Clients come back within so long after the server has ended their streams.
const RETRY_SPREAD_MILLIS: u64 = 2_000;

/// Kept by a stream as long as it is open.
pub(super) struct Open {
    caller: Arc<Caller>,
    id: CallId,
    /// Its path, as the meters of calls have it.
    method: &'static str,
    closing: CancellationToken,
    /// How it ended; until it has, the other side may go at any time.
    ended: &'static str,
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// Why a stream ends from this side.
pub(super) enum End {
    /// The server stops, or another view begins: the caller comes back.
    Closing,
    Denied(Denied),
    Fault(Fault),
    Failed(Failure),
    /// The other side broke it off, or sent what is no message.
    Broken(Status),
}

impl Open {
    /// Counts a stream, or refuses it.
    pub(super) fn new(server: &Server, call: &Call, method: &'static str) -> Result<Self, Status> {
        let limit = server.limits.streams;
        let place = Place::take(&call.caller.entry, Of::Streams, limit)?;
        let permit = Arc::clone(&server.streams).try_acquire_owned().map_err(|_| Fault::TooManyStreams { limit })?;
        metrics::gauge!("loket_streams_open", "method" => method).increment(1.0);
        Ok(Self {
            caller: call.caller.clone(),
            id: call.id.clone(),
            method,
            closing: server.closing.clone(),
            ended: "Cancelled",
            _permit: permit,
            _place: place,
        })
    }

    /// Notes how the stream ends, and says what the other side is told; None where the stream says itself that it closes.
    pub(super) fn end(&mut self, end: End) -> Option<Status> {
        let status = match end {
            End::Closing => {
                self.ended = "Ok";
                return None;
            }
            End::Denied(denied) => denied.into(),
            End::Fault(fault) => fault.into(),
            End::Failed(failure) => failed_call(failure, &self.id.0),
            End::Broken(status) => status,
        };
        self.ended = code_name(status.code());
        if status.code() == Code::Internal {
            tracing::error!(method = self.method, request_id = %self.id.0, "a stream failed");
        }
        Some(status)
    }

    /// Notes that it came to its end.
    pub(super) fn done(&mut self) {
        self.ended = "Ok";
    }

    /// Whether the stream is to end. Asked before each response: who is busy waits for nothing.
    pub(super) fn check(&self) -> Result<(), End> {
        if self.caller.entry.revoked.is_cancelled() {
            return Err(End::Denied(Denied::Revoked));
        }
        if self.closing.is_cancelled() { Err(End::Closing) } else { Ok(()) }
    }

    /// Waits until the stream is to end.
    pub(super) async fn interrupted(&self) -> End {
        tokio::select! {
            biased;
            () = self.caller.entry.revoked.cancelled() => End::Denied(Denied::Revoked),
            () = self.closing.cancelled() => End::Closing,
        }
    }
}

impl<R: Into<Failure>> From<R> for End {
    fn from(failure: R) -> Self {
        Self::Failed(failure.into())
    }
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!("loket_streams_open", "method" => self.method).decrement(1.0);
        metrics::counter!("loket_streams_ended_total", "method" => self.method, "code" => self.ended).increment(1);
    }
}

/// Different for each stream, so that not all come back at once.
pub(super) fn retry_delay() -> Duration {
    // Without randomness they do, which is no reason to fail.
    let random = getrandom::u64().unwrap_or_default();
    Duration::from_millis(random % RETRY_SPREAD_MILLIS)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Duration, RETRY_SPREAD_MILLIS, retry_delay};

    #[test]
    fn streams_that_end_together_come_back_apart() {
        let delays: HashSet<_> = std::iter::repeat_with(retry_delay).take(100).collect();
        assert!(delays.len() > 50, "{delays:?}");
        assert!(delays.iter().all(|delay| *delay < Duration::from_millis(RETRY_SPREAD_MILLIS)));
    }
}
