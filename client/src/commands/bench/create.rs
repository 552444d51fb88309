//! `loket bench create`: durable creations against calls that do nothing.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tonic::Status;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::commit::Commits;
use super::connection::Connection;
use super::desk::{Creator, Desk, TicketArgs};
use super::load::{Operation, Tally, closed_loop, ratio};
use super::request_ids::RequestIds;
use super::verdict::verdict;
use super::{Bench, LoadArgs, positive};
use crate::commands::progress::Progress;
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

/// So often all are measured in turn: what disturbs the machine for a while disturbs all of them.
const ALTERNATIONS: u32 = 4;

/// How long a slice runs before it is counted, so that all callers are in flight.
const LEAD: Duration = Duration::from_millis(200);

/// Measure how many tickets can be filed.
///
/// Measures two rates in turn, with the same connections and callers: `CreateTicket`, answered when the ticket is on disk,
/// and `Health/Check`, which does nothing. Their ratio says what the engine costs, on whatever machine this is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    load: LoadArgs,

    #[command(flatten)]
    tickets: TicketArgs,

    /// Calls in flight on each connection.
    #[arg(long, default_value_t = 64, value_parser = positive)]
    in_flight: usize,

    /// One caller on one connection: the same as `--connections 1 --in-flight 1`.
    #[arg(long, conflicts_with_all = ["connections", "in_flight"])]
    one: bool,

    /// Also measure, in turn with the tickets, what the least costs that is as durable: one row of as many bytes (or of
    /// --commit-bytes), in a commit of its own, in an SQLite database in this directory, by the SQLite that the server has in
    /// it. Give the server's data directory, for its disk to be the one that is compared; the rows take room there meanwhile.
    #[arg(long, value_name = "DIR", requires = "one")]
    commit_baseline: Option<PathBuf>,

    /// Bytes of that row, at most a mebibyte; without it those of a ticket's texts. A row of 72000 changes eleven pages of
    /// 8 KiB, on average about as many as a ticket of 512 bytes that is filed alone on SQLite, with what it is found and
    /// remembered by.
    #[arg(long, value_name = "BYTES", requires = "commit_baseline")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=MOST_COMMIT_BYTES))]
    commit_bytes: Option<u32>,
}

/// A row takes room in the directory until the end.
const MOST_COMMIT_BYTES: i64 = 1 << 20;

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    /// Tickets per second.
    rate: f64,
    /// Calls per second that do nothing.
    noop_rate: f64,
    ratio: f64,
    p50_micros: u64,
    p99_micros: u64,
    noop_p50_micros: u64,
    noop_p99_micros: u64,
    connections: usize,
    in_flight: usize,
    duration_seconds: f64,
    size: u32,
    request_ids: RequestIds,
    created: u64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
    #[serde(flatten)]
    commit: Option<Baseline>,
}

/// One row, one commit.
#[derive(Debug, Serialize)]
struct Baseline {
    /// Of the row.
    #[serde(rename = "commit_bytes")]
    bytes: u32,
    #[serde(rename = "commit_p50_micros")]
    p50_micros: u64,
    #[serde(rename = "commit_p99_micros")]
    p99_micros: u64,
    /// The median of a creation divided by that of a commit.
    #[serde(rename = "commit_ratio")]
    ratio: f64,
}

