//! `loket agent get`

use clap::Args;
use loket_client::v1::GetAgentRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Show an agent.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// `smmpanel/rina` or `helpdesks/smmpanel/agents/rina`
    #[arg(value_name = "AGENT", value_parser = args::agent)]
    name: String,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = GetAgentRequest { name: self.name, ..GetAgentRequest::default() };
        let agent = context.client().await?.get_agent(request).await?;
        context.output.one("Agent", &agent, show::agent::whole)
    }
}
