//! `loket ticket release`

use clap::Args;
use loket_client::v1::ReleaseTicketRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Give a ticket back to its queue.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// Why; kept in the history; `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Release {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ReleaseTicketRequest {
            name: self.name,
            reason: args::text(self.reason)?,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.release_ticket(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
