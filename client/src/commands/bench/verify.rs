//! `loket bench verify`: a proof on one's own servers that nothing acknowledged is lost, done twice, or kept from a watcher.

mod check;
mod ledger;
mod watcher;
mod writer;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use loket::v1::{AccessKey, ListTicketsRequest};
use loket_client::{Client, Options};
use serde::Serialize;
use tokio::task::JoinSet;
use uuid::Uuid;

use self::check::Findings;
use self::ledger::Ledger;
use self::watcher::{Goal, Seen, Watcher};
use self::writer::Writer;
use super::desk::{Desk, TicketArgs};
use super::load::{Latency, histogram};
use super::{Bench, agents, positive};
use crate::args;
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

/// A call that gets no answer at one server is repeated at the next after so long.
const TRY: Duration = Duration::from_secs(2);

/// Prove that nothing is lost, repeated or hidden, on any number of servers of one database.
///
/// Agents file tickets, reply and claim at all servers at once, while watchers follow every change and go from server to
/// server with their resume tokens. What was acknowledged and what the watchers saw is then compared with what is there.
/// Kill servers, stop them, restart the database while it runs: calls are repeated with their request ids, at another
/// server if need be. Anything that is not as promised is counted, and makes the exit code 1.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The helpdesk, made when it is missing. Nobody else should change its definition meanwhile.
    #[arg(long, default_value = "bench", value_parser = args::helpdesk)]
    helpdesk: String,

    /// Further servers of the same database.
    #[arg(long = "further-endpoint", value_name = "URL")]
    further_endpoints: Vec<String>,

    /// Agents, spread evenly over the servers, each with one call in flight.
    #[arg(long, default_value_t = 16, value_parser = positive)]
    writers: usize,

    /// Watchers that begin at each server.
    #[arg(long, default_value_t = 2, value_parser = positive)]
    watchers: usize,

    /// How long the agents work.
    #[arg(long, default_value = "30s", value_parser = args::duration)]
    duration: Duration,

    /// How long a watcher stays before it resumes at the next server.
    #[arg(long, default_value = "2s", value_parser = args::duration)]
    resume_every: Duration,

    /// How long a call is repeated, and how long is waited for what a watcher has not seen.
    #[arg(long, default_value = "2m", value_parser = args::duration)]
    patience: Duration,
}

/// What the run's parts share.
struct Run {
    /// `helpdesks/bench`.
    parent: String,
    queue: String,
    /// Begins every subject and every reply of this run.
    mark: String,
    endpoints: Vec<String>,
    patience: Duration,
}

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    endpoints: usize,
    seconds: f64,
    tickets: u64,
    replies: u64,
    claims: u64,
    /// Calls that were repeated with their request id.
    repeated_calls: u64,
    /// Calls that were given up: what became of them is open.
    unanswered: u64,
    /// Streams that went on from a token.
    resumed_streams: u64,
    revisions: u64,
    events: u64,
    /// From the commit at one server to a watcher at the same.
    same_p50_micros: u64,
    same_p99_micros: u64,
    /// From the commit at one server to a watcher at another.
    other_p50_micros: u64,
    other_p99_micros: u64,
    violations: u64,
    #[serde(flatten)]
    findings: Findings,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
}

pub(super) async fn run(args: Args, bench: &Bench) -> Result<(), Failure> {
    let stop = Stop::on_interrupt();
    let desk = Desk::open(&bench.client, &args.helpdesk, &TicketArgs::default()).await?;
    let endpoints: Vec<String> =
        std::iter::once(bench.options.endpoint.clone()).chain(args.further_endpoints.iter().cloned()).collect();
    let run = Arc::new(Run {
        parent: desk.parent.clone(),
        queue: desk.queue(),
        mark: format!("verify {}", Uuid::new_v4().simple()),
        endpoints,
        patience: args.patience,
    });
    // All are there to begin with; later they may come and go.
    let mut admins = Vec::new();
    for endpoint in &run.endpoints {
        admins.push(Client::connect(Options { endpoint: endpoint.clone(), ..bench.options.clone() }).await?);
    }
    let admins: Arc<[Client]> = admins.into();
    let before = desk.count().await?;

    let goal = Arc::new(Goal::default());
    let mut watchers = JoinSet::new();
    for number in 0..args.watchers * admins.len() {
        let watcher = Watcher::begin(Arc::clone(&admins), number, &run, args.resume_every).await?;
        watchers.spawn(watcher.follow(Arc::clone(&goal)));
    }
    let keys = agents::create(&bench.client, &run.parent, args.writers).await?;
    let begin = Instant::now();
    let ledger = work(&run, &keys, &bench.options, begin + args.duration, &stop).await?;
    let seconds = begin.elapsed().as_secs_f64();

    let ledger = ledger.settle();
    goal.last.store(head(&run, &admins).await?.0, Ordering::Relaxed);
    goal.give_up_after(args.patience);
    let mut seen = Vec::new();
    while let Some(done) = watchers.join_next().await {
        seen.push(done.map_err(|error| Failure::Other(format!("a watcher ended early: {error}")))?);
    }
    let findings = check::check(&run, &admins, before, &ledger, &seen).await?;
    agents::revoke(&admins[head(&run, &admins).await?.1], keys).await?;
    let result = Report::of(args.helpdesk, &run, seconds, ledger, &seen, findings);
    report(bench.output, &result, Report::lines)?;
    match result.violations {
        0 => Ok(()),
        violations => Err(Failure::Other(format!("{violations} of what is promised was not kept"))),
    }
}

