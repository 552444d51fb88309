//! A history as a command. What cannot be read of an event is told with whatever else is wrong with the others.

use loket::v1 as proto;
use loket::v1::history_event::Operation;
use prost::Message as _;
use prost_types::Timestamp;

use crate::domain::commands::{
    AssignTicket, CreateReply, Event, Happened, HistoryStep, ImportTicket, StatusStep, TransferTicket,
};
use crate::domain::{Micros, Refusal, Role, Violation};
use crate::rpc::tickets::{create, reply, update};
use crate::store::payload;

pub(super) fn command(history: proto::TicketHistory) -> Result<ImportTicket, Refusal> {
    let proto::TicketHistory { ticket, event_time, actor, actor_role, events, request_id: _, validate_only: _ } =
        history;
    let unsaid = if actor.is_empty() { Role::Requester } else { Role::Agent };
    let mut wrong = Vec::new();
    let filed = happened(&mut wrong, event_time, &actor, actor_role, unsaid);
    let mut new = match create::new_ticket(ticket) {
        Ok(new) if wrong.is_empty() => new,
        Err(Refusal::Invalid(more)) => {
            wrong.extend(more);
            return Err(Refusal::Invalid(wrong));
        }
        Err(refusal) => return Err(refusal),
        Ok(_) => return Err(Refusal::Invalid(wrong)),
    };
    new.imported = true;
    Ok(ImportTicket { new, filed, events: events.into_iter().map(event).collect() })
}

/// What the changes will take in the log, roughly: a commit holds only so much of it.
pub(super) fn written(history: &proto::TicketHistory) -> usize {
    const CHANGE: usize = 700;
    let ticket = history.ticket.as_ref().map_or(0, |ticket| ticket.encoded_len().saturating_sub(ticket.body.len()));
    (history.events.len().saturating_add(1)).saturating_mul(CHANGE + ticket).min(1 << 20)
}

fn event(event: proto::HistoryEvent) -> Result<Event, Vec<Violation>> {
    let proto::HistoryEvent { event_time, actor, actor_role, operation } = event;
    let mut wrong = Vec::new();
    let happened = happened(&mut wrong, event_time, &actor, actor_role, Role::Agent);
    match operation.ok_or_else(missing_operation).and_then(step) {
        Ok(step) if wrong.is_empty() => Ok(Event { happened, step }),
        Ok(_) => Err(wrong),
        Err(more) => {
            wrong.extend(more);
            Err(wrong)
        }
    }
}

fn missing_operation() -> Vec<Violation> {
    vec![Violation::new("operation", "is required: one of status, transfer, assignment, update and reply")]
}

fn step(operation: Operation) -> Result<HistoryStep, Vec<Violation>> {
    Ok(match operation {
        Operation::Status(proto::StatusEvent { status, transition, fields, solution, reason }) => {
            HistoryStep::Status(StatusStep { status, transition, fields, solution, reason })
        }
        Operation::Transfer(proto::TransferEvent { queue, reason }) => {
            HistoryStep::Transfer(TransferTicket { ticket: 0, queue, reason, etag: String::new() })
        }
        Operation::Assignment(proto::AssignmentEvent { assignee, reason }) => {
            HistoryStep::Assignment(AssignTicket { ticket: 0, assignee, reason, etag: String::new() })
        }
        Operation::Update(proto::UpdateEvent { ticket, update_mask, reason }) => {
            let ticket = ticket.map(|ticket| proto::Ticket { etag: String::new(), ..ticket });
            let request =
                proto::UpdateTicketRequest { ticket, update_mask, reason, ..proto::UpdateTicketRequest::default() };
            HistoryStep::Update(update::command(0, request).map_err(|refusal| within("update", refusal))?)
        }
        Operation::Reply(proto::ReplyEvent { kind, body, solution }) => HistoryStep::Reply(CreateReply {
            ticket: 0,
            kind: reply::kind(kind).map_err(|refusal| within("", refusal))?,
            body,
            solution,
            transition: String::new(),
            etag: String::new(),
            uploads: Vec::new(),
            fields: std::collections::BTreeMap::new(),
            canned_response: String::new(),
            survey_token: None,
        }),
    })
}

/// What is wrong, with its path in the event.
fn within(operation: &str, refusal: Refusal) -> Vec<Violation> {
    let Refusal::Invalid(violations) = refusal else { return vec![Violation::new(operation, "cannot be read")] };
    let at = |field: String| if operation.is_empty() { field } else { format!("{operation}.{field}") };
    violations.into_iter().map(|Violation { field, description }| Violation::new(at(field), description)).collect()
}

fn happened(wrong: &mut Vec<Violation>, time: Option<Timestamp>, actor: &str, role: i32, unsaid: Role) -> Happened {
    let time = micros(time).unwrap_or_else(|what| {
        wrong.push(Violation::new("event_time", what));
        0
    });
    let role = match proto::Role::try_from(role) {
        Ok(proto::Role::Unspecified) => unsaid,
        Ok(known) => payload::role_from_proto(known).unwrap_or(unsaid),
        Err(_) => {
            let roles = "ROLE_REQUESTER, ROLE_AGENT, ROLE_SUPERVISOR, ROLE_SERVICE or ROLE_ADMIN";
            wrong.push(Violation::new("actor_role", format!("{role} is no role; write {roles}")));
            unsaid
        }
    };
    Happened { time, actor: actor.trim().to_owned(), role }
}

/// A time as the server keeps it.
fn micros(time: Option<Timestamp>) -> Result<Micros, String> {
    /// The first second of the year 10000, which protobuf does not know any more.
    const END: i64 = 253_402_300_800;
    match time {
        None => Err("is required: when it happened".to_owned()),
        Some(Timestamp { seconds, nanos })
            if !(-END..END).contains(&seconds) || !(0..1_000_000_000).contains(&nanos) =>
        {
            Err(format!("{seconds} seconds and {nanos} nanoseconds are no time"))
        }
        Some(time) => Ok(payload::micros(&time)),
    }
}
