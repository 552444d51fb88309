//! `loket ticket explain`

use clap::Args;
use loket_client::v1::ExplainTransitionsRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Say which transitions lead on from a ticket, and why the others may not be taken.
///
/// With `-o json` it is an `ExplainTransitionsResponse`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    name: String,
}

impl Explain {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ExplainTransitionsRequest { name: self.name, ..ExplainTransitionsRequest::default() };
        let explained = context.client().await?.explain_transitions(request).await?;
        context.output.one("ExplainTransitionsResponse", &explained, |explained| {
            if explained.transitions.is_empty() {
                context.output.note("None.");
                return String::new();
            }
            context.output.table(&show::ticket::transitions(explained))
        })
    }
}
