//! `loket requester …`: those who file tickets.

mod get;
mod list;
mod register;
mod verify;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Register(register::Register),
    Verify(verify::Verify),
    Get(get::Get),
    List(list::List),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Register(command) => command.run(context).await,
            Self::Verify(command) => command.run(context).await,
            Self::Get(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
        }
    }
}
