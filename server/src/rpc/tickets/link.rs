//! `LinkTickets` and `UnlinkTickets`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{Command, LinkTickets, UnlinkTickets};
use crate::domain::{LinkKind, Refusal, Violation};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::server::Server;
use crate::store::payload;

pub(in crate::rpc) async fn link(
    server: &Server,
    request: Request<proto::LinkTicketsRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let asked = both(Asked::of(&mut message), given(message.kind));
    let ((helpdesk, ticket, other), (asked, kind)) = both(pair(&message.name, &message.other_ticket), asked)?;
    call.caller.enter(&helpdesk)?;
    let proto::LinkTicketsRequest { name: _, other_ticket: _, kind: _, reason, etag, request_id: _, validate_only: _ } =
        message;
    let command = Command::LinkTickets(LinkTickets { ticket, other, kind, reason, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}

pub(in crate::rpc) async fn unlink(
    server: &Server,
    request: Request<proto::UnlinkTicketsRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let asked = both(Asked::of(&mut message), kind(message.kind));
    let ((helpdesk, ticket, other), (asked, kind)) = both(pair(&message.name, &message.other_ticket), asked)?;
    call.caller.enter(&helpdesk)?;
    let proto::UnlinkTicketsRequest {
        name: _,
        other_ticket: _,
        kind: _,
        reason,
        etag,
        request_id: _,
        validate_only: _,
    } = message;
    let command = Command::UnlinkTickets(UnlinkTickets { ticket, other, kind, reason, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}

/// The helpdesk, and the ids of two of its tickets.
fn pair(name: &str, other: &str) -> Result<(String, i64, i64), Refusal> {
    let (helpdesk, ticket) = match names::ticket("name", name) {
        Ok(named) => named,
        Err(wrong) => return both(Err(wrong), names::ticket("other_ticket", other)).map(|(named, _)| named),
    };
    let other = names::ticket_of("other_ticket", other, &helpdesk)?;
    Ok((helpdesk, ticket, other))
}

fn given(kind: i32) -> Result<LinkKind, Refusal> {
    self::kind(kind)?.ok_or_else(|| no_kind("is required"))
}

/// None when it is not given.
fn kind(kind: i32) -> Result<Option<LinkKind>, Refusal> {
    match proto::LinkKind::try_from(kind) {
        Ok(known) => Ok(payload::link_kind_from_proto(known)),
        Err(_) => Err(no_kind(&format!("{kind} is no kind"))),
    }
}

fn no_kind(wrong: &str) -> Refusal {
    let valid: Vec<_> = LinkKind::ALL.map(|kind| payload::link_kind_to_proto(kind).as_str_name()).into_iter().collect();
    Refusal::Invalid(vec![Violation::new("kind", format!("{wrong}: valid are {}", valid.join(", ")))])
}
