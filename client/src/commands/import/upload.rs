//! Sends one batch, and says of each of its tickets what became of it.

use std::time::Duration;

use loket::v1::batch_create_tickets_result::Result as Outcome;
use loket::v1::{BatchCreateTicketsRequest, BatchCreateTicketsResult, CreateTicketRequest, ErrorReason, Ticket};
use loket_client::backoff::Backoff;
use loket_client::{Client, Error};
use tonic::Status;

use super::batches::{Batch, Item, Refused};
use crate::commands::batch::error_of;
use crate::failure::Failure;

/// So often the tickets that the server had no room for are sent again.
pub(super) const ATTEMPTS: u32 = 20;

/// Where the tickets go.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) client: Client,
    pub(super) helpdesk: String,
    /// The helpdesk's revision when the import began: a ticket of an earlier one was there already.
    pub(super) head: i64,
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) created: u64,
    pub(super) already_there: u64,
    /// Of those already there, the rows of which an earlier import has made another ticket.
    pub(super) otherwise: Vec<String>,
    pub(super) skipped: u64,
    pub(super) refused: Vec<Refused>,
    /// Of histories: those that are refused whole.
    pub(super) refused_cases: u64,
    /// Those that became history.
    pub(super) events: u64,
    pub(super) refused_events: u64,
    /// Rows of which something was left out, of cases that were imported. They are in the rejects already.
    pub(super) left_out: Vec<Refused>,
}

/// What became of a ticket.
enum Fate {
    Created,
    AlreadyThere,
    /// An earlier import of the row has made another ticket of it: that one stays.
    ThereOtherwise,
    /// The server had no room for it now.
    Postponed(Error),
    Refused(Error),
}

impl Upload {
    /// Sends a batch. What became of it until it failed is told beside the failure.
    pub(super) async fn send(self, batch: Batch) -> (Answer, Result<(), Failure>) {
        let Batch { items, refused, skipped } = batch;
        let mut answer = Answer { skipped, refused, ..Answer::default() };
        let end = self.send_all(items, &mut answer).await.map_err(Failure::from);
        (answer, end)
    }

