//! `MarkTicketRead`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{Command, MarkTicketRead};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::server::Server;

pub(in crate::rpc) async fn mark_read(
    server: &Server,
    request: Request<proto::MarkTicketReadRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::MarkTicketReadRequest { name: _, etag, request_id: _, validate_only: _ } = message;
    let command = Command::MarkTicketRead(MarkTicketRead { ticket, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}
