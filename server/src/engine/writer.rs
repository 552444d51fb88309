//! The loop of a writer: take what waits, decide it, commit it once, answer, publish.

#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::{self, Batch};
use super::checkpoints::Checkpoints;
use super::clock::Clock;
use super::definitions::Definitions;
use super::inbox::{Held, Inbox};
use super::requester_index::RequesterIndex;
use super::submission::{Failure, Outcome, Submission};
use super::teller::{DiesWithMe, Done, Teller, Telling};
use super::{load, write};
use crate::domain::Refusal;
use crate::store::heads::HeadRow;
use crate::store::helpdesks::DefinitionRow;
use crate::store::{AnyConnection, Database, LogEntry, SYSTEM, StoreError, Wal, dialect, heads, helpdesks};

/// How often a batch is tried before its callers are told that the database does not answer.
const TRIES: usize = 3;

pub(super) struct Writer {
    database: Database,
    /// None after it broke: opened again at the next try.
    connection: Option<AnyConnection>,
    /// The log of that connection, if its commits do not wait for the disk.
    wal: Option<Arc<Wal>>,
    inbox: Arc<Inbox>,
    definitions: Arc<Definitions>,
    clock: Arc<dyn Clock>,
    telling: Telling,
    checkpoints: Checkpoints,
    requester_index: RequesterIndex,
    /// Changes of the batch that is being committed.
    written: usize,
    /// Tickets that it files.
    filed: i64,
    /// The helpdesk whose last commit may have happened or not: nobody was told of it yet.
    unsettled: Option<Arc<str>>,
}

/// What a committed batch leaves behind.
struct Committed {
    outcomes: Vec<Result<Outcome, Failure>>,
    entries: Vec<LogEntry>,
    /// Where the log ended before it.
    behind: i64,
}

/// Why a batch was not committed.
enum Trouble {
    /// Nothing of it is on disk.
    Before(StoreError),
    /// The commit itself failed, and may have happened.
    Unknown(StoreError),
}

impl<E: Into<StoreError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Before(error.into())
    }
}

impl Writer {
    pub(super) fn open(
        database: Database,
        inbox: Arc<Inbox>,
        definitions: Arc<Definitions>,
        clock: Arc<dyn Clock>,
        teller: Teller,
    ) -> Result<Self, StoreError> {
        let (connection, wal) = database.open_to_write()?;
        let checkpoints = Checkpoints::new(database.clone());
        Ok(Self {
            database,
            connection: Some(connection),
            wal: wal.map(Arc::new),
            inbox,
            definitions,
            clock,
            telling: Telling::new(teller),
            checkpoints,
            requester_index: RequesterIndex::default(),
            written: 0,
            filed: 0,
            unsettled: None,
        })
    }

    /// Runs on a thread of its own, with room for deep expressions.
    pub(super) fn spawn(mut self, place: usize) -> Result<(), StoreError> {
        let thread = std::thread::Builder::new().name(format!("writer-{place}")).stack_size(8 << 20);
        let spawned = thread.spawn(move || {
            let _guard = DiesWithMe(self.telling.teller.clone());
            while let Some(held) = self.inbox.take() {
                self.run(held);
            }
        });
        spawned.map(drop).map_err(|error| StoreError::System { what: "no thread for a writer", error })
    }

    /// Decides and commits what it holds, and answers every caller.
    fn run(&mut self, held: Held) {
        let Held { helpdesk, submissions } = held;
        let now = Instant::now();
        let (wanted, unwanted): (Vec<_>, Vec<_>) =
            submissions.into_iter().partition(|submission| submission.is_wanted(now));
        self.telling.teller.refuse(unwanted, &Failure::TimedOut);
        (self.written, self.filed) = (0, 0);
        let rest = if wanted.is_empty() { Vec::new() } else { self.commit(&helpdesk, wanted) };
        self.inbox.release(&helpdesk, rest);
        // The helpdesk is released, and what is left of it waits for this writer: on PostgreSQL there is nothing to do here.
        if let Some(connection) = &mut self.connection {
            let indexed = self.requester_index.after(self.filed, connection);
            self.checkpoints.after(self.written + usize::try_from(indexed).unwrap_or(0), connection);
        }
    }

