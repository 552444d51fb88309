//! `loket bench create`: durable creations against calls that do nothing.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use tonic::Status;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::connection::Connection;
use super::desk::{Creator, Desk, TicketArgs};
use super::load::{self, Operation, Stop, Tally, closed_loop, ratio};
use super::{Bench, LoadArgs};
use crate::commands::progress::Progress;
use crate::commands::report::report;
use crate::failure::Failure;

/// So often the two are measured in turn: what disturbs the machine for a while disturbs both.
const ALTERNATIONS: u32 = 4;

/// How long a slice runs before it is counted, so that all callers are in flight.
const LEAD: Duration = Duration::from_millis(200);

/// Appends to take the median of.
const BASELINE_COMMITS: usize = 500;

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

    /// One caller on one connection: the same as `--connections 1 --in-flight 1`.
    #[arg(long, conflicts_with_all = ["connections", "in_flight"])]
    one: bool,

    /// Also measure appending the same bytes to a file in this directory with an fdatasync each, the least that any
    /// durable write costs there.
    #[arg(long, value_name = "DIR")]
    commit_baseline: Option<PathBuf>,
}

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
    created: u64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fdatasync_p50_micros: Option<u64>,
}

pub(super) async fn run(mut args: Args, bench: &Bench) -> Result<(), Failure> {
    if args.one {
        (args.load.connections, args.load.in_flight) = (1, 1);
    }
    let LoadArgs { connections, in_flight, duration, warmup, .. } = args.load;
    let fdatasync_p50_micros = args.commit_baseline.as_deref().map(|dir| fdatasync_p50(dir, args.tickets.size));
    let fdatasync_p50_micros = fdatasync_p50_micros.transpose()?;

    let desk = Desk::open(&bench.client, &args.load.helpdesk, &args.tickets).await?;
    let opened = Connection::open(&bench.options, &args.load.further_endpoints, connections).await?;
    let callers = || opened.iter().flat_map(|connection| std::iter::repeat_n(connection, in_flight)).enumerate();
    let mut checkers: Vec<Checker> = callers().map(|(_, connection)| Checker::new(connection)).collect();
    let mut creators: Vec<Creator> = callers().map(|(number, connection)| desk.creator(connection, number)).collect();

    let stop = Stop::on_interrupt();
    let (mut checks, mut creates) = (Tally::default(), Tally::default());
    let mut progress = Progress::new(Some(u64::from(ALTERNATIONS)));
    closed_loop(&mut checkers, LEAD, warmup / 2, &stop).await;
    closed_loop(&mut creators, LEAD, warmup / 2, &stop).await;
    for alternation in 0..ALTERNATIONS {
        checks.append(closed_loop(&mut checkers, LEAD, duration / ALTERNATIONS, &stop).await);
        creates.append(closed_loop(&mut creators, LEAD, duration / ALTERNATIONS, &stop).await);
        progress.show(bench.output, u64::from(alternation) + 1, || {
            format!("{:.0} tickets/s, {:.0} no-ops/s", creates.rate(), checks.rate())
        })?;
    }
    drop(progress);

    let (latency, noop) = (creates.latency(), checks.latency());
    let result = Report {
        helpdesk: args.load.helpdesk,
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
        created: creates.count,
        errors: creates.errors + checks.errors,
        first_error: creates.first_error.or(checks.first_error),
        fdatasync_p50_micros,
    };
    report(bench.output, &result, Report::lines)
}

impl Report {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("create", format!("{:.0}/s", self.rate)),
            ("create p50, p99", format!("{} µs, {} µs", self.p50_micros, self.p99_micros)),
            ("no-op", format!("{:.0}/s", self.noop_rate)),
            ("no-op p50, p99", format!("{} µs, {} µs", self.noop_p50_micros, self.noop_p99_micros)),
            ("ratio", format!("{:.3}", self.ratio)),
            ("load", format!("{} connections x {} in flight", self.connections, self.in_flight)),
            ("tickets", format!("{} of {} bytes in {:.1} s", self.created, self.size, self.duration_seconds)),
            ("errors", self.errors.to_string()),
            ("first error", self.first_error.clone().unwrap_or_default()),
            (
                "append + fdatasync p50",
                self.fdatasync_p50_micros.map(|micros| format!("{micros} µs")).unwrap_or_default(),
            ),
        ]
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

/// The median of appending `size` bytes to a file and syncing it. The file is removed again.
fn fdatasync_p50(dir: &Path, size: u32) -> Result<u64, Failure> {
    let path = dir.join("loket-bench-baseline.tmp");
    let measured = append_and_sync(&path, size);
    let removed = std::fs::remove_file(&path);
    let failed = |error| Failure::Usage(format!("{} cannot be measured: {error}", path.display()));
    let latency = measured.map_err(failed)?;
    removed.map_err(failed)?;
    Ok(latency)
}

fn append_and_sync(path: &Path, size: u32) -> std::io::Result<u64> {
    let mut file = File::create(path)?;
    let bytes = vec![b'.'; size as usize];
    let mut histogram = load::histogram();
    for _ in 0..BASELINE_COMMITS {
        let begin = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        let _ = histogram.record(begin.elapsed().as_micros() as u64);
    }
    Ok(load::Latency::of(&histogram).p50_micros)
}
