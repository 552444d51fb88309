//! `loket helpdesk canned`

use clap::Args;
use loket_client::v1::GetHelpdeskRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// List the texts that the staff reply with: `loket ticket reply --canned ID`.
#[derive(Debug, Args)]
pub(crate) struct Canned {
    /// `smmpanel` or `helpdesks/smmpanel`
    #[arg(value_name = "HELPDESK", value_parser = args::helpdesk)]
    name: String,
}

impl Canned {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let helpdesk = context.client().await?.get_helpdesk(GetHelpdeskRequest { name: self.name }).await?;
        context.output.list("CannedResponse", &helpdesk.canned_responses, show::helpdesk::canned)
    }
}