    /// Commits a batch; what there was no time to decide is given back.
    fn commit(&mut self, helpdesk: &Arc<str>, mut submissions: Vec<Submission>) -> Vec<Submission> {
        for attempt in 1..=TRIES {
            match self.attempt(helpdesk, &submissions) {
                Ok(Committed { outcomes, entries, behind }) => {
                    let rest = submissions.split_off(outcomes.len());
                    self.written += entries.len();
                    let unsettled = self.unsettled.take_if(|unsettled| unsettled == helpdesk);
                    let helpdesk = Arc::clone(helpdesk);
                    let announced_behind = unsettled.map(|_| behind);
                    let done = Done { helpdesk, submissions, outcomes, entries, announced_behind };
                    self.telling.put(self.wal.as_ref(), done);
                    return rest;
                }
                Err(trouble) => {
                    self.telling.forget(self.wal.as_ref());
                    let is_known = matches!(trouble, Trouble::Before(_));
                    let error = match trouble {
                        Trouble::Before(error) => error,
                        Trouble::Unknown(error) => {
                            // However they are tried again, alone or with others: the log may have them already.
                            for submission in &mut submissions {
                                submission.request.request_id.fresh = false;
                            }
                            self.unsettled = Some(Arc::clone(helpdesk));
                            error
                        }
                    };
                    self.inbox.note_error(&error);
                    let is_settled = self.recover(&error) && is_known;
                    tracing::warn!(%error, %helpdesk, attempt, commands = submissions.len(), "a batch was not committed");
                    // One of them may be at fault: each alone harms no other.
                    if submissions.len() > 1 && !error.is_transient() {
                        for submission in submissions {
                            let rest = self.commit(helpdesk, vec![submission]);
                            debug_assert!(rest.is_empty(), "a single command is always decided");
                        }
                        return Vec::new();
                    }
                    // What fails for a reason of its own fails again, and others wait behind it.
                    if attempt == TRIES || is_settled {
                        if error.is_transient() {
                            self.inbox.note_commit(false);
                        }
                        self.telling.teller.refuse(submissions, &Failure::from_store(&error));
                        return Vec::new();
                    }
                    std::thread::sleep(Duration::from_millis(50 << attempt));
                }
            }
        }
        Vec::new()
    }

    /// One try.
    fn attempt(&mut self, helpdesk: &Arc<str>, submissions: &[Submission]) -> Result<Committed, Trouble> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let (connection, wal) = self.database.open_to_write()?;
                self.wal = wal.map(Arc::new);
                self.telling.teller.doubt();
                none.insert(connection)
            }
        };
        let doubts = self.definitions.doubts();
        let beginning = Instant::now();
        dialect::begin(connection)?;
        let begun = beginning.elapsed();
        let Some(head) = lock_head(connection, helpdesk)? else {
            dialect::rollback(connection);
            let refusal = Refusal::no_helpdesk(helpdesk);
            let outcomes = submissions.iter().map(|_| Err(Failure::Refused(refusal.clone()))).collect();
            return Ok(Committed { outcomes, entries: Vec::new(), behind: 0 });
        };
        // How long the lock was in coming says nothing of this batch.
        let locked = Instant::now();
        let behind = head.last_revision;
        let definition = if &**helpdesk == SYSTEM {
            None
        } else {
            self.definitions.version(connection, helpdesk, head.definition_version)?
        };
        let together = batch::together(submissions.iter().map(|submission| &submission.request.command));
        let submissions = submissions.get(..together).unwrap_or(submissions);
        let requests = || submissions.iter().map(|submission| &*submission.request);
        let seen = batch::load_seen(connection, helpdesk, requests())?;
        let set = load::working_set(connection, helpdesk, &head, definition.as_deref(), requests())?;
        let now = self.clock.now().max(head.last_time);
        let mut batch = Batch::new(helpdesk, now, set, definition, seen, submissions.len());

        let started = Instant::now();
        let mut random = Random::new(submissions.len())?;
        let mut outcomes = decide(&mut batch, submissions, started, self.inbox.limits.batch_time, &mut random);
        if batch.decided.is_empty() && batch.remembered.is_empty() && batch.set.misplaced.is_empty() {
            if outcomes.iter().flatten().any(|outcome| outcome.replayed) {
                end(connection, |connection| dialect::confirm(connection, helpdesk))?;
            } else {
                dialect::rollback(connection);
            }
            return Ok(Committed { outcomes, entries: Vec::new(), behind });
        }
        let written = write::write(connection, &batch, &head, || random.next() as i64)?;
        written.hand_over(&mut outcomes);
        let work = started.elapsed();
        if self.wal.is_some() {
            self.telling.teller.begin();
        }
        let committing = Instant::now();
        end(connection, dialect::commit)?;
        // With a log, the disk is waited for beside it.
        if self.wal.is_none() {
            let by_itself = begun + started.duration_since(locked) + committing.elapsed();
            self.inbox.batch_size.note(outcomes.len(), work, by_itself);
        }
        self.filed += batch.set.last_ticket - head.last_ticket;
        if let Some(version) = &batch.definition {
            self.definitions.put(helpdesk, version, doubts);
        }
        for new in batch.decided.iter().filter_map(|decided| decided.decision.helpdesk.as_ref()) {
            self.definitions.put(&new.id, &new.definition, doubts);
        }
        metrics::histogram!("loket_batch_commands").record(outcomes.len() as f64);
        Ok(Committed { outcomes, entries: written.entries, behind })
    }

    /// Gets the connection out of the transaction, or gives it up. True when the connection is sound, and what went wrong lies
    /// with what was asked.
    fn recover(&mut self, error: &StoreError) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        dialect::rollback(connection);
        let is_sound = !error.is_transient() && connection.is_sound();
        if !is_sound {
            self.connection = None;
        }
        is_sound
    }
}

