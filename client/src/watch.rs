//! A watch that outlives its connections and never hides a gap.

use std::time::Duration;

use futures_util::{Stream, stream};
use loket::v1::{WatchMarker, WatchTicketsRequest, WatchTicketsResponse};

use crate::client::Client;
use crate::error::Result;
use crate::link::{self, Link, Step};

pub use crate::link::Outage;

/// What the server sends a PROGRESS marker after, unless the request says otherwise.
const DEFAULT_PROGRESS: Duration = Duration::from_secs(15);

/// Follows the tickets of a helpdesk, across broken connections and restarts of the server. Made by [`Client::watch`].
///
/// Within what one watch returns there is no gap and no duplicate:
///
/// * When the stream ends, breaks, or is silent for three progress intervals, it is resumed behind the last token.
/// * What cannot be resumed ends the watch with the server's error: `RESUME_TOKEN_EXPIRED`, `RESUME_TOKEN_AHEAD` and
///   `FEED_EPOCH_CHANGED`, with [`Error::oldest_revision`](crate::Error::oldest_revision) and
///   [`Error::head_revision`](crate::Error::head_revision). Whether a new snapshot will do
///   is for the caller to decide. So does a token that a new definition has ended, since it changes what requesters see, or
///   that a server of an older version does not know: `INVALID_RESUME_TOKEN`.
/// * When the stream breaks before the first token has come, it is begun again, and [`WatchItem::Restarted`] says so. What
///   begins is held to the definition in force: a filter that names what is gone from it ends the watch with
///   `INVALID_FILTER`.
///
/// While the server cannot be reached it is waited for, with waits of up to ten seconds, for ever: to give up, drop the
/// watch or put a timeout around [`Watch::next`].
#[derive(Debug)]
pub struct Watch {
    client: Client,
    place: Place,
    link: Link<WatchTicketsResponse>,
}

/// What a watch returns.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchItem {
    /// What the server sent, its PROGRESS and CLOSING markers included.
    Response(WatchTicketsResponse),
    /// The stream broke before its first token, and is being begun again. Started with SNAPSHOT: forget what came so far,
    /// the whole snapshot comes anew. Started with NOW: changes since the first start may have been missed.
    Restarted,
}

/// Where in the feed a watch is, apart from any connection.
#[derive(Debug)]
struct Place {
    request: WatchTicketsRequest,
    /// Since the stream was opened for the first time.
    opened: bool,
    /// How long the server asked to wait when it announced the end.
    closing: Option<Duration>,
}

impl Client {
    /// Follows the tickets that match a filter; the stream is opened by the first [`Watch::next`].
    ///
    /// ```no_run
    /// use loket_client::v1::{WatchStart, WatchTicketsRequest};
    /// use loket_client::{Client, Error, WatchItem};
    ///
    /// # async fn follow(client: Client) -> Result<(), Error> {
    /// let mut watch = client.watch(WatchTicketsRequest {
    ///     parent: "helpdesks/smmpanel".to_owned(),
    ///     filter: "queue = order".to_owned(),
    ///     start: WatchStart::Snapshot.into(),
    ///     ..WatchTicketsRequest::default()
    /// });
    /// let mut events = Vec::new();
    /// while let Some(item) = watch.next().await? {
    ///     match item {
    ///         WatchItem::Response(response) => events.extend(response.events),
    ///         WatchItem::Restarted => events.clear(),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, request: WatchTicketsRequest) -> Watch {
        Watch { client: self.clone(), place: Place { request, opened: false, closing: None }, link: Link::new() }
    }
}

impl Watch {
    /// What comes next. None only after an error. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// Any that resuming does not help against. The watch is over then.
    pub async fn next(&mut self) -> Result<Option<WatchItem>> {
        loop {
            let (client, request) = (&self.client, &self.place.request);
            let open = || {
                let (client, request) = (client.clone(), request.clone());
                async move {
                    let (limit, min_revision) = (client.timeout(), request.min_revision);
                    link::open(limit, min_revision, client.tickets().watch_tickets(request)).await
                }
            };
            match self.link.next(Some(self.place.patience()), open).await {
                Step::Opened => self.place.opened = true,
                Step::Message(response) => {
                    self.place.received(&response);
                    return Ok(Some(WatchItem::Response(response)));
                }
                Step::Ended(error) => {
                    self.link.again(error, self.place.closing.take())?;
                    if self.place.restarted() {
                        return Ok(Some(WatchItem::Restarted));
                    }
                }
                Step::Over => return Ok(None),
            }
        }
    }

