//! What the streams have in common: how many there may be, and what makes them end from this side.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::identity::Caller;
use super::server::Server;
use super::status::{Denied, Fault};

/// Clients come back within so long after the server has ended their streams.
const RETRY_SPREAD_MILLIS: u64 = 2_000;

/// Kept by a stream as long as it is open.
pub(super) struct Open {
    caller: Caller,
    closing: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// Why a stream ends from this side.
pub(super) enum End {
    /// The server stops, or another view begins: the caller comes back.
    Closing,
    Failed(Status),
}

impl Open {
    /// Counts a stream, or refuses it.
    pub(super) fn new(server: &Server, caller: Caller) -> Result<Self, Fault> {
        let permit = Arc::clone(&server.streams)
            .try_acquire_owned()
            .map_err(|_| Fault::TooManyStreams { limit: server.limits.streams })?;
        Ok(Self { caller, closing: server.closing.clone(), _permit: permit })
    }

    /// Whether the stream is to end. Asked before each response: who is busy waits for nothing.
    pub(super) fn check(&self) -> Result<(), End> {
        if self.caller.entry.revoked.is_cancelled() {
            return Err(End::Failed(Denied::Revoked.into()));
        }
        if self.closing.is_cancelled() { Err(End::Closing) } else { Ok(()) }
    }

    /// Waits until the stream is to end.
    pub(super) async fn interrupted(&self) -> End {
        tokio::select! {
            biased;
            () = self.caller.entry.revoked.cancelled() => End::Failed(Denied::Revoked.into()),
            () = self.closing.cancelled() => End::Closing,
        }
    }
}

/// Different for each stream, so that not all come back at once.
pub(super) fn retry_delay() -> Duration {
    // Without randomness they do, which is no reason to fail.
    let random = getrandom::u64().unwrap_or_default();
    Duration::from_millis(random % RETRY_SPREAD_MILLIS)
}
