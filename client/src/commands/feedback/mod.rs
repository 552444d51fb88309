//! `loket feedback …`: the survey after closing.

mod link;
mod submit;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Submit(submit::Submit),
    Link(link::Link),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Submit(command) => command.run(context).await,
            Self::Link(command) => command.run(context).await,
        }
    }
}
