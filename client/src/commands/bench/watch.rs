//! `loket bench watch`: what reaches the watchers while tickets arrive, and whether it is everything.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use loket::v1::{WatchStart, WatchTicketsRequest};
use prost_types::Timestamp;
use serde::Serialize;
use tokio::task::JoinSet;
use tonic::Streaming;

use super::connection::Connection;
use super::desk::{Created, Creator, Desk, PRODUCTS, TicketArgs};
use super::load::{self, Latency, Stop, closed_loop};
use super::{Bench, LoadArgs, idle, positive};
use crate::commands::report::report;
use crate::failure::Failure;

const WATCH: &str = "/loket.v1.TicketService/WatchTickets";

/// How often the server says how far it is: so a watcher whose filter matches nothing more knows that it has seen all.
const PROGRESS: prost_types::Duration = prost_types::Duration { seconds: 1, nanos: 0 };

/// How long a watcher may lag behind the last ticket before what it has not seen counts as a gap.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measure how fast changes reach watchers, and check that each sees every one, once and in order.
///
/// Half of the watchers see all tickets, the others each a tenth by one of ten filters.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    load: LoadArgs,

    #[command(flatten)]
    tickets: TicketArgs,

    /// Streams, spread over the connections.
    #[arg(long, default_value_t = 100, value_parser = positive)]
    watchers: usize,

    /// Instead, open so many streams, leave them idle for the duration, and measure the server's memory.
    #[arg(long, value_name = "N", value_parser = positive, requires = "server_pid")]
    idle: Option<usize>,

    /// The server's process, on this machine, for --idle.
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
}

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    watchers: usize,
    /// Events delivered per second, to all watchers together.
    delivered_rate: f64,
    /// Tickets created per second.
    created_rate: f64,
    delivered: u64,
    created: u64,
    /// From the commit to the arrival.
    p50_micros: u64,
    p99_micros: u64,
    /// Changes that a watcher should have seen and did not.
    gaps: u64,
    /// Changes that a watcher saw again, or after a later one.
    duplicates: u64,
    connections: usize,
    in_flight: usize,
    duration_seconds: f64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
}

pub(super) async fn run(args: Args, bench: &Bench) -> Result<(), Failure> {
    let LoadArgs { connections, in_flight, duration, warmup, ref helpdesk, ref further_endpoints } = args.load;
    let stop = Stop::on_interrupt();
    let desk = Desk::open(&bench.client, helpdesk, &args.tickets).await?;
    if let (Some(streams), Some(pid)) = (args.idle, args.server_pid) {
        return idle::run(streams, pid, &desk, &args.load, &stop, bench).await;
    }
    let opened = Connection::open(&bench.options, further_endpoints, connections).await?;

    let run = Arc::new(Run::default());
    let mut watchers = JoinSet::new();
    for (number, connection) in opened.iter().cycle().take(args.watchers).enumerate() {
        let product = product_of(number);
        let stream = open(&mut connection.clone(), &desk, product, Some(PROGRESS)).await?;
        watchers.spawn(Watcher::new(product, Arc::clone(&run)).follow(stream));
    }

    let mut creators: Vec<Creator> = opened
        .iter()
        .cycle()
        .take(in_flight)
        .enumerate()
        .map(|(number, connection)| {
            let mut creator = desk.creator(connection, number);
            creator.created = Some(Vec::new());
            creator
        })
        .collect();
    let counting = tokio::spawn(Arc::clone(&run).count_between(Instant::now() + warmup, duration, stop.clone()));
    let tally = closed_loop(&mut creators, warmup, duration, &stop).await;
    let counted = counting.await.unwrap_or_default();

    let created: Vec<Created> = creators.into_iter().filter_map(|creator| creator.created).flatten().collect();
    run.last.store(created.iter().map(|created| created.revision).max().unwrap_or(0), Ordering::Relaxed);
    let truth = Truth::of(&created);
    stop_when_late(&run);

    let mut latency = load::histogram();
    let (mut gaps, mut duplicates, mut first_error) = (0, 0, tally.first_error.clone());
    let mut errors = tally.errors;
    while let Some(seen) = watchers.join_next().await {
        let Ok(seen) = seen else { continue };
        gaps += truth.gaps(&seen);
        duplicates += seen.duplicates;
        errors += u64::from(seen.error.is_some());
        first_error = first_error.or(seen.error);
        // It fails only for values beyond the range, and the range grows.
        let _ = latency.add(&seen.latency);
    }
    let Latency { p50_micros, p99_micros } = Latency::of(&latency);
    let result = Report {
        helpdesk: helpdesk.clone(),
        watchers: args.watchers,
        delivered_rate: counted as f64 / tally.measured.as_secs_f64().max(1e-6),
        created_rate: tally.rate(),
        delivered: run.delivered.load(Ordering::Relaxed),
        created: created.len() as u64,
        p50_micros,
        p99_micros,
        gaps,
        duplicates,
        connections,
        in_flight,
        duration_seconds: tally.measured.as_secs_f64(),
        errors,
        first_error,
    };
    report(bench.output, &result, Report::lines)
}

