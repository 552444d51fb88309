//! `loket ticket read`

use clap::Args;
use loket_client::v1::MarkTicketReadRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Note that the staff have read a ticket.
#[derive(Debug, Args)]
pub(crate) struct Read {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Read {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = MarkTicketReadRequest {
            name: self.name,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.mark_ticket_read(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
