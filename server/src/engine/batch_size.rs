//! How many of the commands that wait make one batch.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Of many that wait, one in so many is drawn at once. With all of them in one batch nobody would be left to call or to be
/// answered while it is written, and nobody to write for while they are: the database and all else would take turns.
const SHARE: usize = 3;

/// What a batch costs by itself, however many commands are in it, is at most one in so many parts of what it takes, where
/// enough of them wait: where a database is far away, or its disk slow, batches are larger.
const BY_ITSELF: u128 = 5;

pub(super) struct BatchSize {
    floor: usize,
    most: usize,
    /// So many make a batch for which what it costs by itself is little, as far as is known.
    enough: AtomicUsize,
}

impl BatchSize {
    /// Never fewer than `floor` where so many wait, and never more than `most`.
    pub(super) fn new(floor: usize, most: usize) -> Self {
        Self { floor, most, enough: AtomicUsize::default() }
    }

    /// Notes what a batch took: its commands, to be decided and written, and all else, which it would have taken with fewer
    /// of them too.
    pub(super) fn note(&self, commands: usize, work: Duration, by_itself: Duration) {
        let enough = by_itself.as_nanos() * (BY_ITSELF - 1) * commands as u128 / work.as_nanos().max(1);
        let enough = usize::try_from(enough).unwrap_or(usize::MAX).min(self.most);
        // One that took long by chance changes little.
        let before = self.enough.load(Ordering::Relaxed);
        self.enough.store((before * 7 + enough).div_ceil(8), Ordering::Relaxed);
    }

    /// How many commands are drawn at most where so many wait: one is always.
    pub(super) fn of(&self, waiting: usize) -> usize {
        let least = self.enough.load(Ordering::Relaxed).max(self.floor);
        (waiting / SHARE).max(least).min(self.most).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_a_part_but_never_too_few_or_too_many() {
        let size = BatchSize::new(128, 512);
        assert_eq!([1, 200, 384, 600, 8_192].map(|waiting| size.of(waiting)), [128, 128, 128, 200, 512]);
        assert_eq!(BatchSize::new(0, 0).of(2), 1);
    }

    #[test]
    fn more_where_the_database_is_slow() {
        let size = BatchSize::new(128, 512);
        let with = |commit: u64| {
            for _ in 0..64 {
                // 50 µs a command.
                size.note(100, Duration::from_millis(5), Duration::from_millis(commit));
            }
            size.of(300)
        };
        assert_eq!([1, 2, 100, 0].map(with), [128, 160, 512, 128]);
    }
}
