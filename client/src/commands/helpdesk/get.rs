//! `loket helpdesk get`

use clap::Args;
use loket_client::v1::GetHelpdeskRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Show a helpdesk.
///
/// In short, or with `-o json` its whole definition, which `helpdesk apply` reads.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// `smmpanel` or `helpdesks/smmpanel`
    #[arg(value_name = "HELPDESK", value_parser = args::helpdesk)]
    name: String,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let helpdesk = context.client().await?.get_helpdesk(GetHelpdeskRequest { name: self.name }).await?;
        context.output.document("Helpdesk", &helpdesk, |helpdesk| show::helpdesk::whole(helpdesk, context.output))
    }
}
