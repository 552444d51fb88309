//! Writes what a batch has come to: all rows in bulk, and the head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::batch::{Batch, Decided};
use super::rework::rework;
use super::skill_lists;
use super::submission::{Failure, Outcome};
use crate::domain::context::{Answer, Decision, RequesterChange, Texts, TicketChange, UploadChange};
use crate::domain::definition::Definition;
use crate::domain::upload::upload_name;
use crate::domain::{Actor, Attachment, Change, ExternalRef, State, Ticket, Upload, usage};
use crate::store::agents::AgentRow;
use crate::store::helpdesks::{DefinitionRow, DirectoryRow};
use crate::store::requesters::RequesterRow;
use crate::store::rows::{NewTicketRow, ReplyRow};
use crate::store::skills::WaitingSkillRow;
use crate::store::{
    self, AnyConnection, AttachmentRow, BatchRows, CountRow, DuplicateTextRow, ExternalRefRow, FieldRow, HeadRow,
    LogEntry, NewChangeRow, SYSTEM, StoreError, UploadRow, agents, attachments, definition_payload, duplicates,
    helpdesks, keys, replies, requesters, skills, tickets, uploads,
};

/// What the log has gained: each change, and the ticket after it as it was encoded.
pub(super) struct Written {
    pub(super) entries: Vec<LogEntry>,
    tickets: Vec<Bytes>,
}

impl Written {
    /// Gives each outcome the ticket of its answer.
    pub(super) fn hand_over(&self, outcomes: &mut [Result<Outcome, Failure>]) {
        for outcome in outcomes.iter_mut().flatten() {
            let Answer::Ticket(answer) = &outcome.answer else { continue };
            let from = self.entries.partition_point(|entry| entry.change.revision < outcome.revision);
            let written = self.entries.iter().zip(&self.tickets).skip(from);
            outcome.encoded = written
                .take_while(|(entry, _)| entry.change.revision == outcome.revision)
                .find(|(entry, _)| entry.change.after.as_ref().is_some_and(|after| Arc::ptr_eq(after, answer)))
                .map(|(_, ticket)| ticket.clone());
        }
    }
}

/// Writes everything and returns what the log has gained.
pub(super) fn write(
    connection: &mut AnyConnection,
    batch: &Batch<'_>,
    head: &HeadRow,
    mut random: impl FnMut() -> i64,
) -> Result<Written, StoreError> {
    let helpdesk = batch.helpdesk;
    // Before a ticket comes to such a place.
    let misplaced: Vec<_> =
        batch.set.misplaced.iter().map(|place| skill_lists::misplaced_row(helpdesk, place)).collect();
    skills::delete(connection, helpdesk, &misplaced)?;
    let mut entries = Vec::with_capacity(batch.decided.len());
    let mut tickets = Tickets { texts: batch.set.texts.as_ref(), ..Tickets::default() };
    for decided in &batch.decided {
        let uid = random();
        entries.extend(log(batch, decided).into_iter().map(|change| LogEntry { uid, change: Arc::new(change) }));
        for change in &decided.decision.tickets {
            tickets.take(change);
        }
        write_directory(connection, helpdesk, &decided.decision)?;
        if let Some(agent) = &decided.decision.agent {
            agents::put(connection, &AgentRow::new(helpdesk, agent))?;
        }
    }
    let ticket_rows =
        batch.definition.as_ref().map(|rules| tickets.rows(helpdesk, &rules.definition)).unwrap_or_default();
    let changes: Vec<_> = entries.iter().map(|entry| NewChangeRow::new(helpdesk, entry)).collect();
    let head = HeadRow {
        helpdesk: helpdesk.to_owned(),
        last_revision: batch.set.last_revision,
        last_ticket: batch.set.last_ticket,
        last_number: batch.set.last_number,
        last_time: batch.now,
        definition_version: batch.definition.as_ref().map_or(head.definition_version, |version| version.version),
    };
    let rows = BatchRows {
        tickets: &ticket_rows.inserted,
        counts: &ticket_rows.counts,
        changes: &changes,
        requests: &batch.remembered,
        head: &head,
    };
    store::write_batch(connection, &rows)?;
    ticket_rows.write_rest(connection, helpdesk)?;
    if let Some(rules) = &batch.definition {
        for decided in &batch.decided {
            rework(connection, helpdesk, &rules.definition, &decided.decision.rework)?;
        }
    }
    write_uploads(connection, helpdesk, &batch.decided)?;
    let tickets = changes.into_iter().map(NewChangeRow::into_ticket).collect();
    Ok(Written { entries, tickets })
}

