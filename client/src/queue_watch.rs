//! A live view of a queue that outlives its connections.

use std::time::Duration;

use loket::v1::{WatchQueueRequest, WatchQueueResponse};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::Streaming;

use crate::backoff::Backoff;
use crate::client::Client;
use crate::error::{Error, Result};

/// Shows a queue live, across broken connections and restarts of the server. Made by [`Client::watch_queue`].
///
/// A view and not a log: states in between may be skipped, so it is simply opened again whenever it ends. A connection
/// that has died in silence is noticed by the keepalive, within 40 seconds.
#[derive(Debug)]
pub struct QueueWatch {
    client: Client,
    request: WatchQueueRequest,
    backoff: Backoff,
    state: State,
}

#[derive(Debug)]
enum State {
    Closed { at: Instant },
    Open(Box<Streaming<WatchQueueResponse>>),
    Over,
}

impl Client {
    /// Shows a queue live; the stream is opened by the first [`QueueWatch::next`].
    pub fn watch_queue(&self, request: WatchQueueRequest) -> QueueWatch {
        QueueWatch {
            client: self.clone(),
            request,
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(10)),
            state: State::Closed { at: Instant::now() },
        }
    }
}

impl QueueWatch {
    /// The queue as it stands, at once and after each change. None only after an error. Nothing is lost when the future
    /// is dropped.
    ///
    /// # Errors
    ///
    /// Any that opening it again does not help against. The watch is over then.
    pub async fn next(&mut self) -> Result<Option<WatchQueueResponse>> {
        loop {
            let error = match &mut self.state {
                State::Over => return Ok(None),
                State::Closed { at } => {
                    sleep_until(*at).await;
                    match self.open().await {
                        Ok(()) => continue,
                        Err(error) => Some(error),
                    }
                }
                State::Open(stream) => match stream.message().await {
                    Ok(Some(response)) => {
                        self.backoff.reset();
                        return Ok(Some(response));
                    }
                    Ok(None) => None,
                    Err(status) => Some(Error::from(status)),
                },
            };
            let asked = error.as_ref().and_then(Error::retry_delay);
            if let Some(error) = error.filter(|error| !error.is_transient()) {
                self.state = State::Over;
                return Err(error);
            }
            self.state = State::Closed { at: Instant::now() + self.backoff.next(asked) };
        }
    }

    async fn open(&mut self) -> Result<()> {
        let limit = self.client.timeout();
        let stream = match timeout(limit, self.client.queues().watch_queue(self.request.clone())).await {
            Ok(answer) => answer?.into_inner(),
            // A server that is stuck may come back; a revision that does not come is for the caller to know.
            Err(_elapsed) if self.request.min_revision > 0 => return Err(Error::late(limit)),
            Err(_elapsed) => return Err(Error::silent(limit)),
        };
        // It has been waited for.
        self.request.min_revision = 0;
        self.state = State::Open(Box::new(stream));
        Ok(())
    }
}
