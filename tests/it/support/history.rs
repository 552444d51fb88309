//! Cases with what happened to them, to be imported.

use loket::v1::history_event::Operation;
use loket::v1::import_tickets_result::Result as Outcome;
use loket::v1::{
    AssignmentEvent, HistoryEvent, ImportTicketsRequest, ReplyEvent, ReplyKind, Role, StatusEvent, Ticket,
    TicketHistory, TransferEvent, UpdateEvent,
};
use loket_client::Error;
use prost::Message as _;
use prost_types::{FieldMask, Timestamp};
use tonic::{Code, Status};

use super::{Caller, draft};

/// Seconds after 2013-01-07T08:00:00Z, a Monday: long before every test.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp { seconds: 1_357_545_600 + seconds, nanos: 0 }
}

/// Filed by the requester, as [`draft`] has it.
pub(crate) fn history(subject: &str, events: Vec<HistoryEvent>) -> TicketHistory {
    TicketHistory { ticket: Some(draft(subject)), event_time: Some(at(0)), events, ..TicketHistory::default() }
}

fn event(seconds: i64, actor: &str, operation: Operation) -> HistoryEvent {
    HistoryEvent {
        event_time: Some(at(seconds)),
        actor: actor.to_owned(),
        operation: Some(operation),
        ..HistoryEvent::default()
    }
}

/// An agent brings it to a status.
pub(crate) fn comes_to(seconds: i64, actor: &str, status: &str) -> HistoryEvent {
    event(seconds, actor, Operation::Status(StatusEvent { status: status.to_owned(), ..StatusEvent::default() }))
}

/// An agent sends it to a queue.
pub(crate) fn goes_to(seconds: i64, actor: &str, queue: &str, reason: &str) -> HistoryEvent {
    let (queue, reason) = (queue.to_owned(), reason.to_owned());
    event(seconds, actor, Operation::Transfer(TransferEvent { queue, reason }))
}

/// An agent gives it to somebody.
pub(crate) fn given_to(seconds: i64, actor: &str, assignee: &str) -> HistoryEvent {
    let assignment = AssignmentEvent { assignee: assignee.to_owned(), ..AssignmentEvent::default() };
    event(seconds, actor, Operation::Assignment(assignment))
}

/// An agent changes what `paths` name.
pub(crate) fn updated(seconds: i64, actor: &str, ticket: Ticket, paths: &[&str]) -> HistoryEvent {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let update = UpdateEvent { ticket: Some(ticket), update_mask: Some(FieldMask { paths }), ..UpdateEvent::default() };
    event(seconds, actor, Operation::Update(update))
}

/// An agent writes.
pub(crate) fn says(seconds: i64, actor: &str, kind: ReplyKind, body: &str) -> HistoryEvent {
    let reply = ReplyEvent { kind: kind.into(), body: body.to_owned(), ..ReplyEvent::default() };
    event(seconds, actor, Operation::Reply(reply))
}

/// The same by another role.
pub(crate) fn by(role: Role, event: HistoryEvent) -> HistoryEvent {
    HistoryEvent { actor_role: role.into(), ..event }
}

impl Caller {
    /// What became of each.
    pub(crate) async fn import_all(&self, histories: Vec<TicketHistory>) -> Result<Vec<Result<Ticket, Error>>, Error> {
        let request = ImportTicketsRequest { parent: self.parent.clone(), histories };
        let results = self.import_tickets(request).await?.results;
        Ok(results
            .into_iter()
            .map(|result| match result.result.unwrap() {
                Outcome::Ticket(ticket) => Ok(ticket),
                Outcome::Status(status) => {
                    let (code, details) = (Code::from(status.code), status.encode_to_vec().into());
                    Err(Status::with_details(code, status.message, details).into())
                }
            })
            .collect())
    }

    pub(crate) async fn import(&self, history: TicketHistory) -> Result<Ticket, Error> {
        self.import_all(vec![history]).await?.pop().unwrap()
    }
}
