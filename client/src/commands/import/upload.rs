//! Sends one batch, and says of each of its tickets what became of it.

use std::time::Duration;

use loket::v1::batch_create_tickets_result::Result as Outcome;
use loket::v1::{BatchCreateTicketsRequest, BatchCreateTicketsResult, ErrorReason};
use loket_client::backoff::Backoff;
use loket_client::{Client, Error};
use tonic::Status;

use super::batches::{Batch, Item, Refused};
use crate::commands::batch::error_of;

/// So often the tickets that the server had no room for are sent again.
const ATTEMPTS: u32 = 20;

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
    pub(super) skipped: u64,
    pub(super) refused: Vec<Refused>,
}

/// What became of a ticket.
enum Fate {
    Created,
    AlreadyThere,
    /// The server had no room for it now.
    Postponed(Error),
    Refused(Error),
}

impl Upload {
    /// Repeats what the server had no room for. That is safe: each ticket has its own request id.
    pub(super) async fn send(self, batch: Batch) -> Result<Answer, Error> {
        let Batch { items, refused, skipped } = batch;
        let mut answer = Answer { skipped, refused, ..Answer::default() };
        let mut waiting = items;
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        for attempt in 1.. {
            let Some(error) = self.send_once(&mut waiting, &mut answer).await? else {
                break;
            };
            if attempt == ATTEMPTS {
                return Err(error);
            }
            tokio::time::sleep(backoff.next(error.retry_delay())).await;
        }
        Ok(answer)
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
            match fate(result, self.head) {
                Fate::Created => answer.created += 1,
                Fate::AlreadyThere => answer.already_there += 1,
                Fate::Postponed(error) => {
                    waiting.push(item);
                    busy = Some(error);
                }
                Fate::Refused(error) => {
                    let reason = error.to_string().replace("\n  ", "; ");
                    answer.refused.push(Refused { origin: item.origin, reason });
                }
            }
        }
        Ok(busy)
    }
}

fn fate(result: BatchCreateTicketsResult, head: i64) -> Fate {
    let error = match result.result {
        Some(Outcome::Ticket(ticket)) if (1..=head).contains(&ticket.revision) => return Fate::AlreadyThere,
        Some(Outcome::Ticket(_)) => return Fate::Created,
        Some(Outcome::Status(status)) => error_of(&status),
        None => Status::internal("the server did not say what became of the ticket").into(),
    };
    match error.reason() {
        // An id is reused when an earlier import of the case made another ticket of it: that one stays.
        Some(ErrorReason::ExternalRefExists | ErrorReason::RequestIdReused) => Fate::AlreadyThere,
        _ if error.is_transient() => Fate::Postponed(error),
        _ => Fate::Refused(error),
    }
}

#[cfg(test)]
mod tests {
    use loket::v1::Ticket;
    use prost::Message as _;
    use tonic::Code;
    use tonic_types::{ErrorDetails, StatusExt as _, pb};

    use super::*;

    fn made_in(revision: i64) -> Fate {
        let ticket = Ticket { revision, ..Ticket::default() };
        fate(BatchCreateTicketsResult { result: Some(Outcome::Ticket(ticket)) }, 10)
    }

    fn ended_with(code: Code, reason: &str) -> Fate {
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, loket::reason::DOMAIN, std::collections::HashMap::new());
        details.add_bad_request_violation("subject", "must not be empty");
        let status = Status::with_error_details(code, "the ticket breaks 1 rule", details);
        let status = pb::Status::decode(status.details()).unwrap_or_default();
        fate(BatchCreateTicketsResult { result: Some(Outcome::Status(status)) }, 10)
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
        assert!(matches!(ended_with(Code::AlreadyExists, "EXTERNAL_REF_EXISTS"), Fate::AlreadyThere));
        assert!(matches!(ended_with(Code::InvalidArgument, "REQUEST_ID_REUSED"), Fate::AlreadyThere));
        assert!(matches!(ended_with(Code::Unavailable, "OVERLOADED"), Fate::Postponed(_)));
        let Fate::Refused(error) = ended_with(Code::InvalidArgument, "INVALID_REQUEST") else { panic!("not refused") };
        assert_eq!(error.to_string(), "the ticket breaks 1 rule\n  subject: must not be empty");
    }
}
