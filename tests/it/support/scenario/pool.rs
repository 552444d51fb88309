//! The servers that scenarios are told on: one at a time on each, one after the other, each on a helpdesk of its own.

use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Runtime};

use crate::support::{Database, Server};

/// The idle servers, and how many scenarios are being told.
static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), told: 0 });

struct Pool {
    idle: Vec<Stage>,
    told: usize,
}

/// A server that only runs while a scenario is told on it: its clock and its time are the scenario's.
struct Stage {
    database: Database,
    server: Server,
    runtime: Runtime,
    helpdesks: usize,
}

/// A server for the time of one scenario.
pub(super) struct Lease(Option<Stage>);

/// An idle server, or a new one.
pub(super) fn lease(database: Database) -> Lease {
    let idle = {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.told += 1;
        let place = pool.idle.iter().position(|stage| stage.database == database);
        place.map(|place| pool.idle.swap_remove(place))
    };
    Lease(Some(idle.unwrap_or_else(|| Stage::new(database))))
}

impl Stage {
    fn new(database: Database) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(database));
        Self { database, server, runtime, helpdesks: 0 }
    }
}

impl Lease {
    /// Runs to the end what it is given: the server, and the id of a helpdesk that is not there yet.
    pub(super) fn block_on<T>(&mut self, told: impl AsyncFnOnce(&Server, &str) -> T) -> T {
        let stage = self.0.as_mut().unwrap();
        stage.helpdesks += 1;
        let helpdesk = format!("desk-{}", stage.helpdesks);
        stage.runtime.block_on(told(&stage.server, &helpdesk))
    }
}

impl Drop for Lease {
    /// The last scenario that is being told takes the idle servers with it: nothing of them outlives the tests.
    fn drop(&mut self) {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        pool.told -= 1;
        pool.idle.extend(self.0.take());
        let over = if pool.told == 0 { std::mem::take(&mut pool.idle) } else { Vec::new() };
        drop(pool);
        drop(over);
    }
}
