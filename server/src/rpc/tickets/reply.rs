//! `CreateReply` and `ListReplies`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::commands::{Command, CreateReply};
use crate::domain::context::Answer;
use crate::domain::definition::ReplyPolicy;
use crate::domain::{Refusal, Reply, ReplyKind, Role, Violation};
use crate::engine::{Failure, Outcome};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::rpc::{attachments, convert, names, page};
use crate::store::{self, AnyConnection, changes, replies, tickets};

pub(in crate::rpc) async fn create(
    server: &Server,
    request: Request<proto::CreateReplyRequest>,
) -> Result<Response<proto::Reply>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let named = both(names::ticket("parent", &message.parent), Asked::of(&mut message));
    let ticket = named.as_ref().map_or(0, |((_, ticket), _)| *ticket);
    let (((helpdesk, _), asked), mut command) = both(named, command(ticket, message))?;
    call.caller.enter(&helpdesk)?;
    if !command.canned_response.is_empty() {
        let now = server.engine.clock().now();
        command.survey_token = Some(server.survey_key.token(&helpdesk, ticket, now));
    }
    let may_claim = command.may_claim();
    let request = call.request(&helpdesk, Command::CreateReply(command), asked);
    let outcome = call.submit(server, request).await?;
    // An empty one that was not refused has claimed the ticket.
    if may_claim {
        let Some(ticket) = super::ticket_of(server, &helpdesk, Some(ticket), outcome).await? else {
            return Err(Failure::Internal.into());
        };
        return Ok(Response::new(convert::claim(&helpdesk, &ticket, &call.caller.actor)));
    }
    let (reply, warning) = reply_of(server, &call, &helpdesk, outcome).await?;
    Ok(Response::new(convert::reply(&helpdesk, &reply, warning)))
}

fn command(ticket: i64, message: proto::CreateReplyRequest) -> Result<CreateReply, Refusal> {
    let proto::CreateReplyRequest { parent, reply, transition, etag, request_id: _, validate_only: _, fields, uploads } =
        message;
    let Some(reply) = reply else {
        return Err(Refusal::Invalid(vec![Violation::new("reply", "is required")]));
    };
    let kind = kind(reply.kind)?;
    let proto::Reply {
        name: _,
        author: _,
        author_role: _,
        kind: _,
        body,
        solution,
        create_time: _,
        revision: _,
        warning: _,
        canned_response,
        claimed_ticket: _,
        claimed_number: _,
        attachments: _,
    } = reply;
    let uploads = attachments::named(&parent, &uploads)?;
    let survey_token = None;
    Ok(CreateReply { ticket, kind, body, solution, transition, etag, uploads, fields, canned_response, survey_token })
}

pub(super) fn kind(kind: i32) -> Result<ReplyKind, Refusal> {
    match proto::ReplyKind::try_from(kind) {
        Ok(proto::ReplyKind::Public | proto::ReplyKind::Unspecified) => Ok(ReplyKind::Public),
        Ok(proto::ReplyKind::Note) => Ok(ReplyKind::Note),
        Err(_) => {
            let description = format!("{kind} is no kind; write REPLY_KIND_PUBLIC or REPLY_KIND_NOTE");
            Err(Refusal::Invalid(vec![Violation::new("reply.kind", description)]))
        }
    }
}

/// The reply of an outcome, and what its author should know.
async fn reply_of(server: &Server, call: &Call, helpdesk: &str, outcome: Outcome) -> Result<(Reply, String), Failure> {
    if !outcome.replayed {
        return match outcome.answer {
            Answer::Reply { reply, warning } => Ok((*reply, warning)),
            Answer::Nothing
            | Answer::NoneFits
            | Answer::Escalated { .. }
            | Answer::Agent(_)
            | Answer::Ticket(_)
            | Answer::Definition(_)
            | Answer::Key(_)
            | Answer::Upload(_)
            | Answer::Requester(_)
            | Answer::Refused(_) => Err(Failure::Internal),
        };
    }
    let key = helpdesk.to_owned();
    let entries =
        server.engine.read(move |connection| changes::of_revision(connection, &key, outcome.revision)).await?;
    let Some(change) = entries.into_iter().next().map(|entry| entry.change) else { return Err(Failure::Internal) };
    let reply = change.reply.clone().ok_or(Failure::Internal)?;
    let mut warning = String::new();
    if call.caller.actor.role == Role::Requester
        && let Some(before) = &change.before
    {
        let version = server.engine.definition(helpdesk).await?;
        let status = version.definition.status(&before.status);
        let warned = status.filter(|status| status.requester_reply == ReplyPolicy::Warn);
        warning = warned.map(|status| status.requester_reply_message.clone()).unwrap_or_default();
    }
    Ok((reply, warning))
}

pub(in crate::rpc) async fn list(
    server: &Server,
    request: Request<proto::ListRepliesRequest>,
) -> Result<Response<proto::ListRepliesResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ListRepliesRequest { parent, page_size, page_token, min_revision } = request.into_inner();
    let read_as_of = both(page::size(page_size), read::revision(min_revision));
    let ((helpdesk, ticket), (size, _)) = both(names::ticket("parent", &parent), read_as_of)?;
    let scope = ["ListReplies", &parent, &call.caller.actor.subject];
    let after = match page::key(&scope, &page_token)? {
        Some(key) => key.parse().map_err(|_| Refusal::InvalidPageToken)?,
        None => 0,
    };
    let key = helpdesk.clone();
    let with_notes = call.caller.actor.role.is_staff();
    let read = move |connection: &mut AnyConnection| {
        let found = tickets::by_ids(connection, &key, &[ticket])?.remove(&ticket);
        let rows = page::Rows {
            read: |after: &i64, limit| {
                replies::page(connection, &key, ticket, with_notes, *after, i64::try_from(limit).unwrap_or(i64::MAX))
            },
            key: |reply: &Reply| reply.id,
            see: |row| Ok(Some(row)),
            weigh: |reply: &Reply| reply.body.len() + reply.solution.len(),
        };
        let (mut listed, next) = page::gather(size, after, rows)?;
        // Most tickets have none.
        if found.as_ref().is_some_and(|ticket| ticket.more.attachments.all().count > 0) {
            let ids: Vec<_> = listed.iter().map(|reply| reply.id).collect();
            for attachment in store::attachments::of_replies(connection, &key, ticket, &ids)? {
                if let Some(reply) = listed.iter_mut().find(|reply| Some(reply.id) == attachment.reply) {
                    reply.attachments.push(attachment);
                }
            }
        }
        Ok((found, (listed, next)))
    };
    let (reading, (found, (listed, next))) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    if !found.is_some_and(|found| reading.sight.sees(&found)) {
        return Err(Refusal::NotFound { kind: "Ticket", name: parent }.into());
    }
    let mut replies: Vec<_> = listed.iter().map(|reply| convert::reply(&helpdesk, reply, String::new())).collect();
    // What was read was weighed without its files.
    let fits = page::fitting(&replies);
    let next = if fits < replies.len() { listed.get(fits - 1).map(|last| last.id) } else { next };
    replies.truncate(fits);
    let next = next.map(|last| page::token(&scope, &last.to_string()));
    Ok(Response::new(proto::ListRepliesResponse { replies, next_page_token: next.unwrap_or_default() }))
}
