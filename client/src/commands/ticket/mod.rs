//! `loket ticket …`: file, read, move and watch tickets.

mod assign;
mod claim;
mod create;
mod escalate;
mod explain;
mod get;
mod history;
mod list;
mod read;
mod release;
mod replies;
mod reply;
mod transfer;
mod transition;
mod update;
mod watch;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// File a ticket
    Create(create::Create),
    /// Show a ticket
    Get(get::Get),
    /// List tickets
    List(list::List),
    /// Change fields of a ticket
    Update(update::Update),
    /// Move a ticket to another status
    Transition(transition::Transition),
    /// Say which transitions lead on, and why the others do not
    Explain(explain::Explain),
    /// Take a ticket that waits
    Claim(claim::Claim),
    /// Give a ticket to a member of the staff
    Assign(assign::Assign),
    /// Send a ticket to another queue
    Transfer(transfer::Transfer),
    /// Take an escalation: to another queue, or a child there
    Escalate(escalate::Escalate),
    /// Give a ticket back to its queue
    Release(release::Release),
    /// Note that the staff have read a ticket
    Read(read::Read),
    /// Reply on a ticket, or leave a note
    Reply(reply::Reply),
    /// Show the conversation on a ticket
    Replies(replies::Replies),
    /// Show what happened to a ticket
    History(history::History),
    /// Follow tickets as they change
    Watch(watch::Watch),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::Get(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Update(command) => command.run(context).await,
            Self::Transition(command) => command.run(context).await,
            Self::Explain(command) => command.run(context).await,
            Self::Claim(command) => command.run(context).await,
            Self::Assign(command) => command.run(context).await,
            Self::Transfer(command) => command.run(context).await,
            Self::Escalate(command) => command.run(context).await,
            Self::Release(command) => command.run(context).await,
            Self::Read(command) => command.run(context).await,
            Self::Reply(command) => command.run(context).await,
            Self::Replies(command) => command.run(context).await,
            Self::History(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
        }
    }
}
