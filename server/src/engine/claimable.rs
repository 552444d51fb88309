//! Loads the tickets that the claims of a batch may come to.
//!
//! Where tickets need skills, each skill has a list of those that can be taken with it, and an agent takes the first of its
//! lists. Which they will be is foreseen: the claims of the batch take from the lists in their order, as if every other ticket
//! that the batch has loaded were gone. What is in fact there then is at most more: a claim that is refused takes nothing, a
//! ticket that stays or comes is taken in place of one of these. So no claim comes to a ticket that was not foreseen, and of each list
//! only as much is looked at as may be taken from it.
//!
//! A server of a version that knows nothing of these lists leaves places in them at which no ticket waits any more. They are
//! passed over, and go with the batch.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::load::share;
use crate::domain::commands::Needs;
use crate::domain::context::{Misplaced, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::{Agent, Ticket};
use crate::store::{AnyConnection, StoreError, queues, skills, tickets};

/// How far each list is looked at first; those that may be used up are then looked at four times as far.
const FIRST_LOOK: usize = 16;

/// How often a batch looks on behind places at which no ticket waits. They go with its commit, so the next sees farther.
const MISPLACED_LOOKS: usize = 5;

/// A ticket's place in a queue: its queue key and id.
type Place = (String, i64);

/// After everything else that the batch touches.
pub(super) fn load(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: Option<&Definition>,
    needs: &Needs,
    set: &mut WorkingSet,
) -> Result<(), StoreError> {
    let mut by_queue: BTreeMap<&str, Vec<Option<Agent>>> = BTreeMap::new();
    for (queue, subject) in &needs.claims {
        let agent = set.agents.get(subject);
        let choosy = agent.filter(|agent| rules.is_some_and(|rules| agent.is_choosy(rules, queue))).cloned();
        by_queue.entry(queue).or_default().push(choosy);
    }
    for (queue, claims) in by_queue {
        // Others that the batch has loaded may go before a claim comes to them.
        let waits = |ticket: &Ticket| ticket.waits() && ticket.queue == queue;
        let gone: HashSet<i64> = set.tickets.values().filter(|ticket| waits(ticket)).map(|ticket| ticket.id).collect();
        let most = claims.len() + gone.len();
        if claims.iter().any(Option::is_none) {
            let first = queues::first(connection, helpdesk, queue, most as i64)?;
            let places = first.iter().map(|ticket| (ticket.queue_key.clone(), ticket.id)).collect();
            set.waiting.insert(queue.to_owned(), places);
            add(set, first);
        }
        if let Some(rules) = rules
            && claims.iter().any(Option::is_some)
        {
            let look = Look { helpdesk, queue, rules, claims: &claims, gone: &gone, most };
            look.load(connection, set)?;
        }
    }
    Ok(())
}

/// What is there already stays as it is: it may have been loaded with more.
fn add(set: &mut WorkingSet, found: Vec<Ticket>) {
    for (id, ticket) in share(found.into_iter()) {
        set.tickets.entry(id).or_insert(ticket);
    }
}

/// What is to be found in one queue whose tickets need skills.
struct Look<'a> {
    helpdesk: &'a str,
    queue: &'a str,
    rules: &'a Definition,
    /// In the order of the batch: None takes whatever is first.
    claims: &'a [Option<Agent>],
    gone: &'a HashSet<i64>,
    /// As many as can be taken from one list.
    most: usize,
}

/// The first of a list.
#[derive(Default)]
struct List {
    places: BTreeSet<Place>,
    /// There are no others.
    is_whole: bool,
}

type Lists = HashMap<String, List>;

