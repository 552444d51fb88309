//! Gathers the rows of each case into batches of histories, on a thread of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use prost::Message as _;
use tokio::sync::mpsc;

use super::super::batches::{self, BATCH_BYTES, Gone, Origin, Refused};
use super::super::source::{Row, Source};
use super::case::{self, Item, Reading};
use super::mapping::Mapping;
use super::order::{MOST_HELD, too_large};

/// So many events a server takes of a history. A case of more rows has more.
const MOST_EVENTS: usize = 500;
/// So many refused rows are a batch of their own.
const MOST_REFUSED: usize = 500;

/// What the batches are made by.
pub(in super::super) struct Plan {
    pub(in super::super) helpdesk: String,
    pub(in super::super) source: String,
    pub(in super::super) reading: Arc<Reading>,
    pub(in super::super) batch: usize,
    pub(in super::super) limit: u64,
    pub(in super::super) validate_only: bool,
    /// Whether rows that are wrong are left out, and their case imported without them.
    pub(in super::super) skip: bool,
}

/// Histories to send, and the rows that do not come to one.
#[derive(Default)]
pub(in super::super) struct Batch {
    pub(in super::super) items: Vec<Item>,
    pub(in super::super) refused: Vec<Refused>,
    /// How many cases those are of.
    pub(in super::super) refused_cases: u64,
}

/// Reads all files to their end or to the limit and sends their batches. Ends early, without a word, when nobody takes them
/// any more.
pub(in super::super) fn read(sources: Vec<Source>, plan: &Plan, batches: &mpsc::Sender<Result<Batch, String>>) {
    let mut reader = Reader { plan, taken: HashMap::new(), batch: Batch::default(), bytes: 0, held: 0, batches };
    let end = sources
        .into_iter()
        .zip(&plan.reading.mappings)
        .enumerate()
        .try_for_each(|(file, (source, mapping))| reader.read(file, source, mapping));
    let end = match end {
        Ok(()) => reader.send().map(|()| None),
        Err(End::Broken(error)) => reader.send().map(|()| Some(error)),
        Err(End::Gone) => return,
    };
    // Nobody is left to be told when this fails too.
    if let Ok(Some(error)) = end {
        drop(batches.blocking_send(Err(error)));
    }
}

enum End {
    /// The import has ended.
    Gone,
    /// Nothing more can be read.
    Broken(String),
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// The rows of one case, as far as they are read.
#[derive(Default)]
struct Gathered {
    id: String,
    rows: Vec<Origin>,
    faults: BTreeMap<usize, String>,
    held: usize,
}

struct Reader<'a> {
    plan: &'a Plan,
    /// Each case taken, and where: file and line.
    taken: HashMap<Box<str>, (Arc<str>, u64)>,
    batch: Batch,
    bytes: usize,
    /// What the batch's rows take, mapped or not.
    held: usize,
    batches: &'a mpsc::Sender<Result<Batch, String>>,
}

impl Reader<'_> {
    fn read(&mut self, file: usize, mut source: Source, mapping: &Mapping) -> Result<(), End> {
        let name: Arc<str> = Arc::from(source.name.as_str());
        let mut case = Gathered::default();
        while let Some(row) = source.next_row().map_err(End::Broken)? {
            let held = row.held();
            let Row { line, cells, raw, fault } = row;
            let origin = Origin { file, name: Arc::clone(&name), line, cells, raw };
            let id = mapping.id(&origin.cells);
            if id.is_empty() {
                self.take(std::mem::take(&mut case))?;
                let reason = "the id column is empty: every case needs an id".to_owned();
                self.refuse(vec![Refused::new(origin, reason)])?;
                continue;
            }
            if id != case.id || case.rows.is_empty() {
                let id = id.to_owned();
                self.take(std::mem::take(&mut case))?;
                if self.taken.len() as u64 >= self.plan.limit {
                    return Ok(());
                }
                case.id = id;
            }
            if let Some(fault) = fault {
                case.faults.insert(case.rows.len(), fault);
            }
            case.held += held;
            case.rows.push(origin);
            // It was looked at before, and has grown since.
            if let Some(first) = case.rows.first().filter(|_| case.held > MOST_HELD) {
                return Err(End::Broken(too_large(&case.id, &first.place(), mapping.id_column())));
            }
        }
        self.take(case)
    }

    /// Puts a whole case into the batch.
    fn take(&mut self, case: Gathered) -> Result<(), End> {
        let Gathered { id, rows, faults, held } = case;
        let Some(first) = rows.first() else { return Ok(()) };
        if self.held + held > MOST_HELD {
            self.send()?;
        }
        self.held += held;
        let wrong = match self.taken.get(id.as_str()) {
            _ if rows.len() > MOST_EVENTS => Some(too_long(rows.len(), "rows")),
            Some((file, line)) => Some(format!("`{id}` is there already, from {file}:{line}")),
            None => None,
        };
        if let Some(wrong) = wrong {
            return self.refuse(case::refuse(rows, &BTreeMap::new(), &wrong, &BTreeSet::new()));
        }
        self.taken.insert(id.clone().into(), (Arc::clone(&first.name), first.line));
        let mut item = case::item(rows, faults, &self.plan.reading);
        let is_empty = item.history.ticket.is_none();
        if is_empty || (!item.left_out.is_empty() && !self.plan.skip) {
            let reasons = std::mem::take(&mut item.left_out);
            return self.refuse(item.refuse(&reasons, ""));
        }
        let events = item.history.events.len();
        if events > MOST_EVENTS {
            return self.refuse(item.refuse(&BTreeMap::new(), &too_long(events, "events")));
        }
        item.history.request_id =
            batches::request_id(&self.plan.helpdesk, &self.plan.source, &format!("{id}\nhistory"));
        item.history.validate_only = self.plan.validate_only;
        let bytes = item.history.encoded_len();
        if bytes > BATCH_BYTES {
            let wrong =
                format!("the history is {bytes} bytes, more than the {BATCH_BYTES} that one may have: shorten it");
            return self.refuse(item.refuse(&BTreeMap::new(), &wrong));
        }
        if self.bytes + bytes > BATCH_BYTES {
            self.send()?;
            self.held = held;
        }
        self.bytes += bytes;
        self.batch.items.push(item);
        if self.batch.items.len() >= self.plan.batch {
            self.send()?;
        }
        Ok(())
    }

    /// A case whole, in one batch: its rows stand together in the rejects, which are to be read again.
    fn refuse(&mut self, rows: Vec<Refused>) -> Result<(), End> {
        self.batch.refused_cases += 1;
        self.batch.refused.extend(rows);
        if self.batch.refused.len() >= MOST_REFUSED {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), Gone> {
        (self.bytes, self.held) = (0, 0);
        self.batches.blocking_send(Ok(std::mem::take(&mut self.batch))).map_err(|_| Gone)
    }
}

fn too_long(count: usize, of: &str) -> String {
    format!(
        "the case has {count} {of}, and a history takes {MOST_EVENTS} events: give its later rows an id of their own, such as \
         `C1-2` for `C1`, and they become a second ticket, or map less of them"
    )
}
