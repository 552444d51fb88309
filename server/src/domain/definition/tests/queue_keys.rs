use proptest::prelude::*;

use super::*;

#[test]
fn only_what_waits_has_a_key() {
    let definition = definition();
    let mut ticket = ticket();
    assert_eq!(definition.queue_key(&ticket), "063835596800000000");
    ticket.queue = "orders".to_owned();
    assert_eq!(definition.queue_key(&ticket), "999063835596800000000");
    ticket.priority = "high".to_owned();
    assert_eq!(definition.queue_key(&ticket), "000063835596800000000");

    let assigned = Ticket { assignee: "agent".to_owned(), ..ticket.clone() };
    let nowhere = Ticket { queue: String::new(), ..ticket.clone() };
    let elsewhere = Ticket { status: "open".to_owned(), ..ticket };
    for ticket in [assigned, nowhere, elsewhere] {
        assert_eq!(definition.queue_key(&ticket), "");
    }
}

proptest! {
    /// The order of the texts is the order of the queue, whatever it is ordered by.
    #[test]
    fn keys_sort_like_the_queue(
        times in proptest::array::uniform2((-62_135_596_800_000_000_i64..=253_402_300_799_999_999, proptest::bool::ANY)),
        priorities in proptest::array::uniform2(proptest::sample::select(vec!["high", "normal", ""])),
    ) {
        let definition = definition();
        let tickets = [0, 1].map(|n| {
            let (time, near) = times[n];
            // Neighbours differ in their last digits, where a mistake would show.
            let time = if near { times[0].0.saturating_add(1) } else { time };
            Ticket { queue_time: Some(time), priority: priorities[n].to_owned(), queue: "orders".to_owned(), ..ticket() }
        });
        let keys = tickets.each_ref().map(|ticket| definition.queue_key(ticket));
        let order = tickets.each_ref().map(|ticket| {
            (definition.priority_rank(&ticket.priority).unwrap_or(usize::MAX), ticket.queue_time)
        });
        prop_assert_eq!(keys[0].len(), keys[1].len());
        prop_assert_eq!(keys[0].cmp(&keys[1]), order[0].cmp(&order[1]));
    }
}
