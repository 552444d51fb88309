//! `TransitionTicket`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{Command, TransitionTicket};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::server::Server;

pub(in crate::rpc) async fn transition(
    server: &Server,
    request: Request<proto::TransitionTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::TransitionTicketRequest {
        name: _,
        transition,
        fields,
        comment,
        solution,
        etag,
        request_id: _,
        validate_only: _,
    } = message;
    let command = Command::TransitionTicket(TransitionTicket { ticket, transition, fields, comment, solution, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}
