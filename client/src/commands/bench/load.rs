//! A closed loop of callers, and what it measures.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tonic::Status;

use crate::commands::stop::Stop;

/// A caller that failed waits so long before it calls again.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// Something that is called again and again, by one task at a time.
pub(super) trait Operation: Send + 'static {
    fn call(&mut self) -> impl Future<Output = Result<(), Status>> + Send;
}

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    pub(super) measured: Duration,
    micros: Vec<u32>,
}

/// Keeps every operation in flight for `lead` and then for `window`; only what ends within the window is counted.
pub(super) async fn closed_loop<O: Operation>(
    operations: &mut Vec<O>,
    lead: Duration,
    window: Duration,
    stop: &Stop,
) -> Tally {
    let begin = Instant::now() + lead;
    let end = begin + window;
    let mut tasks = JoinSet::new();
    for mut operation in operations.drain(..) {
        let stop = stop.clone();
        tasks.spawn(async move {
            let mut tally = Tally::default();
            loop {
                let called = Instant::now();
                if called >= end || stop.is_set() {
                    return (operation, tally);
                }
                let result = operation.call().await;
                let answered = Instant::now();
                let counts = answered >= begin && answered < end;
                match result {
                    Ok(()) if counts => tally.add(answered - called),
                    Ok(()) => {}
                    Err(status) => {
                        tally.fail(&status);
                        tokio::time::sleep(AFTER_ERROR).await;
                    }
                }
            }
        });
    }
    let mut total = Tally::default();
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok((operation, tally)) => {
                operations.push(operation);
                total.join(tally);
            }
            Err(error) => total.fail_with(|| format!("a caller failed: {error}")),
        }
    }
    total.measured = Instant::now().min(end).saturating_duration_since(begin);
    total
}

impl Tally {
    pub(super) fn add(&mut self, took: Duration) {
        self.count += 1;
        self.micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(super) fn fail(&mut self, status: &Status) {
        self.fail_with(|| loket_client::Error::from(status.clone()).to_string());
    }

    pub(super) fn fail_with(&mut self, error: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(error);
    }

    /// Adds another slice or another caller; the times measured are added by [`Tally::append`].
    pub(super) fn join(&mut self, other: Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        self.micros.extend(other.micros);
    }

    /// Adds a slice that was measured after this one.
    pub(super) fn append(&mut self, other: Self) {
        self.measured += other.measured;
        self.join(other);
    }

    /// Per second.
    pub(super) fn rate(&self) -> f64 {
        self.count as f64 / self.measured.as_secs_f64().max(1e-6)
    }

    pub(super) fn latency(&self) -> Latency {
        let mut histogram = histogram();
        for micros in &self.micros {
            let _ = histogram.record(u64::from(*micros));
        }
        Latency::of(&histogram)
    }
}

/// Two percentiles, in microseconds; 0 when nothing was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) p50_micros: u64,
    pub(super) p99_micros: u64,
}

impl Latency {
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        Self { p50_micros: histogram.value_at_quantile(0.5), p99_micros: histogram.value_at_quantile(0.99) }
    }
}

/// Microseconds to three digits, growing as it must: recording never fails.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new(3).unwrap_or_else(|_| unreachable!("hdrhistogram takes up to five digits"))
}

/// `first` per `second`; 0 when there is no second.
pub(super) fn ratio(first: f64, second: f64) -> f64 {
    if second > 0.0 { first / second } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stops everything with its tenth call.
    struct Ten(u64, Stop);

    impl Operation for Ten {
        async fn call(&mut self) -> Result<(), Status> {
            self.0 += 1;
            if self.0 == 10 {
                self.1.set();
            }
            Ok(())
        }
    }

    async fn measure(lead: Duration) -> Tally {
        let stop = Stop::default();
        let mut operations = vec![Ten(0, stop.clone())];
        let tally = closed_loop(&mut operations, lead, Duration::from_mins(10), &stop).await;
        assert_eq!(operations[0].0, 10);
        tally
    }

    #[tokio::test]
    async fn counts_within_the_window_only() {
        let tally = measure(Duration::ZERO).await;
        assert_eq!((tally.count, tally.errors), (10, 0));
        let tally = measure(Duration::from_mins(10)).await;
        assert_eq!((tally.count, tally.measured), (0, Duration::ZERO));
    }
}
