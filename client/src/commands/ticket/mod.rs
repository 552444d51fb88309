//! `loket ticket …`: file, read, move and watch tickets.

mod assign;
mod claim;
mod create;
mod escalate;
mod explain;
mod get;
mod history;
mod link;
mod list;
mod merge;
mod read;
mod release;
mod replies;
mod reply;
mod split;
mod transfer;
mod transition;
mod unlink;
mod update;
mod watch;

use clap::Subcommand;
use loket_client::Client;
use loket_client::v1::{GetTicketRequest, Ticket};

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
    /// Link a ticket to another
    Link(link::Link),
    /// Take a link off two tickets
    Unlink(unlink::Unlink),
    /// Merge tickets into the one that was received first
    Merge(merge::Merge),
    /// Make a new ticket of replies that begin an unrelated matter
    Split(split::Split),
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

/// A ticket with its text, which the answer of a claim does not have. It is claimed whether or not that can be read.
pub(super) async fn with_text(client: &Client, ticket: Ticket) -> Ticket {
    let request = GetTicketRequest { name: ticket.name.clone(), ..GetTicketRequest::default() };
    match client.get_ticket(request).await {
        Ok(Ticket { body, .. }) if ticket.body.is_empty() => Ticket { body, ..ticket },
        Ok(_) | Err(_) => ticket,
    }
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
            Self::Link(command) => command.run(context).await,
            Self::Unlink(command) => command.run(context).await,
            Self::Merge(command) => command.run(context).await,
            Self::Split(command) => command.run(context).await,
            Self::Read(command) => command.run(context).await,
            Self::Reply(command) => command.run(context).await,
            Self::Replies(command) => command.run(context).await,
            Self::History(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
        }
    }
}
