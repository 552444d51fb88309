//! A live view of a queue that outlives its connections.

use loket::v1::{WatchQueueRequest, WatchQueueResponse};

use crate::client::Client;
use crate::error::Result;
use crate::link::{self, Link, Outage, Step};

/// Shows a queue live, across broken connections and restarts of the server. Made by [`Client::watch_queue`].
///
/// A view and not a log: states in between may be skipped, so it is simply opened again whenever it ends. A connection
/// that has died in silence is noticed by the keepalive, within 40 seconds.
#[derive(Debug)]
pub struct QueueWatch {
    client: Client,
    request: WatchQueueRequest,
    link: Link<WatchQueueResponse>,
}

impl Client {
    /// Shows a queue live; the stream is opened by the first [`QueueWatch::next`].
    pub fn watch_queue(&self, request: WatchQueueRequest) -> QueueWatch {
        QueueWatch { client: self.clone(), request, link: Link::new() }
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
            let (client, request) = (&self.client, &self.request);
            let open = || {
                let (client, request) = (client.clone(), request.clone());
                async move {
                    let (limit, min_revision) = (client.timeout(), request.min_revision);
                    link::open(limit, min_revision, client.queues().watch_queue(request)).await
                }
            };
            match self.link.next(None, open).await {
                // It has been waited for.
                Step::Opened => self.request.min_revision = 0,
                Step::Message(response) => return Ok(Some(response)),
                Step::Ended(error) => self.link.again(error, None)?,
                Step::Over => return Ok(None),
            }
        }
    }

    /// How long it has been without a stream, and why; None while it has one. Its own tries go on: this is for whoever shows
    /// what comes, and would else take old news for the latest.
    pub fn outage(&self) -> Option<Outage> {
        self.link.outage()
    }
}
