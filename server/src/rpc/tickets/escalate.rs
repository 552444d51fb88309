//! `EscalateTicket`.

use std::sync::Arc;

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::show;
use crate::domain::Ticket;
use crate::domain::commands::{Command, EscalateTicket};
use crate::domain::context::Answer;
use crate::engine::{Failure, Outcome};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::names;
use crate::rpc::server::Server;
use crate::store::changes;

pub(in crate::rpc) async fn escalate(
    server: &Server,
    request: Request<proto::EscalateTicketRequest>,
) -> Result<Response<proto::EscalateTicketResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::EscalateTicketRequest {
        name: _,
        escalation,
        reason,
        queue,
        subject,
        body,
        etag,
        request_id: _,
        validate_only: _,
    } = message;
    let command = Command::EscalateTicket(EscalateTicket { ticket, escalation, reason, queue, subject, body, etag });
    let outcome = call.submit(server, call.request(&helpdesk, command, asked)).await?;
    let (ticket, child) = tickets_of(server, &helpdesk, outcome).await?;
    let child = match child {
        Some(child) => Some(show(server, &call, &helpdesk, &child).await?),
        None => None,
    };
    let ticket = Some(show(server, &call, &helpdesk, &ticket).await?);
    Ok(Response::new(proto::EscalateTicketResponse { ticket, child }))
}

/// The ticket and its child; of a repeated call, those of the revision, in which the child comes second.
async fn tickets_of(
    server: &Server,
    helpdesk: &str,
    outcome: Outcome,
) -> Result<(Arc<Ticket>, Option<Arc<Ticket>>), Failure> {
    if let Answer::Escalated { ticket, child } = outcome.answer {
        return Ok((ticket, child));
    }
    let helpdesk = helpdesk.to_owned();
    let entries =
        server.engine.read(move |connection| changes::of_revision(connection, &helpdesk, outcome.revision)).await?;
    let mut tickets = entries.into_iter().filter_map(|entry| entry.change.after.clone());
    let ticket = tickets.next().ok_or(Failure::Internal)?;
    Ok((ticket, tickets.next()))
}
