//! The tickets of a requester are found, wherever they are in the index of two parts: on SQLite.

use super::{Desk, create};
use crate::domain::commands::Command;
use crate::domain::filter::{Filter, Schema};
use crate::engine::Request;
use crate::store::dialect;
use crate::store::list::{self, Key, Order};
use crate::store::throwaway::Throwaway;

struct NoFields;

impl Schema for NoFields {
    fn field_type(&self, _: &str) -> Option<crate::domain::filter::FieldKind> {
        None
    }

    fn field_ids(&self) -> Vec<String> {
        Vec::new()
    }
}

fn file(requester: &str) -> Request {
    let mut request = create("Help");
    if let Command::CreateTicket(command) = &mut request.command {
        requester.clone_into(&mut command.requester);
    }
    request
}

impl Desk {
    fn rows(&mut self) -> [i64; 2] {
        let recent = "tickets AS t LEFT JOIN requester_ends AS e ON e.helpdesk = t.helpdesk
                      WHERE t.ticket > coalesce(e.ticket, 0)";
        [recent, "requester_tickets"].map(|table| self.count(table))
    }

    /// All tickets of a requester, page by page.
    fn of(&mut self, requester: &str, order: &Order, size: usize) -> Vec<i64> {
        let filter = Filter::parse(&format!("requester = \"{requester}\""), &NoFields).unwrap();
        let connection = self.writer.connection.as_mut().unwrap();
        let (mut found, mut after): (Vec<i64>, Option<Key>) = (Vec::new(), None);
        loop {
            let page = list::page(connection, super::DESK, &filter, &[], order, after.as_ref(), size).unwrap();
            assert!(page.tickets.len() <= size);
            assert!(page.tickets.iter().all(|ticket| ticket.requester == requester));
            found.extend(page.tickets.iter().map(|ticket| ticket.id));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }
}

#[test]
fn all_of_a_requester_are_found_in_order_whether_the_index_has_them_or_not() {
    let mut desk = Desk::patient(Throwaway::named("sqlite"));
    let requesters = ["ani@example.com", "budi@example.com", "citra@example.com"];
    let mut filed: Vec<(i64, &str)> = Vec::new();
    for round in 0..4 {
        for _ in 0..5 {
            let outcomes = desk.all(requesters.map(file));
            let ids = outcomes.map(|outcome| {
                let crate::domain::context::Answer::Ticket(ticket) = outcome.unwrap().answer else { unreachable!() };
                ticket.id
            });
            filed.extend(ids.into_iter().zip(requesters));
        }
        for requester in requesters {
            let expected: Vec<_> = filed.iter().filter(|(_, of)| *of == requester).map(|(id, _)| *id).collect();
            for size in [1, 3, 7, 50] {
                assert_eq!(desk.of(requester, &Order::Created, size), expected, "round {round}, {size} a page");
                let mut found = desk.of(requester, &Order::CreatedDesc, size);
                found.reverse();
                assert_eq!(found, expected, "round {round}, {size} a page, the last first");
            }
        }
        assert!(desk.of("nobody@example.com", &Order::Created, 3).is_empty());
        // The first commit of a process brings up to date what another has left: all but the first round came after one.
        if round % 2 == 0 {
            dialect::settle_requesters(desk.writer.connection.as_mut().unwrap()).unwrap();
            assert_eq!(desk.rows(), [0, i64::try_from(filed.len()).unwrap()]);
        }
    }
}

#[test]
fn the_index_is_brought_up_to_date_now_and_then() {
    const TICKETS: usize = 5_000;
    let mut desk = Desk::patient(Throwaway::named("sqlite"));
    let mut answers = Vec::new();
    while answers.len() < TICKETS {
        answers.extend((0..500).map(|number| desk.put(file(&format!("r{number}@example.com")))));
        desk.run();
    }
    let [recent, settled] = desk.rows();
    assert_eq!(recent + settled, i64::try_from(TICKETS).unwrap());
    assert!(recent < 2_000 && settled > 3_000, "{recent} are not in it, {settled} are");
}
