//! The helpdesk that is measured, and the tickets that are filed in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use loket::v1::batch_create_tickets_result::Result as Outcome;
use loket::v1::{
    BatchCreateTicketsRequest, CreateHelpdeskRequest, CreateTicketRequest, GetHelpdeskRequest, ListTicketsRequest,
    Ticket,
};
use loket_client::Client;
use loket_client::backoff::Backoff;
use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{DecodeContext, WireType};
use prost::{DecodeError, encoding};
use tonic::{Code, Status};
use uuid::Uuid;

use super::connection::Connection;
use super::fanout::{Fanout, Writer, Written};
use super::load::Operation;
use super::request_ids::RequestIds;
use crate::commands::batch::error_of;
use crate::commands::progress::Progress;
use crate::commands::stop::Stop;
use crate::failure::Failure;
use crate::output::Output;

/// The only queue of the definition.
pub(super) const QUEUE: &str = "inbox";

/// The values of the field `product`: every tenth ticket has the same.
pub(super) const PRODUCTS: usize = 10;

const DEFINITION: &str = include_str!("definition.yaml");

const CREATE: &str = "/loket.v1.TicketService/CreateTicket";

/// Tickets in a batch of a fill, unless they are so large that their bytes end it; and how many are under way at once.
const FILL_BATCH: u64 = 500;
const FILL_BYTES: usize = 2 << 20;
const FILLERS: usize = 4;

/// The tickets' size and whose they are.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TicketArgs {
    /// Requesters whose tickets take turns.
    #[arg(long, default_value_t = Self::default().requesters, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    requesters: u32,

    /// Bytes of a ticket's texts: a subject of about 60 characters, and the body makes up the rest.
    #[arg(long, default_value_t = Self::default().size, value_parser = clap::value_parser!(u32).range(64..=60_000))]
    pub(super) size: u32,

    /// The kind of the request ids; v7 is what this client makes by itself.
    #[arg(long, value_enum, default_value_t = RequestIds::V7)]
    pub(super) request_ids: RequestIds,
}

impl Default for TicketArgs {
    fn default() -> Self {
        Self { requesters: 1_000, size: 512, request_ids: RequestIds::V7 }
    }
}

/// A helpdesk and the tickets made up for it.
#[derive(Clone)]
pub(super) struct Desk {
    /// `helpdesks/bench`.
    pub(super) parent: String,
    client: Client,
    tickets: Arc<[Prepared]>,
    /// How many were filed, or begun to be.
    turn: Arc<AtomicUsize>,
    ids: RequestIds,
}

/// A ticket to file, and its request encoded but for the request id.
struct Prepared {
    ticket: Ticket,
    encoded: Bytes,
}

impl Desk {
    /// Makes the helpdesk unless it is there.
    pub(super) async fn open(client: &Client, parent: &str, tickets: &TicketArgs) -> Result<Self, Failure> {
        let parent = parent.to_owned();
        let known = client.get_helpdesk(GetHelpdeskRequest { name: parent.clone() }).await;
        match known {
            Ok(helpdesk) if helpdesk.default_queue == QUEUE && helpdesk.fields.iter().any(|f| f.id == "product") => {}
            Ok(_) => {
                return Err(Failure::Usage(format!(
                    "{parent} is a helpdesk of its own, not one that `loket bench` made: give --helpdesk another name"
                )));
            }
            Err(error) if error.code() == Code::NotFound => {
                let helpdesk = loket::json::helpdesk_from_yaml(DEFINITION)
                    .map_err(|error| Failure::Usage(format!("the definition of the benchmarks is wrong: {error}")))?;
                let request = CreateHelpdeskRequest {
                    helpdesk_id: parent.trim_start_matches("helpdesks/").to_owned(),
                    helpdesk: Some(helpdesk),
                    ..CreateHelpdeskRequest::default()
                };
                client.create_helpdesk(request).await?;
            }
            Err(error) => return Err(error.into()),
        }
        let ids = tickets.request_ids;
        let tickets = (0..tickets.requesters).map(|number| Prepared::new(&parent, number, tickets.size)).collect();
        Ok(Self { parent, client: client.clone(), tickets, turn: Arc::default(), ids })
    }

