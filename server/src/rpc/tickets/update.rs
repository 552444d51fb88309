//! `UpdateTicket`.

use std::collections::BTreeMap;

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{Command, UpdateTicket};
use crate::domain::{Refusal, Violation, text};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::server::Server;
use crate::rpc::{convert, names};

pub(in crate::rpc) async fn update(
    server: &Server,
    request: Request<proto::UpdateTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let name = message.ticket.as_ref().map(|ticket| ticket.name.clone()).unwrap_or_default();
    let named = both(names::ticket("ticket.name", &name), Asked::of(&mut message));
    let id = named.as_ref().map_or(0, |((_, id), _)| *id);
    let (((helpdesk, _), asked), command) = both(named, command(id, message))?;
    call.caller.enter(&helpdesk)?;
    submit(server, &call, call.request(&helpdesk, Command::UpdateTicket(command), asked)).await
}

/// All fields that a definition can have, and the others.
const MOST_PATHS: usize = text::FIELDS_MAX + 20;

const MASK: &str = "subject, priority, tags, cc, external_refs, solution, fields or fields.{id}";

pub(super) fn command(id: i64, message: proto::UpdateTicketRequest) -> Result<UpdateTicket, Refusal> {
    let proto::UpdateTicketRequest { ticket, update_mask, request_id: _, validate_only: _, reason } = message;
    let ticket = ticket.unwrap_or_default();
    let paths = update_mask.unwrap_or_default().paths;
    let mut violations = Vec::new();
    if paths.len() > MOST_PATHS {
        let description = format!("has {} paths; at most {MOST_PATHS} are taken", paths.len());
        return Err(Refusal::Invalid(vec![Violation::new("update_mask", description)]));
    }
    if paths.is_empty() {
        violations.push(Violation::new("update_mask", format!("is required: name what to change, of {MASK}")));
    }
    let mut update = UpdateTicket { ticket: id, etag: ticket.etag, reason, ..UpdateTicket::default() };
    let mut given: BTreeMap<String, String> = ticket.fields;
    for path in &paths {
        match path.as_str() {
            "subject" => update.subject = Some(ticket.subject.clone()),
            "priority" => update.priority = Some(ticket.priority.clone()),
            "tags" => update.tags = Some(ticket.tags.clone()),
            "cc" => update.cc = Some(ticket.cc.clone()),
            "external_refs" => update.external_refs = Some(convert::external_refs(ticket.external_refs.clone())),
            "solution" => update.solution = Some(ticket.solution.clone()),
            "fields" => {
                update.all_fields = true;
                update.fields.append(&mut given);
            }
            other => match other.strip_prefix("fields.").filter(|field| !field.is_empty()) {
                Some(field) => {
                    let value = given.remove(field);
                    update.fields.entry(field.to_owned()).or_insert_with(|| value.unwrap_or_default());
                }
                None => violations.push(Violation::new(
                    "update_mask",
                    format!("{} cannot be changed; it takes {MASK}", text::shown(other)),
                )),
            },
        }
    }
    if violations.is_empty() { Ok(update) } else { Err(Refusal::Invalid(violations)) }
}
