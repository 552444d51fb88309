//! `loket bench etcd`: the same load on an etcd, which is known and puts every write on disk as well.

mod put;
mod watch;

use std::time::Duration;

use loket_client::Options;
use serde::Serialize;

use self::put::Putter;
use super::connection::Connection;
use super::desk::{Creator, Desk, TicketArgs};
use super::fanout::{Fanout, Outcome, Slice};
use super::load::{Tally, closed_loop, ratio};
use super::verdict::verdict;
use super::watch::product_of;
use super::{Bench, LoadArgs, positive};
use crate::commands::progress::Progress;
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

/// What all keys of the benchmark begin with.
const PREFIX: &str = "loket-bench/";

/// So often the two servers are measured in turn: what disturbs the machine for a while disturbs both.
const ALTERNATIONS: u32 = 4;

/// How long a slice runs before it is counted, so that all callers are in flight.
const LEAD: Duration = Duration::from_millis(200);

/// Compare with etcd on the same machine, under the same load.
///
/// Measures in turn, with the same connections and callers, `CreateTicket` and etcd's `Put` of a value as large as the
/// ticket's texts; and then what is delivered to watchers of both while such writes go on: half of them see everything,
/// the others each a tenth, in Loket by one of ten filters, in etcd by one of ten prefixes. It fills etcd with keys under
/// `loket-bench/` and leaves them there: use one that has no other purpose.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    load: LoadArgs,

    #[command(flatten)]
    tickets: TicketArgs,

    /// The address of etcd, which must need no credentials.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:2379")]
    etcd_endpoint: String,

    /// Writes in flight on each connection, without watchers.
    #[arg(long, default_value_t = 64, value_parser = positive)]
    in_flight: usize,

    /// Streams on each server, spread over the connections.
    #[arg(long, default_value_t = 100, value_parser = positive)]
    watchers: usize,

    /// Writes in flight while there are watchers, on all connections together.
    #[arg(long, default_value_t = 64, value_parser = positive)]
    watched_in_flight: usize,
}

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    create: WriteRatio,
    watch: WatchRatio,
    connections: usize,
    size: u32,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
}

/// `CreateTicket` beside `Put`.
#[derive(Debug, Serialize)]
struct WriteRatio {
    /// Loket's rate divided by etcd's.
    ratio: f64,
    loket: Writes,
    etcd: Writes,
    /// On each connection.
    in_flight: usize,
}

#[derive(Debug, Serialize)]
struct Writes {
    /// Per second.
    rate: f64,
    p50_micros: u64,
    p99_micros: u64,
    count: u64,
}

/// What reached the watchers of either.
#[derive(Debug, Serialize)]
struct WatchRatio {
    /// Loket's rate of delivery divided by etcd's.
    ratio: f64,
    loket: Deliveries,
    etcd: Deliveries,
    watchers: usize,
    /// On all connections together.
    in_flight: usize,
}

#[derive(Debug, Serialize)]
struct Deliveries {
    /// Events per second, to all watchers together.
    delivered_rate: f64,
    /// Writes per second.
    written_rate: f64,
    delivered: u64,
    written: u64,
    /// Changes that a watcher should have seen and did not.
    gaps: u64,
    /// Changes that a watcher saw again, or after a later one.
    duplicates: u64,
}

/// The two servers and the connections to them.
struct Rivals<'a> {
    args: &'a Args,
    bench: &'a Bench,
    desk: Desk,
    loket: Vec<Connection>,
    etcd: Vec<Connection>,
    stop: Stop,
    errors: Errors,
}

#[derive(Default)]
struct Errors {
    count: u64,
    first: Option<String>,
}

