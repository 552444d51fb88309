//! What time it is: an argument everywhere else, so that tests can move it.

use crate::domain::Micros;

pub trait Clock: Send + Sync {
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    // The one place where the system's clock is read.
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Micros {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX))
    }
}
