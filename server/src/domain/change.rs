//! What one revision did to one ticket: the audit history and the feed.

use std::borrow::Cow;
use std::sync::Arc;

use super::definition::Recipient;
use super::more::time_from_text;
use super::time::{self, Micros};
use super::{Actor, Agent, Attachment, ExternalRef, More, Reply, State, Ticket};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub revision: i64,
    /// The place within the revision, from 0.
    pub ordinal: i32,
    /// Named like its method.
    pub command: Cow<'static, str>,
    pub actor: Actor,
    /// The subject of who imported it; empty where it was done here.
    pub importer: String,
    pub commit_time: Micros,
    pub event_time: Micros,
    pub definition_version: i64,
    pub request_id: String,
    pub reply: Option<Reply>,
    /// The files of a new ticket; those of a reply are with the reply.
    pub attachments: Vec<Attachment>,
    pub reason: String,
    /// The id of the transition that was taken; empty when none was.
    pub transition: String,
    /// Whom the transition tells.
    pub notifications: Vec<Notification>,
    /// The resource name of what was changed when it was no ticket; otherwise empty.
    pub resource: String,
    /// As it was registered or changed; None when the revision changed none.
    pub agent: Option<Agent>,
    /// How long the caller had waited for the ticket that it claimed; 0 where it did not wait.
    pub waited: Micros,
    /// None on creation and when the revision changed no ticket. Read back from the log it has every field that a change
    /// names and no body, revision, counts or queue key.
    pub before: Option<Arc<Ticket>>,
    /// None when the revision changed no ticket, as a new definition does. Read back from the log it has no body.
    pub after: Option<Arc<Ticket>>,
}

