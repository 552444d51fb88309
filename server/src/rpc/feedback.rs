//! `FeedbackService`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::call::{Asked, Call, both};
use super::names;
use super::read::{self, Reading};
use super::server::Server;
use super::tickets::ticket_of;
use crate::domain::commands::{Command, SubmitFeedback};
use crate::domain::time::SECOND;
use crate::domain::{ContactRefusal, Precondition, PreconditionKind, Refusal, State, Violation, survey};
use crate::engine::Failure;
use crate::store::payload::{feedback_to_proto, timestamp};
use crate::store::{AnyConnection, tickets};

pub(super) async fn submit(
    server: &Server,
    request: Request<proto::SubmitFeedbackRequest>,
) -> Result<Response<proto::Feedback>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::SubmitFeedbackRequest { name, feedback, token, request_id: _, validate_only: _ } = message;
    let Some(proto::Feedback { rating, comment, submit_time: _, close_time: _, via_link: _ }) = feedback else {
        return Err(Refusal::Invalid(vec![Violation::new("feedback", "is required")]).into());
    };
    // Who has no good token learns nothing of the ticket, not even whether there is one.
    let link_made = if token.is_empty() {
        None
    } else {
        let made = server.survey_key.made(&helpdesk, ticket, &token);
        Some(made.ok_or_else(|| Refusal::from(ContactRefusal::InvalidSurveyToken { ticket: name }))?)
    };
    let command = Command::SubmitFeedback(SubmitFeedback { ticket, rating, comment, link_made });
    let outcome = call.submit(server, call.request(&helpdesk, command, asked)).await?;
    let ticket = ticket_of(server, &helpdesk, Some(ticket), outcome).await?.ok_or(Failure::Internal)?;
    let feedback = ticket.more.feedback.as_ref().ok_or(Failure::Internal)?;
    Ok(Response::new(feedback_to_proto(feedback)))
}

pub(super) async fn survey_link(
    server: &Server,
    request: Request<proto::GetSurveyLinkRequest>,
) -> Result<Response<proto::SurveyLink>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::GetSurveyLinkRequest { name, min_revision } = request.into_inner();
    let ((helpdesk, id), _) = both(names::survey_link("name", &name), read::revision(min_revision))?;
    let key = helpdesk.clone();
    let query = move |connection: &mut AnyConnection| Ok(tickets::by_ids(connection, &key, &[id])?.remove(&id));
    let (reading, found) = Reading::of(server, &call, &helpdesk, min_revision, query).await?;
    let ticket_name = crate::store::payload::ticket_name(&helpdesk, id);
    let ticket = found
        .filter(|ticket| reading.sight.sees(ticket))
        .ok_or_else(|| Refusal::NotFound { kind: "Ticket", name: ticket_name.clone() })?;
    call.caller.must_be_staff("reading a survey link")?;
    let Some(survey) = reading.version.definition.survey() else {
        return Err(Refusal::from(ContactRefusal::NoSurvey { helpdesk }).into());
    };
    if ticket.state != State::Closed {
        let description = format!("the status `{}` is not closed; a closed ticket is asked about", ticket.status);
        let failures = vec![Precondition { kind: PreconditionKind::Status, subject: ticket_name.clone(), description }];
        return Err(Refusal::TicketNotReady { ticket: ticket_name, failures }.into());
    }
    // The token tells whole seconds, and its time is reckoned from those.
    let now = server.engine.clock().now().div_euclid(SECOND) * SECOND;
    let token = server.survey_key.token(&helpdesk, id, now);
    Ok(Response::new(proto::SurveyLink {
        name,
        uri: survey::link(survey, &ticket_name, &ticket, &token),
        token: token.0,
        expire_time: Some(timestamp(now + survey.lifetime)),
    }))
}
