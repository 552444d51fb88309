//! Sends one batch of histories, and says of each what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loket::v1::import_tickets_result::Result as Outcome;
use loket::v1::{ErrorReason, ImportTicketsRequest, ImportTicketsResult};
use loket_client::backoff::Backoff;
use loket_client::error::Violation;
use loket_client::{Client, Error};
use tonic::Status;

use super::super::batches::Origin;
use super::super::rejects::Rejects;
use super::super::upload::{ATTEMPTS, Answer, is_its_own, reason};
use super::case::{Item, Reading, Repeats};
use super::cases::Batch;
use crate::commands::batch::error_of;
use crate::failure::Failure;

/// Where the histories go.
#[derive(Clone)]
pub(in super::super) struct Upload {
    pub(in super::super) client: Client,
    pub(in super::super) helpdesk: String,
    /// The helpdesk's revision when the import began: a ticket of an earlier one was there already.
    pub(in super::super) head: i64,
    /// Whether refused events are left out, and the others sent again.
    pub(in super::super) skip: bool,
    pub(in super::super) reading: Arc<Reading>,
    /// Where rows that are left out are written before their case is sent without them. None in a dry run.
    pub(in super::super) rejects: Option<Arc<Rejects>>,
}

/// What became of a history.
enum Fate {
    Created,
    AlreadyThere,
    /// An earlier import has made another ticket of the case: it stays.
    ThereOtherwise,
    /// The server had no room for it now.
    Postponed(Error),
    /// Events of it are refused: each by its place, with why.
    EventsRefused(BTreeMap<usize, String>),
    Refused(Error),
}

impl Upload {
    /// Sends a batch. What became of it until it failed is told beside the failure.
    pub(in super::super) async fn send(self, batch: Batch) -> (Answer, Result<(), Failure>) {
        let Batch { items, refused, refused_cases } = batch;
        let mut answer = Answer { refused, refused_cases, ..Answer::default() };
        let end = self.send_all(items, &mut answer).await;
        (answer, end)
    }

