//! `HelpdeskService`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::call::{Asked, Call};
use super::server::Server;
use super::{convert, names, page};
use crate::domain::commands::{ApplyDefinition, Command, CreateHelpdesk, DefinitionPart};
use crate::domain::context::Answer;
use crate::domain::definition::DefinitionSpec;
use crate::domain::{Refusal, Role, Violation, text};
use crate::engine::{Failure, Outcome};
use crate::store::{SYSTEM, definition_payload, helpdesks};

type Answered = Result<Response<proto::Helpdesk>, Status>;

pub(super) async fn create(server: &Server, request: Request<proto::CreateHelpdeskRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    call.caller.must_be("creating helpdesks", &[Role::Admin])?;
    let mut message = request.into_inner();
    let asked = Asked::of(&mut message)?;
    let proto::CreateHelpdeskRequest { helpdesk_id: id, helpdesk, request_id: _, validate_only: _ } = message;
    // Whether there is one already is not told.
    if !call.caller.opens(&id) {
        return Err(Refusal::MayNotCreate { helpdesk: id }.into());
    }
    let spec = spec(helpdesk.as_ref())?;
    let command = Command::CreateHelpdesk(CreateHelpdesk { id: id.clone(), spec });
    let outcome = server.engine.submit(call.request(SYSTEM, command, asked)).await?;
    answer(server, &id, 1, outcome).await
}

pub(super) async fn update(server: &Server, request: Request<proto::UpdateHelpdeskRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    call.caller.must_be("changing definitions", &[Role::Admin])?;
    let mut message = request.into_inner();
    let asked = Asked::of(&mut message)?;
    let proto::UpdateHelpdeskRequest { helpdesk, update_mask, .. } = message;
    let given = helpdesk.unwrap_or_default();
    let id = names::helpdesk("helpdesk.name", &given.name)?;
    call.caller.enter(&id)?;
    let parts = parts(&update_mask.unwrap_or_default().paths)?;
    let spec = match &parts {
        None => spec(Some(&given))?,
        // What the mask does not name may be left out.
        Some(_) => definition_payload::spec_from_proto(&given).0,
    };
    let command = Command::ApplyDefinition(ApplyDefinition { spec, parts, etag: given.etag });
    let outcome = server.engine.submit(call.request(&id, command, asked)).await?;
    answer(server, &id, 0, outcome).await
}

/// Reads a definition; whether it makes sense is for the command to decide.
fn spec(helpdesk: Option<&proto::Helpdesk>) -> Result<DefinitionSpec, Refusal> {
    let Some(helpdesk) = helpdesk else {
        return Err(Refusal::Invalid(vec![Violation::new("helpdesk", "is required")]));
    };
    match definition_payload::definition_from_proto(helpdesk) {
        Ok(definition) => Ok(definition.spec().clone()),
        Err(violations) => Err(Refusal::InvalidDefinition(violations)),
    }
}

/// The parts of a definition that a mask names; None for all.
fn parts(paths: &[String]) -> Result<Option<Vec<DefinitionPart>>, Refusal> {
    if paths.is_empty() || paths == ["*"] {
        return Ok(None);
    }
    let mut parts = Vec::new();
    let mut violations = Vec::new();
    for path in paths {
        parts.push(match path.as_str() {
            "display_name" => DefinitionPart::DisplayName,
            "statuses" => DefinitionPart::Statuses,
            "initial_status" => DefinitionPart::InitialStatus,
            "transitions" => DefinitionPart::Transitions,
            "fields" => DefinitionPart::Fields,
            "priorities" => DefinitionPart::Priorities,
            "default_priority" => DefinitionPart::DefaultPriority,
            "queues" => DefinitionPart::Queues,
            "routing" => DefinitionPart::Routing,
            "default_queue" => DefinitionPart::DefaultQueue,
            "number_policy" => DefinitionPart::NumberPolicy,
            other => {
                let description = format!(
                    "{} is not a field of a definition; write its top-level fields, or `*`",
                    text::shown(other)
                );
                violations.push(Violation::new("update_mask", description));
                continue;
            }
        });
    }
    if violations.is_empty() { Ok(Some(parts)) } else { Err(Refusal::Invalid(violations)) }
}

/// The version of an outcome; on a repeated call, the one that was made then.
async fn answer(server: &Server, id: &str, version: i64, outcome: Outcome) -> Answered {
    if let Answer::Definition(version) = &outcome.answer {
        return Ok(Response::new(convert::helpdesk(id, version)));
    }
    let definitions = server.engine.definitions();
    let key = id.to_owned();
    let found = server
        .engine
        .read(move |connection| {
            let version = match version {
                0 => helpdesks::version_of_revision(connection, &key, outcome.revision)?,
                known => known,
            };
            definitions.version(connection, &key, version)
        })
        .await?;
    let version = found.ok_or(Failure::Internal)?;
    Ok(Response::new(convert::helpdesk(id, &version)))
}

pub(super) async fn get(server: &Server, request: Request<proto::GetHelpdeskRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let proto::GetHelpdeskRequest { name } = request.into_inner();
    let id = names::helpdesk("name", &name)?;
    call.caller.enter(&id)?;
    let version = server.engine.definition(&id).await?;
    Ok(Response::new(convert::helpdesk(&id, &version)))
}

pub(super) async fn list(
    server: &Server,
    request: Request<proto::ListHelpdesksRequest>,
) -> Result<Response<proto::ListHelpdesksResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ListHelpdesksRequest { page_size, page_token } = request.into_inner();
    let size = page::size(page_size)?;
    let scope = ["ListHelpdesks", &call.caller.actor.subject];
    let after = page::key(&scope, &page_token)?.unwrap_or_default();
    let definitions = server.engine.definitions();
    let caller = call.caller.clone();
    let (listed, last) = server
        .engine
        .read(move |connection| {
            let limit = i64::try_from(size).unwrap_or(i64::MAX);
            let page = helpdesks::directory_page(connection, &after, limit)?;
            let last = page.last().filter(|_| page.len() == size).map(|entry| entry.id.clone());
            let mut listed = Vec::new();
            for entry in page.iter().filter(|entry| caller.opens(&entry.id)) {
                if let Some(version) = definitions.current(connection, &entry.id)? {
                    listed.push(convert::helpdesk(&entry.id, &version));
                }
            }
            Ok((listed, last))
        })
        .await?;
    let next_page_token = last.map(|last| page::token(&scope, &last)).unwrap_or_default();
    Ok(Response::new(proto::ListHelpdesksResponse { helpdesks: listed, next_page_token }))
}
