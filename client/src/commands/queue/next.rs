//! `loket queue next`

use clap::Args;
use loket_client::v1::ClaimNextTicketRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Claim the first ticket that waits in a queue.
///
/// An empty queue is no failure. With `-o json` it is a `ClaimNextTicketResponse` without a ticket.
#[derive(Debug, Args)]
pub(crate) struct Next {
    /// `smmpanel/order` or `helpdesks/smmpanel/queues/order`
    #[arg(value_name = "QUEUE", value_parser = args::queue)]
    name: String,

    #[command(flatten)]
    change: args::Change,
}

impl Next {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ClaimNextTicketRequest {
            name: self.name,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let answer = context.client().await?.claim_next_ticket(request).await?;
        if answer.ticket.is_none() {
            context.output.note("Nobody waits in this queue.");
        }
        context.output.one("ClaimNextTicketResponse", &answer, |answer| {
            answer.ticket.as_ref().map(show::ticket::whole).unwrap_or_default()
        })
    }
}
