//! `loket helpdesk canned`

use clap::Args;
use loket_client::v1::GetHelpdeskRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
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
        let canned = &helpdesk.canned_responses;
        context.output.list("CannedResponse", canned, show::helpdesk::canned)?;
        if context.output.is_json() {
            Ok(())
        } else {
            output::write(&show::helpdesk::canned_texts(canned, context.output.width()))
        }
    }
}
