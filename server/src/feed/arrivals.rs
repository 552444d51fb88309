//! The tickets that came to a queue lately and were not taken, as far as is heard.
//!
//! Where several processes wait for them, each holds back for a while, and sees here whether what it holds back for is there
//! still.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Arrival;

/// So many are known at most: of more it is not known what became of them.
const MOST: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Coming {
    /// In the order of their revisions.
    tickets: VecDeque<Came>,
    /// The last revision with which one came that had to make room.
    forgotten: i64,
}

#[derive(Debug)]
struct Came {
    ticket: i64,
    arrival: Arrival,
    heard: Instant,
}

/// What may wait of that which came to a queue after some revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// Nothing of what had come by this revision.
    Gone { revision: i64 },
    /// So many tickets; how long the first of them is known of, and whether this process committed it.
    Some { tickets: usize, since: Instant, is_own: bool },
    /// What became of it is not known.
    Unknown,
}

impl Coming {
    pub(super) fn came(&mut self, ticket: i64, arrival: Arrival) {
        self.left(ticket);
        if self.tickets.len() == MOST
            && let Some(oldest) = self.tickets.pop_front()
        {
            self.forgotten = oldest.arrival.revision;
        }
        self.tickets.push_back(Came { ticket, arrival, heard: Instant::now() });
    }

    pub(super) fn left(&mut self, ticket: i64) {
        self.tickets.retain(|came| came.ticket != ticket);
    }

    /// What may wait of that which came after a revision, up to the head.
    pub(super) fn waits(&self, after: i64, head: i64) -> Waits {
        if self.forgotten > after || after < 0 {
            return Waits::Unknown;
        }
        let from = self.tickets.partition_point(|came| came.arrival.revision <= after);
        let mut waiting = self.tickets.range(from..);
        let tickets = waiting.len();
        waiting.next().map_or(Waits::Gone { revision: head }, |first| Waits::Some {
            tickets,
            since: first.heard,
            is_own: first.arrival.is_own,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(coming: &mut Coming, tickets: std::ops::RangeInclusive<i64>) {
        for ticket in tickets {
            coming.came(ticket, Arrival { revision: 10 * ticket, is_own: ticket % 2 == 0 });
        }
    }

    fn count(waits: Waits) -> Option<usize> {
        match waits {
            Waits::Gone { revision: _ } => Some(0),
            Waits::Some { tickets, since: _, is_own: _ } => Some(tickets),
            Waits::Unknown => None,
        }
    }

    #[test]
    fn what_was_taken_is_gone_and_the_rest_waits() {
        let mut coming = Coming::default();
        assert_eq!(coming.waits(0, 5), Waits::Gone { revision: 5 });
        came(&mut coming, 1..=4);
        coming.left(2);
        assert_eq!(count(coming.waits(0, 40)), Some(3));
        assert!(matches!(coming.waits(10, 40), Waits::Some { tickets: 2, is_own: false, .. }));
        assert!(matches!(coming.waits(30, 40), Waits::Some { tickets: 1, is_own: true, .. }));
        assert_eq!(count(coming.waits(40, 40)), Some(0));
        // What comes back has come anew.
        coming.came(1, Arrival { revision: 50, is_own: true });
        assert_eq!(count(coming.waits(40, 50)), Some(1));
        for ticket in 1..=4 {
            coming.left(ticket);
        }
        assert_eq!(coming.waits(0, 50), Waits::Gone { revision: 50 });
    }

    #[test]
    fn of_too_many_it_is_not_said_that_they_are_gone() {
        let mut coming = Coming::default();
        came(&mut coming, 1..=258);
        assert_eq!(coming.waits(0, 2580), Waits::Unknown);
        assert_eq!(coming.waits(19, 2580), Waits::Unknown);
        assert_eq!(count(coming.waits(20, 2580)), Some(256));
        // Whoever has not looked yet knows of nothing.
        assert_eq!(Coming::default().waits(i64::MIN, 0), Waits::Unknown);
    }
}