    /// In parts, when the server takes smaller messages than most.
    async fn send_all(&self, items: Vec<Item>, answer: &mut Answer) -> Result<(), Error> {
        let mut parts = vec![items];
        while let Some(mut part) = parts.pop() {
            match self.send_part(&mut part, answer).await {
                Ok(()) => {}
                Err(error) if error.reason() == Some(ErrorReason::MessageTooLarge) => {
                    if part.len() > 1 {
                        let behind = part.split_off(part.len() / 2);
                        parts.extend([behind, part]);
                    } else {
                        let origins = part.into_iter().map(|item| item.origin);
                        answer.refused.extend(origins.map(|origin| Refused::new(origin, reason(&error))));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Repeats what the server had no room for. That is safe: each ticket has its own request id.
    async fn send_part(&self, waiting: &mut Vec<Item>, answer: &mut Answer) -> Result<(), Error> {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        for attempt in 1.. {
            let Some(error) = self.send_once(waiting, answer).await? else {
                break;
            };
            if attempt == ATTEMPTS {
                return Err(error);
            }
            tokio::time::sleep(backoff.next(error.retry_delay())).await;
        }
        Ok(())
    }

    /// Sends what waits, and leaves what was postponed, with the reason.
    async fn send_once(&self, waiting: &mut Vec<Item>, answer: &mut Answer) -> Result<Option<Error>, Error> {
        if waiting.is_empty() {
            return Ok(None);
        }
        let requests = waiting.iter().map(|item| item.request.clone()).collect();
        let request = BatchCreateTicketsRequest { parent: self.helpdesk.clone(), requests };
        let results = self.client.batch_create_tickets(request).await?.results;
        if results.len() != waiting.len() {
            return Err(Status::data_loss("the server answered for other tickets than were sent").into());
        }
        let mut busy = None;
        for (item, result) in std::mem::take(waiting).into_iter().zip(results) {
            match fate(result, self.head, &item.request) {
                Fate::Created => answer.created += 1,
                Fate::AlreadyThere => answer.already_there += 1,
                Fate::ThereOtherwise => {
                    answer.already_there += 1;
                    answer.otherwise.push(item.origin.place());
                }
                Fate::Postponed(error) => {
                    waiting.push(item);
                    busy = Some(error);
                }
                Fate::Refused(error) => {
                    answer.refused.push(Refused::new(item.origin, reason(&error)));
                }
            }
        }
        Ok(busy)
    }
}

/// On one line, as a cell of the rejects.
pub(super) fn reason(error: &Error) -> String {
    error.to_string().replace("\n  ", "; ")
}

fn fate(result: BatchCreateTicketsResult, head: i64, sent: &CreateTicketRequest) -> Fate {
    let error = match result.result {
        Some(Outcome::Ticket(ticket)) if (1..=head).contains(&ticket.revision) => return Fate::AlreadyThere,
        Some(Outcome::Ticket(_)) => return Fate::Created,
        Some(Outcome::Status(status)) => error_of(&status),
        None => Status::internal("the server did not say what became of the ticket").into(),
    };
    match error.reason() {
        Some(ErrorReason::RequestIdReused) => Fate::ThereOtherwise,
        Some(ErrorReason::ExternalRefExists) if is_its_own(&error, sent.ticket.as_ref()) => Fate::AlreadyThere,
        _ if error.is_transient() => Fate::Postponed(error),
        _ => Fate::Refused(error),
    }
}

/// Whether the reference that exists is the row's own, and not a further one that another case has too.
pub(super) fn is_its_own(error: &Error, sent: Option<&Ticket>) -> bool {
    let own = sent.and_then(|ticket| ticket.external_refs.first());
    own.is_some_and(|own| {
        let told = |key: &str| error.metadata().get(key).map(String::as_str);
        (told("source"), told("id")) == (Some(own.source.as_str()), Some(own.id.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use loket::v1::ExternalRef;
    use prost::Message as _;
    use tonic::Code;
    use tonic_types::{ErrorDetails, StatusExt as _, pb};

    use super::*;

    fn sent() -> CreateTicketRequest {
        let reference = |source: &str, id: &str| ExternalRef { source: source.to_owned(), id: id.to_owned() };
        let external_refs = vec![reference("calls", "7"), reference("orders", "8")];
        let ticket = Ticket { external_refs, ..Ticket::default() };
        CreateTicketRequest { ticket: Some(ticket), ..CreateTicketRequest::default() }
    }

    fn made_in(revision: i64) -> Fate {
        let ticket = Ticket { revision, ..Ticket::default() };
        fate(BatchCreateTicketsResult { result: Some(Outcome::Ticket(ticket)) }, 10, &sent())
    }

    fn ended_with(code: Code, reason: &str, metadata: &[(&str, &str)]) -> Fate {
        let mut details = ErrorDetails::new();
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        details.set_error_info(reason, loket::reason::DOMAIN, metadata.collect::<std::collections::HashMap<_, _>>());
        details.add_bad_request_violation("subject", "must not be empty");
        let status = Status::with_error_details(code, "the ticket breaks 1 rule", details);
        let status = pb::Status::decode(status.details()).unwrap_or_default();
        fate(BatchCreateTicketsResult { result: Some(Outcome::Status(status)) }, 10, &sent())
    }

    #[test]
    fn tells_new_from_old_by_the_revision() {
        assert!(matches!(made_in(10), Fate::AlreadyThere));
        assert!(matches!(made_in(11), Fate::Created));
        // What is only validated has no revision.
        assert!(matches!(made_in(0), Fate::Created));
    }

    #[test]
    fn what_exists_is_not_refused() {
        let own = [("source", "calls"), ("id", "7"), ("ticket", "helpdesks/h/tickets/1")];
        assert!(matches!(ended_with(Code::AlreadyExists, "EXTERNAL_REF_EXISTS", &own), Fate::AlreadyThere));
        assert!(matches!(ended_with(Code::InvalidArgument, "REQUEST_ID_REUSED", &[]), Fate::ThereOtherwise));
        assert!(matches!(ended_with(Code::Unavailable, "OVERLOADED", &[]), Fate::Postponed(_)));
        let Fate::Refused(error) = ended_with(Code::InvalidArgument, "INVALID_REQUEST", &[]) else {
            panic!("not refused")
        };
        assert_eq!(error.to_string(), "the ticket breaks 1 rule\n  subject: must not be empty");
    }

    #[test]
    fn a_row_whose_further_reference_another_case_has_is_refused() {
        for other in [[("source", "orders"), ("id", "8")], [("source", "calls"), ("id", "8")]] {
            assert!(matches!(ended_with(Code::AlreadyExists, "EXTERNAL_REF_EXISTS", &other), Fate::Refused(_)));
        }
    }
}
