//! Does what a new definition asks for with the tickets that are there, within its commit and part by part, however many they are.

use crate::domain::Ticket;
use crate::domain::context::Rework;
use crate::domain::definition::Definition;
use crate::domain::filter::Filter;
use crate::store::list::{self, Order};
use crate::store::{AnyConnection, StoreError, dialect, duplicates, skills};

use super::skill_lists;

/// So many tickets are in memory.
const AT_ONCE: usize = 500;

pub(super) fn rework(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: &Definition,
    what: &Rework,
) -> Result<(), StoreError> {
    let Rework { places, skills, fields, texts } = what;
    if *texts {
        duplicates::keep_all(connection, helpdesk, rules.compares())?;
    }
    for field in fields {
        dialect::index_field(connection, helpdesk, field)?;
    }
    if *places || *skills {
        rearrange(connection, helpdesk, rules, *places, *skills)?;
    }
    Ok(())
}

/// Gives those that wait their places, and the skills that they need. One that moves behind where this is comes by once more,
/// and stays.
fn rearrange(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: &Definition,
    places: bool,
    skills: bool,
) -> Result<(), StoreError> {
    if skills {
        skills::clear(connection, helpdesk)?;
    }
    let concerned = rules.queues().iter().filter(|queue| places || !queue.skill_field.is_empty());
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
            let new_places: Vec<_> = moved.map(|(_, ticket)| (ticket.id, ticket.queue_key.as_str())).collect();
            dialect::place_tickets(connection, helpdesk, &new_places)?;
            if skills {
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
