//! One case: its rows, and the history that they come to.

use std::collections::{BTreeMap, BTreeSet};

use loket::v1::history_event::Operation;
use loket::v1::{
    AssignmentEvent, HistoryEvent, ReplyEvent, ReplyKind, StatusEvent, Ticket, TicketHistory, TransferEvent,
    UpdateEvent,
};
use prost_types::FieldMask;

use super::super::batches::{Origin, Refused};
use super::Rules;
use super::mapping::{Filed, Mapping, Said};

/// A history to send, and the rows that it comes from.
pub(in super::super) struct Item {
    pub(in super::super) history: TicketHistory,
    pub(in super::super) rows: Vec<Origin>,
    /// For each event, the place of its row.
    pub(in super::super) row_of: Vec<usize>,
    /// Rows that were left out, each with why.
    pub(in super::super) left_out: BTreeMap<usize, String>,
    /// Those of them that are in the rejects.
    pub(in super::super) told: BTreeSet<usize>,
    /// How many events were refused of them.
    pub(in super::super) refused_events: u64,
    pub(in super::super) repeats: Repeats,
}

/// Whether an import of before has made a ticket of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Repeats {
    NotKnown,
    /// One has, of other rows than it is now sent with. It is tried which ones are refused, as they may have been left out
    /// then too.
    Looked,
    /// It is now known what this import makes of the case.
    Compared,
}

impl Item {
    /// Every row of a case that is not imported: the one at fault with the reason, the others with where that is.
    pub(in super::super) fn refuse(self, reasons: &BTreeMap<usize, String>, otherwise: &str) -> Vec<Refused> {
        refuse(self.rows, reasons, otherwise, &self.told)
    }

    /// As it is sent: only tried, as long as rows are left out of it that nobody was told.
    pub(in super::super) fn to_send(&self) -> TicketHistory {
        let mut history = self.history.clone();
        history.validate_only |= self.is_tried();
        if self.repeats == Repeats::Looked {
            // By either it would only be told that it is there.
            history.request_id.clear();
            history.ticket.iter_mut().for_each(|ticket| ticket.external_refs.clear());
            history.validate_only = true;
        }
        history
    }

    pub(in super::super) fn is_tried(&self) -> bool {
        self.left_out.keys().any(|place| !self.told.contains(place))
    }

    /// The rows that were left out, and are not in the rejects.
    pub(in super::super) fn untold(&self) -> Vec<Refused> {
        let untold = self.left_out.iter().filter(|(place, _)| !self.told.contains(*place));
        let refused =
            |(place, reason): (&usize, &String)| Some(Refused::new(self.rows.get(*place)?.clone(), reason.clone()));
        untold.filter_map(refused).collect()
    }

    /// Leaves a row out of which events are refused, and tells the others again: what they say anew is seen from those before
    /// them. False when none is left.
    pub(super) fn leave_out(&mut self, events: usize, row: Option<(usize, String)>, reading: &Reading) -> bool {
        let mut left_out = std::mem::take(&mut self.left_out);
        left_out.extend(row);
        let again = item(std::mem::take(&mut self.rows), left_out, reading);
        let request_id = std::mem::take(&mut self.history.request_id);
        let (validate_only, refused_events) = (self.history.validate_only, self.refused_events + events as u64);
        let history = TicketHistory { request_id, validate_only, ..again.history };
        let (told, repeats) = (std::mem::take(&mut self.told), self.repeats);
        *self = Self { history, told, refused_events, repeats, ..again };
        self.history.ticket.is_some()
    }

    /// The rows that were left out.
    pub(in super::super) fn into_left_out(self) -> Vec<Refused> {
        let Self { rows, mut left_out, .. } = self;
        let refused = |(place, origin)| Some(Refused::new(origin, left_out.remove(&place)?));
        rows.into_iter().enumerate().filter_map(refused).collect()
    }
}

