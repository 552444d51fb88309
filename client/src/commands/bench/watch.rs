//! `loket bench watch`: what reaches the watchers while tickets arrive, and whether it is everything.

use loket::v1::{WatchStart, WatchTicketsRequest};
use prost_types::Timestamp;
use serde::Serialize;
use tonic::Streaming;

use super::connection::Connection;
use super::desk::{Desk, PRODUCTS, TicketArgs};
use super::fanout::{self, Told};
use super::load::Latency;
use super::verdict::verdict;
use super::{Bench, LoadArgs, idle, positive};
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

const WATCH: &str = "/loket.v1.TicketService/WatchTickets";

/// Measure how fast changes reach watchers, of which each must see all, once and in order.
///
/// Half of the watchers see all tickets, the others each a tenth by one of ten filters.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    load: LoadArgs,

    #[command(flatten)]
    tickets: TicketArgs,

    /// Calls in flight that file tickets, on all connections together.
    #[arg(long, default_value_t = 64, value_parser = positive)]
    in_flight: usize,

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
    let LoadArgs { connections, duration, warmup, ref helpdesk, ref further_endpoints } = args.load;
    let stop = Stop::on_interrupt();
    let desk = Desk::open(&bench.client, helpdesk, &args.tickets).await?;
    if let (Some(streams), Some(pid)) = (args.idle, args.server_pid) {
        return idle::run(streams, pid, &desk, &args.load, &stop, bench).await;
    }
    let opened = Connection::open(&bench.options, further_endpoints, connections).await?;
    let mut fanout = desk.fanout(&opened, args.in_flight);
    for (number, connection) in opened.iter().cycle().take(args.watchers).enumerate() {
        let product = product_of(number);
        fanout.follow(product, open(&mut connection.clone(), &desk, product).await?);
    }
    let slice = fanout.measure(warmup, duration, &stop).await;
    let outcome = fanout.finish().await;

    let Latency { p50_micros, p99_micros } = Latency::of(&outcome.latency);
    let result = Report {
        helpdesk: helpdesk.clone(),
        watchers: args.watchers,
        delivered_rate: slice.delivered_rate(),
        created_rate: slice.writes.rate(),
        delivered: outcome.delivered,
        created: outcome.written,
        p50_micros,
        p99_micros,
        gaps: outcome.gaps,
        duplicates: outcome.duplicates,
        connections,
        in_flight: args.in_flight,
        duration_seconds: slice.writes.measured.as_secs_f64(),
        errors: slice.writes.errors + outcome.errors,
        first_error: slice.writes.first_error.or(outcome.first_error),
    };
    let told = report(bench.output, &result, Report::lines);
    let faults = [("errors", result.errors), ("gaps", result.gaps), ("duplicates", result.duplicates)];
    verdict(slice.delivered.min(slice.writes.count), &faults).and(told)
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
) -> Result<Streaming<Response>, Failure> {
    let request = WatchTicketsRequest {
        parent: desk.parent.clone(),
        filter: product.map(Desk::filter).unwrap_or_default(),
        start: WatchStart::Now.into(),
        ..WatchTicketsRequest::default()
    };
    Ok(connection.stream(WATCH, request).await.map_err(loket_client::Error::from)?)
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

impl Told for Response {
    fn events(&self) -> impl Iterator<Item = fanout::Event> {
        self.events.iter().map(|event| {
            let (ordinal, committed) =
                event.change.as_ref().map_or((0, None), |change| (change.ordinal, change.commit_time));
            let micros = |Timestamp { seconds, nanos }| seconds * 1_000_000 + i64::from(nanos) / 1000;
            fanout::Event { revision: event.revision, ordinal, commit_micros: committed.map(micros) }
        })
    }

    fn revision(&self) -> i64 {
        self.revision
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn reads_the_contract_s_responses() -> Result<(), prost::DecodeError> {
        let change = loket::v1::Change {
            ordinal: 2,
            commit_time: Some(Timestamp { seconds: 5, nanos: 6_000 }),
            ..loket::v1::Change::default()
        };
        let event = loket::v1::TicketEvent { change: Some(change), revision: 8, ..loket::v1::TicketEvent::default() };
        let sent = loket::v1::WatchTicketsResponse {
            events: vec![event],
            revision: 9,
            ..loket::v1::WatchTicketsResponse::default()
        };
        let read = Response::decode(&sent.encode_to_vec()[..])?;
        let events = read.events().map(|event| (event.revision, event.ordinal, event.commit_micros));
        assert_eq!((read.revision(), events.collect::<Vec<_>>()), (9, vec![(8, 2, Some(5_000_006))]));
        Ok(())
    }
}
