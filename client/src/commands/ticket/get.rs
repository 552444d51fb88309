//! `loket ticket get`

use clap::Args;
use loket_client::v1::{GetTicketRequest, LookupTicketRequest};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Show a ticket, found by its name or by its number.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket, required_unless_present_any = ["number", "helpdesk"])]
    name: Option<String>,

    /// The human number, exactly as it is shown; needs --helpdesk
    #[arg(long, requires = "helpdesk", conflicts_with = "name")]
    number: Option<String>,

    /// The helpdesk of the number
    #[arg(long, value_parser = args::helpdesk, requires = "number", conflicts_with = "name")]
    helpdesk: Option<String>,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client().await?;
        let ticket = match (self.name, self.helpdesk, self.number) {
            (None, Some(parent), Some(number)) => {
                client.lookup_ticket(LookupTicketRequest { parent, number, ..LookupTicketRequest::default() }).await?
            }
            (name, _, _) => {
                let name = name.unwrap_or_default();
                client.get_ticket(GetTicketRequest { name, ..GetTicketRequest::default() }).await?
            }
        };
        context.output.one("Ticket", &ticket, show::ticket::whole)
    }
}
