//! `WatchQueue`: a live view. It may skip states in between, so it reads the queue as it stands when something touched it.

mod views;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use loket::v1 as proto;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use self::views::View;
pub(in crate::rpc) use self::views::Views;
use super::get;
use crate::domain::{Refusal, Violation};
use crate::engine::{Engine, Failure};
use crate::feed::{Feed, Followed, Head};
use crate::rpc::call::Call;
use crate::rpc::convert::Sight;
use crate::rpc::read::Reading;
use crate::rpc::server::Server;
use crate::rpc::status::Fault;
use crate::rpc::streams::{End, Open, retry_delay};
use crate::rpc::{names, page};
use crate::store::{AnyConnection, StoreError, dialect, heads, queues};

pub(in crate::rpc) type WatchStream = Pin<Box<dyn Stream<Item = Result<proto::WatchQueueResponse, Status>> + Send>>;

/// People do not see more.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

const DEFAULT_TICKETS: i32 = 20;
const MOST_TICKETS: i32 = 200;

pub(in crate::rpc) async fn watch(
    server: &Server,
    request: Request<proto::WatchQueueRequest>,
) -> Result<Response<WatchStream>, Status> {
    let call = Call::of(request.extensions())?;
    let open = Open::new(server, &call, "/loket.v1.QueueService/WatchQueue")?;
    let proto::WatchQueueRequest { name, max_tickets, min_revision } = request.into_inner();
    let (helpdesk, queue) = names::queue("name", &name)?;
    call.caller.must_be_staff("watching queues")?;
    let limit = match max_tickets {
        0 => DEFAULT_TICKETS,
        1..=MOST_TICKETS => max_tickets,
        wrong => {
            let description = format!("{wrong} is not 1 to {MOST_TICKETS}, nor 0 for {DEFAULT_TICKETS}");
            return Err(Refusal::Invalid(vec![Violation::new("max_tickets", description)]).into());
        }
    };
    let reading = Reading::begin(server, &call, &helpdesk, min_revision).await?;
    if reading.version.definition.queue(&queue).is_none() {
        return Err(Refusal::NotFound { kind: "Queue", name }.into());
    }
    let feed = server.engine.hub().feed(&helpdesk).await.map_err(|error| Failure::from_store(&error))?;
    let epoch = feed.epoch();
    let watch = Watch {
        open,
        view: server.views.get((helpdesk, epoch, queue.clone(), limit)),
        min_revision,
        engine: Arc::clone(&server.engine),
        bell: feed.bell(),
        epoch,
        feed,
        queue,
        limit,
        seen: -1,
        shown: None,
        next_look: Instant::now(),
        ended: false,
    };
    Ok(Response::new(watch.into_stream()))
}

struct Watch {
    open: Open,
    view: Arc<View>,
    min_revision: i64,
    engine: Arc<Engine>,
    feed: Followed,
    epoch: u64,
    bell: watch::Receiver<Head>,
    queue: String,
    limit: i32,
    /// The revision that was read last; -1 before the first.
    seen: i64,
    /// The hash of what was sent last.
    shown: Option<[u8; 32]>,
    next_look: Instant,
    ended: bool,
}

impl Watch {
    fn into_stream(self) -> WatchStream {
        Box::pin(stream::unfold(self, async |mut watch| {
            if watch.ended {
                return None;
            }
            let item = match watch.next().await {
                Ok(response) => Ok(response),
                Err(end) => {
                    watch.ended = true;
                    Err(watch
                        .open
                        .end(end)
                        .unwrap_or_else(|| Fault::StreamClosing { retry_after: retry_delay() }.into()))
                }
            };
            Some((item, watch))
        }))
    }

    /// The queue as it stands when it next differs from what was sent.
    async fn next(&mut self) -> Result<proto::WatchQueueResponse, End> {
        self.open.check()?;
        loop {
            tokio::select! {
                biased;
                end = self.open.interrupted() => return Err(end),
                () = touched(&self.feed, self.epoch, &mut self.bell, &self.queue, self.seen) => {}
            }
            if self.feed.epoch() != self.epoch {
                return Err(End::Closing);
            }
            tokio::select! {
                biased;
                end = self.open.interrupted() => return Err(end),
                () = tokio::time::sleep_until(self.next_look) => {}
            }
            self.next_look = Instant::now() + LEAST_INTERVAL;
            let wanted = self.feed.queue_revision(&self.queue).max(self.min_revision);
            let shown = tokio::select! {
                biased;
                shown = self.view.at(wanted, self.read()) => shown.map_err(End::Failed)?,
                end = self.open.interrupted() => return Err(end),
            };
            self.seen = shown.response.revision;
            if self.shown.replace(shown.hash) != Some(shown.hash) {
                return Ok(shown.response.clone());
            }
        }
    }

    fn read(&self) -> impl Future<Output = Result<proto::WatchQueueResponse, Failure>> + Send + use<> {
        let engine = Arc::clone(&self.engine);
        let (helpdesk, id, limit) = (self.feed.helpdesk().to_owned(), self.queue.clone(), self.limit);
        let reader = Arc::clone(&self.engine);
        let name = format!("helpdesks/{helpdesk}/queues/{id}");
        let query = move |connection: &mut AnyConnection| {
            dialect::read(connection, |connection| {
                let version = engine.definition_on(connection, &helpdesk)?;
                let Some(version) = version else { return Ok(None) };
                let Some(queue) = version.definition.queue(&id) else { return Ok(None) };
                let revision = heads::last_revision(connection, &helpdesk)?;
                let tickets = queues::first(connection, &helpdesk, &id, i64::from(limit))?;
                let tickets = (1..).zip(&tickets).map(|(position, ticket)| {
                    let ticket = Sight::Staff.ticket(&helpdesk, ticket, false);
                    let ticket = Some(proto::Ticket { solution: String::new(), ..ticket });
                    proto::QueuedTicket { position, ticket }
                });
                let mut tickets: Vec<_> = tickets.collect();
                tickets.truncate(page::fitting(&tickets));
                let queue = get::read(connection, &helpdesk, &version.definition, queue)?;
                Ok::<_, StoreError>(Some(proto::WatchQueueResponse { queue: Some(queue), tickets, revision }))
            })
        };
        async move {
            // A definition may have taken the queue away.
            let found = reader.read(query).await?;
            found.ok_or_else(|| Refusal::NotFound { kind: "Queue", name }.into())
        }
    }
}

/// Waits until a revision behind `seen` may have changed what the queue shows, or the log is another one.
async fn touched(feed: &Feed, epoch: u64, bell: &mut watch::Receiver<Head>, queue: &str, seen: i64) {
    let is_touched = || feed.queue_revision(queue) > seen || feed.epoch() != epoch;
    while seen >= 0 && !is_touched() {
        bell.mark_unchanged();
        // Between looking and waiting the bell may have rung.
        if is_touched() || bell.changed().await.is_err() {
            return;
        }
    }
}
