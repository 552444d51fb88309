//! Tickets and replies as rows, and back.

use std::borrow::Cow;
use std::collections::BTreeMap;

use diesel::prelude::*;

use super::StoreError;
use super::schema;
use crate::domain::ticket::ReplyCounts;
use crate::domain::{ExternalRef, More, Reply, ReplyKind, Role, State, Ticket};

/// A ticket without its body, which is written once and read only where it is asked for.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = schema::tickets)]
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

/// A ticket as it is written; what is text in it is lent by the ticket.
#[derive(Debug, Clone)]
pub struct NewTicketRow<'a> {
    pub helpdesk: &'a str,
    pub ticket: i64,
    pub uid: &'a str,
    pub number: &'a str,
    pub requester: &'a str,
    pub subject: &'a str,
    pub channel: &'a str,
    pub fields: Cow<'static, str>,
    pub tags: Cow<'static, str>,
    pub cc: Cow<'static, str>,
    pub external_refs: Cow<'static, str>,
    pub priority: &'a str,
    pub status: &'a str,
    pub state: &'static str,
    pub queue: &'a str,
    pub queue_key: &'a str,
    pub assignee: &'a str,
    pub solution: &'a str,
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
    /// Which only a new ticket has; for one that is there it goes nowhere.
    pub body: &'a str,
}

impl<'a> NewTicketRow<'a> {
    pub fn new(helpdesk: &'a str, ticket: &'a Ticket, body: &'a str) -> Self {
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
            helpdesk,
            ticket: *id,
            uid,
            number,
            requester,
            subject,
            channel,
            fields: fields_to_json(fields),
            tags: list_to_json(tags),
            cc: list_to_json(cc),
            external_refs: refs_to_json(external_refs),
            priority,
            status,
            state: state.word(),
            queue,
            queue_key,
            assignee,
            solution,
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
            body,
        }
    }

    /// Whether nothing has been done with the ticket yet, nor much been said of it: a third of its columns is empty then.
    pub fn is_fresh(&self) -> bool {
        let lists = [&self.tags, &self.cc, &self.external_refs];
        let texts = [self.assignee, self.solution, &self.more];
        let counts = [self.staff_replies, self.requester_replies, self.service_replies, self.notes];
        lists.into_iter().all(|list| list == "[]")
            && texts.into_iter().all(str::is_empty)
            && counts == [0; 4]
            && self.first_reply_time.is_none()
            && self.close_time.is_none()
    }
}

/// A JSON object of texts.
fn fields_to_json(fields: &BTreeMap<String, String>) -> Cow<'static, str> {
    if fields.is_empty() { "{}".into() } else { serde_json::json!(fields).to_string().into() }
}

/// A JSON array of texts.
pub fn list_to_json(list: &[String]) -> Cow<'static, str> {
    if list.is_empty() { "[]".into() } else { serde_json::json!(list).to_string().into() }
}

pub fn list_from_json(json: &str) -> Option<Vec<String>> {
    if json == "[]" { Some(Vec::new()) } else { serde_json::from_str(json).ok() }
}

/// A JSON array of pairs: source and id.
pub fn refs_to_json(refs: &[ExternalRef]) -> Cow<'static, str> {
    if refs.is_empty() {
        return "[]".into();
    }
    let pairs: Vec<_> = refs.iter().map(|reference| [&reference.source, &reference.id]).collect();
    serde_json::json!(pairs).to_string().into()
}

pub fn refs_from_json(json: &str) -> Option<Vec<ExternalRef>> {
    if json == "[]" {
        return Some(Vec::new());
    }
    let pairs: Vec<(String, String)> = serde_json::from_str(json).ok()?;
    Some(pairs.into_iter().map(|(source, id)| ExternalRef { source, id }).collect())
}

#[derive(Debug, Clone, Insertable, Queryable, Selectable, QueryableByName)]
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
