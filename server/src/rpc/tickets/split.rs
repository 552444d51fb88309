//! `SplitReply`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::merge::each;
use super::{create, submit};
use crate::domain::commands::{Command, CreateTicket, SplitReply};
use crate::domain::{Refusal, Violation};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::server::Server;

pub(in crate::rpc) async fn split(
    server: &Server,
    request: Request<proto::SplitReplyRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let asked = both(Asked::of(&mut message), new_ticket(message.ticket.take()));
    let ((helpdesk, ticket), (asked, new)) = both(names::ticket("parent", &message.parent), asked)?;
    let proto::SplitReplyRequest { parent, replies, ticket: _, etag, request_id: _, validate_only: _ } = message;
    let replies = each("replies", &replies, SplitReply::MOST, |field, name| names::reply_of(field, name, &parent))?;
    call.caller.enter(&helpdesk)?;
    let command = Command::SplitReply(SplitReply { ticket, replies, new, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}

/// Without what the replies' ticket and the replies themselves say.
fn new_ticket(ticket: Option<proto::Ticket>) -> Result<CreateTicket, Refusal> {
    let new = create::new_ticket(ticket)?;
    let known = [
        ("ticket.requester", !new.requester.is_empty(), "is that of the replies' ticket; leave it empty"),
        ("ticket.body", !new.body.is_empty(), "is the text of the replies; leave it empty"),
        ("ticket.channel", !new.channel.is_empty(), "is that of the replies' ticket; leave it empty"),
    ];
    let wrong = known.into_iter().filter(|(_, given, _)| *given);
    let wrong: Vec<_> = wrong.map(|(field, _, description)| Violation::new(field, description)).collect();
    if wrong.is_empty() { Ok(new) } else { Err(Refusal::Invalid(wrong)) }
}