/// Every row of a case that is not imported: those at fault with the reason, otherwise the first that is not told yet, and the
/// others with where that is.
pub(super) fn refuse(
    rows: Vec<Origin>,
    reasons: &BTreeMap<usize, String>,
    otherwise: &str,
    told: &BTreeSet<usize>,
) -> Vec<Refused> {
    let untold = || (0..rows.len()).find(|place| !told.contains(place));
    let first = reasons.keys().next().copied().or_else(untold).unwrap_or(0);
    let line = rows.get(first).map_or(0, |row| row.line);
    let refused = |(place, origin): (usize, Origin)| {
        let reason = match reasons.get(&place) {
            Some(reason) => reason.clone(),
            None if place == first => otherwise.to_owned(),
            None => format!("its case is not imported, because of line {line}"),
        };
        Refused { origin, reason, is_told: told.contains(&place) }
    };
    rows.into_iter().enumerate().map(refused).collect()
}

/// How the rows are read.
pub(in super::super) struct Reading {
    /// By file.
    pub(in super::super) mappings: Vec<Mapping>,
    pub(in super::super) rules: Rules,
}

/// The history of a case's rows, of one file, without those that are left out. Those that cannot be read join them. No ticket,
/// where none is left.
pub(super) fn item(rows: Vec<Origin>, left_out: BTreeMap<usize, String>, reading: &Reading) -> Item {
    let rules = &reading.rules;
    let mut item = Item {
        history: TicketHistory::default(),
        rows: Vec::new(),
        row_of: Vec::new(),
        left_out,
        told: BTreeSet::new(),
        refused_events: 0,
        repeats: Repeats::NotKnown,
    };
    let mut told = Told::new(rules);
    for (place, row) in rows.iter().enumerate() {
        let Some(mapping) = reading.mappings.get(row.file).filter(|_| !item.left_out.contains_key(&place)) else {
            continue;
        };
        let said = mapping.said(&row.cells).and_then(|said| {
            let filed = if item.history.ticket.is_none() { Some(mapping.filed(&row.cells, &said)?) } else { None };
            Ok((said, filed))
        });
        let (mut said, filed) = match said {
            Ok(said) => said,
            Err(wrong) => {
                item.left_out.insert(place, wrong);
                continue;
            }
        };
        let is_first = filed.is_some();
        if let Some(Filed { time, actor, role }) = filed {
            let ticket = mapping.ticket(&row.cells);
            // What it was filed with is its first message, and is not said a second time.
            if said.reply_kind == ReplyKind::Public && said.reply == ticket.body {
                said.reply.clear();
            }
            told.file(&ticket);
            item.history.ticket = Some(ticket);
            item.history.event_time = Some(time);
            (item.history.actor, item.history.actor_role) = (actor, role.into());
        }
        let events = told.events(&said, is_first);
        if events.is_empty() && !is_first {
            item.left_out.insert(place, "the row says nothing that happened: map more of its columns".to_owned());
        }
        item.row_of.extend(std::iter::repeat_n(place, events.len()));
        item.history.events.extend(events);
    }
    item.rows = rows;
    item
}

/// What the rows have said so far: only what is new is an event, but for the status, which may be said again.
struct Told<'r> {
    rules: &'r Rules,
    status: String,
    queue: String,
    assignee: String,
    priority: String,
    fields: BTreeMap<String, String>,
}

impl<'r> Told<'r> {
    fn new(rules: &'r Rules) -> Self {
        let nothing = String::new;
        Self {
            rules,
            status: rules.initial_status.clone(),
            queue: nothing(),
            assignee: nothing(),
            priority: nothing(),
            fields: BTreeMap::new(),
        }
    }

    fn file(&mut self, ticket: &Ticket) {
        self.priority.clone_from(&ticket.priority);
        self.fields.clone_from(&ticket.fields);
    }

