//! Turns commands into committed changes: one commit for many that arrived while the last one was committing.

mod batch;
mod batch_size;
mod checkpoints;
mod claimable;
mod clock;
pub mod definitions;
mod housekeeping;
mod inbox;
mod lines;
pub mod load;
mod parking;
mod requester_index;
mod rework;
mod skill_lists;
mod submission;
mod sweep;
mod teller;
mod write;
mod writer;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use clock::{Clock, SystemClock};
pub use housekeeping::Housekeeping;
pub use inbox::Limits;
pub use submission::{Failure, Outcome, Request, RequestId};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

use self::definitions::Definitions;
use self::inbox::Inbox;
use self::parking::Lot;
use self::submission::Submission;
use self::teller::Teller;
use self::writer::Writer;
use crate::domain::Refusal;
use crate::domain::context::DefinitionVersion;
use crate::feed::Hub;
use crate::store::{AnyConnection, Content, Database, Pool, SYSTEM, StoreError, dialect, heads};

/// Where commands go in and decisions come out.
pub struct Engine {
    inbox: Arc<Inbox>,
    definitions: Arc<Definitions>,
    clock: Arc<dyn Clock>,
    pool: Pool,
    /// As many as the pool has connections: who waits for one waits here, and holds up no thread, but for a moment where the
    /// health or the feed has one.
    readers: Arc<Semaphore>,
    hub: Arc<Hub>,
    /// The claims that wait for tickets.
    lot: Lot,
    content: Content,
}

/// How the engine is set up.
pub struct Setup {
    pub database: Database,
    pub pool: Pool,
    pub clock: Arc<dyn Clock>,
    pub hub: Arc<Hub>,
    pub content: Content,
    pub limits: Limits,
    /// One on SQLite, which has one writer anyway.
    pub writers: usize,
    /// Called when a writer dies, after which nothing can be written any more.
    pub on_death: Arc<dyn Fn() + Send + Sync>,
}

/// The writers end with it, and their connections are closed.
impl Drop for Engine {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

impl Engine {
    /// Starts the writers. Within a runtime, in which callers are told.
    pub fn start(setup: Setup) -> Result<Arc<Self>, StoreError> {
        let Setup { database, pool, clock, hub, content, limits, writers, on_death } = setup;
        let lot = Lot::new(limits.waiting_claims);
        let inbox = Arc::new(Inbox::new(limits));
        let definitions = Arc::new(Definitions::new(Arc::clone(hub.doubts())));
        let mut teller = Teller::new(Arc::clone(&inbox), Arc::clone(&hub));
        teller.within(Handle::current(), on_death);
        for place in 0..writers {
            let writer = Writer::open(
                database.clone(),
                Arc::clone(&inbox),
                Arc::clone(&definitions),
                Arc::clone(&clock),
                teller.clone(),
            )?;
            writer.spawn(place)?;
        }
        let readers = Arc::new(Semaphore::new(pool.max_size() as usize));
        Ok(Arc::new(Self { inbox, definitions, clock, pool, readers, hub, lot, content }))
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The bytes of files.
    pub fn content(&self) -> &Content {
        &self.content
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Submits a command and waits until it is committed or refused. Who waits no longer drops the future: what is not yet
    /// decided is then dropped undecided.
    pub async fn submit(&self, request: Box<Request>) -> Result<Outcome, Failure> {
        debug_assert!(!request.validate_only, "it is a read");
        self.prepare(&request.helpdesk).await;
        let (answer, answered) = oneshot::channel();
        self.inbox.put(Submission::new(request, answer))?;
        answered.await.unwrap_or(Err(Failure::Internal))
    }

    /// Reads a definition that nothing has read yet, before a writer does: a large one takes a second to check, in which a writer
    /// on SQLite would keep all helpdesks waiting.
    async fn prepare(&self, helpdesk: &str) {
        const PATIENCE: Duration = Duration::from_secs(2);
        // Where the database is away, the writer says so at once, and a reader after a while.
        if helpdesk != SYSTEM && !self.definitions.has(helpdesk) && self.inbox.failed_since().is_none() {
            // What goes wrong does so again when the command is decided, and is told then.
            let _ = tokio::time::timeout(PATIENCE, self.definition(helpdesk)).await;
        }
    }

    /// Decides a command on a reader, and writes nothing. `turn` is held until it is decided.
    pub async fn validate(&self, request: Box<Request>, turn: impl Send + 'static) -> Result<Outcome, Failure> {
        let definitions = Arc::clone(&self.definitions);
        let now = self.clock.now();
        let decided = self.read(move |connection| {
            let _turn = turn;
            Ok(batch::validate(connection, &definitions, &request, now))
        });
        decided.await?
    }

    /// Runs a query on a connection of the pool, off the async threads. Boxed: many calls may come to read, and few do.
    pub fn read<'a, T: Send + 'static>(
        &'a self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>> {
        Box::pin(self.read_now(query))
    }

    async fn read_now<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = Arc::clone(&self.readers).acquire_owned().await.map_err(|_| Failure::ShuttingDown)?;
        self.read_with(permit, query).await
    }

    /// With what is held as long as it takes.
    async fn read_with<T: Send + 'static>(
        &self,
        held: impl Send + 'static,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let pool = self.pool.clone();
        let outcome = tokio::task::spawn_blocking(move || {
            let _held = held;
            let mut connection = pool.get()?;
            query(&mut connection)
        });
        let read = outcome.await.map_err(|_| Failure::Internal)?;
        let value = read.map_err(|error| {
            self.inbox.note_error(&error);
            Failure::from_store(&error)
        })?;
        self.hub.durable().wait().await.map_err(|error| Failure::from_store(&error))?;
        Ok(value)
    }

