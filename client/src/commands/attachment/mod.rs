//! `loket attachment …`: files on tickets.

mod get;
mod list;
mod types;
mod upload;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

pub(crate) use upload::upload_all;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the files of a ticket and its replies
    List(list::List),
    /// Fetch a file
    Get(get::Get),
    /// Upload a file, or go on with one, to be attached with --upload
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