/// Lets all agents work until then, and returns what all of them noted.
async fn work(
    run: &Arc<Run>,
    keys: &[AccessKey],
    options: &Options,
    end: Instant,
    stop: &Stop,
) -> Result<Ledger, Failure> {
    let mut writers = JoinSet::new();
    for (number, key) in keys.iter().enumerate() {
        let writer = Writer::new(run, number, key, options)?;
        let stop = stop.clone();
        writers.spawn(writer.work(end, stop));
    }
    let mut ledger = Ledger::default();
    while let Some(done) = writers.join_next().await {
        ledger.join(done.map_err(|error| Failure::Other(format!("an agent ended early: {error}")))?);
    }
    Ok(ledger)
}

/// The helpdesk's last revision, as the first server says that answers, and which that is.
async fn head(run: &Run, admins: &[Client]) -> Result<(i64, usize), Failure> {
    let request = ListTicketsRequest { parent: run.parent.clone(), page_size: 1, ..ListTicketsRequest::default() };
    let answered =
        writer::ask(
            admins,
            0,
            run.patience,
            &request,
            |client, request| async move { client.list_tickets(request).await },
        );
    let answered = answered.await?;
    Ok((answered.answer.revision, answered.place))
}

impl Report {
    fn of(helpdesk: String, run: &Run, seconds: f64, ledger: Ledger, seen: &[Seen], findings: Findings) -> Self {
        let (mut same, mut other) = (histogram(), histogram());
        for event in seen.iter().flat_map(|seen| &seen.events) {
            if let Some(place) = ledger.committed_at.get(&event.revision) {
                // It fails only for values beyond the range, and the range grows.
                let _ = if *place == event.place { &mut same } else { &mut other }.record(event.micros);
            }
        }
        let (same, other) = (Latency::of(&same), Latency::of(&other));
        Self {
            helpdesk,
            endpoints: run.endpoints.len(),
            seconds,
            tickets: ledger.tickets.len() as u64,
            replies: ledger.replies.len() as u64,
            claims: ledger.claims.len() as u64,
            repeated_calls: ledger.repeated,
            unanswered: ledger.unanswered.len() as u64,
            resumed_streams: seen.iter().map(|seen| seen.resumed).sum(),
            revisions: findings.revisions,
            events: seen.iter().map(|seen| seen.events.len() as u64).sum(),
            same_p50_micros: same.p50_micros,
            same_p99_micros: same.p99_micros,
            other_p50_micros: other.p50_micros,
            other_p99_micros: other.p99_micros,
            violations: findings.total(),
            findings,
            first_error: ledger.first_error.or_else(|| seen.iter().find_map(|seen| seen.error.clone())),
        }
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("servers", self.endpoints.to_string()),
            (
                "acknowledged",
                format!(
                    "{} tickets, {} replies, {} claims in {:.1} s",
                    self.tickets, self.replies, self.claims, self.seconds
                ),
            ),
            ("repeated calls", self.repeated_calls.to_string()),
            ("unanswered calls", self.unanswered.to_string()),
            ("watched", format!("{} events of {} revisions", self.events, self.revisions)),
            ("resumed streams", self.resumed_streams.to_string()),
            ("same server p50, p99", format!("{} µs, {} µs", self.same_p50_micros, self.same_p99_micros)),
        ];
        if self.endpoints > 1 {
            lines
                .push(("other server p50, p99", format!("{} µs, {} µs", self.other_p50_micros, self.other_p99_micros)));
        }
        lines.extend(self.findings.lines());
        lines.push(("violations", self.violations.to_string()));
        lines.push(("first error", self.first_error.clone().unwrap_or_default()));
        lines
    }
}