/// Every second watcher sees all tickets; the others share the products.
pub(super) fn product_of(watcher: usize) -> Option<usize> {
    (watcher % 2 == 1).then_some(watcher / 2 % PRODUCTS)
}

/// Opens a stream from now on.
pub(super) async fn open(
    connection: &mut Connection,
    desk: &Desk,
    product: Option<usize>,
    progress_interval: Option<prost_types::Duration>,
) -> Result<Streaming<Response>, Failure> {
    let request = WatchTicketsRequest {
        parent: desk.parent.clone(),
        filter: product.map(Desk::filter).unwrap_or_default(),
        start: WatchStart::Now.into(),
        progress_interval,
        ..WatchTicketsRequest::default()
    };
    Ok(connection.stream(WATCH, request).await.map_err(loket_client::Error::from)?)
}

/// Ends the watchers that wait in vain for what they will not see.
fn stop_when_late(run: &Arc<Run>) {
    let run = Arc::clone(run);
    tokio::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        run.late.store(true, Ordering::Relaxed);
    });
}

/// What all watchers share.
struct Run {
    delivered: AtomicU64,
    /// The last revision to wait for; unknown at first.
    last: AtomicI64,
    late: AtomicBool,
}

impl Default for Run {
    fn default() -> Self {
        Self { delivered: AtomicU64::new(0), last: AtomicI64::new(i64::MAX), late: AtomicBool::new(false) }
    }
}

impl Run {
    /// The events delivered in the window.
    async fn count_between(self: Arc<Self>, begin: Instant, window: Duration, stop: Stop) -> u64 {
        stop.sleep_until(begin).await;
        let before = self.delivered.load(Ordering::Relaxed);
        stop.sleep_until(begin + window).await;
        self.delivered.load(Ordering::Relaxed) - before
    }
}

/// Follows one stream and checks it.
struct Watcher {
    run: Arc<Run>,
    seen: Seen,
    /// The revision and the ordinal of the last event.
    last: (i64, i32),
    /// Up to here the server has told everything.
    told: i64,
}

/// What one watcher saw.
struct Seen {
    product: Option<usize>,
    revisions: Vec<i64>,
    duplicates: u64,
    latency: Histogram<u64>,
    error: Option<String>,
}

impl Watcher {
    fn new(product: Option<usize>, run: Arc<Run>) -> Self {
        let seen = Seen { product, revisions: Vec::new(), duplicates: 0, latency: load::histogram(), error: None };
        Self { run, seen, last: (0, 0), told: 0 }
    }

    async fn follow(mut self, mut stream: Streaming<Response>) -> Seen {
        while self.told < self.run.last.load(Ordering::Relaxed) && !self.run.late.load(Ordering::Relaxed) {
            match tokio::time::timeout(Duration::from_secs(5), stream.message()).await {
                Err(_elapsed) => {}
                Ok(Ok(Some(response))) => self.take(&response),
                Ok(Ok(None)) => {
                    self.seen.error = Some("the server ended the stream".to_owned());
                    break;
                }
                Ok(Err(status)) => {
                    self.seen.error = Some(loket_client::Error::from(status).to_string());
                    break;
                }
            }
        }
        self.seen
    }

    fn take(&mut self, response: &Response) {
        let now = micros_now();
        self.run.delivered.fetch_add(response.events.len() as u64, Ordering::Relaxed);
        for event in &response.events {
            let (ordinal, committed) =
                event.change.as_ref().map_or((0, None), |change| (change.ordinal, change.commit_time));
            if (event.revision, ordinal) <= self.last {
                self.seen.duplicates += 1;
            }
            self.last = (event.revision, ordinal);
            self.seen.revisions.push(event.revision);
            if let Some(Timestamp { seconds, nanos }) = committed {
                let committed = seconds * 1_000_000 + i64::from(nanos) / 1000;
                let _ = self.seen.latency.record((now - committed).max(0) as u64);
            }
        }
        self.told = self.told.max(response.revision).max(self.last.0);
    }
}

