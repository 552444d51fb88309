//! `CreateTicket`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{Command, CreateTicket};
use crate::domain::{Actor, Refusal, Role, Violation};
use crate::engine;
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::server::Server;
use crate::rpc::{attachments, convert, names};

/// What is asked for is read before there is a future, which has then no room for it: of these calls most are under way.
pub(in crate::rpc) fn create(
    server: &Server,
    request: Request<proto::CreateTicketRequest>,
) -> impl Future<Output = Result<Response<EncodedTicket>, Status>> + Send {
    let asked = read(request);
    async move {
        let (call, request) = asked?;
        submit(server, &call, request).await
    }
}

fn read(request: Request<proto::CreateTicketRequest>) -> Result<(Call, Box<engine::Request>), Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let named = both(names::helpdesk("parent", &message.parent), Asked::of(&mut message));
    let ((helpdesk, asked), command) = both(named, command(message, &call.caller.actor))?;
    call.caller.enter(&helpdesk)?;
    let request = call.request(&helpdesk, command, asked);
    Ok((call, request))
}

/// Output-only fields are ignored.
pub(super) fn command(message: proto::CreateTicketRequest, actor: &Actor) -> Result<Command, Refusal> {
    let proto::CreateTicketRequest { parent, ticket, request_id: _, validate_only: _, uploads } = message;
    let mut new = new_ticket(ticket)?;
    new.uploads = attachments::named(&parent, &uploads)?;
    // Filled in here, so that it is known who is to be looked up.
    if new.requester.is_empty() && actor.role == Role::Requester {
        new.requester.clone_from(&actor.subject);
    }
    Ok(Command::CreateTicket(new))
}

/// A ticket as it is to be filed.
pub(super) fn new_ticket(ticket: Option<proto::Ticket>) -> Result<CreateTicket, Refusal> {
    let Some(ticket) = ticket else {
        return Err(Refusal::Invalid(vec![Violation::new("ticket", "is required")]));
    };
    let proto::Ticket {
        name: _,
        uid: _,
        number: _,
        requester,
        subject,
        body,
        channel,
        fields,
        tags,
        cc,
        external_refs,
        priority,
        status: _,
        state: _,
        queue: _,
        assignee: _,
        solution,
        receive_time: _,
        queue_time: _,
        create_time: _,
        update_time: _,
        first_reply_time: _,
        close_time: _,
        revision: _,
        etag: _,
        reply_count: _,
        note_count: _,
        attachment_count: _,
        attachment_bytes: _,
        note_attachment_count: _,
        note_attachment_bytes: _,
        links: _,
        read_time: _,
        splits: _,
        tickets_ahead: _,
        hand_placed: _,
        feedback: _,
        merged_into: _,
        split_from: _,
    } = ticket;
    Ok(CreateTicket {
        requester,
        subject,
        body,
        channel,
        fields,
        tags,
        cc,
        external_refs: convert::external_refs(external_refs),
        priority,
        solution,
        uploads: Vec::new(),
        imported: false,
    })
}
