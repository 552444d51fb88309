//! The log and its watchers.
//!
//! The table `changes` is the truth; what is here only makes following it cheap. After a commit the engine calls
//! [`Hub::publish`], which puts the commit into the helpdesk's ring and rings its bell. A watcher owns a cursor, nothing
//! else: it reads the ring, and the table when it has fallen behind the ring. There is no queue for each watcher, so a slow
//! one costs nobody anything and is never dropped. Watchers that see the same share one [`Lens`], and what it makes of a
//! commit is made once.
//!
//! Where other processes write to the same database, [`Tail`] reads what they commit, of those helpdesks that somebody
//! follows here.

mod apart;
mod arrivals;
mod durable;
mod error;
mod group;
mod hub;
mod live;
mod meters;
mod queues;
mod ring;
mod snapshot;
mod start;
mod subscription;
mod tail;
mod token;
mod trouble;

#[cfg(test)]
mod tests;

pub use apart::apart;
pub use arrivals::Waits;
pub use durable::Durable;
pub use error::FeedError;
pub use group::{Lens, MAX_RESPONSE};
pub use hub::{FeedOptions, Followed, Hub};
pub use live::{Feed, Head};
pub use queues::Arrival;
pub use snapshot::{Pages, Snapshot, Spooled};
pub use start::ResumeError;
pub use subscription::{Step, Subscription};
pub use tail::Tail;
pub use token::{Scope, Token};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock whose holder panicked is taken all the same: everything kept here can be read again from the table, and each
/// step leaves it whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
