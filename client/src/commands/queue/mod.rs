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
    List(list::List),
    Get(get::Get),
    Watch(watch::Watch),
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
