//! Loads what links lead to, and the texts that new tickets must not repeat.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::domain::commands::Needs;
use crate::domain::context::{Texts, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::links::{self, Named};
use crate::domain::{LinkKind, State, Ticket};
use crate::store::{AnyConnection, StoreError, dialect, duplicates, replies, tickets};

/// Loads the lines of parents and originals that begin at these tickets, and of every closed ticket that of its originals,
/// where its requester's replies go: level by level, so that the number of queries does not grow with the batch.
pub(super) fn load_lines(
    connection: &mut AnyConnection,
    helpdesk: &str,
    wanted: &BTreeSet<i64>,
    set: &mut WorkingSet,
) -> Result<(), StoreError> {
    let upwards = |ticket: &Ticket, whole: bool| -> Vec<i64> {
        let kinds: &[LinkKind] = match (whole, ticket.state) {
            (true, _) => &[LinkKind::Parent, LinkKind::Original],
            (false, State::Closed) => &[LinkKind::Original],
            (false, State::New | State::Active | State::Waiting | State::Solved) => &[],
        };
        kinds.iter().filter_map(|kind| ticket.linked(*kind)).collect()
    };
    let first = set.tickets.values().filter(|ticket| !ticket.more.links.is_empty());
    let mut next: BTreeSet<i64> = first.flat_map(|ticket| upwards(ticket, wanted.contains(&ticket.id))).collect();
    // Also those that the batch has loaded for another reason lead on.
    let mut followed = BTreeSet::new();
    for _ in 0..links::LINE_MAX {
        next.retain(|id| followed.insert(*id));
        if next.is_empty() {
            break;
        }
        let missing: Vec<i64> = next.iter().filter(|id| !set.tickets.contains_key(id)).copied().collect();
        let found = tickets::by_ids(connection, helpdesk, &missing)?;
        set.tickets.extend(found.into_iter().map(|(id, ticket)| (id, Arc::new(ticket))));
        let reached = next.iter().filter_map(|id| set.tickets.get(id));
        next = reached.flat_map(|ticket| upwards(ticket, true)).collect();
    }
    Ok(())
}

/// Loads the tickets that fields name by which transitions link: as the tickets at hand have them, and as the batch may set
/// them. Their lines are wanted too. Nothing where no transition links.
pub(super) fn load_named(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: Option<&Definition>,
    needs: &mut Needs,
    set: &mut WorkingSet,
) -> Result<(), StoreError> {
    let Some(rules) = rules.filter(|rules| rules.links().next().is_some()) else { return Ok(()) };
    let mut texts = std::mem::take(&mut needs.named);
    for link in rules.links() {
        for ticket in set.tickets.values() {
            if let Some(text) = ticket.fields.get(&link.field) {
                texts.insert(text.clone());
                needs.lines.insert(ticket.id);
            }
        }
        let effects = rules.transitions().iter().flat_map(|transition| &transition.effects.fields);
        let set_by_effects: Vec<_> =
            effects.filter(|(field, _)| *field == link.field).map(|(_, value)| value.clone()).collect();
        if !set_by_effects.is_empty() {
            // Any of them may come to have it.
            needs.lines.extend(set.tickets.keys());
        }
        texts.extend(set_by_effects);
        texts.extend(rules.field(&link.field).map(|field| field.default_value.clone()));
    }
    let mut ids = BTreeSet::new();
    for named in texts.iter().filter_map(|text| Named::of(helpdesk, text)) {
        match named {
            Named::Id(id) => ids.extend(id),
            // What is no text is refused when it is decided; looked for, it would fail the whole batch on PostgreSQL.
            Named::Number(number) if number.contains('\0') => {}
            Named::Number(number) => drop(set.numbers.insert(number.to_owned(), None)),
        }
    }
    if !set.numbers.is_empty() {
        let numbers: Vec<String> = set.numbers.keys().cloned().collect();
        for (number, ticket) in dialect::tickets_by_numbers(connection, helpdesk, &numbers)? {
            set.numbers.insert(number, Some(ticket));
            ids.insert(ticket);
        }
    }
    let missing: Vec<i64> = ids.iter().filter(|id| !set.tickets.contains_key(id)).copied().collect();
    let found = tickets::by_ids(connection, helpdesk, &missing)?;
    set.tickets.extend(found.into_iter().map(|(id, ticket)| (id, Arc::new(ticket))));
    needs.lines.extend(ids);
    Ok(())
}

/// Loads the replies that commands name.
pub(super) fn load_replies(
    connection: &mut AnyConnection,
    helpdesk: &str,
    wanted: &BTreeSet<(i64, i64)>,
    set: &mut WorkingSet,
) -> Result<(), StoreError> {
    if wanted.is_empty() {
        return Ok(());
    }
    set.replies = wanted.iter().map(|pair| (*pair, None)).collect();
    let pairs: Vec<_> = wanted.iter().copied().collect();
    for reply in replies::by_ids(connection, helpdesk, &pairs)? {
        set.replies.insert((reply.ticket, reply.id), Some(reply));
    }
    Ok(())
}

/// Loads which tickets have the texts of those that are to be filed, and the bodies of those whose text may come to count:
/// what is closed may be reopened, and a subject may change. Nothing where duplicates are taken.
pub(super) fn load_texts(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: Option<&Definition>,
    digests: BTreeSet<String>,
    retitled: &BTreeSet<i64>,
    set: &mut WorkingSet,
) -> Result<(), StoreError> {
    let Some(rules) = rules.filter(|rules| rules.refuses_duplicates()) else { return Ok(()) };
    let mut texts = Texts { compare: rules.compares(), ..Texts::default() };
    let may_count = |ticket: &&Arc<Ticket>| ticket.state == State::Closed || retitled.contains(&ticket.id);
    let ids: Vec<i64> = set.tickets.values().filter(may_count).map(|ticket| ticket.id).collect();
    if !ids.is_empty() {
        texts.bodies = tickets::bodies(connection, helpdesk, &ids)?.into_iter().collect();
    }
    if !digests.is_empty() {
        let digests: Vec<String> = digests.into_iter().collect();
        let mut alike: HashMap<String, Vec<i64>> = HashMap::new();
        for row in duplicates::by_digests(connection, helpdesk, &digests)? {
            alike.entry(row.digest).or_default().push(row.ticket);
        }
        let missing: Vec<i64> = alike.values().flatten().filter(|id| !set.tickets.contains_key(id)).copied().collect();
        let found = tickets::by_ids(connection, helpdesk, &missing)?;
        set.tickets.extend(found.into_iter().map(|(id, ticket)| (id, Arc::new(ticket))));
        texts.alike = alike;
    }
    set.texts = Some(texts);
    Ok(())
}