/// The tickets of a batch: as they were before it, and as they are after it.
#[derive(Default)]
struct Tickets<'a> {
    before: BTreeMap<i64, Option<Arc<Ticket>>>,
    after: BTreeMap<i64, Arc<Ticket>>,
    bodies: BTreeMap<i64, &'a str>,
    replies: Vec<&'a crate::domain::Reply>,
    attachments: Vec<&'a Attachment>,
    /// Where new tickets must not repeat what others say.
    texts: Option<&'a Texts>,
}

impl<'a> Tickets<'a> {
    fn take(&mut self, change: &'a TicketChange) {
        let id = change.after.id;
        self.before.entry(id).or_insert_with(|| change.before.clone());
        if change.before.is_none() {
            self.bodies.insert(id, &change.body);
        }
        self.after.insert(id, Arc::clone(&change.after));
        self.replies.extend(change.reply.as_ref());
        self.attachments.extend(&change.attachments);
        self.attachments.extend(change.reply.iter().flat_map(|reply| &reply.attachments));
    }

    fn rows(&self, helpdesk: &'a str, rules: &Definition) -> TicketRows<'_> {
        let mut rows = TicketRows {
            inserted: Vec::with_capacity(self.bodies.len()),
            updated: Vec::new(),
            index: Index::default(),
            replies: self.replies.iter().map(|reply| ReplyRow::new(helpdesk, reply)).collect(),
            attachments: self.attachments.iter().map(|file| AttachmentRow::new(helpdesk, file)).collect(),
            counts: Vec::new(),
        };
        let asks_for_skills = rules.asks_for_skills();
        let mut deltas = usage::Deltas::new();
        for (id, after) in &self.after {
            let before = self.before.get(id).and_then(Option::as_deref);
            let body = self.bodies.get(id).copied().unwrap_or_default();
            let row = NewTicketRow::new(helpdesk, after, body);
            if before.is_some() { &mut rows.updated } else { &mut rows.inserted }.push(row);
            rows.index.difference(helpdesk, rules, before, after);
            if let Some(texts) = self.texts {
                rows.index.text(helpdesk, texts, before, after);
            }
            if asks_for_skills {
                rows.index.skills(helpdesk, rules, before, after);
            }
            usage::count(&mut deltas, rules, before, after);
        }
        let counted = deltas.into_iter().filter(|(_, tickets)| *tickets != 0);
        rows.counts = counted
            .map(|((kind, id, value), tickets)| {
                let (kind, id) = usage::key(kind, id, value);
                CountRow { helpdesk: helpdesk.to_owned(), kind, id, tickets }
            })
            .collect();
        rows
    }
}

/// The rows that the tickets of a batch come to.
#[derive(Default)]
struct TicketRows<'a> {
    inserted: Vec<NewTicketRow<'a>>,
    updated: Vec<NewTicketRow<'a>>,
    index: Index,
    replies: Vec<ReplyRow>,
    attachments: Vec<AttachmentRow>,
    counts: Vec<CountRow>,
}

impl TicketRows<'_> {
    /// What not every batch has.
    fn write_rest(&self, connection: &mut AnyConnection, helpdesk: &str) -> Result<(), StoreError> {
        tickets::update_tickets(connection, &self.updated)?;
        self.index.write(connection, helpdesk)?;
        replies::insert(connection, &self.replies)?;
        attachments::insert(connection, &self.attachments)?;
        Ok(())
    }
}

/// What leads to tickets: external references, indexed fields, and texts that must not be repeated.
#[derive(Default)]
struct Index {
    refs_gone: Vec<ExternalRefRow>,
    refs_new: Vec<ExternalRefRow>,
    fields_gone: Vec<FieldRow>,
    fields_new: Vec<FieldRow>,
    texts_gone: Vec<i64>,
    texts_new: Vec<DuplicateTextRow>,
    skills_gone: Vec<WaitingSkillRow>,
    skills_new: Vec<WaitingSkillRow>,
}

