//! `loket agent list`

use clap::Args;
use futures_util::TryStreamExt as _;
use loket_client::v1::ListAgentsRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// List the agents of a helpdesk.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// The helpdesk
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,
}

impl List {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let request = ListAgentsRequest { parent: self.helpdesk, ..ListAgentsRequest::default() };
        let agents: Vec<_> = context.client().await?.all_agents(request).try_collect().await?;
        context.output.list("Agent", &agents, show::agent::list)
    }
}
