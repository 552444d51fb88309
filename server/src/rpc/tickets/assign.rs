//! `AssignTicket` and `TransferTicket`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{AssignTicket, Command, TransferTicket};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::server::Server;

pub(in crate::rpc) async fn assign(
    server: &Server,
    request: Request<proto::AssignTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::AssignTicketRequest { name: _, assignee, reason, etag, request_id: _, validate_only: _ } = message;
    let command = Command::AssignTicket(AssignTicket { ticket, assignee, reason, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}

pub(in crate::rpc) async fn transfer(
    server: &Server,
    request: Request<proto::TransferTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::TransferTicketRequest { name: _, queue, reason, etag, request_id: _, validate_only: _ } = message;
    let command = Command::TransferTicket(TransferTicket { ticket, queue, reason, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}
