//! `loket ticket merge`

use clap::Args;
use loket_client::v1::MergeTicketsRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Merge tickets into the one that was received first.
///
/// It keeps its place; the others are closed as its duplicates.
#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The one that was received first: `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The tickets that repeat it: 1 to 50
    #[arg(value_name = "DUPLICATE", value_parser = args::ticket, required = true)]
    duplicates: Vec<String>,

    /// Why; kept in the history of each for the staff; `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Merge {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = MergeTicketsRequest {
            name: self.name,
            duplicates: self.duplicates,
            reason: args::text(self.reason)?,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.merge_tickets(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