pub(super) async fn run(args: Args, bench: &Bench) -> Result<(), Failure> {
    let stop = Stop::on_interrupt();
    let LoadArgs { connections, ref helpdesk, ref further_endpoints, .. } = args.load;
    let options = Options { endpoint: args.etcd_endpoint.clone(), ..bench.options.clone() };
    let etcd = match Connection::open_without_key(&options, connections).await {
        Err(Failure::Call(error)) => {
            return Err(Failure::Elsewhere("etcd, of which --etcd-endpoint is the address", error));
        }
        opened => opened?,
    };
    let desk = Desk::open(&bench.client, helpdesk, &args.tickets).await?;
    let loket = Connection::open(&bench.options, further_endpoints, connections).await?;
    let mut rivals = Rivals { args: &args, bench, desk, loket, etcd, stop, errors: Errors::default() };

    let create = rivals.write().await?;
    let watch = rivals.watch().await?;
    let result = Report {
        helpdesk: helpdesk.clone(),
        create,
        watch,
        connections,
        size: args.tickets.size,
        errors: rivals.errors.count,
        first_error: rivals.errors.first,
    };
    let told = report(bench.output, &result, Report::lines);
    result.verdict().and(told)
}

impl Rivals<'_> {
    async fn write(&mut self) -> Result<WriteRatio, Failure> {
        let (duration, warmup, in_flight) = (self.args.load.duration, self.args.load.warmup, self.args.in_flight);
        let size = self.args.tickets.size;
        let callers = |connections| each_with(connections, in_flight);
        let mut creators: Vec<Creator> =
            callers(&self.loket).map(|(_, connection)| self.desk.creator(connection)).collect();
        let mut putters: Vec<Putter> =
            callers(&self.etcd).map(|(number, connection)| Putter::new(connection, size, number, false)).collect();

        let (mut creates, mut puts) = (Tally::default(), Tally::default());
        closed_loop(&mut creators, LEAD, warmup / 2, &self.stop).await;
        closed_loop(&mut putters, LEAD, warmup / 2, &self.stop).await;
        let mut progress = Progress::new(Some(u64::from(ALTERNATIONS)));
        for alternation in 1..=ALTERNATIONS {
            creates.append(closed_loop(&mut creators, LEAD, duration / ALTERNATIONS, &self.stop).await);
            puts.append(closed_loop(&mut putters, LEAD, duration / ALTERNATIONS, &self.stop).await);
            progress.show(self.bench.output, alternation.into(), || {
                format!("{:.0} tickets/s, {:.0} puts/s", creates.rate(), puts.rate())
            });
        }
        self.errors.of(&creates);
        self.errors.of(&puts);
        Ok(WriteRatio {
            ratio: ratio(creates.rate(), puts.rate()),
            loket: Writes::of(&creates),
            etcd: Writes::of(&puts),
            in_flight,
        })
    }

    async fn watch(&mut self) -> Result<WatchRatio, Failure> {
        let (duration, warmup, in_flight) =
            (self.args.load.duration, self.args.load.warmup, self.args.watched_in_flight);
        let (mut loket, mut etcd) = self.open_watchers().await?;
        let (mut of_loket, mut of_etcd) = (Slice::default(), Slice::default());
        let mut progress = Progress::new(Some(u64::from(ALTERNATIONS)));
        loket.measure(LEAD, warmup / 2, &self.stop).await;
        loket.settle(&self.stop).await;
        etcd.measure(LEAD, warmup / 2, &self.stop).await;
        etcd.settle(&self.stop).await;
        for alternation in 1..=ALTERNATIONS {
            of_loket.append(loket.measure(LEAD, duration / ALTERNATIONS, &self.stop).await);
            loket.settle(&self.stop).await;
            of_etcd.append(etcd.measure(LEAD, duration / ALTERNATIONS, &self.stop).await);
            etcd.settle(&self.stop).await;
            progress.show(self.bench.output, alternation.into(), || {
                let (loket, etcd) = (of_loket.delivered_rate(), of_etcd.delivered_rate());
                format!("{loket:.0} events/s, etcd {etcd:.0} events/s")
            });
        }
        drop(progress);
        let (seen_of_loket, seen_of_etcd) = (loket.finish().await, etcd.finish().await);
        self.errors.of_watchers(&of_loket, &seen_of_loket);
        self.errors.of_watchers(&of_etcd, &seen_of_etcd);
        Ok(WatchRatio {
            ratio: ratio(of_loket.delivered_rate(), of_etcd.delivered_rate()),
            loket: Deliveries::of(&of_loket, &seen_of_loket),
            etcd: Deliveries::of(&of_etcd, &seen_of_etcd),
            watchers: self.args.watchers,
            in_flight,
        })
    }

    async fn open_watchers(&self) -> Result<(Fanout<Creator>, Fanout<Putter>), Failure> {
        let Args { watchers, watched_in_flight, ref tickets, .. } = *self.args;
        let mut loket = self.desk.fanout(&self.loket, watched_in_flight);
        let putters = self.etcd.iter().cycle().take(watched_in_flight).enumerate();
        let mut etcd = Fanout::new(
            putters.map(|(number, connection)| Putter::new(connection, tickets.size, number, true)).collect(),
        );
        for number in 0..watchers {
            let product = product_of(number);
            let mut connection = self.loket[number % self.loket.len()].clone();
            loket.follow(product, super::watch::open(&mut connection, &self.desk, product).await?);
            let mut connection = self.etcd[number % self.etcd.len()].clone();
            etcd.follow(product, watch::open(&mut connection, product).await?);
        }
        Ok((loket, etcd))
    }
}

