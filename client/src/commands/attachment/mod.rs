//! `loket attachment …`: files on tickets.

mod get;
mod list;
mod types;
mod upload;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

pub(crate) use upload::attach;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::List),
    Get(get::Get),
    Upload(upload::Upload),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Get(command) => command.run(context).await,
            Self::Upload(command) => command.run(context).await,
        }
    }
}
