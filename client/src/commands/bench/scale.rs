//! `loket bench scale`: whether a large helpdesk is slower than a small one.

use std::time::{Duration, Instant};

use loket::v1::{ClaimNextTicketRequest, ListTicketsRequest};
use serde::Serialize;
use tonic::Status;
use uuid::Uuid;

use super::Bench;
use super::connection::Connection;
use super::desk::{Creator, Desk, TicketArgs};
use super::load::{Operation as _, Tally, ratio};
use super::verdict::verdict;
use crate::args;
use crate::commands::progress::Progress;
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

const CLAIM_NEXT: &str = "/loket.v1.QueueService/ClaimNextTicket";
const LIST: &str = "/loket.v1.TicketService/ListTickets";

/// Rounds before the counted ones.
const WARM_UP: u32 = 50;

/// Measure claim, list and create in a small helpdesk and again when it has grown large.
///
/// One caller, one call in flight. The helpdesk is filled by the benchmark, so it must be a new one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The helpdesk, to be made [default: bench-scale- and a random number].
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: Option<String>,

    /// Tickets at the first measurement.
    #[arg(long, default_value_t = 10_000)]
    small: u64,

    /// Tickets at the second measurement.
    #[arg(long, default_value_t = 1_000_000)]
    large: u64,

    /// How often each call is measured.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    samples: u32,

    #[command(flatten)]
    tickets: TicketArgs,
}

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    small: Sizes,
    large: Sizes,
    /// Large divided by small.
    claim_ratio: f64,
    list_ratio: f64,
    queue_list_ratio: f64,
    create_ratio: f64,
    errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_error: Option<String>,
}

/// The medians at one size.
#[derive(Debug, Clone, Copy, Serialize)]
struct Sizes {
    tickets: u64,
    /// How often each call was measured, at least.
    samples: u64,
    claim_p50_micros: u64,
    /// The first 50 tickets that match a filter, in order of receipt.
    list_p50_micros: u64,
    /// The first 50 tickets of the queue, in its order.
    queue_list_p50_micros: u64,
    create_p50_micros: u64,
}

pub(super) async fn run(args: Args, bench: &Bench) -> Result<(), Failure> {
    let stop = Stop::on_interrupt();
    let helpdesk = args.helpdesk.unwrap_or_else(|| format!("helpdesks/bench-scale-{:08x}", rand::random::<u32>()));
    if args.small >= args.large {
        return Err(Failure::Usage("--small must be less than --large".to_owned()));
    }
    let desk = Desk::open(&bench.client, &helpdesk, &args.tickets).await?;
    let has = desk.count().await?;
    if has > args.small {
        return Err(Failure::Usage(format!(
            "{} has {has} tickets already, more than the {} of --small: give --helpdesk a new name, or leave it away",
            desk.parent, args.small
        )));
    }
    let connection = Connection::open(&bench.options, &[], 1).await?.swap_remove(0);
    let mut caller = Caller {
        creator: desk.creator(&connection),
        connection,
        queue: desk.queue(),
        parent: desk.parent.clone(),
        filter: Desk::filter(3),
        errors: Tally::default(),
    };
    desk.fill(args.small - has, &stop, bench.output).await?;
    let small = caller.measure(&desk, args.samples, &stop, bench).await?;
    desk.fill(args.large.saturating_sub(desk.count().await?), &stop, bench.output).await?;
    let large = caller.measure(&desk, args.samples, &stop, bench).await?;

    let of = |micros: fn(&Sizes) -> u64| ratio(micros(&large) as f64, micros(&small) as f64);
    let result = Report {
        helpdesk,
        small,
        large,
        claim_ratio: of(|sizes| sizes.claim_p50_micros),
        list_ratio: of(|sizes| sizes.list_p50_micros),
        queue_list_ratio: of(|sizes| sizes.queue_list_p50_micros),
        create_ratio: of(|sizes| sizes.create_p50_micros),
        errors: caller.errors.errors,
        first_error: caller.errors.first_error,
    };
    let told = report(bench.output, &result, Report::lines);
    verdict(small.samples.min(large.samples), &[("errors", result.errors)]).and(told)
}