/// Every connection `times` times, and the number of each caller.
fn each_with(connections: &[Connection], times: usize) -> impl Iterator<Item = (usize, &Connection)> {
    connections.iter().flat_map(move |connection| std::iter::repeat_n(connection, times)).enumerate()
}

impl Errors {
    fn of(&mut self, tally: &Tally) {
        self.add(tally.errors, tally.first_error.as_ref());
    }

    fn of_watchers(&mut self, slice: &Slice, outcome: &Outcome) {
        self.of(&slice.writes);
        self.add(outcome.errors, outcome.first_error.as_ref());
    }

    fn add(&mut self, count: u64, first: Option<&String>) {
        self.count += count;
        self.first = self.first.take().or(first.cloned());
    }
}

impl Writes {
    fn of(tally: &Tally) -> Self {
        let latency = tally.latency();
        Self { rate: tally.rate(), p50_micros: latency.p50_micros, p99_micros: latency.p99_micros, count: tally.count }
    }

    fn line(&self) -> String {
        format!("{:.0}/s, p50 {} µs, p99 {} µs", self.rate, self.p50_micros, self.p99_micros)
    }
}

impl Deliveries {
    fn of(slice: &Slice, outcome: &Outcome) -> Self {
        Self {
            delivered_rate: slice.delivered_rate(),
            written_rate: slice.writes.rate(),
            delivered: outcome.delivered,
            written: outcome.written,
            gaps: outcome.gaps,
            duplicates: outcome.duplicates,
        }
    }

    fn line(&self) -> String {
        format!("{:.0} events/s of {:.0} writes/s", self.delivered_rate, self.written_rate)
    }
}

impl Report {
    fn verdict(&self) -> Result<(), Failure> {
        let Self { create, watch, errors, .. } = self;
        let measured =
            [create.loket.count, create.etcd.count, watch.loket.delivered, watch.etcd.delivered].into_iter().min();
        verdict(
            measured.unwrap_or(0),
            &[
                ("errors", *errors),
                ("gaps", watch.loket.gaps),
                ("duplicates", watch.loket.duplicates),
                ("gaps of etcd", watch.etcd.gaps),
                ("duplicates of etcd", watch.etcd.duplicates),
            ],
        )
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let Self { create, watch, .. } = self;
        vec![
            ("create", create.loket.line()),
            ("etcd put", create.etcd.line()),
            ("create ratio", format!("{:.3}", create.ratio)),
            ("delivered", watch.loket.line()),
            ("delivered by etcd", watch.etcd.line()),
            ("watch ratio", format!("{:.3}", watch.ratio)),
            ("gaps, duplicates", format!("{}, {}", watch.loket.gaps, watch.loket.duplicates)),
            ("gaps, duplicates of etcd", format!("{}, {}", watch.etcd.gaps, watch.etcd.duplicates)),
            (
                "load",
                format!(
                    "{} bytes, {} connections x {} in flight; {} watchers, {} in flight in all",
                    self.size, self.connections, create.in_flight, watch.watchers, watch.in_flight
                ),
            ),
            ("errors", self.errors.to_string()),
            ("first error", self.first_error.clone().unwrap_or_default()),
        ]
    }
}