/// The tickets that were created, by whom they should reach.
struct Truth {
    all: Vec<i64>,
    by_product: HashMap<usize, Vec<i64>>,
}

impl Truth {
    fn of(created: &[Created]) -> Self {
        let mut truth = Self { all: Vec::new(), by_product: HashMap::new() };
        for Created { product, revision } in created {
            truth.all.push(*revision);
            truth.by_product.entry(*product).or_default().push(*revision);
        }
        truth
    }

    /// How many the watcher should have seen and did not.
    fn gaps(&self, seen: &Seen) -> u64 {
        let expected = match seen.product {
            None => self.all.as_slice(),
            Some(product) => self.by_product.get(&product).map(Vec::as_slice).unwrap_or_default(),
        };
        // In order unless there are duplicates, which are counted elsewhere.
        let mut revisions = seen.revisions.clone();
        revisions.sort_unstable();
        expected.iter().filter(|revision| revisions.binary_search(revision).is_err()).count() as u64
    }
}

impl Report {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("delivered", format!("{:.0} events/s, {} in all", self.delivered_rate, self.delivered)),
            ("created", format!("{:.0} tickets/s, {} in all", self.created_rate, self.created)),
            ("commit to arrival p50, p99", format!("{} µs, {} µs", self.p50_micros, self.p99_micros)),
            ("gaps", self.gaps.to_string()),
            ("duplicates", self.duplicates.to_string()),
            (
                "load",
                format!(
                    "{} watchers and {} creators on {} connections for {:.1} s",
                    self.watchers, self.in_flight, self.connections, self.duration_seconds
                ),
            ),
            ("errors", self.errors.to_string()),
            ("first error", self.first_error.clone().unwrap_or_default()),
        ]
    }
}

/// The server's clock is this machine's.
#[allow(clippy::disallowed_methods)]
fn micros_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// What the load generator looks at of a `WatchTicketsResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Response {
    #[prost(message, repeated, tag = "1")]
    events: Vec<Event>,
    #[prost(int64, tag = "3")]
    revision: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Event {
    #[prost(message, optional, tag = "3")]
    change: Option<Change>,
    #[prost(int64, tag = "4")]
    revision: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Change {
    #[prost(int32, tag = "2")]
    ordinal: i32,
    #[prost(message, optional, tag = "8")]
    commit_time: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    fn event(revision: i64) -> Event {
        let change = Change { ordinal: 0, commit_time: Some(Timestamp { seconds: 1, nanos: 0 }) };
        Event { change: Some(change), revision }
    }

    #[test]
    fn counts_gaps_and_duplicates() {
        let mut watcher = Watcher::new(Some(3), Arc::default());
        watcher.take(&Response { events: vec![event(4), event(7)], revision: 7 });
        watcher.take(&Response { events: vec![event(7)], revision: 9 });
        assert_eq!((watcher.told, watcher.seen.duplicates), (9, 1));
        let created = [(3, 4), (5, 5), (3, 7), (3, 8)].map(|(product, revision)| Created { product, revision });
        assert_eq!(Truth::of(&created).gaps(&watcher.seen), 1);
    }

    #[test]
    fn reads_the_contract_s_responses() -> Result<(), prost::DecodeError> {
        let change = loket::v1::Change {
            ordinal: 2,
            commit_time: Some(Timestamp { seconds: 5, nanos: 6 }),
            ..loket::v1::Change::default()
        };
        let event = loket::v1::TicketEvent { change: Some(change), revision: 8, ..loket::v1::TicketEvent::default() };
        let sent = loket::v1::WatchTicketsResponse {
            events: vec![event],
            revision: 9,
            ..loket::v1::WatchTicketsResponse::default()
        };
        let read = Response::decode(&sent.encode_to_vec()[..])?;
        assert_eq!((read.revision, read.events[0].revision), (9, 8));
        let change = read.events[0].change.as_ref().map(|change| (change.ordinal, change.commit_time));
        assert_eq!(change, Some((2, Some(Timestamp { seconds: 5, nanos: 6 }))));
        Ok(())
    }
}
