//! `BatchCreateTickets`: as many commands as items, which fall into few commits.

use futures_util::future::join_all;
use loket::v1 as proto;
use loket::v1::batch_create_tickets_result::Result as ItemResult;
use tonic::{Request, Response, Status};
use tonic_types::pb;

use super::{create, show, ticket_of};
use crate::domain::{Refusal, Violation};
use crate::engine::Failure;
use crate::rpc::call::{Asked, Call};
use crate::rpc::names;
use crate::rpc::server::Server;
use crate::rpc::status::failed_call;

const MOST: usize = 500;

pub(in crate::rpc) async fn batch_create(
    server: &Server,
    request: Request<proto::BatchCreateTicketsRequest>,
) -> Result<Response<proto::BatchCreateTicketsResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::BatchCreateTicketsRequest { parent, requests } = request.into_inner();
    let helpdesk = names::helpdesk("parent", &parent)?;
    call.caller.enter(&helpdesk)?;
    check(&parent, &requests)?;
    let items = requests.into_iter().map(|item| one(server, &call, &helpdesk, &parent, item));
    let results = join_all(items).await.into_iter().map(|outcome| proto::BatchCreateTicketsResult {
        result: Some(match outcome {
            Ok(ticket) => ItemResult::Ticket(ticket),
            Err(failure) => ItemResult::Status(in_message(&failed_call(failure, &call.id.0))),
        }),
    });
    Ok(Response::new(proto::BatchCreateTicketsResponse { results: results.collect() }))
}

fn check(parent: &str, requests: &[proto::CreateTicketRequest]) -> Result<(), Refusal> {
    if requests.is_empty() || requests.len() > MOST {
        let description = format!("has {} items; 1 to {MOST} are taken", requests.len());
        return Err(Refusal::Invalid(vec![Violation::new("requests", description)]));
    }
    let mut violations = Vec::new();
    for (place, item) in requests.iter().enumerate() {
        if !item.parent.is_empty() && item.parent != parent {
            violations.push(Violation::new(
                format!("requests[{place}].parent"),
                format!("is another than the batch's `{parent}`; leave it empty"),
            ));
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(Refusal::Invalid(violations)) }
}

async fn one(
    server: &Server,
    call: &Call,
    helpdesk: &str,
    parent: &str,
    mut item: proto::CreateTicketRequest,
) -> Result<proto::Ticket, Failure> {
    // The same content as a single call's, so that either repeats the other.
    parent.clone_into(&mut item.parent);
    let asked = Asked::of(&mut item)?;
    let mut request = call.request(helpdesk, create::command(item, &call.caller.actor)?, asked);
    request.bulk = true;
    let outcome = call.submit(server, request).await?;
    let ticket = ticket_of(server, helpdesk, None, outcome).await?.ok_or(Failure::Internal)?;
    show(server, call, helpdesk, &ticket).await
}

/// A status with its details, as it stands within a message.
pub(super) fn in_message(status: &Status) -> pb::Status {
    let details = <pb::Status as prost::Message>::decode(status.details()).unwrap_or_default();
    pb::Status { code: status.code().into(), message: status.message().to_owned(), details: details.details }
}
