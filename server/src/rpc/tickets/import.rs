//! `ImportTickets`: as many commands as histories, which fall into few commits.

mod history;

use futures_util::{StreamExt, stream};
use loket::v1 as proto;
use loket::v1::import_tickets_result::Result as ItemResult;
use tonic::{Request, Response, Status};

use super::batch_create::in_message;
use super::show;
use crate::domain::commands::{Command, ImportTicket};
use crate::domain::context::Answer;
use crate::domain::{Refusal, Ticket, Violation};
use crate::engine::{Failure, Outcome};
use crate::rpc::call::{Asked, Call};
use crate::rpc::names;
use crate::rpc::server::Server;
use crate::rpc::status::{failed_call, history as status};
use crate::store::changes;

const MOST: usize = 100;

/// So many of a call are in the helpdesk's line at once: long histories would leave others no room in it.
const AT_ONCE: usize = 16;

/// Refused events take so much of a response at most, which all histories share.
const MOST_REFUSED_BYTES: usize = 2 << 20;

pub(in crate::rpc) async fn import(
    server: &Server,
    request: Request<proto::ImportTicketsRequest>,
) -> Result<Response<proto::ImportTicketsResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ImportTicketsRequest { parent, histories } = request.into_inner();
    let helpdesk = names::helpdesk("parent", &parent)?;
    call.caller.enter(&helpdesk)?;
    ImportTicket::check_role(call.caller.actor.role)?;
    let count = histories.len();
    if count == 0 || count > MOST {
        let description = format!("has {count} items; 1 to {MOST} are taken");
        return Err(Refusal::Invalid(vec![Violation::new("histories", description)]).into());
    }
    let items = histories.into_iter().map(|history| one(server, &call, &helpdesk, history));
    let outcomes: Vec<_> = stream::iter(items).buffered(AT_ONCE).collect().await;
    let results = outcomes.into_iter().map(|outcome| proto::ImportTicketsResult {
        result: Some(match outcome {
            Ok(ticket) => ItemResult::Ticket(ticket),
            Err(Failure::Refused(Refusal::HistoryRefused(events))) => {
                ItemResult::Status(in_message(&status::refused(events, MOST_REFUSED_BYTES / count)))
            }
            Err(failure) => ItemResult::Status(in_message(&failed_call(failure, &call.id.0))),
        }),
    });
    Ok(Response::new(proto::ImportTicketsResponse { results: results.collect() }))
}

async fn one(
    server: &Server,
    call: &Call,
    helpdesk: &str,
    mut history: proto::TicketHistory,
) -> Result<proto::Ticket, Failure> {
    let mut asked = Asked::of(&mut history)?;
    asked.bytes += history::written(&history);
    let mut request = call.request(helpdesk, Command::ImportTicket(history::command(history)?), asked);
    request.bulk = true;
    let outcome = call.submit(server, request).await?;
    let ticket = ticket_of(server, helpdesk, outcome).await?;
    show(server, call, helpdesk, &ticket).await
}

/// The ticket as its history left it.
async fn ticket_of(server: &Server, helpdesk: &str, outcome: Outcome) -> Result<std::sync::Arc<Ticket>, Failure> {
    if let Answer::Ticket(ticket) = outcome.answer {
        return Ok(ticket);
    }
    let (key, revision) = (helpdesk.to_owned(), outcome.revision);
    let last = server.engine.read(move |connection| changes::last_of_revision(connection, &key, revision)).await?;
    last.and_then(|entry| entry.change.after.clone()).ok_or(Failure::Internal)
}
