//! Turns the rows of all files into batches of tickets, on a thread of its own.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use csv::{ByteRecord, StringRecord};
use loket::v1::CreateTicketRequest;
use prost::Message as _;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::mapping::Mapping;
use super::source::{Row, Source};

/// A batch is no larger, though it has fewer tickets than asked for, and no ticket is: a server takes 4 MiB unless it is told
/// otherwise.
pub(super) const BATCH_BYTES: usize = 2 << 20;

/// The namespace of the request ids: one case of one source in one helpdesk has the same id in every import.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c6f_6b65_7400_5000_8000_696d_706f_7274);

/// A file with its mapping.
pub(super) struct Input {
    pub(super) source: Source,
    pub(super) mapping: Mapping,
}

/// What the batches are made by.
pub(super) struct Plan {
    pub(super) helpdesk: String,
    pub(super) source: String,
    pub(super) first: bool,
    pub(super) batch: usize,
    pub(super) limit: u64,
    pub(super) validate_only: bool,
}

/// Tickets to send, and what was found on the way to them.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    pub(super) refused: Vec<Refused>,
    /// Later rows of cases already taken.
    pub(super) skipped: u64,
}

/// A ticket to send and the row it comes from.
pub(super) struct Item {
    pub(super) request: CreateTicketRequest,
    pub(super) origin: Origin,
}

/// A row as it stood in its file.
#[derive(Clone, Default)]
pub(super) struct Origin {
    /// The place of the file on the command line.
    pub(super) file: usize,
    pub(super) name: Arc<str>,
    pub(super) line: u64,
    pub(super) cells: StringRecord,
    /// Its bytes, where they are not UTF-8.
    pub(super) raw: Option<ByteRecord>,
}

impl Origin {
    /// As messages name it.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.name, self.line)
    }
}

/// A row that does not become a ticket, and why.
pub(super) struct Refused {
    pub(super) origin: Origin,
    pub(super) reason: String,
    /// It is in the rejects already.
    pub(super) is_told: bool,
}

impl Refused {
    pub(super) fn new(origin: Origin, reason: String) -> Self {
        Self { origin, reason, is_told: false }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin.place(), self.reason)
    }
}

/// Reads all inputs to their end or to the limit and sends their batches. Ends early, without a word, when nobody takes
/// them any more.
pub(super) fn read(inputs: Vec<Input>, plan: &Plan, batches: &mpsc::Sender<Result<Batch, String>>) {
    let mut reader = Reader { plan, taken: HashMap::new(), batch: Batch::default(), bytes: 0 };
    let end = reader.read_all(inputs, batches);
    let last = std::mem::take(&mut reader.batch);
    // A failed send means that the import has ended already: there is nobody left to tell.
    if let (Ok(()), Err(error)) = (batches.blocking_send(Ok(last)), end) {
        drop(batches.blocking_send(Err(error)));
    }
}

/// The import has ended.
pub(super) struct Gone;

struct Reader<'a> {
    plan: &'a Plan,
    /// Each case taken, and where: file and line.
    taken: HashMap<Box<str>, (Arc<str>, u64)>,
    batch: Batch,
    bytes: usize,
}

impl Reader<'_> {
    fn read_all(&mut self, inputs: Vec<Input>, batches: &mpsc::Sender<Result<Batch, String>>) -> Result<(), String> {
        for (file, Input { mut source, mapping }) in inputs.into_iter().enumerate() {
            let name: Arc<str> = Arc::from(source.name.as_str());
            while (self.taken.len() as u64) < self.plan.limit {
                let Some(row) = source.next_row()? else { break };
                if let Some(item) = self.take(file, &name, row, &mapping) {
                    let bytes = item.request.encoded_len();
                    if self.bytes + bytes > BATCH_BYTES && self.send(batches).is_err() {
                        return Ok(());
                    }
                    self.bytes += bytes;
                    self.batch.items.push(item);
                }
                let full = self.batch.items.len() + self.batch.refused.len() >= self.plan.batch;
                if full && self.send(batches).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Fails when nobody takes batches any more.
    fn send(&mut self, batches: &mpsc::Sender<Result<Batch, String>>) -> Result<(), Gone> {
        self.bytes = 0;
        batches.blocking_send(Ok(std::mem::take(&mut self.batch))).map_err(|_| Gone)
    }

    /// The ticket of a row, unless the row is refused or passed over.
    fn take(&mut self, file: usize, name: &Arc<str>, row: Row, mapping: &Mapping) -> Option<Item> {
        let Row { line, cells, raw, fault } = row;
        let origin = Origin { file, name: Arc::clone(name), line, cells, raw };
        let id = mapping.id(&origin.cells);
        let reason = match (fault, self.taken.get(id)) {
            (Some(fault), _) => Some(fault),
            (None, _) if id.is_empty() => Some("the id column is empty: every case needs an id".to_owned()),
            (None, Some(_)) if self.plan.first => {
                self.batch.skipped += 1;
                return None;
            }
            (None, Some((other, earlier))) => Some(format!(
                "`{id}` is there already, from {other}:{earlier}; with --first the first row of each id \
                 becomes the ticket"
            )),
            (None, None) => None,
        };
        if let Some(reason) = reason {
            self.batch.refused.push(Refused::new(origin, reason));
            return None;
        }
        self.taken.insert(Box::from(id), (Arc::clone(name), line));
        let request = CreateTicketRequest {
            parent: String::new(),
            ticket: Some(mapping.ticket(&origin.cells)),
            request_id: request_id(&self.plan.helpdesk, &self.plan.source, id),
            validate_only: self.plan.validate_only,
            ..CreateTicketRequest::default()
        };
        let bytes = request.encoded_len();
        if bytes > BATCH_BYTES {
            let reason =
                format!("the ticket is {bytes} bytes, more than the {BATCH_BYTES} that one may have: shorten it");
            self.batch.refused.push(Refused::new(origin, reason));
            return None;
        }
        Some(Item { request, origin })
    }
}

/// The parts are kept apart by a character that none of them can have.
pub(super) fn request_id(helpdesk: &str, source: &str, id: &str) -> String {
    let name = format!("{helpdesk}\n{source}\n{id}");
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_one_request_id_for_ever() {
        let id = request_id("helpdesks/ovo", "uci", "INC0000045");
        assert_eq!(id, request_id("helpdesks/ovo", "uci", "INC0000045"));
        assert_ne!(id, request_id("helpdesks/beone", "uci", "INC0000045"));
        assert_eq!(Uuid::parse_str(&id).map(|id| id.get_version_num()), Ok(5));
    }
}