    pub(super) fn queue(&self) -> String {
        format!("{}/queues/{QUEUE}", self.parent)
    }

    /// The filter for every tenth ticket.
    pub(super) fn filter(product: usize) -> String {
        format!("fields.product = \"p{}\"", product % PRODUCTS)
    }

    /// One that files tickets over the connection; all of them take turns with those prepared.
    pub(super) fn creator(&self, connection: &Connection) -> Creator {
        Creator {
            connection: connection.clone(),
            tickets: Arc::clone(&self.tickets),
            turn: Arc::clone(&self.turn),
            ids: self.ids,
            written: None,
        }
    }

    /// Callers that take turns on the connections and note what they file, for watchers that are to see it.
    pub(super) fn fanout(&self, connections: &[Connection], callers: usize) -> Fanout<Creator> {
        let callers = connections.iter().cycle().take(callers);
        let noting = |connection| Creator { written: Some(Vec::new()), ..self.creator(connection) };
        Fanout::new(callers.map(noting).collect())
    }

    /// How many tickets the helpdesk has had: the number of its last one.
    pub(super) async fn count(&self) -> Result<u64, Failure> {
        let request = ListTicketsRequest {
            parent: self.parent.clone(),
            page_size: 1,
            order_by: "create_time desc".to_owned(),
            ..ListTicketsRequest::default()
        };
        let last = self.client.list_tickets(request).await?.tickets.into_iter().next();
        Ok(last.and_then(|ticket| ticket.name.rsplit('/').next()?.parse().ok()).unwrap_or(0))
    }

    /// Files `count` tickets in batches. Ends early when it is stopped.
    pub(super) async fn fill(&self, count: u64, stop: &Stop, output: Output) -> Result<(), Failure> {
        let begin = Instant::now();
        let mut progress = Progress::new(Some(count));
        let in_batch = self.in_batch();
        let batches = (0..count.div_ceil(in_batch)).map(|batch| batch * in_batch).take_while(|_| !stop.is_set());
        let mut filled = stream::iter(batches)
            .map(|first| self.fill_batch(first, in_batch.min(count - first)))
            .buffer_unordered(FILLERS);
        let mut done = 0;
        while let Some(size) = filled.next().await {
            done += size?;
            let rate = done as f64 / begin.elapsed().as_secs_f64().max(1e-6);
            progress.show(output, done, || format!("filling {}: {done} of {count} tickets, {rate:.0}/s", self.parent));
        }
        Ok(())
    }

    /// So many tickets go into a message that every server takes.
    fn in_batch(&self) -> u64 {
        let largest = self.tickets.iter().map(|ticket| ticket.encoded.len()).max().unwrap_or(0);
        ((FILL_BYTES / (largest + 64)) as u64).clamp(1, FILL_BATCH)
    }

    async fn fill_batch(&self, first: u64, size: u64) -> Result<u64, Failure> {
        let mut requests: Vec<_> = (first as usize..(first + size) as usize)
            .map(|number| CreateTicketRequest {
                ticket: Some(self.tickets[number % self.tickets.len()].ticket.clone()),
                request_id: self.ids.next().to_string(),
                ..CreateTicketRequest::default()
            })
            .collect();
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        loop {
            let request = BatchCreateTicketsRequest { parent: self.parent.clone(), requests: requests.clone() };
            let results = self.client.batch_create_tickets(request).await?.results;
            // What the server has no room for is sent again; anything else is a fault of the benchmark.
            let mut busy = Vec::new();
            let mut delay = None;
            for (request, result) in requests.into_iter().zip(results) {
                if let Some(Outcome::Status(status)) = result.result {
                    let error = error_of(&status);
                    if !error.is_transient() {
                        return Err(error.into());
                    }
                    delay = error.retry_delay();
                    busy.push(request);
                }
            }
            if busy.is_empty() {
                return Ok(size);
            }
            requests = busy;
            tokio::time::sleep(backoff.next(delay)).await;
        }
    }
}