impl Index {
    fn difference(&mut self, helpdesk: &str, rules: &Definition, before: Option<&Ticket>, after: &Ticket) {
        let refs = |ticket: &Ticket| -> BTreeSet<ExternalRef> { ticket.external_refs.iter().cloned().collect() };
        let row =
            |ExternalRef { source, id }| ExternalRefRow { helpdesk: helpdesk.to_owned(), source, id, ticket: after.id };
        let (old, new) = (before.map(refs).unwrap_or_default(), refs(after));
        self.refs_gone.extend(old.difference(&new).cloned().map(row));
        self.refs_new.extend(new.difference(&old).cloned().map(row));

        for field in rules.fields().iter().filter(|field| field.indexed) {
            let old = before.and_then(|ticket| ticket.fields.get(&field.id));
            let new = after.fields.get(&field.id);
            if old == new {
                continue;
            }
            let row = |value: &String| FieldRow {
                helpdesk: helpdesk.to_owned(),
                field: field.id.clone(),
                value: value.clone(),
                ticket: after.id,
            };
            self.fields_gone.extend(old.map(row));
            self.fields_new.extend(new.map(row));
        }
    }

    /// The text of a ticket is kept while it is not closed.
    fn text(&mut self, helpdesk: &str, texts: &Texts, before: Option<&Ticket>, after: &Ticket) {
        let subject = |ticket: Option<&'_ Ticket>| {
            ticket.filter(|ticket| ticket.state != State::Closed).map(|ticket| ticket.subject.clone())
        };
        let (old, new) = (subject(before), subject(Some(after)));
        if old == new {
            return;
        }
        if old.is_some() {
            self.texts_gone.push(after.id);
        }
        if let (Some(_), Some(body)) = (new, texts.bodies.get(&after.id)) {
            let digest = texts.digest(after, body);
            self.texts_new.push(DuplicateTextRow { helpdesk: helpdesk.to_owned(), digest, ticket: after.id });
        }
    }

    /// Only tickets that wait where a skill is needed have rows, before or after.
    fn skills(&mut self, helpdesk: &str, rules: &Definition, before: Option<&Ticket>, after: &Ticket) {
        let old = before.map(|before| skill_lists::rows(helpdesk, rules, before)).unwrap_or_default();
        let new = skill_lists::rows(helpdesk, rules, after);
        self.skills_gone.extend(old.iter().filter(|row| !new.contains(row)).cloned());
        self.skills_new.extend(new.into_iter().filter(|row| !old.contains(row)));
    }

    /// What is gone goes first: another ticket of the batch may have taken its reference.
    fn write(&self, connection: &mut AnyConnection, helpdesk: &str) -> Result<(), StoreError> {
        duplicates::delete(connection, helpdesk, &self.texts_gone)?;
        duplicates::insert(connection, &self.texts_new)?;
        tickets::delete_external_refs(connection, helpdesk, &self.refs_gone)?;
        tickets::insert_external_refs(connection, &self.refs_new)?;
        tickets::delete_fields(connection, helpdesk, &self.fields_gone)?;
        tickets::insert_fields(connection, &self.fields_new)?;
        skills::delete(connection, helpdesk, &self.skills_gone)?;
        skills::insert(connection, &self.skills_new)?;
        Ok(())
    }
}

