//! `ClaimTicket` and `ReleaseTicket`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{ClaimTicket, Command, ReleaseTicket};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::server::Server;

pub(in crate::rpc) async fn claim(
    server: &Server,
    request: Request<proto::ClaimTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::ClaimTicketRequest { name: _, etag, request_id: _, validate_only: _ } = message;
    let command = Command::ClaimTicket(ClaimTicket { ticket, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}

pub(in crate::rpc) async fn release(
    server: &Server,
    request: Request<proto::ReleaseTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::ReleaseTicketRequest { name: _, reason, etag, request_id: _, validate_only: _ } = message;
    let command = Command::ReleaseTicket(ReleaseTicket { ticket, reason, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}