    /// How long it has been without a stream, and why; None while it has one. Its own tries go on: this is for whoever shows
    /// what comes, and would else take old news for the latest.
    pub fn outage(&self) -> Option<Outage> {
        self.link.outage()
    }

    /// The token behind everything returned so far: with it, another watch with the same filter goes on from here. None
    /// until the snapshot has ended.
    pub fn resume_token(&self) -> Option<&str> {
        self.place.token()
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<WatchItem>> + Send {
        stream::unfold(self, |mut watch| async move { watch.next().await.transpose().map(|item| (item, watch)) })
    }
}

impl Place {
    fn token(&self) -> Option<&str> {
        Some(self.request.resume_token.as_str()).filter(|token| !token.is_empty())
    }

    fn received(&mut self, response: &WatchTicketsResponse) {
        if !response.resume_token.is_empty() {
            self.request.resume_token.clone_from(&response.resume_token);
            self.request.start = 0;
            // It has been waited for, and after a restore it would never come.
            self.request.min_revision = 0;
        }
        if response.marker() == WatchMarker::Closing {
            // The servers spread these already. Bounded: none may put a client to sleep for ever.
            let announced = duration(response.retry_delay.as_ref()).unwrap_or_default();
            self.closing = Some(announced.min(Duration::from_mins(5)));
        }
    }

    /// Whether the next opening begins anew what had begun before.
    fn restarted(&mut self) -> bool {
        std::mem::take(&mut self.opened) && self.token().is_none()
    }

    /// How long the stream may be silent.
    fn patience(&self) -> Duration {
        3 * duration(self.request.progress_interval.as_ref()).unwrap_or(DEFAULT_PROGRESS).max(Duration::from_secs(1))
    }
}

fn duration(duration: Option<&prost_types::Duration>) -> Option<Duration> {
    Duration::try_from(*duration?).ok()
}

#[cfg(test)]
mod tests {
    use loket::v1::WatchStart;

    use super::*;

    fn place(start: WatchStart) -> Place {
        let request = WatchTicketsRequest { start: start.into(), min_revision: 3, ..WatchTicketsRequest::default() };
        Place { request, opened: true, closing: None }
    }

    fn token(token: &str) -> WatchTicketsResponse {
        WatchTicketsResponse { resume_token: token.to_owned(), ..WatchTicketsResponse::default() }
    }

    #[test]
    fn a_snapshot_without_its_end_is_begun_anew_and_said_so() {
        let mut place = place(WatchStart::Snapshot);
        place.received(&token(""));
        assert!(place.restarted());
        assert_eq!(place.request.start(), WatchStart::Snapshot);
        assert!(!place.restarted(), "said once, until it is opened again");
    }

    #[test]
    fn after_the_first_token_it_resumes_behind_the_last() {
        let mut place = place(WatchStart::Now);
        place.received(&token("a"));
        place.received(&token("b"));
        assert!(!place.restarted());
        assert_eq!(place.token(), Some("b"));
        assert_eq!((place.request.start(), place.request.min_revision), (WatchStart::Unspecified, 0));
    }

    #[test]
    fn the_wait_of_a_closing_server_is_kept() {
        let mut place = place(WatchStart::Now);
        place.received(&WatchTicketsResponse {
            marker: WatchMarker::Closing.into(),
            retry_delay: Some(prost_types::Duration { seconds: 2, nanos: 0 }),
            ..token("a")
        });
        assert_eq!(place.closing, Some(Duration::from_secs(2)));
    }

    #[test]
    fn silence_is_measured_by_the_progress_interval() {
        let mut place = place(WatchStart::Now);
        assert_eq!(place.patience(), Duration::from_secs(45));
        place.request.progress_interval = Some(prost_types::Duration { seconds: 1, nanos: 0 });
        assert_eq!(place.patience(), Duration::from_secs(3));
    }
}
