//! A watcher that goes from server to server with its token, and notes what it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loket::v1::{Ticket, WatchStart, WatchTicketsRequest, WatchTicketsResponse};
use loket_client::{Client, Watch, WatchItem};

use super::Run;
use crate::failure::Failure;

/// How often the server says how far it is: so a watcher knows that it has seen all.
const PROGRESS: prost_types::Duration = prost_types::Duration { seconds: 1, nanos: 0 };

/// How often a watcher looks whether it is done.
const LOOK: Duration = Duration::from_millis(200);

/// When watchers are done.
pub(super) struct Goal {
    /// The last revision to be told; unknown at first.
    pub(super) last: AtomicI64,
    late: AtomicBool,
}

impl Default for Goal {
    fn default() -> Self {
        Self { last: AtomicI64::new(i64::MAX), late: AtomicBool::new(false) }
    }
}

impl Goal {
    /// What is not told by then is missed.
    pub(super) fn give_up_after(self: &Arc<Self>, patience: Duration) {
        let goal = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            goal.late.store(true, Ordering::Relaxed);
        });
    }

    fn is_reached(&self, told: i64) -> bool {
        told >= self.last.load(Ordering::Relaxed) || self.late.load(Ordering::Relaxed)
    }
}

/// What one watcher was told.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Everything behind this revision was to be told.
    pub(super) from: i64,
    /// In the order in which they came.
    pub(super) events: Vec<Event>,
    /// How the tickets stand after all of them.
    pub(super) tickets: BTreeMap<String, Ticket>,
    pub(super) resumed: u64,
    pub(super) error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) revision: i64,
    pub(super) ordinal: i32,
    pub(super) ticket: String,
    /// From the commit to the arrival, by this machine's clock.
    pub(super) micros: u64,
    /// The server that told it.
    pub(super) place: usize,
}

pub(super) struct Watcher {
    clients: Arc<[Client]>,
    place: usize,
    parent: String,
    resume_every: Duration,
    token: String,
    told: i64,
    seen: Seen,
}

impl Watcher {
    /// It begins now: what is committed after this returns is to be told.
    pub(super) async fn begin(
        clients: Arc<[Client]>,
        number: usize,
        run: &Run,
        resume_every: Duration,
    ) -> Result<Self, Failure> {
        let place = number % clients.len();
        let (token, told, seen) = (String::new(), 0, Seen::default());
        let mut watcher = Self { clients, place, parent: run.parent.clone(), resume_every, token, told, seen };
        let mut watch = watcher.open();
        while watcher.token.is_empty() {
            match watch.next().await? {
                Some(WatchItem::Response(response)) => watcher.take(&response),
                Some(WatchItem::Restarted) => {}
                None => return Err(Failure::Other("the server ended the watch".to_owned())),
            }
        }
        watcher.seen.from = watcher.told;
        Ok(watcher)
    }

    pub(super) async fn follow(mut self, goal: Arc<Goal>) -> Seen {
        while !goal.is_reached(self.told) && self.seen.error.is_none() {
            let mut watch = self.open();
            self.seen.resumed += 1;
            let leave = Instant::now() + self.resume_every;
            while !goal.is_reached(self.told) && self.seen.error.is_none() && Instant::now() < leave {
                match tokio::time::timeout(LOOK, watch.next()).await {
                    Err(_elapsed) => {}
                    Ok(Ok(Some(WatchItem::Response(response)))) => self.take(&response),
                    Ok(Ok(Some(WatchItem::Restarted))) => self.fail("a watch with a token was begun anew"),
                    Ok(Ok(None)) => self.fail("the watch ended"),
                    Ok(Err(error)) => self.fail(&format!("watching: {error}")),
                }
            }
            self.place = (self.place + 1) % self.clients.len();
        }
        self.seen
    }

    fn open(&self) -> Watch {
        let start = if self.token.is_empty() { WatchStart::Now } else { WatchStart::Unspecified };
        self.clients[self.place].watch(WatchTicketsRequest {
            parent: self.parent.clone(),
            start: start.into(),
            resume_token: self.token.clone(),
            progress_interval: Some(PROGRESS),
            ..WatchTicketsRequest::default()
        })
    }

    fn take(&mut self, response: &WatchTicketsResponse) {
        let now = micros_now();
        for event in &response.events {
            let (Some(change), Some(ticket)) = (&event.change, &event.ticket) else {
                self.fail("an event without its ticket or its change");
                continue;
            };
            let committed = change
                .commit_time
                .as_ref()
                .map_or(now, |time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000);
            self.seen.events.push(Event {
                revision: event.revision,
                ordinal: change.ordinal,
                ticket: ticket.name.clone(),
                micros: u64::try_from(now - committed).unwrap_or(0),
                place: self.place,
            });
            self.seen.tickets.insert(ticket.name.clone(), ticket.clone());
        }
        if !response.resume_token.is_empty() {
            self.token.clone_from(&response.resume_token);
            self.told = response.revision;
        }
    }

    fn fail(&mut self, why: &str) {
        self.seen.error.get_or_insert_with(|| why.to_owned());
    }
}

/// The servers' clock is this machine's, or close to it.
#[allow(clippy::disallowed_methods)]
fn micros_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}