    /// The definition in force.
    pub async fn definition(&self, helpdesk: &str) -> Result<Arc<DefinitionVersion>, Failure> {
        let definitions = Arc::clone(&self.definitions);
        let id = helpdesk.to_owned();
        let found = self.read(move |connection| definitions.current(connection, &id)).await?;
        found.ok_or_else(|| Failure::Refused(Refusal::no_helpdesk(helpdesk)))
    }

    /// The definition in force, with a connection that is at hand.
    pub fn definition_on(
        &self,
        connection: &mut AnyConnection,
        helpdesk: &str,
    ) -> Result<Option<Arc<DefinitionVersion>>, StoreError> {
        self.definitions.current(connection, helpdesk)
    }

    /// The cache of definitions, for closures that read.
    pub fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.definitions)
    }

    /// Waits until this process knows a revision, or the deadline has passed.
    pub async fn wait_for(
        &self,
        helpdesk: &str,
        revision: i64,
        deadline: Option<std::time::Instant>,
    ) -> Result<(), Failure> {
        if revision <= self.hub.known_revision(helpdesk) {
            return Ok(());
        }
        // Another process may have committed it: what is followed is heard of.
        let feed = self.hub.feed(helpdesk).await.map_err(|error| Failure::from_store(&error))?;
        let deadline = deadline.unwrap_or_else(|| std::time::Instant::now() + Duration::from_secs(30));
        tokio::time::timeout_at(deadline.into(), feed.wait_for(revision)).await.map_err(|_| Failure::TimedOut)
    }

    /// Whether the database answers and is whole, as far as was found out, and takes what is written to it: a full disk can still
    /// be read.
    ///
    /// After a commit that failed it is well again with the next that does not. Where nobody tries any more, because this
    /// server is avoided, it tries for itself.
    pub async fn is_well(&self) -> bool {
        const UNTRIED: Duration = Duration::from_secs(5);
        let failed = self.inbox.failed_since();
        let tries = failed.is_some_and(|since| since > UNTRIED);
        // Not in the line of those who read, whose length says nothing of the database.
        let asked = self.read_with((), move |connection| {
            if tries {
                dialect::write(connection, |connection| Ok(heads::touch(connection, SYSTEM)?))
            } else {
                Ok(heads::last_revision(connection, SYSTEM).map(drop)?)
            }
        });
        let answers = asked.await.is_ok();
        if answers && tries {
            self.inbox.note_commit(true);
        }
        answers && (failed.is_none() || tries) && !self.inbox.is_damaged()
    }

    /// Takes no more commands; those that are in are still decided.
    pub fn close(&self) {
        self.inbox.close();
    }

    /// Waits until every command that was taken is answered.
    pub async fn drained(&self) {
        self.inbox.drained().await;
    }

    /// Moves what the log of the database has gathered into the database, when those who read have ended: afterwards its file is
    /// all of it.
    pub async fn put_away(&self) -> Result<(), Failure> {
        const AGAIN: Duration = Duration::from_millis(20);
        while !self.read(|connection| Ok(dialect::put_log_away(connection)?)).await? {
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }
}
