//! `ClaimNextTicket`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::commands::{ClaimNextTicket, Command};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::names;
use crate::rpc::server::Server;
use crate::rpc::tickets::{show, ticket_of};

pub(in crate::rpc) async fn claim_next(
    server: &Server,
    request: Request<proto::ClaimNextTicketRequest>,
) -> Result<Response<proto::ClaimNextTicketResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, queue), asked) = both(names::queue("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let command = Command::ClaimNextTicket(ClaimNextTicket { queue });
    let outcome = server.engine.submit(call.request(&helpdesk, command, asked)).await?;
    let revision = outcome.revision;
    let answer = match ticket_of(server, &helpdesk, None, outcome).await? {
        Some(ticket) => {
            proto::ClaimNextTicketResponse { ticket: Some(show(server, &call, &helpdesk, &ticket).await?), revision }
        }
        None => proto::ClaimNextTicketResponse::default(),
    };
    Ok(Response::new(answer))
}
