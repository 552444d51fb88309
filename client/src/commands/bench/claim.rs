//! `loket bench claim`: many workers on one queue, and nobody gets what another has.

mod waiting;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loket::v1::{AccessKey, ClaimNextTicketRequest, GetQueueRequest};
use serde::Serialize;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::connection::Connection;
use super::desk::{Desk, TicketArgs};
use super::load::Tally;
use super::verdict::verdict;
use super::{Bench, agents, positive};
use crate::args;
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

const CLAIM_NEXT: &str = "/loket.v1.QueueService/ClaimNextTicket";

/// A worker gives up after so many errors one after another.
const ERRORS_IN_A_ROW: u32 = 50;

/// Measure how fast a queue is worked, and check that no ticket is claimed twice.
///
/// Fills the queue, gives each worker an agent's key, lets all claim the next ticket until the queue is empty, and
/// revokes the keys. With `--waiting` the workers wait instead, and it is measured how long, and for how many turns.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The helpdesk, made when it is missing.
    #[arg(long, default_value = "bench", value_parser = args::helpdesk)]
    helpdesk: String,

    /// Further servers of the same database: the connections are spread evenly over all.
    #[arg(long = "further-endpoint", value_name = "URL")]
    further_endpoints: Vec<String>,

    /// Connections, shared by the workers.
    #[arg(long, default_value_t = 8, value_parser = positive)]
    connections: usize,

    /// Agents that claim, each with its own key.
    #[arg(long, default_value_t = 64, value_parser = positive)]
    workers: usize,

    /// Tickets to claim. What waits in the queue already counts.
    #[arg(long = "tickets", value_name = "N", default_value_t = 10_000)]
    count: u64,

    /// Let the workers wait for tickets that are filed one by one, at the first server.
    #[arg(long)]
    waiting: bool,

    #[command(flatten)]
    tickets: TicketArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    tickets: u64,
    claimed: u64,
    claimed_twice: u64,
    /// Tickets that should have been claimed and were not, as far as the queue's depth tells.
    missing: i64,
    rate: f64,
    p50_micros: u64,
    p99_micros: u64,
    workers: usize,
    connections: usize,
    seconds: f64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
}

pub(super) async fn run(args: Args, bench: &Bench) -> Result<(), Failure> {
    let desk = Desk::open(&bench.client, &args.helpdesk, &args.tickets).await?;
    let connections = Connection::open(&bench.options, &args.further_endpoints, args.connections).await?;
    if args.waiting {
        return waiting::run(args, bench, &desk, &connections).await;
    }
    let stop = Stop::on_interrupt();
    let waiting = depth(bench, &desk).await?;
    desk.fill(args.count.saturating_sub(waiting), &stop, bench.output).await?;
    let before = depth(bench, &desk).await?;

    let keys = agents::create(&bench.client, &desk.parent, args.workers).await?;
    let worked = work(&keys, &connections, &desk, args.count, &stop).await;
    agents::revoke(&bench.client, keys).await?;
    let (names, tally) = worked?;

    let distinct: HashSet<&String> = names.iter().collect();
    let gone = before as i64 - depth(bench, &desk).await? as i64;
    let latency = tally.latency();
    let result = Report {
        helpdesk: args.helpdesk,
        tickets: args.count,
        claimed: tally.count,
        claimed_twice: (names.len() - distinct.len()) as u64,
        missing: gone - distinct.len() as i64,
        rate: tally.rate(),
        p50_micros: latency.p50_micros,
        p99_micros: latency.p99_micros,
        workers: args.workers,
        connections: args.connections,
        seconds: tally.measured.as_secs_f64(),
        errors: tally.errors,
        first_error: tally.first_error,
    };
    let told = report(bench.output, &result, Report::lines);
    let left = if stop.is_set() { 0 } else { result.tickets.saturating_sub(result.claimed) };
    let faults = [
        ("errors", result.errors),
        ("claimed twice", result.claimed_twice),
        ("missing", result.missing.unsigned_abs()),
        ("left in the queue", left),
    ];
    verdict(result.claimed, &faults).and(told)
}

async fn depth(bench: &Bench, desk: &Desk) -> Result<u64, Failure> {
    let request = GetQueueRequest { name: desk.queue(), ..GetQueueRequest::default() };
    Ok(bench.client.get_queue(request).await?.depth as u64)
}

/// The names of all tickets claimed, and how long each claim took.
async fn work(
    keys: &[AccessKey],
    connections: &[Connection],
    desk: &Desk,
    count: u64,
    stop: &Stop,
) -> Result<(Vec<String>, Tally), Failure> {
    let left = Arc::new(AtomicU64::new(count));
    let begin = Instant::now();
    let mut workers = JoinSet::new();
    for (key, connection) in keys.iter().zip(connections.iter().cycle()) {
        let worker = Worker {
            connection: connection.with_key(&key.secret)?,
            queue: desk.queue(),
            left: Arc::clone(&left),
            stop: stop.clone(),
        };
        workers.spawn(worker.run());
    }
    let (mut names, mut total) = (Vec::new(), Tally::default());
    while let Some(done) = workers.join_next().await {
        match done {
            Ok((claimed, tally)) => {
                names.extend(claimed);
                total.join(tally);
            }
            Err(error) => total.fail_with(|| format!("a worker failed: {error}")),
        }
    }
    total.measured = begin.elapsed();
    Ok((names, total))
}

struct Worker {
    connection: Connection,
    queue: String,
    left: Arc<AtomicU64>,
    stop: Stop,
}

impl Worker {
    async fn run(mut self) -> (Vec<String>, Tally) {
        let (mut names, mut tally) = (Vec::new(), Tally::default());
        while !self.stop.is_set() && self.take_one() {
            match self.claim(&mut tally).await {
                Some(name) => names.push(name),
                None => break,
            }
        }
        (names, tally)
    }

    fn take_one(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// The next ticket; none when the queue is empty. A claim without an answer is repeated with its request id, which
    /// gives the same ticket again.
    async fn claim(&mut self, tally: &mut Tally) -> Option<String> {
        let request_id = Uuid::now_v7().to_string();
        for _ in 0..ERRORS_IN_A_ROW {
            let request = ClaimNextTicketRequest {
                name: self.queue.clone(),
                request_id: request_id.clone(),
                ..ClaimNextTicketRequest::default()
            };
            let begin = Instant::now();
            match self.connection.call::<_, Claimed>(CLAIM_NEXT, request).await {
                Ok(Claimed { ticket }) => {
                    let name = ticket?.name;
                    tally.add(begin.elapsed());
                    return Some(name);
                }
                Err(status) => {
                    tally.fail(&status);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        None
    }
}

impl Report {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("claimed", format!("{} of {}", self.claimed, self.tickets)),
            ("claimed twice", self.claimed_twice.to_string()),
            ("missing", self.missing.to_string()),
            ("rate", format!("{:.0}/s", self.rate)),
            ("p50, p99", format!("{} µs, {} µs", self.p50_micros, self.p99_micros)),
            ("load", format!("{} workers on {} connections", self.workers, self.connections)),
            ("errors", self.errors.to_string()),
            ("first error", self.first_error.clone().unwrap_or_default()),
        ]
    }
}

/// What the load generator looks at of a `ClaimNextTicketResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Claimed {
    #[prost(message, optional, tag = "1")]
    ticket: Option<TicketName>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct TicketName {
    #[prost(string, tag = "1")]
    name: String,
}
