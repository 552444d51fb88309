//! How long to wait before the next try.

use std::time::Duration;

use rand::Rng as _;

/// Waits that double from try to try, each shortened by up to a half at random, so that clients which failed together do
/// not come back together.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    tries: u32,
}

impl Backoff {
    /// From `first`, doubling, up to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, tries: 0 }
    }

    /// The next wait. It is at least `asked`, what the server asked for, made longer by up to a quarter.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        let full = self.first.saturating_mul(2_u32.saturating_pow(self.tries)).min(self.longest);
        self.tries = self.tries.saturating_add(1);
        let mut random = rand::rng();
        let own = full.mul_f64(random.random_range(0.5..=1.0));
        // Bounded: no server may put a client to sleep for ever.
        let asked = asked.unwrap_or_default().min(Duration::from_mins(5)).mul_f64(random.random_range(1.0..=1.25));
        own.max(asked)
    }

    /// Begins again with the first wait, after a success.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(5);

    #[test]
    fn doubles_up_to_the_longest() {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        for tries in 0..100_u32 {
            let full = FIRST.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST);
            let wait = backoff.next(None);
            assert!(wait >= full / 2 && wait <= full, "{tries}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.next(None) <= FIRST);
    }

    #[test]
    fn never_comes_earlier_than_asked() {
        let asked = Duration::from_secs(7);
        let wait = Backoff::new(FIRST, LONGEST).next(Some(asked));
        assert!(wait >= asked && wait <= asked.mul_f64(1.25), "{wait:?}");
    }
}
