//! Gives the tickets that wait the places, and the skills, that a new definition says: part by part, for however many wait.

use crate::domain::Ticket;
use crate::domain::context::Rearrangement;
use crate::domain::definition::Definition;
use crate::domain::filter::Filter;
use crate::store::list::{self, Order};
use crate::store::{AnyConnection, StoreError, dialect, skills};

use super::skill_lists;

/// So many tickets are in memory.
const AT_ONCE: usize = 500;

/// Within the commit of the definition. A ticket that moves behind where this is comes by once more, and stays.
pub(super) fn rearrange(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: &Definition,
    what: Rearrangement,
) -> Result<(), StoreError> {
    if what.skills {
        skills::clear(connection, helpdesk)?;
    }
    let concerned = rules.queues().iter().filter(|queue| what.places || (what.skills && !queue.skill_field.is_empty()));
    for queue in concerned {
        let order = Order::Queue(queue.id.clone());
        let mut after = None;
        loop {
            let page = list::page(connection, helpdesk, &Filter::all(), &[], &order, after.as_ref(), AT_ONCE)?;
            let arranged: Vec<_> = page
                .tickets
                .into_iter()
                .map(|ticket| {
                    let queue_key = rules.queue_key(&ticket);
                    (queue_key != ticket.queue_key, Ticket { queue_key, ..ticket })
                })
                .collect();
            let moved = arranged.iter().filter(|(is_moved, _)| *is_moved);
            let places: Vec<_> = moved.map(|(_, ticket)| (ticket.id, ticket.queue_key.as_str())).collect();
            dialect::place_tickets(connection, helpdesk, &places)?;
            if what.skills {
                let listed = arranged.iter().flat_map(|(_, ticket)| skill_lists::rows(helpdesk, rules, ticket));
                skills::insert(connection, &listed.collect::<Vec<_>>())?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}
