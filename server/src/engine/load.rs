//! Loads, in a constant number of queries, what a batch of commands touches.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::submission::Request;
use super::{claimable, lines};
use crate::domain::commands::Needs;
use crate::domain::context::{DefinitionVersion, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::{AccessKey, ExternalRef, Ticket};
use crate::store::{
    AnyConnection, HeadRow, StoreError, agents, counts, dialect, helpdesks, keys, requesters, tickets, uploads,
};

pub(super) fn working_set<'r>(
    connection: &mut AnyConnection,
    helpdesk: &str,
    head: &HeadRow,
    definition: Option<&DefinitionVersion>,
    requests: impl Iterator<Item = &'r Request>,
) -> Result<WorkingSet, StoreError> {
    let rules = definition.map(|version| &*version.definition);
    let mut needs = Needs::default();
    for request in requests {
        request.command.touch(&request.actor, rules, &mut needs);
    }
    let mut set = WorkingSet {
        last_revision: head.last_revision,
        last_ticket: head.last_ticket,
        last_number: head.last_number,
        ..WorkingSet::default()
    };
    let ids: Vec<i64> = needs.tickets.iter().copied().collect();
    set.tickets = share(tickets::by_ids(connection, helpdesk, &ids)?.into_values());
    load_agents(connection, helpdesk, &needs, &mut set)?;
    if !needs.bodies.is_empty() {
        set.needs_bodies = true;
        let wanted: Vec<i64> = needs.bodies.iter().copied().collect();
        set.bodies = tickets::bodies(connection, helpdesk, &wanted)?.into_iter().collect();
    }
    lines::load_named(connection, helpdesk, rules, &mut needs, &mut set)?;
    lines::load_lines(connection, helpdesk, &needs.lines, &mut set)?;
    lines::load_replies(connection, helpdesk, &needs.replies, &mut set)?;
    lines::load_texts(connection, helpdesk, rules, needs.digests.clone(), &needs.retitled, &mut set)?;
    claimable::load(connection, helpdesk, rules, &needs, &mut set)?;
    if !needs.claims.is_empty() && rules.is_some_and(|rules| rules.links().next().is_some()) {
        // Also what the tickets name that a claim may come to.
        lines::load_named(connection, helpdesk, rules, &mut needs, &mut set)?;
        lines::load_lines(connection, helpdesk, &needs.lines, &mut set)?;
    }
    if !needs.external_refs.is_empty() {
        // What is no text is refused when it is decided; looked for, it would fail the whole batch on PostgreSQL.
        let is_text = |reference: &ExternalRef| !reference.source.contains('\0') && !reference.id.contains('\0');
        let refs: Vec<_> = needs.external_refs.into_iter().filter(is_text).collect();
        set.external_refs = tickets::by_external_refs(connection, helpdesk, &refs)?.into_iter().collect();
    }
    if needs.usage {
        set.counts = counts::all(connection, helpdesk)?;
    }
    // The first definition's numbers are the first of their kind.
    if let Some(version) = definition.filter(|version| version.version > 1) {
        set.taken_numbers = taken_numbers(connection, helpdesk, &version.definition, head.last_number, needs.numbers)?;
    }
    for id in needs.helpdesks {
        if helpdesks::directory_entry(connection, &id)?.is_some() {
            set.helpdesks.insert(id);
        }
    }
    if !needs.requesters.is_empty() {
        let ids: Vec<String> = needs.requesters.into_iter().collect();
        for row in requesters::by_ids(connection, helpdesk, &ids)? {
            let requester = row.into_requester()?;
            set.requesters.insert(requester.id.clone(), Arc::new(requester));
        }
    }
    if !needs.keys.is_empty() {
        let wanted: Vec<String> = needs.keys.into_iter().collect();
        let mut found = keys::by_ids(connection, &wanted)?;
        if found.iter().any(AccessKey::makes_any) {
            found.extend(keys::of_admins(connection)?);
        }
        for key in found {
            set.keys.insert(key.id.clone(), key);
        }
    }
    if !needs.uploads.is_empty() {
        let wanted: Vec<String> = needs.uploads.into_iter().collect();
        let found = uploads::by_ids(connection, helpdesk, &wanted)?;
        set.uploads.extend(found.into_iter().map(|upload| (upload.id.clone(), Arc::new(upload))));
    }
    if !needs.uploaders.is_empty() {
        let subjects: Vec<String> = needs.uploaders.into_iter().collect();
        let found = uploads::open_of(connection, helpdesk, &subjects, head.last_time)?;
        set.uploads.extend(found.into_iter().map(|upload| (upload.id.clone(), Arc::new(upload))));
    }
    Ok(set)
}

/// What the transitions of a ticket look at besides it: what they may link it to, and whom they may give it to.
pub fn beside(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: &Definition,
    ticket: &Ticket,
    subject: &str,
) -> Result<WorkingSet, StoreError> {
    let mut set = WorkingSet::default();
    let mut needs = Needs::default();
    if rules.links().next().is_some() {
        set.tickets = share(std::iter::once(ticket.clone()));
        lines::load_named(connection, helpdesk, Some(rules), &mut needs, &mut set)?;
        lines::load_lines(connection, helpdesk, &needs.lines, &mut set)?;
    }
    if rules.gives_to_actor() {
        needs.agents.insert(subject.to_owned());
        load_agents(connection, helpdesk, &needs, &mut set)?;
    }
    Ok(set)
}

fn load_agents(
    connection: &mut AnyConnection,
    helpdesk: &str,
    needs: &Needs,
    set: &mut WorkingSet,
) -> Result<(), StoreError> {
    // What is no text is refused when it is decided; looked for, it would fail the whole batch on PostgreSQL.
    let texts = |wanted: &BTreeSet<String>| -> Vec<String> {
        wanted.iter().filter(|text| !text.is_empty() && !text.contains('\0')).cloned().collect()
    };
    let (subjects, ids) = (texts(&needs.agents), texts(&needs.agent_ids));
    let found = agents::find(connection, helpdesk, &subjects, &ids)?;
    set.agents = found.into_iter().map(|agent| (agent.subject.clone(), agent)).collect();
    set.has_agents = needs.any_agents && (!set.agents.is_empty() || agents::are_any(connection, helpdesk)?);
    Ok(())
}

pub(super) fn share(tickets: impl Iterator<Item = Ticket>) -> HashMap<i64, Arc<Ticket>> {
    tickets.map(|ticket| (ticket.id, Arc::new(ticket))).collect()
}

/// Which of the next human numbers tickets have already: a new format may write what an old one wrote before. Looks on until
/// so many are found that nobody has.
fn taken_numbers(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: &Definition,
    last: i64,
    wanted: usize,
) -> Result<HashSet<String>, StoreError> {
    let mut taken = HashSet::new();
    let (mut free, mut next, mut looked_at) = (0, last + 1, wanted);
    while free < wanted {
        let behind = next.saturating_add(i64::try_from(looked_at).unwrap_or(i64::MAX));
        let numbers: Vec<String> = (next..behind).map(|number| rules.number(number)).collect();
        let found = dialect::numbers_taken(connection, helpdesk, &numbers)?;
        free += numbers.len() - found.len();
        taken.extend(found);
        (next, looked_at) = (behind, looked_at * 2);
    }
    Ok(taken)
}
