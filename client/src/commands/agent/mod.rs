//! `loket agent …`: who works the queues.

mod create;
mod get;
mod list;
mod update;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(create::Create),
    Get(get::Get),
    List(list::List),
    Update(update::Update),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::Get(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Update(command) => command.run(context).await,
        }
    }
}
