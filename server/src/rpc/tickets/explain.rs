//! `ExplainTransitions`.

use std::sync::Arc;

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::context::Context;
use crate::domain::definition::Transition;
use crate::domain::workflow::{self, Explanation};
use crate::domain::{Precondition, Refusal};
use crate::engine::load;
use crate::rpc::call::Call;
use crate::rpc::names;
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::store::{AnyConnection, payload, tickets};

pub(in crate::rpc) async fn explain(
    server: &Server,
    request: Request<proto::ExplainTransitionsRequest>,
) -> Result<Response<proto::ExplainTransitionsResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ExplainTransitionsRequest { name, min_revision } = request.into_inner();
    let (helpdesk, id) = names::ticket("name", &name)?;
    let key = helpdesk.clone();
    let read = move |connection: &mut AnyConnection| Ok(tickets::by_ids(connection, &key, &[id])?.remove(&id));
    let (reading, found) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    let Some(ticket) = found.filter(|ticket| reading.sight.sees(ticket)) else {
        return Err(Refusal::NotFound { kind: "Ticket", name }.into());
    };
    let version = Arc::clone(&reading.version);
    let (actor, now) = (call.caller.actor.clone(), server.engine.clock().now());
    // A definition may have many conditions to ask: off the async threads.
    let explained = read::in_turn(server, &call, move |connection| {
        let rules = &version.definition;
        let set = load::beside(connection, &helpdesk, rules, &ticket, &actor.subject)?;
        let context = Context { helpdesk: &helpdesk, now, actor: &actor, definition: Some(&version), random: 0 };
        let transitions = rules
            .transitions_from(&ticket.status)
            .map(|transition| message(transition, workflow::explain(&set, &context, rules, transition, &ticket)))
            .collect();
        Ok(proto::ExplainTransitionsResponse { transitions, revision: ticket.revision })
    });
    Ok(Response::new(explained.await?))
}

fn message(transition: &Transition, explanation: Explanation) -> proto::TransitionExplanation {
    let Explanation { allowed, role_allowed, guards, missing_fields, objections } = explanation;
    let objection = |Precondition { kind, subject, description }| proto::TransitionObjection {
        r#type: kind.word().to_owned(),
        subject,
        description,
    };
    proto::TransitionExplanation {
        transition: transition.id.clone(),
        display_name: transition.display_name.clone(),
        to: transition.to.clone(),
        trigger: transition.trigger.word().to_owned(),
        allowed,
        role_allowed,
        roles: transition.roles.iter().map(|role| payload::role_to_proto(*role).into()).collect(),
        guards: guards.into_iter().map(|(message, passed)| proto::GuardResult { message, passed }).collect(),
        missing_fields,
        objections: objections.into_iter().map(objection).collect(),
    }
}
