//! `loket ticket assign`

use clap::Args;
use loket_client::v1::AssignTicketRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Give a ticket to a member of the staff, or to nobody.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true))]
pub(crate) struct Assign {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The subject of who shall have it
    #[arg(long, value_name = "SUBJECT", group = "whose")]
    to: Option<String>,

    /// Back to its queue
    #[arg(long, group = "whose")]
    nobody: bool,

    /// Why; kept in the history; `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Assign {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = AssignTicketRequest {
            name: self.name,
            assignee: self.to.unwrap_or_default(),
            reason: args::text(self.reason)?,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.assign_ticket(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