/// One caller that has one call in flight.
struct Caller {
    connection: Connection,
    creator: Creator,
    parent: String,
    queue: String,
    filter: String,
    errors: Tally,
}

impl Caller {
    /// Measures the calls in turn, so that noise hits all of them.
    async fn measure(&mut self, desk: &Desk, samples: u32, stop: &Stop, bench: &Bench) -> Result<Sizes, Failure> {
        let tickets = desk.count().await?;
        let mut progress = Progress::new(Some(u64::from(samples)));
        let mut tallies: [Tally; 4] = Default::default();
        for sample in 0..WARM_UP + samples {
            if stop.is_set() {
                break;
            }
            let took = [self.claim().await, self.list().await, self.list_queue().await, self.create().await];
            for (tally, took) in tallies.iter_mut().zip(took) {
                match took {
                    Ok(took) if sample >= WARM_UP => tally.add(took),
                    Ok(_) => {}
                    Err(status) => self.errors.fail(&status),
                }
            }
            let done = u64::from(sample.saturating_sub(WARM_UP));
            progress.show(bench.output, done, || format!("measuring at {tickets} tickets"));
        }
        let samples = tallies.iter().map(|tally| tally.count).min().unwrap_or(0);
        let [claim, list, queue_list, create] = tallies.map(|tally| tally.latency().p50_micros);
        Ok(Sizes {
            tickets,
            samples,
            claim_p50_micros: claim,
            list_p50_micros: list,
            queue_list_p50_micros: queue_list,
            create_p50_micros: create,
        })
    }

    async fn claim(&mut self) -> Result<Duration, Status> {
        let request = ClaimNextTicketRequest {
            name: self.queue.clone(),
            request_id: Uuid::now_v7().to_string(),
            ..ClaimNextTicketRequest::default()
        };
        let begin = Instant::now();
        let _: Anything = self.connection.call(CLAIM_NEXT, request).await?;
        Ok(begin.elapsed())
    }

    async fn list(&mut self) -> Result<Duration, Status> {
        let filter = self.filter.clone();
        self.list_page(filter, "").await
    }

    async fn list_queue(&mut self) -> Result<Duration, Status> {
        self.list_page(format!("queue = {}", super::desk::QUEUE), "queue_order").await
    }

    async fn list_page(&mut self, filter: String, order_by: &str) -> Result<Duration, Status> {
        let request = ListTicketsRequest {
            parent: self.parent.clone(),
            page_size: 50,
            filter,
            order_by: order_by.to_owned(),
            ..ListTicketsRequest::default()
        };
        let begin = Instant::now();
        let _: Anything = self.connection.call(LIST, request).await?;
        Ok(begin.elapsed())
    }

    async fn create(&mut self) -> Result<Duration, Status> {
        let begin = Instant::now();
        self.creator.call().await?;
        Ok(begin.elapsed())
    }
}

impl Report {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let Self { small, large, .. } = self;
        let compared = |small: u64, large: u64, ratio: f64| format!("{small} µs and {large} µs: {ratio:.2}");
        vec![
            ("helpdesk", self.helpdesk.clone()),
            ("tickets", format!("{} and {}", small.tickets, large.tickets)),
            ("claim p50", compared(small.claim_p50_micros, large.claim_p50_micros, self.claim_ratio)),
            ("list p50", compared(small.list_p50_micros, large.list_p50_micros, self.list_ratio)),
            (
                "list in queue order p50",
                compared(small.queue_list_p50_micros, large.queue_list_p50_micros, self.queue_list_ratio),
            ),
            ("create p50", compared(small.create_p50_micros, large.create_p50_micros, self.create_ratio)),
            ("errors", self.errors.to_string()),
            ("first error", self.first_error.clone().unwrap_or_default()),
        ]
    }
}

/// An answer that is not looked at.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Anything {}