impl Change {
    /// Every field of the ticket that differs, in the order of the Ticket message.
    pub fn field_changes(&self) -> Vec<FieldChange> {
        match &self.after {
            Some(after) => differences(self.before.as_deref(), after),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
impl Change {
    /// One that says no more than when it was, and by whom.
    pub fn bare(revision: i64, actor: Actor) -> Self {
        Self {
            revision,
            ordinal: 0,
            command: "Test".into(),
            actor,
            importer: String::new(),
            commit_time: revision,
            event_time: revision,
            definition_version: 1,
            request_id: String::new(),
            reply: None,
            attachments: Vec::new(),
            reason: String::new(),
            transition: String::new(),
            notifications: Vec::new(),
            resource: String::new(),
            agent: None,
            waited: 0,
            before: None,
            after: None,
        }
    }
}

/// Something that somebody is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    pub recipient: Recipient,
    /// A subject, the id of a queue, the requester's address or the value of a field.
    pub address: String,
    pub message: String,
}

/// One field that changed, by its path in the Ticket message; times in RFC 3339, lists in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    pub field: String,
    pub old: String,
    pub new: String,
}

/// The prefix of the paths of a helpdesk's own fields.
pub const FIELDS: &str = "fields.";

/// Every field of a ticket that differs, in the order of the Ticket message.
pub fn differences(before: Option<&Ticket>, after: &Ticket) -> Vec<FieldChange> {
    let mut found = Vec::new();
    let mut compare = |field: &str, old: Option<Cow<'_, str>>, new: Cow<'_, str>| {
        let old = old.unwrap_or_default();
        if old != new {
            found.push(FieldChange { field: field.to_owned(), old: old.into_owned(), new: new.into_owned() });
        }
    };
    macro_rules! text {
        ($($field:ident),*) => { $(compare(
            stringify!($field),
            before.map(|before| Cow::from(before.$field.as_str())),
            Cow::from(after.$field.as_str()),
        );)* };
    }
    macro_rules! optional_time {
        ($($field:ident),*) => { $(compare(
            stringify!($field),
            before.and_then(|before| before.$field).map(|micros| Cow::from(time::rfc3339(micros))),
            after.$field.map(|micros| Cow::from(time::rfc3339(micros))).unwrap_or_default(),
        );)* };
    }
    text!(number, requester, subject, channel);
    let empty = std::collections::BTreeMap::new();
    let old_fields = before.map_or(&empty, |before| &before.fields);
    for id in old_fields.keys().chain(after.fields.keys().filter(|id| !old_fields.contains_key(*id))) {
        let value = |fields: &std::collections::BTreeMap<String, String>| fields.get(id).cloned().unwrap_or_default();
        compare(&format!("{FIELDS}{id}"), Some(Cow::from(value(old_fields))), Cow::from(value(&after.fields)));
    }
    compare("tags", before.map(|before| list(&before.tags)), list(&after.tags));
    compare("cc", before.map(|before| list(&before.cc)), list(&after.cc));
    compare("external_refs", before.map(|before| refs(&before.external_refs)), refs(&after.external_refs));
    text!(priority, status);
    compare("state", before.map(|before| Cow::from(before.state.word())), Cow::from(after.state.word()));
    text!(queue, assignee, solution);
    optional_time!(queue_time, first_reply_time, close_time);
    let nothing = More::default();
    for (field, old, new) in after.more.differences(before.map_or(&nothing, |before| &before.more)) {
        compare(field, Some(old), new);
    }
    found
}

/// The ticket before a change, as filters see it: `after` with the old values put back.
///
/// None when a value cannot be read, which a log written by this code never holds. A field that only a newer version knows is
/// looked at by no filter of this one.
pub fn undo(after: &Ticket, changes: &[FieldChange], previous_update_time: Micros) -> Option<Ticket> {
    let mut ticket = after.clone();
    ticket.update_time = previous_update_time;
    for FieldChange { field, old, new: _ } in changes {
        if let Some(id) = field.strip_prefix(FIELDS) {
            if old.is_empty() {
                ticket.fields.remove(id);
            } else {
                ticket.fields.insert(id.to_owned(), old.clone());
            }
            continue;
        }
        match field.as_str() {
            "number" => ticket.number.clone_from(old),
            "requester" => ticket.requester.clone_from(old),
            "subject" => ticket.subject.clone_from(old),
            "channel" => ticket.channel.clone_from(old),
            "tags" => ticket.tags = list_back(old)?,
            "cc" => ticket.cc = list_back(old)?,
            "external_refs" => ticket.external_refs = refs_back(old)?,
            "priority" => ticket.priority.clone_from(old),
            "status" => ticket.status.clone_from(old),
            "state" => ticket.state = State::from_word(old)?,
            "queue" => ticket.queue.clone_from(old),
            "assignee" => ticket.assignee.clone_from(old),
            "solution" => ticket.solution.clone_from(old),
            "queue_time" => ticket.queue_time = time_from_text(old)?,
            "first_reply_time" => ticket.first_reply_time = time_from_text(old)?,
            "close_time" => ticket.close_time = time_from_text(old)?,
            _ => ticket.more.set(field, old)?,
        }
    }
    Some(ticket)
}

fn list(list: &[String]) -> Cow<'_, str> {
    if list.is_empty() { Cow::from("") } else { Cow::from(serde_json::json!(list).to_string()) }
}

fn list_back(json: &str) -> Option<Vec<String>> {
    if json.is_empty() { Some(Vec::new()) } else { serde_json::from_str(json).ok() }
}

fn refs(refs: &[ExternalRef]) -> Cow<'_, str> {
    if refs.is_empty() {
        return Cow::from("");
    }
    let texts: Vec<_> = refs.iter().map(|reference| [&reference.source, &reference.id]).collect();
    Cow::from(serde_json::json!(texts).to_string())
}

fn refs_back(json: &str) -> Option<Vec<ExternalRef>> {
    if json.is_empty() {
        return Some(Vec::new());
    }
    let pairs: Vec<(String, String)> = serde_json::from_str(json).ok()?;
    Some(pairs.into_iter().map(|(source, id)| ExternalRef { source, id }).collect())
}
