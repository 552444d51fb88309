//! The pool of connections that read.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::r2d2::R2D2Connection;
use r2d2::{CustomizeConnection, HandleError, PooledConnection};

use super::dialect::bell;
use super::{AnyConnection, Database, StoreError};

/// How long a reader waits for a connection: they are as many as the readers, so it is one that is being made.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same while none can be made: whoever asks is better told at once that the database does not answer.
const PATIENCE_IN_OUTAGE: Duration = Duration::from_secs(1);

/// A pool of connections for reading, opened as they are needed. Clones share it.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: r2d2::Pool<Database>,
    outage: Arc<Outage>,
}

impl Pool {
    /// Of at most `size` connections. The first is made at once.
    pub fn of(database: &Database, size: u32) -> Result<Self, StoreError> {
        let outage = Arc::new(Outage::default());
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .connection_timeout(PATIENCE)
            // What is away may have taken a connection along. A file stays.
            .test_on_check_out(bell::is_shared(database))
            .error_handler(Box::new(Told(Arc::clone(&outage))))
            .connection_customizer(Box::new(Told(Arc::clone(&outage))))
            .build(database.clone())?;
        Ok(Self { connections, outage })
    }

    /// A connection. Waits for it where none is idle; not for long in an outage, though it began meanwhile.
    pub fn get(&self) -> Result<PooledConnection<Database>, StoreError> {
        const LOOK_UP: Duration = Duration::from_millis(250);
        let asked = Instant::now();
        loop {
            match self.connections.get_timeout(LOOK_UP) {
                Ok(connection) => {
                    self.outage.note(true);
                    return Ok(connection);
                }
                Err(error) if asked.elapsed() >= self.outage.patience() => return Err(error.into()),
                Err(_) => {}
            }
        }
    }

    /// How many connections there are at most.
    pub fn max_size(&self) -> u32 {
        self.connections.max_size()
    }

    #[cfg(test)]
    pub fn is_idle(&self) -> bool {
        let state = self.connections.state();
        state.idle_connections == state.connections
    }
}

impl r2d2::ManageConnection for Database {
    type Connection = AnyConnection;
    type Error = StoreError;

    fn connect(&self) -> Result<AnyConnection, StoreError> {
        self.open()
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), StoreError> {
        connection.ping().map_err(StoreError::from)
    }

    /// A connection is broken when a transaction was left open on it, as by a panic.
    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}

/// Whether connections can be made.
#[derive(Debug, Default)]
struct Outage(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The last that was tried did not work.
    is_out: bool,
    /// When the log was last told so: a pool tries several times a second.
    told: Option<Instant>,
}

impl Outage {
    fn patience(&self) -> Duration {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_out { PATIENCE_IN_OUTAGE } else { PATIENCE }
    }

    /// Notes whether a connection worked. True when the log is to be told.
    fn note(&self, works: bool) -> bool {
        const EVERY: Duration = Duration::from_secs(30);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_out = !works;
        let tells = !works && state.told.is_none_or(|last| last.elapsed() >= EVERY);
        if tells {
            state.told = Some(Instant::now());
        }
        tells
    }
}

/// What the pool tells of its connections.
#[derive(Debug)]
struct Told(Arc<Outage>);

impl HandleError<StoreError> for Told {
    fn handle_error(&self, error: StoreError) {
        if self.0.note(false) {
            tracing::warn!(%error, "a connection for reading does not work; another is tried");
        }
    }
}

impl CustomizeConnection<AnyConnection, StoreError> for Told {
    fn on_acquire(&self, _connection: &mut AnyConnection) -> Result<(), StoreError> {
        self.0.note(true);
        Ok(())
    }
}
