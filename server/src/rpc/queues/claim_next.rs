//! `ClaimNextTicket`.

use std::time::Duration;

use loket::v1 as proto;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::domain::commands::{ClaimNextTicket, Command};
use crate::domain::{Refusal, Violation};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::server::Server;
use crate::rpc::share::{Of, Place};
use crate::rpc::status::Denied;
use crate::rpc::tickets::{show, ticket_of};
use crate::rpc::{convert, names};

pub(in crate::rpc) async fn claim_next(
    server: &Server,
    request: Request<proto::ClaimNextTicketRequest>,
) -> Result<Response<proto::ClaimNextTicketResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    // How long it waits is no part of what is asked for: who repeats a call may wait longer, or not at all.
    let max_wait = max_wait(message.max_wait.take());
    let named = both(names::queue("name", &message.name), Asked::of(&mut message));
    let (((helpdesk, queue), asked), max_wait) = both(named, max_wait)?;
    call.caller.enter(&helpdesk)?;
    let waits = !max_wait.is_zero() && !asked.validate_only;
    let command = Command::ClaimNextTicket(ClaimNextTicket { queue: queue.clone(), waited: 0 });
    let request = call.request(&helpdesk, command, asked);
    let place = waits.then(|| Place::take(&call.caller.entry, Of::Claims, server.limits.claims)).transpose();
    let outcome = if let Ok(Some(_)) = &place {
        let claim = server.engine.claim_next(request, &queue, until(&call, max_wait), &server.closing);
        tokio::select! {
            biased;
            () = call.caller.entry.revoked.cancelled() => return Err(Denied::Revoked.into()),
            outcome = claim => outcome?,
        }
    } else {
        call.submit(server, request).await?
    };
    // Who may not wait is told so where there was no ticket, and none under its request id.
    if outcome.revision == 0 {
        place?;
    }
    let revision = outcome.revision;
    let answer = match ticket_of(server, &helpdesk, None, outcome).await? {
        Some(ticket) => {
            proto::ClaimNextTicketResponse { ticket: Some(show(server, &call, &helpdesk, &ticket).await?), revision }
        }
        None => proto::ClaimNextTicketResponse::default(),
    };
    Ok(Response::new(answer))
}

const MOST_WAIT: Duration = Duration::from_mins(5);

fn max_wait(given: Option<prost_types::Duration>) -> Result<Duration, Refusal> {
    let Some(given) = given else { return Ok(Duration::ZERO) };
    let wait = convert::duration(given).filter(|wait| *wait <= MOST_WAIT);
    wait.ok_or_else(|| {
        let given = convert::shown_duration(given);
        let description = format!("{given} is not 0 to {} s", MOST_WAIT.as_secs());
        Refusal::Invalid(vec![Violation::new("max_wait", description)])
    })
}

/// So much sooner than the call must be answered, so that what is being decided then is still told.
const MARGIN: Duration = Duration::from_millis(250);

fn until(call: &Call, max_wait: Duration) -> Instant {
    let now = Instant::now();
    let wished = now + max_wait;
    let Some(deadline) = call.deadline.map(Instant::from_std) else { return wished };
    let left = deadline.saturating_duration_since(now);
    wished.min(deadline - MARGIN.min(left / 4))
}
