//! Tickets and replies as rows, and back.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::StoreError;
use super::schema;
use crate::domain::ticket::ReplyCounts;
use crate::domain::{ExternalRef, More, Reply, ReplyKind, Role, State, Ticket};

/// A ticket without its body, which is written once and read only where it is asked for.
#[derive(Debug, Clone, Insertable, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = schema::tickets, treat_none_as_default_value = false)]
pub struct TicketRow {
    pub helpdesk: String,
    pub ticket: i64,
    pub uid: String,
    pub number: String,
    pub requester: String,
    pub subject: String,
    pub channel: String,
    pub fields: String,
    pub tags: String,
    pub cc: String,
    pub external_refs: String,
    pub priority: String,
    pub status: String,
    pub state: String,
    pub queue: String,
    pub queue_key: String,
    pub assignee: String,
    pub solution: String,
    pub receive_time: i64,
    pub queue_time: Option<i64>,
    pub create_time: i64,
    pub update_time: i64,
    pub first_reply_time: Option<i64>,
    pub close_time: Option<i64>,
    pub revision: i64,
    pub staff_replies: i32,
    pub requester_replies: i32,
    pub service_replies: i32,
    pub notes: i32,
    pub more: String,
}

impl TicketRow {
    pub fn new(helpdesk: &str, ticket: &Ticket) -> Self {
        let Ticket {
            id,
            uid,
            number,
            requester,
            subject,
            body: _,
            channel,
            fields,
            tags,
            cc,
            external_refs,
            priority,
            status,
            state,
            queue,
            queue_key,
            assignee,
            solution,
            receive_time,
            queue_time,
            create_time,
            update_time,
            first_reply_time,
            close_time,
            revision,
            replies,
            more,
        } = ticket;
        Self {
            helpdesk: helpdesk.to_owned(),
            ticket: *id,
            uid: uid.clone(),
            number: number.clone(),
            requester: requester.clone(),
            subject: subject.clone(),
            channel: channel.clone(),
            fields: fields_to_json(fields),
            tags: list_to_json(tags),
            cc: list_to_json(cc),
            external_refs: refs_to_json(external_refs),
            priority: priority.clone(),
            status: status.clone(),
            state: state.word().to_owned(),
            queue: queue.clone(),
            queue_key: queue_key.clone(),
            assignee: assignee.clone(),
            solution: solution.clone(),
            receive_time: *receive_time,
            queue_time: *queue_time,
            create_time: *create_time,
            update_time: *update_time,
            first_reply_time: *first_reply_time,
            close_time: *close_time,
            revision: *revision,
            staff_replies: replies.staff,
            requester_replies: replies.requester,
            service_replies: replies.service,
            notes: replies.notes,
            more: more.to_json(),
        }
    }

    /// The ticket, with the body that was read beside it, if any.
    pub fn into_ticket(self, body: String) -> Result<Ticket, StoreError> {
        let corrupt =
            |what: &str| StoreError::Corrupt(format!("{what} of ticket {} of {}", self.ticket, self.helpdesk));
        Ok(Ticket {
            id: self.ticket,
            fields: if self.fields == "{}" {
                BTreeMap::new()
            } else {
                serde_json::from_str(&self.fields).map_err(|_| corrupt("fields"))?
            },
            tags: list_from_json(&self.tags).ok_or_else(|| corrupt("tags"))?,
            cc: list_from_json(&self.cc).ok_or_else(|| corrupt("cc"))?,
            external_refs: refs_from_json(&self.external_refs).ok_or_else(|| corrupt("external_refs"))?,
            more: More::from_json(&self.more).ok_or_else(|| corrupt("further properties"))?,
            state: State::from_word(&self.state).ok_or_else(|| corrupt("state"))?,
            uid: self.uid,
            number: self.number,
            requester: self.requester,
            subject: self.subject,
            body,
            channel: self.channel,
            priority: self.priority,
            status: self.status,
            queue: self.queue,
            queue_key: self.queue_key,
            assignee: self.assignee,
            solution: self.solution,
            receive_time: self.receive_time,
            queue_time: self.queue_time,
            create_time: self.create_time,
            update_time: self.update_time,
            first_reply_time: self.first_reply_time,
            close_time: self.close_time,
            revision: self.revision,
            replies: ReplyCounts {
                staff: self.staff_replies,
                requester: self.requester_replies,
                service: self.service_replies,
                notes: self.notes,
            },
        })
    }
}

/// A JSON object of texts.
pub fn fields_to_json(fields: &BTreeMap<String, String>) -> String {
    if fields.is_empty() { "{}".to_owned() } else { serde_json::json!(fields).to_string() }
}

/// A JSON array of texts.
pub fn list_to_json(list: &[String]) -> String {
    if list.is_empty() { "[]".to_owned() } else { serde_json::json!(list).to_string() }
}

pub fn list_from_json(json: &str) -> Option<Vec<String>> {
    if json == "[]" { Some(Vec::new()) } else { serde_json::from_str(json).ok() }
}

/// A JSON array of pairs: source and id.
pub fn refs_to_json(refs: &[ExternalRef]) -> String {
    if refs.is_empty() {
        return "[]".to_owned();
    }
    let pairs: Vec<_> = refs.iter().map(|reference| [&reference.source, &reference.id]).collect();
    serde_json::json!(pairs).to_string()
}

pub fn refs_from_json(json: &str) -> Option<Vec<ExternalRef>> {
    if json == "[]" {
        return Some(Vec::new());
    }
    let pairs: Vec<(String, String)> = serde_json::from_str(json).ok()?;
    Some(pairs.into_iter().map(|(source, id)| ExternalRef { source, id }).collect())
}

#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = schema::replies)]
pub struct ReplyRow {
    pub helpdesk: String,
    pub ticket: i64,
    pub reply: i64,
    pub author: String,
    pub author_role: String,
    pub kind: String,
    pub body: String,
    pub solution: String,
    pub create_time: i64,
    pub revision: i64,
    pub canned_response: String,
}

/// The word of notes in the database.
pub const NOTE: &str = "note";
const PUBLIC: &str = "public";

impl ReplyRow {
    pub fn new(helpdesk: &str, reply: &Reply) -> Self {
        let Reply {
            ticket,
            id,
            author,
            author_role,
            kind,
            body,
            solution,
            create_time,
            revision,
            canned_response,
            attachments: _,
        } = reply;
        Self {
            helpdesk: helpdesk.to_owned(),
            ticket: *ticket,
            reply: *id,
            author: author.clone(),
            author_role: author_role.word().to_owned(),
            kind: match kind {
                ReplyKind::Public => PUBLIC,
                ReplyKind::Note => NOTE,
            }
            .to_owned(),
            body: body.clone(),
            solution: solution.clone(),
            create_time: *create_time,
            revision: *revision,
            canned_response: canned_response.clone(),
        }
    }

    /// Without its attachments.
    pub fn into_reply(self) -> Result<Reply, StoreError> {
        let Some(author_role) = Role::from_word(&self.author_role) else {
            return Err(StoreError::Corrupt(format!("role of reply {} of ticket {}", self.reply, self.ticket)));
        };
        Ok(Reply {
            ticket: self.ticket,
            id: self.reply,
            author: self.author,
            author_role,
            kind: if self.kind == NOTE { ReplyKind::Note } else { ReplyKind::Public },
            body: self.body,
            solution: self.solution,
            create_time: self.create_time,
            revision: self.revision,
            attachments: Vec::new(),
            canned_response: self.canned_response,
        })
    }
}