impl Prepared {
    fn new(parent: &str, number: u32, size: u32) -> Self {
        let subject = format!("Order {number:06} has not arrived and the tracking page is silent");
        let sentence = "The parcel was handed to the courier last week and has not been seen since. ";
        let body = sentence.chars().cycle().take((size as usize).saturating_sub(subject.len()).max(1)).collect();
        let product = format!("p{}", number as usize % PRODUCTS);
        let ticket = Ticket {
            requester: format!("requester-{number}@example.com"),
            subject,
            body,
            channel: "web".to_owned(),
            fields: BTreeMap::from([("product".to_owned(), product)]),
            ..Ticket::default()
        };
        let request = CreateTicketRequest {
            parent: parent.to_owned(),
            ticket: Some(ticket.clone()),
            ..CreateTicketRequest::default()
        };
        Self { ticket, encoded: request.encode_to_vec().into() }
    }
}

/// Files one ticket after another, each with its own request id.
pub(super) struct Creator {
    connection: Connection,
    tickets: Arc<[Prepared]>,
    turn: Arc<AtomicUsize>,
    ids: RequestIds,
    /// Noted when it is asked for.
    written: Option<Vec<Written>>,
}

impl Operation for Creator {
    async fn call(&mut self) -> Result<(), Status> {
        let place = self.turn.fetch_add(1, Ordering::Relaxed) % self.tickets.len();
        let request = EncodedCreate { ticket: self.tickets[place].encoded.clone(), request_id: self.ids.next() };
        let TicketRevision { revision } = self.connection.call(CREATE, request).await?;
        if let Some(written) = &mut self.written {
            written.push(Written { product: place % PRODUCTS, revision });
        }
        Ok(())
    }
}

impl Writer for Creator {
    fn written(&mut self) -> Vec<Written> {
        self.written.take().unwrap_or_default()
    }
}

/// A `CreateTicketRequest` whose ticket is encoded already.
#[derive(Debug)]
struct EncodedCreate {
    ticket: Bytes,
    request_id: Uuid,
}

/// The request id is a string of 36 bytes in field 3.
const REQUEST_ID_HEAD: [u8; 2] = [3 << 3 | 2, 36];

impl Message for EncodedCreate {
    fn encode_raw(&self, buffer: &mut impl BufMut) {
        buffer.put_slice(&self.ticket);
        buffer.put_slice(&REQUEST_ID_HEAD);
        buffer.put_slice(self.request_id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buffer: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        // It is only ever sent.
        encoding::skip_field(wire_type, tag, buffer, context)
    }

    fn encoded_len(&self) -> usize {
        self.ticket.len() + REQUEST_ID_HEAD.len() + 36
    }

    fn clear(&mut self) {}
}

/// What the load generator looks at of a `Ticket`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
struct TicketRevision {
    #[prost(int64, tag = "24")]
    revision: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoded_request_is_the_request() -> Result<(), DecodeError> {
        let prepared = Prepared::new("helpdesks/bench", 7, 512);
        let request_id = RequestIds::V4.next();
        let sent = EncodedCreate { ticket: prepared.encoded.clone(), request_id }.encode_to_vec();
        let received = CreateTicketRequest::decode(&sent[..])?;
        assert_eq!(received.parent, "helpdesks/bench");
        assert_eq!(received.request_id, request_id.to_string());
        let ticket = received.ticket.unwrap_or_default();
        assert_eq!(ticket.subject.len() + ticket.body.len(), 512);
        assert_eq!(ticket, prepared.ticket);
        Ok(())
    }

    #[test]
    fn reads_the_revision_of_a_whole_ticket() -> Result<(), DecodeError> {
        let ticket = Ticket { revision: 42, ..Prepared::new("helpdesks/bench", 7, 512).ticket };
        assert_eq!(TicketRevision::decode(&ticket.encode_to_vec()[..])?.revision, 42);
        Ok(())
    }

    #[test]
    fn the_definition_can_be_read_and_files_into_its_queue() {
        let helpdesk = loket::json::helpdesk_from_yaml(DEFINITION).map_err(|error| error.to_string());
        assert_eq!(helpdesk.map(|helpdesk| helpdesk.default_queue), Ok(QUEUE.to_owned()));
    }
}
