//! `loket ticket unlink`

use clap::Args;
use loket_client::v1::{LinkKind, UnlinkTicketsRequest};

use super::link::Kind;
use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Take a link off two tickets.
#[derive(Debug, Args)]
pub(crate) struct Unlink {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The other ticket, of the same helpdesk
    #[arg(value_name = "OTHER", value_parser = args::ticket)]
    other: String,

    /// What the other ticket is to this one and shall not be any more [default: whatever it is]
    #[arg(long, value_enum)]
    kind: Option<Kind>,

    /// Why; kept in the history for the staff; `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Unlink {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = UnlinkTicketsRequest {
            name: self.name,
            other_ticket: self.other,
            kind: self.kind.map_or(LinkKind::Unspecified, LinkKind::from).into(),
            reason: args::text(self.reason)?,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.unlink_tickets(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
