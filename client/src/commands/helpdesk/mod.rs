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
    Apply(apply::Apply),
    Get(get::Get),
    Explain(explain::Explain),
    List(list::List),
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
