//! The life of one `WatchTickets` stream: a snapshot if one was asked for, then changes until one side goes.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use loket::v1 as proto;
use proto::WatchMarker as Marker;
use tokio::time::Instant;
use tonic::Status;

use super::lens::{TicketLens, append};
use crate::engine::Failure;
use crate::feed::{Feed, FeedError, Followed, Lens, Pages, Snapshot, Step, Subscription};
use crate::rpc::encoded::EncodedWatchResponse;
use crate::rpc::identity::KeyEntry;
use crate::rpc::status::Fault;
use crate::rpc::streams::{End, Open, retry_delay};
use crate::store::AnyConnection;
use crate::store::list::{self, Key, Order};

pub(in crate::rpc) type WatchStream = Pin<Box<dyn Stream<Item = Result<EncodedWatchResponse, Status>> + Send>>;

/// How many tickets of a snapshot are read at a time.
const SNAPSHOT_PAGE: usize = 500;

/// All that a stream keeps. There are many: it is small.
pub(super) struct Watch {
    pub(super) open: Open,
    pub(super) feed: Followed,
    pub(super) lens: Arc<TicketLens>,
    pub(super) progress_interval: Duration,
    pub(super) opening: Opening,
    /// None until the snapshot has been read.
    pub(super) subscription: Option<Subscription>,
    pub(super) ended: bool,
}

/// What comes before the changes.
pub(super) enum Opening {
    /// A snapshot is being read.
    Read(Reading),
    Send(Snapshot),
    /// A response with the first token.
    Mark(Marker),
    Done,
}

/// A snapshot that is being read. It goes on from one response to the next.
pub(super) type Reading = Pin<Box<dyn Future<Output = Result<Snapshot, FeedError>> + Send>>;

/// Begins a snapshot in the turn of a key, with the help of the fields that have an index.
pub(super) fn begin_snapshot(
    entry: &Arc<KeyEntry>,
    feed: &Arc<Feed>,
    lens: &Arc<TicketLens>,
    indexed: Vec<String>,
) -> Reading {
    let (entry, feed, lens) = (Arc::clone(entry), Arc::clone(feed), Arc::clone(lens));
    Box::pin(async move {
        // Never closed; and if it were, reading out of turn would do no harm.
        let _turn = entry.snapshots.acquire().await;
        Snapshot::take(&feed, pages(&lens, indexed), lens, Arc::clone(&entry.spooled)).await
    })
}

impl Watch {
    pub(super) fn into_stream(self) -> WatchStream {
        Box::pin(stream::unfold(self, async |mut watch| {
            if watch.ended {
                return None;
            }
            let item = match watch.next().await {
                Ok(response) => Ok(response),
                Err(end) => {
                    watch.ended = true;
                    watch.open.end(end).map_or_else(|| Ok(watch.closing()), Err)
                }
            };
            Some((item.map(EncodedWatchResponse::new), watch))
        }))
    }

    async fn next(&mut self) -> Result<Bytes, End> {
        self.open.check()?;
        if let Opening::Read(reading) = &mut self.opening {
            let snapshot = tokio::select! {
                biased;
                end = self.open.interrupted() => return Err(end),
                taken = reading => taken.map_err(failed)?,
                // A long snapshot: the client must hear that it is coming, or it would give up and begin again, for ever.
                () = tokio::time::sleep(self.progress_interval) => {
                    return Ok(Bytes::from(marker_only(Marker::Progress, None)));
                }
            };
            let lens: Arc<dyn Lens> = self.lens.clone();
            let (place, epoch) = (snapshot.place(), snapshot.epoch());
            self.subscription = Some(self.feed.watch_behind(place, epoch, &self.lens.scope, lens));
            self.opening = Opening::Send(snapshot);
        }
        if let Opening::Send(snapshot) = &mut self.opening {
            if let Some(response) = snapshot.next().await.map_err(failed)? {
                return Ok(response);
            }
            self.opening = Opening::Mark(Marker::SnapshotEnd);
        }
        let Some(subscription) = &mut self.subscription else { return Err(End::Closing) };
        if let Opening::Mark(marker) = self.opening {
            self.opening = Opening::Done;
            return Ok(mark(subscription, marker, None));
        }
        // From now: the client has taken what was sent before.
        let due = Instant::now() + self.progress_interval;
        loop {
            // What there is comes first, and what must be read does not hold up the end.
            let step = tokio::select! {
                biased;
                step = subscription.next() => step.map_err(|error| failed(error.into()))?,
                end = self.open.interrupted() => return Err(end),
                // Others read before it: the client must hear that there is still somebody. Its turn is kept.
                () = tokio::time::sleep_until(due) => return Ok(mark(subscription, Marker::Progress, None)),
            };
            match step {
                Step::Response(response) => return Ok(response),
                Step::Outdated => return Err(End::Closing),
                // A long log without a match: the client must hear how far it is, or it would give up and begin again.
                Step::Passed if Instant::now() >= due => return Ok(mark(subscription, Marker::Progress, None)),
                Step::Passed => {
                    self.open.check()?;
                    continue;
                }
                Step::Idle => {}
            }
            tokio::select! {
                biased;
                end = self.open.interrupted() => return Err(end),
                () = subscription.rung() => {}
                () = tokio::time::sleep_until(due) => return Ok(mark(subscription, Marker::Progress, None)),
            }
        }
    }

    /// The last response: where to go on, if the stream has come so far, and when.
    fn closing(&self) -> Bytes {
        match &self.subscription {
            Some(subscription) if matches!(self.opening, Opening::Done | Opening::Mark(Marker::Progress)) => {
                mark(subscription, Marker::Closing, Some(retry_delay()))
            }
            _ => Bytes::from(marker_only(Marker::Closing, Some(retry_delay()))),
        }
    }
}

/// A response that only says what it means, and up to where everything was told.
fn mark(subscription: &Subscription, marker: Marker, retry_delay: Option<Duration>) -> Bytes {
    let mut response = subscription.seal();
    response.extend(marker_only(marker, retry_delay));
    Bytes::from(response)
}

fn marker_only(marker: Marker, retry_delay: Option<Duration>) -> Vec<u8> {
    let mut response = Vec::new();
    let retry_delay = retry_delay.and_then(|delay| prost_types::Duration::try_from(delay).ok());
    append(&proto::WatchTicketsResponse { marker: marker.into(), retry_delay, ..Default::default() }, &mut response);
    response
}

/// The tickets of the snapshot, in order of receipt.
fn pages(lens: &TicketLens, indexed: Vec<String>) -> Pages {
    let (helpdesk, filter) = (lens.helpdesk.clone(), lens.filter.clone());
    let mut next = Some(Key::default());
    Box::new(move |connection: &mut AnyConnection| {
        let Some(after) = next.take() else { return Ok(None) };
        let page = list::page(connection, &helpdesk, &filter, &indexed, &Order::Created, Some(&after), SNAPSHOT_PAGE)?;
        next = page.next;
        Ok(Some(page.tickets))
    })
}

fn failed(error: FeedError) -> End {
    match error {
        FeedError::Store(error) => End::Failed(Failure::from_store(&error)),
        error @ FeedError::Spool { .. } => {
            tracing::error!("{error}");
            End::Fault(Fault::SnapshotsUnkept)
        }
        FeedError::SpoolsFull { limit } => End::Fault(Fault::TooManySnapshots { limit }),
        FeedError::ShareFull { most } => End::Fault(Fault::TooManyOwnSnapshots { most }),
        FeedError::Outdated => End::Closing,
    }
}
