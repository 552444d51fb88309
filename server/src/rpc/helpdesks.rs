//! `HelpdeskService`.

use std::sync::Arc;

use loket::v1 as proto;
use prost::Message;
use tonic::{Request, Response, Status};

use super::call::{Asked, Call};
use super::server::Server;
use super::{convert, names, page};
use crate::domain::commands::{ApplyDefinition, Command, CreateHelpdesk, DefinitionPart, Merged, Proposed};
use crate::domain::context::{Answer, DefinitionVersion};
use crate::domain::definition::{Definition, DefinitionSpec};
use crate::domain::{Refusal, Role, Violation, text};
use crate::engine::{Failure, Outcome};
use crate::store::helpdesks::{self, DirectoryRow};
use crate::store::{SYSTEM, StoreError, definition_payload};

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
    let Some(helpdesk) = helpdesk else {
        return Err(Refusal::Invalid(vec![Violation::new("helpdesk", "is required")]).into());
    };
    let command = Command::CreateHelpdesk(CreateHelpdesk { id: id.clone(), definition: checked(helpdesk).await? });
    let outcome = call.submit(server, call.request(SYSTEM, command, asked)).await?;
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
    let paths = update_mask.unwrap_or_default().paths;
    let parts = parts(&paths)?;
    let etag = given.etag.clone();
    let outcome = match parts {
        None => match aside(move || whole(&given)).await? {
            Whole::Right(definition) => {
                let proposed = Proposed::Whole(definition);
                let command = Command::ApplyDefinition(ApplyDefinition { proposed, etag });
                call.submit(server, call.request(&id, command, asked)).await?
            }
            Whole::Contradictory(spec) => merge(server, &call, &id, asked, &etag, (*spec, None)).await?,
            Whole::Unread(wrong) => return Err(Refusal::InvalidDefinition(wrong).into()),
        },
        Some(parts) => {
            let spec = aside(move || masked_spec(&given, &paths)).await??;
            merge(server, &call, &id, asked, &etag, (spec, Some(parts))).await?
        }
    };
    answer(server, &id, 0, outcome).await
}

/// How often parts are merged while others apply versions of their own: each time, one of those was applied.
const MERGES: usize = 10;

/// Merges parts, or all, with the version in force, checks what comes of it, and applies that unless another version came meanwhile:
/// then it is done anew.
///
/// What is wrong with it is also submitted: a call that was made before is answered as it was then, whatever would come of it now.
async fn merge(
    server: &Server,
    call: &Call,
    id: &str,
    asked: Asked,
    etag: &str,
    given: (DefinitionSpec, Option<Vec<DefinitionPart>>),
) -> Result<Outcome, Failure> {
    let given = Arc::new(given);
    let mut tries = 0;
    loop {
        tries += 1;
        let (given, version) = (Arc::clone(&given), server.engine.definition(id).await?);
        let merged = aside(move || match &*given {
            (spec, Some(parts)) => Merged::new(&version, spec, parts),
            (spec, None) => Merged::whole(&version, spec.clone()),
        })
        .await?;
        let onto = merged.onto().to_owned();
        let command = ApplyDefinition { proposed: Proposed::Merged(merged), etag: etag.to_owned() };
        let request = call.request(id, Command::ApplyDefinition(command), asked.clone());
        match call.submit(server, request).await {
            Err(Failure::Refused(Refusal::EtagMismatch { sent, .. }))
                if sent == onto && sent != etag && tries < MERGES => {}
            outcome => return outcome,
        }
    }
}

/// Reads and checks a definition, off the async threads: it may hold many expressions to compile.
async fn checked(helpdesk: proto::Helpdesk) -> Result<Arc<Definition>, Failure> {
    let definition = aside(move || definition_payload::definition_from_proto(&helpdesk)).await?;
    Ok(Arc::new(definition.map_err(Refusal::InvalidDefinition)?))
}

/// A definition that is to stand in place of another.
enum Whole {
    Right(Arc<Definition>),
    /// It may still be that what is in force contradicts itself in the same way.
    Contradictory(Box<DefinitionSpec>),
    /// No definition comes of it.
    Unread(Vec<Violation>),
}

fn whole(helpdesk: &proto::Helpdesk) -> Whole {
    match definition_payload::definition_from_proto(helpdesk) {
        Ok(definition) => Whole::Right(Arc::new(definition)),
        Err(wrong) => match definition_payload::spec_from_proto(helpdesk) {
            (spec, violations) if violations.is_empty() => Whole::Contradictory(Box::new(spec)),
            _ => Whole::Unread(wrong),
        },
    }
}

/// Does it off the async threads.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Failure::Internal)
}

