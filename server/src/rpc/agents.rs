//! `AgentService`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::call::{Asked, Call, both};
use super::read::Reading;
use super::server::Server;
use super::{names, page};
use crate::domain::commands::{Command, CreateAgent, UpdateAgent};
use crate::domain::context::Answer;
use crate::domain::{Agent, Refusal, Violation, text};
use crate::engine::{Failure, Outcome};
use crate::store::payload::agent_to_proto;
use crate::store::{AnyConnection, agents, changes};

type Answered = Result<Response<proto::Agent>, Status>;

pub(super) async fn create(server: &Server, request: Request<proto::CreateAgentRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let (helpdesk, asked) = both(names::helpdesk("parent", &message.parent), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let proto::CreateAgentRequest { parent: _, agent_id, agent, request_id: _, validate_only: _ } = message;
    let Some(agent) = agent else {
        return Err(Refusal::Invalid(vec![Violation::new("agent", "is required")]).into());
    };
    let proto::Agent {
        name: _,
        subject,
        display_name,
        queues,
        skills,
        active,
        create_time: _,
        update_time: _,
        revision: _,
        etag: _,
    } = agent;
    let command = Command::CreateAgent(CreateAgent { id: agent_id, subject, display_name, queues, skills, active });
    submit(server, &call, &helpdesk, command, asked).await
}

pub(super) async fn update(server: &Server, request: Request<proto::UpdateAgentRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let name = message.agent.as_ref().map(|agent| agent.name.clone()).unwrap_or_default();
    let named = both(names::agent("agent.name", &name), Asked::of(&mut message));
    let id = named.as_ref().map_or("", |((_, id), _)| id.as_str()).to_owned();
    let (((helpdesk, _), asked), command) = both(named, changes_of(id, message))?;
    call.caller.enter(&helpdesk)?;
    submit(server, &call, &helpdesk, command, asked).await
}

const MASK: &str = "display_name, queues, skills or active";
const MOST_PATHS: usize = 20;

fn changes_of(id: String, message: proto::UpdateAgentRequest) -> Result<Command, Refusal> {
    let proto::UpdateAgentRequest { agent, update_mask, request_id: _, validate_only: _ } = message;
    let agent = agent.unwrap_or_default();
    let paths = update_mask.unwrap_or_default().paths;
    let mut violations = Vec::new();
    if paths.len() > MOST_PATHS {
        let description = format!("has {} paths; at most {MOST_PATHS} are taken", paths.len());
        return Err(Refusal::Invalid(vec![Violation::new("update_mask", description)]));
    }
    if paths.is_empty() {
        violations.push(Violation::new("update_mask", format!("is required: name what to change, of {MASK}")));
    }
    let mut update = UpdateAgent { id, etag: agent.etag, ..UpdateAgent::default() };
    for path in &paths {
        match path.as_str() {
            "display_name" => update.display_name = Some(agent.display_name.clone()),
            "queues" => update.queues = Some(agent.queues.clone()),
            "skills" => update.skills = Some(agent.skills.clone()),
            "active" => update.active = Some(agent.active),
            other => {
                let description = format!("{} cannot be changed; it takes {MASK}", text::shown(other));
                violations.push(Violation::new("update_mask", description));
            }
        }
    }
    if violations.is_empty() { Ok(Command::UpdateAgent(update)) } else { Err(Refusal::Invalid(violations)) }
}

async fn submit(server: &Server, call: &Call, helpdesk: &str, command: Command, asked: Asked) -> Answered {
    let outcome = call.submit(server, call.request(helpdesk, command, asked)).await?;
    let agent = agent_of(server, helpdesk, outcome).await?;
    Ok(Response::new(agent_to_proto(helpdesk, &agent)))
}

/// The agent of an outcome; of a repeated call, as the revision left it.
async fn agent_of(server: &Server, helpdesk: &str, outcome: Outcome) -> Result<Agent, Failure> {
    if let Answer::Agent(agent) = outcome.answer {
        return Ok(agent);
    }
    let helpdesk = helpdesk.to_owned();
    let entries =
        server.engine.read(move |connection| changes::of_revision(connection, &helpdesk, outcome.revision)).await?;
    entries.into_iter().find_map(|entry| entry.change.agent.clone()).ok_or(Failure::Internal)
}

pub(super) async fn get(server: &Server, request: Request<proto::GetAgentRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let proto::GetAgentRequest { name, min_revision } = request.into_inner();
    let (helpdesk, id) = names::agent("name", &name)?;
    call.caller.must_be_staff("reading agents")?;
    let key = helpdesk.clone();
    let read = move |connection: &mut AnyConnection| agents::get(connection, &key, &id);
    let (_, found) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    match found {
        Some(agent) => Ok(Response::new(agent_to_proto(&helpdesk, &agent))),
        None => Err(Refusal::NotFound { kind: "Agent", name }.into()),
    }
}

pub(super) async fn list(
    server: &Server,
    request: Request<proto::ListAgentsRequest>,
) -> Result<Response<proto::ListAgentsResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ListAgentsRequest { parent, page_size, page_token, min_revision } = request.into_inner();
    let helpdesk = names::helpdesk("parent", &parent)?;
    call.caller.must_be_staff("reading agents")?;
    let size = page::size(page_size)?;
    let scope = ["ListAgents", &parent];
    let after = page::key(&scope, &page_token)?.unwrap_or_default();
    let key = helpdesk.clone();
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let read = move |connection: &mut AnyConnection| agents::page(connection, &key, &after, limit);
    let (_, mut found) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| page::token(&scope, &last.id));
    Ok(Response::new(proto::ListAgentsResponse {
        agents: found.iter().map(|agent| agent_to_proto(&helpdesk, agent)).collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}