/// The head, locked. A helpdesk that is in the directory but was never written to gets its rows now. None when there is no
/// such helpdesk.
fn lock_head(connection: &mut AnyConnection, helpdesk: &str) -> Result<Option<HeadRow>, StoreError> {
    if let Some(head) = heads::lock(connection, helpdesk)? {
        return Ok(Some(head));
    }
    let mut head = HeadRow::fresh(helpdesk);
    let entry = if helpdesk == SYSTEM { None } else { helpdesks::directory_entry(connection, helpdesk)? };
    if helpdesk != SYSTEM && entry.is_none() {
        return Ok(None);
    }
    head.definition_version = i64::from(entry.is_some());
    if !heads::insert(connection, &head)? {
        // Another process has made it in this moment.
        return Ok(heads::lock(connection, helpdesk)?);
    }
    if let Some(entry) = entry {
        helpdesks::insert_definition(
            connection,
            &DefinitionRow {
                helpdesk: helpdesk.to_owned(),
                version: 1,
                definition: entry.definition,
                revision: 0,
                create_time: entry.create_time,
            },
        )?;
    }
    Ok(Some(head))
}

/// Decides them one after the other, as many as there is time for: at least one.
fn decide<'b>(
    batch: &mut Batch<'b>,
    submissions: &'b [Submission],
    started: Instant,
    most: Duration,
    random: &mut Random,
) -> Vec<Result<Outcome, Failure>> {
    let mut outcomes = Vec::with_capacity(submissions.len());
    for submission in submissions {
        if !outcomes.is_empty() && batch::is_over(started, most) {
            break;
        }
        // Asked again: the lock may have been long in coming.
        let is_wanted = submission.is_wanted(Instant::now());
        let bits = random.next();
        outcomes.push(if is_wanted { batch.decide(&submission.request, bits) } else { Err(Failure::TimedOut) });
    }
    outcomes
}

/// Ends the transaction with a commit.
fn end<E: Into<StoreError>>(
    connection: &mut AnyConnection,
    commit: impl FnOnce(&mut AnyConnection) -> Result<(), E>,
) -> Result<(), Trouble> {
    commit(connection).map_err(|error| {
        let error = error.into();
        if dialect::commit_may_have_happened(connection, &error) {
            Trouble::Unknown(error)
        } else {
            Trouble::Before(error)
        }
    })
}

/// Random bits, drawn from the system once for a batch and stretched as they are used.
struct Random(Vec<u128>);

impl Random {
    fn new(commands: usize) -> Result<Self, StoreError> {
        // One for each command, and one for the uid of its revision.
        let mut bytes = vec![0_u8; commands * 2 * size_of::<u128>()];
        getrandom::fill(&mut bytes)
            .map_err(|error| StoreError::System { what: "no random bits", error: error.into() })?;
        Ok(Self(
            bytes
                .chunks_exact(size_of::<u128>())
                .map(|chunk| chunk.iter().fold(0, |all, byte| all << 8 | u128::from(*byte)))
                .collect(),
        ))
    }

    fn next(&mut self) -> u128 {
        self.0.pop().unwrap_or_default()
    }
}