/// Reads those parts of a definition that a mask names. What it does not name may be left out, and is not looked at.
fn masked_spec(helpdesk: &proto::Helpdesk, paths: &[String]) -> Result<DefinitionSpec, Refusal> {
    let (spec, mut violations) = definition_payload::spec_from_proto(helpdesk);
    violations.retain(|wrong| paths.iter().any(|part| wrong.field.split(['.', '[']).next() == Some(part)));
    // What stands for a wrong value in the spec must never be applied.
    if violations.is_empty() { Ok(spec) } else { Err(Refusal::InvalidDefinition(violations)) }
}

/// More than a definition has parts is a mistake.
const MOST_PATHS: usize = 50;

/// The parts of a definition that a mask names; None for all.
fn parts(paths: &[String]) -> Result<Option<Vec<DefinitionPart>>, Refusal> {
    if paths.is_empty() || paths == ["*"] {
        return Ok(None);
    }
    let mut parts = Vec::new();
    let mut violations = Vec::new();
    if paths.len() > MOST_PATHS {
        let description = format!("has {} paths; at most {MOST_PATHS} are taken", paths.len());
        return Err(Refusal::Invalid(vec![Violation::new("update_mask", description)]));
    }
    for path in paths {
        parts.push(match path.as_str() {
            "display_name" => DefinitionPart::DisplayName,
            "statuses" => DefinitionPart::Statuses,
            "initial_status" => DefinitionPart::InitialStatus,
            "transitions" => DefinitionPart::Transitions,
            "fields" => DefinitionPart::Fields,
            "priorities" => DefinitionPart::Priorities,
            "default_priority" => DefinitionPart::DefaultPriority,
            "priority_set_by" => DefinitionPart::PrioritySetBy,
            "queues" => DefinitionPart::Queues,
            "routing" => DefinitionPart::Routing,
            "default_queue" => DefinitionPart::DefaultQueue,
            "number_policy" => DefinitionPart::NumberPolicy,
            "duplicate_policy" => DefinitionPart::DuplicatePolicy,
            "merge_policy" => DefinitionPart::MergePolicy,
            "transfer_policy" => DefinitionPart::TransferPolicy,
            "escalations" => DefinitionPart::Escalations,
            "attachment_policy" => DefinitionPart::AttachmentPolicy,
            "canned_responses" => DefinitionPart::CannedResponses,
            "survey" => DefinitionPart::Survey,
            "identity" => DefinitionPart::Identity,
            "empty_reply" => DefinitionPart::EmptyReply,
            "mandatory_cc" => DefinitionPart::MandatoryCc,
            "reply_rules" => DefinitionPart::ReplyRules,
            other => {
                let description = if other == "*" {
                    "`*` stands for all fields: leave out the others, or name those that are meant".to_owned()
                } else {
                    let right = "write its top-level fields, or `*` alone";
                    format!("{} is not a field of a definition; {right}", text::shown(other))
                };
                violations.push(Violation::new("update_mask", description));
                continue;
            }
        });
    }
    if violations.is_empty() { Ok(Some(parts)) } else { Err(Refusal::Invalid(violations)) }
}

/// The version of an outcome, for an admin; on a repeated call, the one that was made then.
async fn answer(server: &Server, id: &str, version: i64, outcome: Outcome) -> Answered {
    if let Answer::Definition(version) = &outcome.answer {
        return Ok(Response::new(convert::helpdesk(id, version, Role::Admin)));
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
    Ok(Response::new(convert::helpdesk(id, &version, Role::Admin)))
}

pub(super) async fn get(server: &Server, request: Request<proto::GetHelpdeskRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let proto::GetHelpdeskRequest { name } = request.into_inner();
    let id = names::helpdesk("name", &name)?;
    call.caller.enter(&id)?;
    let version = server.engine.definition(&id).await?;
    Ok(Response::new(convert::helpdesk(&id, &version, call.caller.actor.role)))
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
    let (caller, role) = (call.caller.clone(), call.caller.actor.role);
    let (helpdesks, next) = server
        .engine
        .read(move |connection| {
            let rows = page::Rows {
                read: |after: &String, limit| {
                    let ids: Vec<String> = match caller.only() {
                        // Nothing tells how many others there are.
                        Some(own) => own.into_iter().filter(|id| id > after).take(limit).collect(),
                        None => helpdesks::directory_page(connection, after, i64::try_from(limit).unwrap_or(i64::MAX))?
                            .into_iter()
                            .map(|DirectoryRow { id, .. }| id)
                            .collect(),
                    };
                    let read = |id: String| Ok((definitions.current(connection, &id)?, id));
                    ids.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()
                },
                key: |(_, id): &(_, String)| id.clone(),
                see: |(version, id): (Option<Arc<DefinitionVersion>>, String)| {
                    Ok(version.map(|version| convert::helpdesk(&id, &version, role)))
                },
                weigh: Message::encoded_len,
            };
            page::gather(size, after, rows)
        })
        .await?;
    let next_page_token = next.map(|last| page::token(&scope, &last)).unwrap_or_default();
    Ok(Response::new(proto::ListHelpdesksResponse { helpdesks, next_page_token }))
}
