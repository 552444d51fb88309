//! `loket ticket transition`

use clap::Args;
use loket_client::v1::TransitionTicketRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Move a ticket to another status.
#[derive(Debug, Args)]
pub(crate) struct Transition {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,

    /// The transition; `loket ticket explain` lists them
    #[arg(value_name = "TRANSITION")]
    id: String,

    /// A field to set with it, removed by an empty value; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = args::pair)]
    fields: Vec<(String, String)>,

    /// Why; kept in the history for the staff; `-` reads it from standard input
    #[arg(long, visible_alias = "reason", default_value = "", hide_default_value = true)]
    comment: String,

    /// What solved it; `-` reads it from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    solution: String,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Transition {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let [comment, solution] = args::texts([("--comment", self.comment), ("--solution", self.solution)])?;
        let request = TransitionTicketRequest {
            name: self.name,
            transition: self.id,
            fields: args::fields(self.fields)?,
            comment,
            solution,
            etag: self.etag.etag,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let ticket = context.client().await?.transition_ticket(request).await?;
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