    /// In parts, when the server takes smaller messages than most.
    async fn send_all(&self, items: Vec<Item>, answer: &mut Answer) -> Result<(), Failure> {
        let mut parts = vec![items];
        while let Some(mut part) = parts.pop() {
            match self.send_part(&mut part, answer).await {
                Ok(()) => {}
                Err(Failure::Call(error)) if error.reason() == Some(ErrorReason::MessageTooLarge) => {
                    if part.len() > 1 {
                        let behind = part.split_off(part.len() / 2);
                        parts.extend([behind, part]);
                    } else {
                        for item in part {
                            answer.refuse(item, &BTreeMap::new(), &reason(&error));
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Repeats what the server had no room for, and what goes again without its refused events. That is safe: each history
    /// has its own request id.
    async fn send_part(&self, waiting: &mut Vec<Item>, answer: &mut Answer) -> Result<(), Failure> {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        let mut attempt = 0;
        while !waiting.is_empty() {
            let Some(error) = self.send_once(waiting, answer).await? else { continue };
            attempt += 1;
            if attempt == ATTEMPTS {
                return Err(error.into());
            }
            tokio::time::sleep(backoff.next(error.retry_delay())).await;
        }
        Ok(())
    }

    /// Sends what waits, and leaves what is to be sent again; with the reason, when the server had no room.
    async fn send_once(&self, waiting: &mut Vec<Item>, answer: &mut Answer) -> Result<Option<Error>, Failure> {
        let histories = waiting.iter().map(Item::to_send).collect();
        let request = ImportTicketsRequest { parent: self.helpdesk.clone(), histories };
        let results = self.client.import_tickets(request).await?.results;
        if results.len() != waiting.len() {
            let wrong = Status::data_loss("the server answered for other tickets than were sent");
            return Err(Error::from(wrong).into());
        }
        let (mut busy, mut failed) = (None, None);
        for (mut item, result) in std::mem::take(waiting).into_iter().zip(results) {
            match self.fate(result, &item) {
                Fate::Created if item.repeats == Repeats::Looked => {
                    item.repeats = Repeats::Compared;
                    waiting.push(item);
                }
                Fate::Created => match self.tell(&mut item) {
                    Ok(true) => waiting.push(item),
                    Ok(false) => answer.create(item),
                    // What became of the others is told all the same.
                    Err(error) => failed = Some(error),
                },
                Fate::AlreadyThere => answer.already_there += 1,
                // Perhaps it is there without what is refused of it.
                Fate::ThereOtherwise if self.skip && item.repeats == Repeats::NotKnown => {
                    item.repeats = Repeats::Looked;
                    waiting.push(item);
                }
                Fate::ThereOtherwise => answer.find_otherwise(&item),
                Fate::Postponed(error) => {
                    waiting.push(item);
                    busy = Some(error);
                }
                Fate::EventsRefused(events) if self.skip => {
                    // What comes behind may be refused only because of this row: without it, it is told otherwise.
                    let first = item.by_row(&events).into_iter().next();
                    let is_of_it = |event: &&usize| item.row_of.get(**event) == first.as_ref().map(|(row, _)| row);
                    let count = events.keys().filter(is_of_it).count();
                    if item.leave_out(count, first, &self.reading) {
                        waiting.push(item);
                    } else if item.repeats == Repeats::Looked {
                        answer.find_otherwise(&item);
                    } else {
                        answer.refused_events += item.refused_events;
                        let reasons = std::mem::take(&mut item.left_out);
                        answer.refuse(item, &reasons, "");
                    }
                }
                Fate::EventsRefused(events) => {
                    answer.refused_events += events.len() as u64;
                    let reasons = item.by_row(&events);
                    answer.refuse(item, &reasons, "");
                }
                Fate::Refused(_) if item.repeats == Repeats::Looked => answer.find_otherwise(&item),
                Fate::Refused(error) => answer.refuse(item, &BTreeMap::new(), &reason(&error)),
            }
        }
        failed.map_or(Ok(busy), |error| Err(Failure::Other(error)))
    }

    /// Whether the history was only tried, and is now to be imported: once it is there nothing else tells what it is without,
    /// so the rows that are left out are first brought to the rejects. All of them at once, for a case stands together.
    fn tell(&self, item: &mut Item) -> Result<bool, String> {
        let Some(rejects) = self.rejects.as_ref().filter(|_| item.is_tried()) else { return Ok(false) };
        rejects.write(&item.untold())?;
        item.told.extend(item.left_out.keys());
        Ok(true)
    }

    fn fate(&self, result: ImportTicketsResult, item: &Item) -> Fate {
        let error = match result.result {
            Some(Outcome::Ticket(ticket)) if (1..=self.head).contains(&ticket.revision) => return Fate::AlreadyThere,
            Some(Outcome::Ticket(_)) => return Fate::Created,
            Some(Outcome::Status(status)) => error_of(&status),
            None => Status::internal("the server did not say what became of the history").into(),
        };
        match error.reason() {
            Some(ErrorReason::RequestIdReused) => Fate::ThereOtherwise,
            Some(ErrorReason::ExternalRefExists) if is_its_own(&error, item.history.ticket.as_ref()) => {
                Fate::AlreadyThere
            }
            Some(ErrorReason::HistoryRefused) => match refused_events(&error, item.history.events.len()) {
                none if none.is_empty() => Fate::Refused(error),
                events => Fate::EventsRefused(events),
            },
            _ if error.is_transient() => Fate::Postponed(error),
            _ => Fate::Refused(error),
        }
    }
}

impl Item {
    /// Why each row is refused of which an event is.
    fn by_row(&self, events: &BTreeMap<usize, String>) -> BTreeMap<usize, String> {
        let mut rows: BTreeMap<usize, String> = BTreeMap::new();
        for (event, why) in events {
            if let Some(row) = self.row_of.get(*event) {
                rows.entry(*row).and_modify(|known| *known = format!("{known}; {why}")).or_insert_with(|| why.clone());
            }
        }
        rows
    }
}

impl Answer {
    fn create(&mut self, item: Item) {
        self.created += 1;
        self.events += item.history.events.len() as u64;
        self.refused_events += item.refused_events;
        self.left_out.extend(item.into_left_out());
    }

    fn find_otherwise(&mut self, item: &Item) {
        self.already_there += 1;
        self.otherwise.extend(item.rows.first().map(Origin::place));
    }

    fn refuse(&mut self, item: Item, reasons: &BTreeMap<usize, String>, otherwise: &str) {
        self.refused_cases += 1;
        self.refused.extend(item.refuse(reasons, otherwise));
    }
}

/// The events that an error names, each with everything that is wrong with it. What names none is left out.
fn refused_events(error: &Error, count: usize) -> BTreeMap<usize, String> {
    let mut events: BTreeMap<usize, String> = BTreeMap::new();
    for violation in error.violations() {
        let Violation::Precondition { kind, subject, description } = violation else { continue };
        let place = subject.strip_prefix("events[").and_then(|rest| rest.split(']').next()?.parse().ok());
        let Some(place) = place.filter(|place| *place < count) else { continue };
        let within = subject.split_once("].").map_or("", |(_, within)| within);
        let why = format!("{within} {kind}: {description}").trim().to_owned();
        events.entry(place).and_modify(|known| *known = format!("{known}; {why}")).or_insert(why);
    }
    events
}
