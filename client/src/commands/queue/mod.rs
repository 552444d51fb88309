//! `loket queue …`: read and work the queues.

mod get;
mod list;
mod next;
mod watch;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the queues of a helpdesk
    List(list::List),
    /// Show a queue
    Get(get::Get),
    /// Show a queue live
    Watch(watch::Watch),
    /// Claim the first ticket that waits in a queue
    Next(next::Next),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Get(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
            Self::Next(command) => command.run(context).await,
        }
    }
}
