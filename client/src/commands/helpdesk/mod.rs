//! `loket helpdesk …`: helpdesks and their definitions.

mod apply;
mod canned;
mod explain;
mod get;
mod list;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create helpdesks from definitions, or update them
    Apply(apply::Apply),
    /// Show a helpdesk
    Get(get::Get),
    /// Explain how a helpdesk works, as text or as a diagram
    Explain(explain::Explain),
    /// List the helpdesks that the key opens
    List(list::List),
    /// List the texts that the staff reply with
    Canned(canned::Canned),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Apply(command) => command.run(context).await,
            Self::Get(command) => command.run(context).await,
            Self::Explain(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Canned(command) => command.run(context).await,
        }
    }
}
