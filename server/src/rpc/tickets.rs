//! `TicketService`, one file for each operation.

pub(super) mod assign;
pub(super) mod batch_create;
pub(super) mod changes;
pub(super) mod claim;
pub(super) mod create;
pub(super) mod escalate;
pub(super) mod explain;
pub(super) mod get;
pub(super) mod import;
pub(super) mod link;
pub(super) mod list;
pub(super) mod mark_read;
pub(super) mod merge;
pub(super) mod reply;
pub(super) mod split;
pub(super) mod transition;
pub(super) mod update;
pub(super) mod watch;

use std::sync::Arc;

use loket::v1 as proto;
use tonic::{Response, Status};
pub(super) use watch::WatchStream;

use super::call::Call;
use super::convert::Sight;
use super::encoded::EncodedTicket;
use super::server::Server;
use crate::domain::Ticket;
use crate::domain::context::Answer;
use crate::engine::{Failure, Outcome, Request};
use crate::store::changes as log;

/// Submits a request whose answer is a ticket, and shows it to the caller as it is now, or as it was when it was first done.
async fn submit(server: &Server, call: &Call, request: Box<Request>) -> Result<Response<EncodedTicket>, Status> {
    let (helpdesk, named) = (Arc::clone(&request.helpdesk), request.command.ticket());
    let mut outcome = call.submit(server, request).await?;
    if let Some(encoded) = outcome.encoded.take().filter(|_| call.caller.actor.role.is_staff()) {
        return Ok(Response::new(EncodedTicket::new(encoded)));
    }
    let Some(ticket) = ticket_of(server, &helpdesk, named, outcome).await? else {
        return Err(Failure::Internal.into());
    };
    Ok(Response::new(show(server, call, &helpdesk, &ticket).await?.into()))
}

/// The ticket of an outcome; None when there was none. `named` is the one that was asked about: the revision that is told
/// again may have changed others too.
pub(super) async fn ticket_of(
    server: &Server,
    helpdesk: &str,
    named: Option<i64>,
    outcome: Outcome,
) -> Result<Option<Arc<Ticket>>, Failure> {
    if !outcome.replayed {
        return Ok(match outcome.answer {
            Answer::Ticket(ticket) => Some(ticket),
            Answer::Nothing
            | Answer::NoneFits
            | Answer::Escalated { .. }
            | Answer::Agent(_)
            | Answer::Reply { .. }
            | Answer::Definition(_)
            | Answer::Key(_)
            | Answer::Upload(_)
            | Answer::Requester(_)
            | Answer::Refused(_) => None,
        });
    }
    let helpdesk = helpdesk.to_owned();
    let entries =
        server.engine.read(move |connection| log::of_revision(connection, &helpdesk, outcome.revision)).await?;
    let mut tickets = entries.into_iter().filter_map(|entry| entry.change.after.clone());
    Ok(match named {
        // An import has told of it more than once.
        Some(named) => tickets.rfind(|ticket| ticket.id == named),
        None => tickets.next(),
    })
}

/// A ticket as the caller may see it, without its body: what every mutation answers.
pub(super) async fn show(
    server: &Server,
    call: &Call,
    helpdesk: &str,
    ticket: &Ticket,
) -> Result<proto::Ticket, Failure> {
    let sight = if call.caller.actor.role.is_staff() {
        Sight::Staff
    } else {
        Sight::new(&call.caller.actor, &server.engine.definition(helpdesk).await?.definition)
    };
    Ok(sight.ticket(helpdesk, ticket, false))
}
