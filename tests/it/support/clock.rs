//! A clock that stands still until it is moved.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use loket_server::engine::Clock;
use prost_types::Timestamp;

/// 2026-03-02T01:00:00Z, a Monday: every test begins then.
const BEGIN: i64 = 1_772_413_200_000_000;

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(BEGIN))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// To any time, an earlier one included.
    pub(crate) fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::SeqCst);
    }

    pub(crate) fn micros(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        let micros = self.micros();
        let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap();
        Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.micros()
    }
}