    /// What a row comes to: in the queue and the hands in which it then is, and so before its status; but a ticket that was
    /// closed is opened first.
    fn events(&mut self, said: &Said, is_first: bool) -> Vec<HistoryEvent> {
        // That it was filed is what the first row tells.
        let moved = said.status.as_ref().filter(|status| !is_first || **status != self.status).map(|status| {
            let (solution, reason) = (said.solution.clone(), said.reason.clone());
            Operation::Status(StatusEvent { status: status.clone(), solution, reason, ..StatusEvent::default() })
        });
        let was_closed = self.rules.statuses.get(&self.status).copied().unwrap_or(false);
        let (before, after) = if was_closed { (moved, None) } else { (None, moved) };
        let mut operations: Vec<Operation> = before.into_iter().collect();
        if let Some(queue) = news(&mut self.queue, said.queue.as_ref()) {
            operations.push(Operation::Transfer(TransferEvent { queue, reason: said.reason.clone() }));
        }
        if let Some(assignee) = news(&mut self.assignee, said.assignee.as_ref()) {
            operations.push(Operation::Assignment(AssignmentEvent { assignee, reason: said.reason.clone() }));
        }
        operations.extend(self.update(said));
        for (kind, body) in [(said.reply_kind, &said.reply), (ReplyKind::Note, &said.note)] {
            if !body.is_empty() {
                let (kind, body) = (kind.into(), body.clone());
                operations.push(Operation::Reply(ReplyEvent { kind, body, ..ReplyEvent::default() }));
            }
        }
        operations.extend(after);
        if let Some(status) = &said.status {
            self.status.clone_from(status);
        }
        if operations.is_empty() && !is_first {
            operations.extend(again(said));
        }
        let event = |operation| HistoryEvent {
            event_time: Some(said.time),
            actor: said.actor.clone(),
            actor_role: said.role.into(),
            operation: Some(operation),
        };
        operations.into_iter().map(event).collect()
    }

    fn update(&mut self, said: &Said) -> Option<Operation> {
        let mut ticket = Ticket::default();
        let mut paths = Vec::new();
        if let Some(priority) = said.priority.as_ref().filter(|priority| **priority != self.priority) {
            self.priority.clone_from(priority);
            ticket.priority.clone_from(priority);
            paths.push("priority".to_owned());
        }
        for (id, value) in &said.fields {
            if self.fields.get(id).map_or("", String::as_str) != value {
                self.fields.insert(id.clone(), value.clone());
                ticket.fields.insert(id.clone(), value.clone());
                paths.push(format!("fields.{id}"));
            }
        }
        if paths.is_empty() {
            return None;
        }
        let (ticket, update_mask) = (Some(ticket), Some(FieldMask { paths }));
        Some(Operation::Update(UpdateEvent { ticket, update_mask, reason: said.reason.clone() }))
    }
}

/// What is said, unless it was told before.
fn news(told: &mut String, said: Option<&String>) -> Option<String> {
    let said = said.filter(|said| **said != *told)?;
    told.clone_from(said);
    Some(said.clone())
}

/// A row that tells nothing new happened all the same: it tells again what it is about.
fn again(said: &Said) -> Option<Operation> {
    let reason = said.reason.clone();
    if let Some((id, value)) = said.fields.first_key_value() {
        let ticket = Ticket { fields: [(id.clone(), value.clone())].into(), ..Ticket::default() };
        let update_mask = Some(FieldMask { paths: vec![format!("fields.{id}")] });
        return Some(Operation::Update(UpdateEvent { ticket: Some(ticket), update_mask, reason }));
    }
    if let Some(priority) = said.priority.clone() {
        let ticket = Some(Ticket { priority, ..Ticket::default() });
        let update_mask = Some(FieldMask { paths: vec!["priority".to_owned()] });
        return Some(Operation::Update(UpdateEvent { ticket, update_mask, reason }));
    }
    said.queue.clone().map(|queue| Operation::Transfer(TransferEvent { queue, reason }))
}
