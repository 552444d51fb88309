//! `loket queue next`

use std::time::{Duration, Instant};

use clap::Args;
use loket_client::v1::ClaimNextTicketRequest;
use uuid::Uuid;

use crate::args;
use crate::commands::ticket::with_text;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Claim the first ticket that waits in a queue, and show it with its text.
///
/// With `-o json` it is a `ClaimNextTicketResponse`: `{"ticket": …}`. Where no ticket waits it is `{}`, and the exit code is 8.
#[derive(Debug, Args)]
pub(crate) struct Next {
    /// `smmpanel/order` or `helpdesks/smmpanel/queues/order`
    #[arg(value_name = "QUEUE", value_parser = args::queue)]
    name: String,

    /// How long to wait for a ticket where none waits: `500ms`, `30s`, `2m`
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    wait: Option<Duration>,

    #[command(flatten)]
    change: args::Change,
}

/// As long as a server waits in one call.
const AT_ONCE: Duration = Duration::from_mins(5);

impl Next {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client().await?;
        // The same for all that follow: an answer that was lost is told by the next.
        let request_id =
            if self.change.request_id.is_empty() { Uuid::now_v7().to_string() } else { self.change.request_id };
        let begin = Instant::now();
        // A server may end a wait sooner than it was asked to: then it goes on.
        let mut answer = loop {
            let left = self.wait.unwrap_or_default().saturating_sub(begin.elapsed()).min(AT_ONCE);
            let request = ClaimNextTicketRequest {
                name: self.name.clone(),
                request_id: request_id.clone(),
                validate_only: self.change.validate_only,
                max_wait: prost_types::Duration::try_from(left).ok(),
            };
            let answer = client.claim_next_ticket(request).await?;
            let is_over = begin.elapsed() >= self.wait.unwrap_or_default() || self.change.validate_only;
            if answer.ticket.is_some() || is_over {
                break answer;
            }
        };
        if let Some(ticket) = answer.ticket.take() {
            answer.ticket = Some(with_text(&client, ticket).await);
        } else {
            context.output.note("No ticket waits in this queue.");
        }
        context.output.one("ClaimNextTicketResponse", &answer, |answer| {
            answer.ticket.as_ref().map(show::ticket::whole).unwrap_or_default()
        })?;
        if answer.ticket.is_some() { Ok(()) } else { Err(Failure::NoTicket) }
    }
}