pub(super) async fn run(mut args: Args, bench: &Bench) -> Result<(), Failure> {
    if args.one {
        (args.load.connections, args.in_flight) = (1, 1);
    }
    let LoadArgs { ref helpdesk, connections, duration, warmup, .. } = args.load;
    let in_flight = args.in_flight;
    let baseline = args.commit_baseline.as_deref();
    let commit_bytes = args.commit_bytes.unwrap_or(args.tickets.size);
    let mut baseline = baseline.map(|dir| Commits::open(dir, commit_bytes)).transpose()?;

    let desk = Desk::open(&bench.client, &args.load.helpdesk, &args.tickets).await?;
    let opened = Connection::open(&bench.options, &args.load.further_endpoints, connections).await?;
    let callers = || opened.iter().flat_map(|connection| std::iter::repeat_n(connection, in_flight));
    let mut checkers: Vec<Checker> = callers().map(Checker::new).collect();
    let mut creators: Vec<Creator> = callers().map(|connection| desk.creator(connection)).collect();

    let stop = Stop::on_interrupt();
    let (mut checks, mut creates, mut commits) = (Tally::default(), Tally::default(), Tally::default());
    let mut progress = Progress::new(Some(u64::from(ALTERNATIONS)));
    closed_loop(&mut checkers, LEAD, warmup / 2, &stop).await;
    closed_loop(&mut creators, LEAD, warmup / 2, &stop).await;
    for alternation in 0..ALTERNATIONS {
        checks.append(closed_loop(&mut checkers, LEAD, duration / ALTERNATIONS, &stop).await);
        creates.append(closed_loop(&mut creators, LEAD, duration / ALTERNATIONS, &stop).await);
        if let Some(measured) = baseline.take() {
            let (measured, slice) = measured.measure(duration / ALTERNATIONS, &stop).await?;
            commits.append(slice);
            baseline = Some(measured);
        }
        progress.show(bench.output, u64::from(alternation) + 1, || {
            format!("{:.0} tickets/s, {:.0} no-ops/s", creates.rate(), checks.rate())
        });
    }
    drop(progress);

    let (latency, noop) = (creates.latency(), checks.latency());
    let result = Report {
        helpdesk: helpdesk.clone(),
        rate: creates.rate(),
        noop_rate: checks.rate(),
        ratio: ratio(creates.rate(), checks.rate()),
        p50_micros: latency.p50_micros,
        p99_micros: latency.p99_micros,
        noop_p50_micros: noop.p50_micros,
        noop_p99_micros: noop.p99_micros,
        connections,
        in_flight,
        duration_seconds: creates.measured.as_secs_f64(),
        size: args.tickets.size,
        request_ids: args.tickets.request_ids,
        created: creates.count,
        errors: creates.errors + checks.errors,
        first_error: creates.first_error.clone().or(checks.first_error.clone()),
        commit: baseline.is_some().then(|| Baseline::of(&commits, commit_bytes, latency.p50_micros)),
    };
    let told = report(bench.output, &result, Report::lines);
    verdict(creates.count.min(checks.count), &[("errors", result.errors)]).and(told)
}

impl Report {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("create", format!("{:.0}/s", self.rate)),
            ("create p50, p99", format!("{} µs, {} µs", self.p50_micros, self.p99_micros)),
            ("no-op", format!("{:.0}/s", self.noop_rate)),
            ("no-op p50, p99", format!("{} µs, {} µs", self.noop_p50_micros, self.noop_p99_micros)),
            ("ratio", format!("{:.3}", self.ratio)),
            ("load", format!("{} connections x {} in flight", self.connections, self.in_flight)),
            ("tickets", format!("{} of {} bytes in {:.1} s", self.created, self.size, self.duration_seconds)),
            ("errors", self.errors.to_string()),
            ("first error", self.first_error.clone().unwrap_or_default()),
        ];
        if let Some(Baseline { bytes, p50_micros, p99_micros, ratio }) = &self.commit {
            lines.push(("bare commit", format!("a row of {bytes} bytes")));
            lines.push(("bare commit p50, p99", format!("{p50_micros} µs, {p99_micros} µs")));
            lines.push(("create p50 to commit p50", format!("{ratio:.2}")));
        }
        lines
    }
}

impl Baseline {
    fn of(commits: &Tally, bytes: u32, create_p50_micros: u64) -> Self {
        let latency = commits.latency();
        Self {
            bytes,
            p50_micros: latency.p50_micros,
            p99_micros: latency.p99_micros,
            ratio: ratio(create_p50_micros as f64, latency.p50_micros as f64),
        }
    }
}

/// Asks whether the server is well: a call answered from memory.
struct Checker {
    connection: Connection,
    health: HealthClient<Channel>,
}

impl Checker {
    fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone(), health: HealthClient::new(connection.channel()) }
    }
}

impl Operation for Checker {
    async fn call(&mut self) -> Result<(), Status> {
        self.health.check(self.connection.request(HealthCheckRequest::default())).await?;
        Ok(())
    }
}
