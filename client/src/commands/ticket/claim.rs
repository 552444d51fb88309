//! `loket ticket claim`

use clap::Args;
use loket_client::v1::ClaimTicketRequest;

use super::with_text;
use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Take a ticket that waits, and show it with its text.
#[derive(Debug, Args)]
pub(crate) struct Claim {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Claim {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ClaimTicketRequest {
            name: self.name,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let client = context.client().await?;
        let ticket = client.claim_ticket(request).await?;
        let ticket = with_text(&client, ticket).await;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
