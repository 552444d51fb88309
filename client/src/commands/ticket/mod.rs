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
    Create(create::Create),
    Get(get::Get),
    List(list::List),
    Update(update::Update),
    Transition(transition::Transition),
    Explain(explain::Explain),
    Claim(claim::Claim),
    Assign(assign::Assign),
    Transfer(transfer::Transfer),
    Escalate(escalate::Escalate),
    Release(release::Release),
    Link(link::Link),
    Unlink(unlink::Unlink),
    Merge(merge::Merge),
    Split(split::Split),
    Read(read::Read),
    Reply(reply::Reply),
    Replies(replies::Replies),
    History(history::History),
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
