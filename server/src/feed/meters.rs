//! What operators see of the feed.

use metrics::{Counter, Gauge};

/// Handles are kept: looking one up by name costs more than what is measured.
#[derive(Clone)]
pub(super) struct Meters {
    /// Pages that watchers read from the table because they were behind the ring.
    pub(super) ring_misses: Counter,
    /// Streams of `WatchTickets` that follow the log.
    pub(super) watchers: Gauge,
    /// Commits that did not follow the last one, so that what lay between was read from the table.
    pub(super) gaps: Counter,
    /// Whether what other processes commit is heard of at once: 1 or 0.
    pub(super) bell: Gauge,
}

impl Meters {
    pub(super) fn new() -> Self {
        metrics::describe_counter!(
            "loket_feed_ring_misses_total",
            "Pages watchers read from the table, being behind the ring"
        );
        metrics::describe_gauge!("loket_feed_watchers", "Streams of WatchTickets that follow the log");
        metrics::describe_counter!(
            "loket_feed_gaps_total",
            "Commits that came before others of lower revisions: those are read from the log first, and nothing is missed"
        );
        metrics::describe_gauge!(
            "loket_feed_bell",
            "1 while LISTEN hears of other servers' commits, 0 while heads are polled"
        );
        Self {
            ring_misses: metrics::counter!("loket_feed_ring_misses_total"),
            watchers: metrics::gauge!("loket_feed_watchers"),
            gaps: metrics::counter!("loket_feed_gaps_total"),
            bell: metrics::gauge!("loket_feed_bell"),
        }
    }
}
