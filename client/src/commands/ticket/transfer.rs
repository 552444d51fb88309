//! `loket ticket transfer`

use clap::Args;
use loket_client::v1::TransferTicketRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Send a ticket to another queue of its helpdesk.
#[derive(Debug, Args)]
pub(crate) struct Transfer {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The queue: `order`, or as tables show it, `smmpanel/order`
    #[arg(long, value_name = "QUEUE")]
    to: String,

    /// Why; kept in the history; `-` reads it from standard input
    #[arg(long)]
    reason: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Transfer {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = TransferTicketRequest {
            queue: args::queue_of(&self.name, "--to", &self.to)?,
            name: self.name,
            reason: args::text(self.reason)?,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.transfer_ticket(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