/// What the log gains from a decision: a change for each ticket, or one that names what else was changed.
fn log(batch: &Batch<'_>, decided: &Decided<'_>) -> Vec<Change> {
    let Decided { revision, decision, command, actor, request_id, definition_version } = decided;
    let imported = |ticket: Option<&'_ TicketChange>| ticket.and_then(|ticket| ticket.imported.clone());
    let change = |ordinal: usize, ticket: Option<&TicketChange>, resource: String| Change {
        revision: *revision,
        ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
        command: imported(ticket).map_or(*command, |event| event.command).into(),
        actor: imported(ticket).map_or_else(
            || (*actor).clone(),
            |event| Actor { on_behalf_of: actor.on_behalf_of.clone(), ..event.actor },
        ),
        importer: imported(ticket).map(|_| actor.subject.clone()).unwrap_or_default(),
        commit_time: batch.now,
        event_time: imported(ticket).map_or(batch.now, |event| event.time),
        definition_version: *definition_version,
        request_id: (*request_id).to_owned(),
        reply: ticket.and_then(|ticket| ticket.reply.clone()),
        attachments: ticket.map(|ticket| ticket.attachments.clone()).unwrap_or_default(),
        reason: ticket.map(|ticket| ticket.reason.clone()).unwrap_or_default(),
        transition: ticket.map(|ticket| ticket.transition.clone()).unwrap_or_default(),
        notifications: ticket.map(|ticket| ticket.notifications.clone()).unwrap_or_default(),
        resource,
        agent: decision.agent.clone(),
        // It was the first that somebody waited for; the others are linked to it.
        waited: if ordinal == 0 { decision.waited } else { 0 },
        before: ticket.and_then(|ticket| ticket.before.clone()),
        after: ticket.map(|ticket| Arc::clone(&ticket.after)),
    };
    let resource = match (&decision.helpdesk, &decision.key, &decision.definition, &decision.requester, &decision.agent)
    {
        (Some(helpdesk), ..) => format!("helpdesks/{}", helpdesk.id),
        (_, Some(key), ..) => format!("accessKeys/{}", key.id),
        (_, _, Some(_), ..) => format!("helpdesks/{}", batch.helpdesk),
        (_, _, _, Some(requester), _) => {
            format!("helpdesks/{}/requesters/{}", batch.helpdesk, requester.after.id)
        }
        (.., Some(agent)) => format!("helpdesks/{}/agents/{}", batch.helpdesk, agent.id),
        (None, None, None, None, None) => match decision.uploads.as_slice() {
            [UploadChange::Create(upload) | UploadChange::Change(upload), ..] => {
                upload_name(batch.helpdesk, &upload.id)
            }
            [UploadChange::Remove(id), ..] => upload_name(batch.helpdesk, id),
            [] => String::new(),
        },
    };
    if decision.tickets.is_empty() {
        let reason = decision.requester.as_ref().map(|requester| requester.reason.clone()).unwrap_or_default();
        return vec![Change { reason, ..change(0, None, resource) }];
    }
    let tickets = decision.tickets.iter().enumerate();
    tickets.map(|(ordinal, ticket)| change(ordinal, Some(ticket), String::new())).collect()
}

/// What a batch does to uploads: each as it is in the end.
fn write_uploads(connection: &mut AnyConnection, helpdesk: &str, decided: &[Decided<'_>]) -> Result<(), StoreError> {
    let (mut created, mut changed) = (BTreeMap::new(), BTreeMap::new());
    let mut removed = Vec::new();
    for change in decided.iter().flat_map(|decided| &decided.decision.uploads) {
        match change {
            UploadChange::Create(upload) => drop(created.insert(upload.id.as_str(), &**upload)),
            UploadChange::Change(upload) => {
                let rows = if created.contains_key(upload.id.as_str()) { &mut created } else { &mut changed };
                rows.insert(&upload.id, &**upload);
            }
            UploadChange::Remove(id) => {
                created.remove(id.as_str());
                changed.remove(id.as_str());
                removed.push(id.clone());
            }
        }
    }
    let rows = |uploads: BTreeMap<&str, &Upload>| -> Vec<_> {
        uploads.into_values().map(|upload| UploadRow::new(helpdesk, upload)).collect()
    };
    uploads::insert(connection, &rows(created))?;
    uploads::update(connection, &rows(changed))?;
    uploads::remove(connection, helpdesk, &removed)?;
    Ok(())
}

/// What a decision does to definitions, the directory, the keys and the requesters.
fn write_directory(connection: &mut AnyConnection, helpdesk: &str, decision: &Decision) -> Result<(), StoreError> {
    if let Some(version) = &decision.definition {
        helpdesks::insert_definition(
            connection,
            &DefinitionRow {
                helpdesk: helpdesk.to_owned(),
                version: version.version,
                definition: definition_payload::encode(version.definition.spec()),
                revision: version.revision,
                create_time: version.update_time,
            },
        )?;
    }
    if let Some(new) = &decision.helpdesk {
        helpdesks::insert_directory_entry(
            connection,
            &DirectoryRow {
                helpdesk: SYSTEM.to_owned(),
                id: new.id.clone(),
                definition: definition_payload::encode(new.definition.definition.spec()),
                revision: 0,
                create_time: new.definition.create_time,
            },
        )?;
    }
    if let Some(RequesterChange { is_new, after, reason: _ }) = &decision.requester {
        let row = RequesterRow::new(helpdesk, after);
        if *is_new {
            requesters::insert(connection, &row)?;
        } else {
            requesters::update(connection, &row)?;
        }
    }
    if let Some(key) = &decision.key {
        if key.revoke_time.is_some() {
            keys::update(connection, key)?;
        } else {
            keys::insert(connection, key)?;
        }
    }
    Ok(())
}
