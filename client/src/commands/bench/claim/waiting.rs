//! `loket bench claim --waiting`: workers that wait while tickets are filed one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use loket::v1::{AccessKey, ClaimNextTicketRequest};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Args, CLAIM_NEXT, Claimed};
use crate::commands::bench::connection::Connection;
use crate::commands::bench::desk::Desk;
use crate::commands::bench::load::{Operation as _, Tally, histogram, ratio};
use crate::commands::bench::verdict::verdict;
use crate::commands::bench::{Bench, agents};
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

/// How long a call waits, or as long as the server has for one. Who calls again has the last place in its line.
const MAX_WAIT: Duration = Duration::from_mins(5);

/// Tickets for each worker before the counted ones: until it is known how long one usually waits.
const WARM_UP: u64 = 3;

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    claimed: u64,
    p50_micros: u64,
    p99_micros: u64,
    /// How many tickets others got while a worker waited; in one line, as many as there are other workers.
    p50_turns: u64,
    p99_turns: u64,
    /// The 99th percentile divided by the median, of the turns.
    ratio: f64,
    workers: usize,
    connections: usize,
    seconds: f64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
}

/// Files each ticket when the one before is taken, so that the queue is empty most of the time.
pub(super) async fn run(args: Args, bench: &Bench, desk: &Desk, connections: &[Connection]) -> Result<(), Failure> {
    let stop = Stop::on_interrupt();
    let keys = agents::create(&bench.client, &desk.parent, args.workers).await?;
    let measured = measure(&keys, connections, desk, args.count, &stop).await;
    agents::revoke(&bench.client, keys).await?;
    let (turns, tally) = measured?;
    let (latency, p50_turns, p99_turns) =
        (tally.latency(), turns.value_at_quantile(0.5), turns.value_at_quantile(0.99));
    let result = Report {
        helpdesk: args.helpdesk,
        claimed: tally.count,
        p50_micros: latency.p50_micros,
        p99_micros: latency.p99_micros,
        p50_turns,
        p99_turns,
        ratio: ratio(p99_turns as f64, p50_turns as f64),
        workers: args.workers,
        connections: args.connections,
        seconds: tally.measured.as_secs_f64(),
        errors: tally.errors,
        first_error: tally.first_error,
    };
    let told = report(bench.output, &result, Report::lines);
    verdict(result.claimed, &[("errors", result.errors)]).and(told)
}

async fn measure(
    keys: &[AccessKey],
    connections: &[Connection],
    desk: &Desk,
    count: u64,
    stop: &Stop,
) -> Result<(Histogram<u64>, Tally), Failure> {
    let given = Arc::new(AtomicU64::new(0));
    let (told, mut waited) = mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for (key, connection) in keys.iter().zip(connections.iter().cycle()) {
        let worker = Worker {
            connection: connection.with_key(&key.secret)?,
            queue: desk.queue(),
            given: Arc::clone(&given),
            told: told.clone(),
        };
        workers.spawn(worker.run());
    }
    drop(told);
    let (mut turns, mut tally, begin) = (histogram(), Tally::default(), Instant::now());
    let Some(mut creator) = connections.first().map(|connection| desk.creator(connection)) else {
        return Ok((turns, tally));
    };
    let mut warm_up = WARM_UP * keys.len() as u64;
    while tally.count < count && tally.errors == 0 && !stop.is_set() {
        if let Err(status) = creator.call().await {
            tally.fail(&status);
            break;
        }
        match waited.recv().await {
            Some(Ok(_)) if warm_up > 0 => warm_up -= 1,
            Some(Ok(wait)) => {
                tally.add(wait.time);
                turns.saturating_record(wait.turns);
            }
            Some(Err(status)) => tally.fail(&status),
            None => break,
        }
    }
    tally.measured = begin.elapsed();
    // Those who wait hang up.
    workers.shutdown().await;
    Ok((turns, tally))
}

/// How long a worker waited for a ticket.
struct Wait {
    time: Duration,
    turns: u64,
}

struct Worker {
    connection: Connection,
    queue: String,
    given: Arc<AtomicU64>,
    told: mpsc::UnboundedSender<Result<Wait, tonic::Status>>,
}

impl Worker {
    async fn run(mut self) {
        loop {
            let wait = self.wait().await;
            let has_failed = wait.is_err();
            if self.told.send(wait).is_err() || has_failed {
                return;
            }
        }
    }

    async fn wait(&mut self) -> Result<Wait, tonic::Status> {
        let (begin, before) = (Instant::now(), self.given.load(Ordering::SeqCst));
        loop {
            let request = ClaimNextTicketRequest {
                name: self.queue.clone(),
                request_id: Uuid::now_v7().to_string(),
                max_wait: MAX_WAIT.try_into().ok(),
                ..ClaimNextTicketRequest::default()
            };
            let Claimed { ticket } = self.connection.call(CLAIM_NEXT, request).await?;
            if ticket.is_some() {
                let turns = self.given.fetch_add(1, Ordering::SeqCst) - before;
                return Ok(Wait { time: begin.elapsed(), turns });
            }
        }
    }
}

impl Report {
    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("claimed", self.claimed.to_string()),
            ("waited p50, p99", format!("{} µs, {} µs", self.p50_micros, self.p99_micros)),
            ("turns p50, p99", format!("{} and {}: {:.2}", self.p50_turns, self.p99_turns, self.ratio)),
            ("load", format!("{} workers on {} connections", self.workers, self.connections)),
            ("errors", self.errors.to_string()),
            ("first error", self.first_error.clone().unwrap_or_default()),
        ]
    }
}
