//! The place of a ticket among those that wait in its queue, as a text that sorts like the queue.

use std::fmt::Write;

use super::spec::{OrderingKey, WaitsOn};
use super::{Definition, Queue};
use crate::domain::{Micros, Ticket};

/// After every rank: there are at most 50 priorities.
const NO_PRIORITY: usize = 999;

/// 0001-01-01T00:00:00Z, the earliest time of a protobuf Timestamp: what is added so that no key is negative. The latest
/// time, the end of 9999, then has 18 digits.
const EARLIEST: Micros = -62_135_596_800_000_000;
const TIME_DIGITS: usize = 18;
const LATEST_KEY: i64 = 999_999_999_999_999_999;

impl Definition {
    /// The queue's ordering keys at a fixed width, so that the order of texts is the order of the queue; empty when the
    /// ticket does not wait in its queue. The keys of different queues are not to be compared.
    pub fn queue_key(&self, ticket: &Ticket) -> String {
        let staffs_turn = self.status(&ticket.status).is_some_and(|status| status.waits_on == WaitsOn::Staff);
        if !staffs_turn || !ticket.assignee.is_empty() || ticket.queue.is_empty() {
            return String::new();
        }
        let ordering = self.queue(&ticket.queue).map_or(&[OrderingKey::QueueTime][..], |queue| &queue.ordering);
        let mut key = String::with_capacity(24);
        for part in ordering {
            // Writing to a String never fails.
            let _ = match part {
                OrderingKey::Priority => {
                    write!(key, "{:03}", self.priority_rank(&ticket.priority).unwrap_or(NO_PRIORITY))
                }
                OrderingKey::ReceiveTime => write!(key, "{:018}", time_key(ticket.receive_time)),
                OrderingKey::QueueTime => {
                    write!(key, "{:018}", time_key(ticket.queue_time.unwrap_or(ticket.receive_time)))
                }
            };
        }
        key
    }
}

fn time_key(time: Micros) -> i64 {
    time.saturating_sub(EARLIEST).clamp(0, LATEST_KEY)
}

impl Definition {
    /// The beginnings of a queue's keys within which the keys are in order of time: one for each rank of priority where
    /// the queue is ordered by it.
    pub fn queue_key_prefixes(&self, queue: &Queue) -> Vec<String> {
        if !queue.ordering.contains(&OrderingKey::Priority) {
            return vec![String::new()];
        }
        (0..self.priorities().len()).chain([NO_PRIORITY]).map(|rank| format!("{rank:03}")).collect()
    }

    /// The time in a key of a queue; None when the queue is not ordered by one.
    pub fn queue_key_time(&self, queue: &Queue, key: &str) -> Option<Micros> {
        queue.ordering.last().filter(|last| last.is_time())?;
        let digits = key.len().checked_sub(TIME_DIGITS)?;
        key.get(digits..)?.parse::<i64>().ok().map(|time| time.saturating_add(EARLIEST))
    }
}
