//! The lists of the tickets that wait and need skills: written with every change of a ticket, and looked through now and then.
//!
//! A server of a version that knows nothing of these lists leaves them as they are, whatever it does to tickets. Those that it
//! took away are passed over by who claims next (`claimable.rs`). Those that it filed, or gave back, are listed here.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Definitions, Engine, Failure};
use crate::domain::Ticket;
use crate::domain::context::Misplaced;
use crate::domain::definition::Definition;
use crate::domain::filter::Filter;
use crate::store::list::{self, Key, Order};
use crate::store::skills::{self, WaitingSkillRow};
use crate::store::{AnyConnection, SYSTEM, StoreError, dialect, heads};

/// How often the lists of a helpdesk are looked through.
const EVERY: Duration = Duration::from_mins(10);
/// How many tickets at once: no commit waits long for it.
const AT_ONCE: usize = 500;
/// So that others come between.
const PAUSE: Duration = Duration::from_millis(50);

/// The rows of a ticket that waits where a skill is needed.
pub(super) fn rows(helpdesk: &str, rules: &Definition, ticket: &Ticket) -> Vec<WaitingSkillRow> {
    if !ticket.waits() {
        return Vec::new();
    }
    let row = |skill| WaitingSkillRow {
        helpdesk: helpdesk.to_owned(),
        queue: ticket.queue.clone(),
        skill,
        queue_key: ticket.queue_key.clone(),
        ticket: ticket.id,
    };
    rules.skills_for(ticket).into_iter().map(row).collect()
}

/// The row of a place at which no ticket waits.
pub(super) fn misplaced_row(helpdesk: &str, place: &Misplaced) -> WaitingSkillRow {
    let Misplaced { queue, skill, queue_key, ticket } = place.clone();
    WaitingSkillRow { helpdesk: helpdesk.to_owned(), queue, skill, queue_key, ticket }
}

/// Lists those of the next tickets behind a place that wait in a queue and are not in the lists of their skills. Where to go on;
/// None at the end of the queue.
pub(super) fn complete(
    connection: &mut AnyConnection,
    definitions: &Definitions,
    helpdesk: &str,
    queue: &str,
    after: Option<&Key>,
) -> Result<Option<Key>, StoreError> {
    dialect::write(connection, |connection| {
        heads::lock(connection, helpdesk)?;
        let Some(version) = definitions.current(connection, helpdesk)? else { return Ok(None) };
        let order = Order::Queue(queue.to_owned());
        let page = list::page(connection, helpdesk, &Filter::all(), &[], &order, after, AT_ONCE)?;
        let rows: Vec<_> = page.tickets.iter().flat_map(|ticket| rows(helpdesk, &version.definition, ticket)).collect();
        skills::insert(connection, &rows)?;
        Ok(page.next)
    })
}

/// When the lists of each helpdesk were looked through last.
#[derive(Default)]
pub(super) struct SkillLists(HashMap<String, Instant>);

impl SkillLists {
    pub(super) async fn run(&mut self, engine: &Engine) -> Result<(), Failure> {
        let helpdesks = engine.read(|connection| Ok(heads::last_revisions(connection)?)).await?;
        self.0.retain(|helpdesk, _| helpdesks.iter().any(|(known, _)| known == helpdesk));
        for (helpdesk, _) in helpdesks {
            let is_due = self.0.get(&helpdesk).is_none_or(|last| last.elapsed() >= EVERY);
            if helpdesk == SYSTEM || !is_due {
                continue;
            }
            let (definitions, key) = (engine.definitions(), helpdesk.clone());
            let Some(version) = engine.read(move |connection| definitions.current(connection, &key)).await? else {
                continue;
            };
            let queues = version.definition.queues().iter().filter(|queue| !queue.skill_field.is_empty());
            for queue in queues.map(|queue| &queue.id) {
                let mut after = None;
                loop {
                    let (definitions, key, queue) = (engine.definitions(), helpdesk.clone(), queue.clone());
                    let next = engine
                        .read(move |connection| complete(connection, &definitions, &key, &queue, after.as_ref()))
                        .await?;
                    if next.is_none() {
                        break;
                    }
                    after = next;
                    tokio::time::sleep(PAUSE).await;
                }
            }
            self.0.insert(helpdesk, Instant::now());
        }
        Ok(())
    }
}