impl Look<'_> {
    fn load(&self, connection: &mut AnyConnection, set: &mut WorkingSet) -> Result<(), StoreError> {
        let agents = self.claims.iter().flatten();
        let skills: BTreeSet<&str> = agents.flat_map(|agent| &agent.skills).map(String::as_str).chain([""]).collect();
        let mut lists = Lists::new();
        let mut misplaced: BTreeSet<(String, Place)> = BTreeSet::new();
        let mut looked_up: HashSet<i64> = HashSet::new();
        let mut short: BTreeSet<String> = skills.into_iter().map(str::to_owned).collect();
        let mut depth = self.most.min(FIRST_LOOK);
        let mut looks = 0;
        loop {
            self.look(connection, &short, depth, &mut lists)?;
            drop_misplaced(&mut lists, |skill, place| misplaced.contains(&(skill.to_owned(), place.clone())));
            let (mut wanted, _) = self.foresee(&lists, set);
            if !misplaced.is_empty() {
                // Where one is, there may be many.
                wanted.extend(lists.values().flat_map(|list| &list.places).map(|(_, id)| *id));
            }
            wanted.retain(|id| !set.tickets.contains_key(id) && looked_up.insert(*id));
            add(set, tickets::by_ids(connection, self.helpdesk, &wanted)?.into_values().collect());
            let found = drop_misplaced(&mut lists, |skill, place| match set.tickets.get(&place.1) {
                Some(ticket) => !self.is_at(ticket, skill, place),
                None => looked_up.contains(&place.1),
            });
            let (_, used_up) = self.foresee(&lists, set);
            if found.is_empty() && used_up.is_empty() {
                break;
            }
            looks += usize::from(!found.is_empty());
            misplaced.extend(found);
            if looks == MISPLACED_LOOKS {
                break;
            }
            short = used_up;
            depth = (depth * 4).max(FIRST_LOOK);
        }
        let is_empty = lists.values().all(|list| list.places.is_empty());
        if is_empty && queues::first(connection, self.helpdesk, self.queue, 1)?.is_empty() {
            set.idle.insert(self.queue.to_owned());
        }
        let places = lists.into_iter().map(|(skill, list)| (skill, list.places)).collect();
        set.skilled.insert(self.queue.to_owned(), places);
        set.misplaced.extend(misplaced.into_iter().map(|(skill, (queue_key, ticket))| Misplaced {
            queue: self.queue.to_owned(),
            skill,
            queue_key,
            ticket,
        }));
        Ok(())
    }

    /// Looks at the first `depth` of these lists, anew where they were looked at before.
    fn look(
        &self,
        connection: &mut AnyConnection,
        skills: &BTreeSet<String>,
        depth: usize,
        lists: &mut Lists,
    ) -> Result<(), StoreError> {
        lists.extend(skills.iter().map(|skill| (skill.clone(), List { places: BTreeSet::new(), is_whole: true })));
        let skills: Vec<&str> = skills.iter().map(String::as_str).collect();
        for (skill, queue_key, ticket) in skills::first(connection, self.helpdesk, self.queue, &skills, depth as i64)? {
            let list = lists.entry(skill).or_default();
            list.places.insert((queue_key, ticket));
            list.is_whole = list.places.len() < depth;
        }
        Ok(())
    }

    fn is_at(&self, ticket: &Ticket, skill: &str, (queue_key, _): &Place) -> bool {
        ticket.waits()
            && ticket.queue == self.queue
            && ticket.queue_key == *queue_key
            && self.rules.skills_for(ticket).iter().any(|needed| needed == skill)
    }

    /// The tickets that the claims come to if all that may be gone is gone; and the lists that are used up by then and were not
    /// looked at to their ends.
    fn foresee(&self, lists: &Lists, set: &WorkingSet) -> (Vec<i64>, BTreeSet<String>) {
        let mut taken = self.gone.clone();
        let (mut wanted, mut used_up) = (Vec::new(), BTreeSet::new());
        let mut left: HashMap<&str, _> =
            lists.iter().map(|(skill, list)| (skill.as_str(), list.places.iter().peekable())).collect();
        let mut all = set.waiting.get(self.queue).into_iter().flatten();
        for claim in self.claims {
            let Some(agent) = claim else {
                taken.extend(all.find(|(_, id)| !taken.contains(id)).map(|(_, id)| *id));
                continue;
            };
            let mut first: Option<&Place> = None;
            for skill in agent.skills.iter().map(String::as_str).chain([""]) {
                let Some(left) = left.get_mut(skill) else { continue };
                while left.next_if(|(_, id)| taken.contains(id)).is_some() {}
                match left.peek() {
                    Some(place) => first = Some(first.map_or(*place, |first| first.min(place))),
                    None if lists.get(skill).is_some_and(|list| !list.is_whole) => {
                        used_up.insert(skill.to_owned());
                    }
                    None => {}
                }
            }
            if let Some((_, id)) = first {
                taken.insert(*id);
                wanted.push(*id);
            }
        }
        (wanted, used_up)
    }
}

/// Takes those places out of the lists at which no ticket waits, as `is_misplaced` says of a skill and a place.
fn drop_misplaced(lists: &mut Lists, is_misplaced: impl Fn(&str, &Place) -> bool) -> Vec<(String, Place)> {
    let mut dropped = Vec::new();
    for (skill, list) in lists {
        let (gone, kept): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(&mut list.places).into_iter().partition(|place| is_misplaced(skill, place));
        list.places = kept;
        dropped.extend(gone.into_iter().map(|place| (skill.clone(), place)));
    }
    dropped
}
