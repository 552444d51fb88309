//! Tickets, replies and changes as messages of the contract: what the log stores, and what callers read.

mod files;

use std::borrow::Cow;
use std::sync::Arc;

use loket::v1 as proto;
use prost::Message;
use prost_types::{Duration, Timestamp};

use self::files::attachment_from_proto;
pub use self::files::{attachment_to_proto, hash_from_hex, hash_to_hex, upload_to_proto};
use super::StoreError;
use crate::domain::change::{FieldChange, undo};
use crate::domain::definition::Recipient;
use crate::domain::ticket::ReplyCounts;
use crate::domain::time::SECOND;
use crate::domain::upload::{AttachmentTotals, Total};
use crate::domain::{
    Actor, Agent, Attachment, Change, ExternalRef, Feedback, Link, LinkKind, Micros, More, Notification, Reply,
    ReplyKind, Role, Split, SplitFrom, State, Ticket,
};

/// A change as it is in the log.
#[derive(Debug, Clone)]
pub struct EncodedChange {
    pub payload: Vec<u8>,
    /// Where the ticket after it begins, which is the last of it: as staff see it, without its body.
    pub ticket_at: usize,
}

/// The number of `Change.ticket_after`.
const TICKET_AFTER: u32 = 16;

/// Encodes a change for the log. A creation's field changes follow from the ticket itself and are left out.
pub fn encode_change(helpdesk: &str, change: &Change) -> EncodedChange {
    let field_changes = if change.before.is_some() { change.field_changes() } else { Vec::new() };
    let message = change_with(helpdesk, change, field_changes);
    let Some(ticket) = change.after.as_deref() else {
        let payload = message.encode_to_vec();
        return EncodedChange { ticket_at: payload.len(), payload };
    };
    let ticket = ticket_to_proto(helpdesk, ticket, false);
    let length = ticket.encoded_len();
    let head = prost::encoding::key_len(TICKET_AFTER) + prost::length_delimiter_len(length);
    let mut payload = Vec::with_capacity(message.encoded_len() + head + length);
    message.encode_raw(&mut payload);
    prost::encoding::message::encode(TICKET_AFTER, &ticket, &mut payload);
    EncodedChange { ticket_at: payload.len() - length, payload }
}

/// Decodes what [`encode_change`] encoded.
pub fn decode_change(helpdesk: &str, payload: &[u8]) -> Result<Change, StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(format!("{what} in the log of {helpdesk}"));
    let message = proto::Change::decode(payload).map_err(|_| corrupt("a change that does not decode"))?;
    let revision = message.revision;
    change_from_proto(message).ok_or_else(|| corrupt(&format!("an unreadable change at revision {revision}")))
}

/// A change as callers see it, without the ticket after it.
pub fn change_to_proto(helpdesk: &str, change: &Change) -> proto::Change {
    change_with(helpdesk, change, change.field_changes())
}

fn change_with(helpdesk: &str, change: &Change, field_changes: Vec<FieldChange>) -> proto::Change {
    let Change {
        revision,
        ordinal,
        command,
        actor,
        importer,
        commit_time,
        event_time,
        definition_version,
        request_id,
        reply,
        attachments,
        reason,
        transition,
        notifications,
        resource,
        agent,
        waited,
        before,
        after,
    } = change;
    proto::Change {
        revision: *revision,
        ordinal: *ordinal,
        ticket: after.as_ref().map(|ticket| ticket_name(helpdesk, ticket.id)).unwrap_or_default(),
        command: command.to_string(),
        actor: actor.subject.clone(),
        actor_role: role_to_proto(actor.role).into(),
        on_behalf_of: actor.on_behalf_of.clone(),
        commit_time: Some(timestamp(*commit_time)),
        event_time: Some(timestamp(*event_time)),
        definition_version: *definition_version,
        request_id: request_id.clone(),
        field_changes: field_changes
            .into_iter()
            .map(|FieldChange { field, old, new }| proto::FieldChange { field, old_value: old, new_value: new })
            .collect(),
        reply: reply.as_ref().map(|reply| reply_to_proto(helpdesk, reply)),
        reason: reason.clone(),
        transition: transition.clone(),
        ticket_after: None,
        previous_update_time: before.as_ref().map(|ticket| timestamp(ticket.update_time)),
        resource: resource.clone(),
        agent: agent.as_ref().map(|agent| agent_to_proto(helpdesk, agent)),
        wait_duration: (*waited > 0).then(|| duration(*waited)),
        attachments: attachments.iter().map(|attachment| attachment_to_proto(helpdesk, attachment)).collect(),
        notifications: notifications.iter().map(notification_to_proto).collect(),
        importer: importer.clone(),
    }
}

fn notification_to_proto(notification: &Notification) -> proto::Notification {
    let Notification { recipient, address, message } = notification;
    let recipient = match recipient {
        Recipient::Assignee => proto::NotificationRecipient::Assignee,
        Recipient::Queue => proto::NotificationRecipient::Queue,
        Recipient::Requester => proto::NotificationRecipient::Requester,
        Recipient::Field => proto::NotificationRecipient::Field,
    };
    proto::Notification { recipient: recipient.into(), address: address.clone(), message: message.clone() }
}

fn notification_from_proto(message: proto::Notification) -> Option<Notification> {
    let recipient = match message.recipient() {
        proto::NotificationRecipient::Unspecified => return None,
        proto::NotificationRecipient::Assignee => Recipient::Assignee,
        proto::NotificationRecipient::Queue => Recipient::Queue,
        proto::NotificationRecipient::Requester => Recipient::Requester,
        proto::NotificationRecipient::Field => Recipient::Field,
    };
    let proto::Notification { recipient: _, address, message } = message;
    Some(Notification { recipient, address, message })
}

fn change_from_proto(message: proto::Change) -> Option<Change> {
    let actor_role = role_from_proto(message.actor_role())?;
    let proto::Change {
        revision,
        ordinal,
        ticket: _,
        command,
        actor,
        actor_role: _,
        on_behalf_of,
        commit_time,
        event_time,
        definition_version,
        request_id,
        field_changes,
        reply,
        reason,
        transition,
        ticket_after,
        previous_update_time,
        resource,
        agent,
        wait_duration,
        attachments,
        notifications,
        importer,
    } = message;
    let after = match ticket_after {
        Some(ticket) => Some(ticket_from_proto(ticket)?),
        None => None,
    };
    let before = match (&after, previous_update_time) {
        (Some(after), Some(time)) => {
            let changes: Vec<_> = field_changes
                .into_iter()
                .map(|change| FieldChange { field: change.field, old: change.old_value, new: change.new_value })
                .collect();
            Some(undo(after, &changes, micros(&time))?)
        }
        _ => None,
    };
    let reply = match reply {
        Some(reply) => Some(reply_from_proto(reply)?),
        None => None,
    };
    let agent = match agent {
        Some(agent) => Some(agent_from_proto(agent)?),
        None => None,
    };
    Some(Change {
        revision,
        ordinal,
        command: Cow::Owned(command),
        actor: Actor { subject: actor, role: actor_role, on_behalf_of },
        importer,
        commit_time: micros(&commit_time?),
        event_time: micros(&event_time?),
        definition_version,
        request_id,
        reply,
        attachments: attachments_from_proto(attachments, false)?,
        reason,
        transition,
        notifications: notifications.into_iter().map(notification_from_proto).collect::<Option<_>>()?,
        resource,
        agent,
        waited: wait_duration.as_ref().map_or(0, duration_micros),
        before: before.map(Arc::new),
        after: after.map(Arc::new),
    })
}

/// A ticket as staff see it.
pub fn ticket_to_proto(helpdesk: &str, ticket: &Ticket, with_body: bool) -> proto::Ticket {
    let Ticket {
        id,
        uid,
        number,
        requester,
        subject,
        body,
        channel,
        fields,
        tags,
        cc,
        external_refs,
        priority,
        status,
        state,
        queue,
        queue_key: _,
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
    proto::Ticket {
        name: ticket_name(helpdesk, *id),
        uid: uid.clone(),
        number: number.clone(),
        requester: requester.clone(),
        subject: subject.clone(),
        body: if with_body { body.clone() } else { String::new() },
        channel: channel.clone(),
        fields: fields.clone(),
        tags: tags.clone(),
        cc: cc.clone(),
        external_refs: external_refs
            .iter()
            .map(|reference| proto::ExternalRef { source: reference.source.clone(), id: reference.id.clone() })
            .collect(),
        priority: priority.clone(),
        status: status.clone(),
        state: state_to_proto(*state).into(),
        queue: queue.clone(),
        assignee: assignee.clone(),
        solution: solution.clone(),
        receive_time: Some(timestamp(*receive_time)),
        queue_time: queue_time.map(timestamp),
        create_time: Some(timestamp(*create_time)),
        update_time: Some(timestamp(*update_time)),
        first_reply_time: first_reply_time.map(timestamp),
        close_time: close_time.map(timestamp),
        revision: *revision,
        etag: ticket.etag(),
        reply_count: replies.all(),
        note_count: replies.notes,
        links: more.links.iter().map(|link| link_to_proto(helpdesk, link)).collect(),
        read_time: more.read_time.map(timestamp),
        splits: more.splits.iter().map(|split| split_to_proto(helpdesk, *id, split)).collect(),
        tickets_ahead: None,
        hand_placed: more.hand_placed,
        attachment_count: more.attachments.all().count,
        attachment_bytes: more.attachments.all().bytes,
        note_attachment_count: more.attachments.notes.count,
        note_attachment_bytes: more.attachments.notes.bytes,
        feedback: more.feedback.as_ref().map(feedback_to_proto),
        merged_into: more.merged_into.map(|ticket| ticket_name(helpdesk, ticket)).unwrap_or_default(),
        split_from: more.split_from.as_ref().map(|from| split_from_names(helpdesk, from)).unwrap_or_default(),
    }
}

/// Only for tickets of the log: without counts by author, what is kept for guards, queue key and body.
fn ticket_from_proto(message: proto::Ticket) -> Option<Ticket> {
    let state = state_from_proto(message.state())?;
    let id = last_id(&message.name)?;
    Some(Ticket {
        id,
        uid: message.uid,
        number: message.number,
        requester: message.requester,
        subject: message.subject,
        body: message.body,
        channel: message.channel,
        fields: message.fields,
        tags: message.tags,
        cc: message.cc,
        external_refs: message
            .external_refs
            .into_iter()
            .map(|reference| ExternalRef { source: reference.source, id: reference.id })
            .collect(),
        priority: message.priority,
        status: message.status,
        state,
        queue: message.queue,
        queue_key: String::new(),
        assignee: message.assignee,
        solution: message.solution,
        receive_time: micros(&message.receive_time?),
        queue_time: message.queue_time.as_ref().map(micros),
        create_time: micros(&message.create_time?),
        update_time: micros(&message.update_time?),
        first_reply_time: message.first_reply_time.as_ref().map(micros),
        close_time: message.close_time.as_ref().map(micros),
        revision: message.revision,
        replies: ReplyCounts {
            staff: message.reply_count - message.note_count,
            requester: 0,
            service: 0,
            notes: message.note_count,
        },
        more: More {
            links: message.links.iter().map(link_from_proto).collect::<Option<_>>()?,
            read_time: message.read_time.as_ref().map(micros),
            splits: message.splits.iter().map(split_from_proto).collect::<Option<_>>()?,
            hand_placed: message.hand_placed,
            attachments: AttachmentTotals {
                public: Total {
                    count: message.attachment_count - message.note_attachment_count,
                    bytes: message.attachment_bytes - message.note_attachment_bytes,
                },
                notes: Total { count: message.note_attachment_count, bytes: message.note_attachment_bytes },
            },
            feedback: match message.feedback {
                Some(feedback) => Some(feedback_from_proto(feedback)?),
                None => None,
            },
            merged_into: if message.merged_into.is_empty() { None } else { Some(last_id(&message.merged_into)?) },
            split_from: split_from_of_names(&message.split_from)?,
            // Conditions look at tickets, not at the log.
            ..More::default()
        },
    })
}

fn link_to_proto(helpdesk: &str, link: &Link) -> proto::TicketLink {
    let Link { kind, ticket, same_requester } = link;
    proto::TicketLink {
        ticket: ticket_name(helpdesk, *ticket),
        kind: link_kind_to_proto(*kind).into(),
        same_requester: *same_requester,
    }
}

fn link_from_proto(message: &proto::TicketLink) -> Option<Link> {
    Some(Link {
        kind: link_kind_from_proto(message.kind())?,
        ticket: last_id(&message.ticket)?,
        same_requester: message.same_requester,
    })
}

fn split_to_proto(helpdesk: &str, ticket: i64, split: &Split) -> proto::TicketSplit {
    proto::TicketSplit { reply: reply_name(helpdesk, ticket, split.reply), ticket: ticket_name(helpdesk, split.ticket) }
}

fn split_from_proto(message: &proto::TicketSplit) -> Option<Split> {
    Some(Split { reply: last_id(&message.reply)?, ticket: last_id(&message.ticket)? })
}

fn split_from_names(helpdesk: &str, from: &SplitFrom) -> Vec<String> {
    from.replies.iter().map(|reply| reply_name(helpdesk, from.ticket, *reply)).collect()
}

/// The outer None is a name that cannot be read.
#[allow(clippy::option_option)]
fn split_from_of_names(names: &[String]) -> Option<Option<SplitFrom>> {
    let Some(first) = names.first() else { return Some(None) };
    let (ticket, _) = first.rsplit_once("/replies/")?;
    let replies = names.iter().map(|name| last_id(name)).collect::<Option<_>>()?;
    Some(Some(SplitFrom { ticket: last_id(ticket)?, replies }))
}

pub fn feedback_to_proto(feedback: &Feedback) -> proto::Feedback {
    let Feedback { rating, comment, submit_time, close_time, via_link } = feedback;
    proto::Feedback {
        rating: *rating,
        comment: comment.clone(),
        submit_time: Some(timestamp(*submit_time)),
        close_time: Some(timestamp(*close_time)),
        via_link: *via_link,
    }
}

fn feedback_from_proto(message: proto::Feedback) -> Option<Feedback> {
    let proto::Feedback { rating, comment, submit_time, close_time, via_link } = message;
    Some(Feedback { rating, comment, submit_time: micros(&submit_time?), close_time: micros(&close_time?), via_link })
}

pub fn reply_to_proto(helpdesk: &str, reply: &Reply) -> proto::Reply {
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
        attachments,
    } = reply;
    proto::Reply {
        name: reply_name(helpdesk, *ticket, *id),
        author: author.clone(),
        author_role: role_to_proto(*author_role).into(),
        kind: match kind {
            ReplyKind::Public => proto::ReplyKind::Public,
            ReplyKind::Note => proto::ReplyKind::Note,
        }
        .into(),
        body: body.clone(),
        solution: solution.clone(),
        create_time: Some(timestamp(*create_time)),
        revision: *revision,
        warning: String::new(),
        attachments: attachments.iter().map(|attachment| attachment_to_proto(helpdesk, attachment)).collect(),
        canned_response: canned_response.clone(),
        claimed_ticket: String::new(),
        claimed_number: String::new(),
    }
}

fn reply_from_proto(message: proto::Reply) -> Option<Reply> {
    let is_note = message.kind() == proto::ReplyKind::Note;
    let (ticket, id) = message.name.rsplit_once("/replies/")?;
    Some(Reply {
        ticket: last_id(ticket)?,
        id: id.parse().ok()?,
        author_role: role_from_proto(message.author_role())?,
        kind: match message.kind() {
            proto::ReplyKind::Note => ReplyKind::Note,
            proto::ReplyKind::Public | proto::ReplyKind::Unspecified => ReplyKind::Public,
        },
        author: message.author,
        body: message.body,
        solution: message.solution,
        create_time: micros(&message.create_time?),
        revision: message.revision,
        attachments: attachments_from_proto(message.attachments, is_note)?,
        canned_response: message.canned_response,
    })
}

/// The resource name of a reply.
fn reply_name(helpdesk: &str, ticket: i64, id: i64) -> String {
    format!("{}/replies/{id}", ticket_name(helpdesk, ticket))
}

pub fn agent_to_proto(helpdesk: &str, agent: &Agent) -> proto::Agent {
    let Agent { id, subject, display_name, queues, skills, active, create_time, update_time, revision } = agent;
    proto::Agent {
        name: format!("helpdesks/{helpdesk}/agents/{id}"),
        subject: subject.clone(),
        display_name: display_name.clone(),
        queues: queues.clone(),
        skills: skills.clone(),
        active: *active,
        create_time: Some(timestamp(*create_time)),
        update_time: Some(timestamp(*update_time)),
        revision: *revision,
        etag: agent.etag(),
    }
}

fn agent_from_proto(message: proto::Agent) -> Option<Agent> {
    let (_, id) = message.name.rsplit_once('/')?;
    Some(Agent {
        id: id.to_owned(),
        subject: message.subject,
        display_name: message.display_name,
        queues: message.queues,
        skills: message.skills,
        active: message.active,
        create_time: micros(&message.create_time?),
        update_time: micros(&message.update_time?),
        revision: message.revision,
    })
}

fn attachments_from_proto(messages: Vec<proto::Attachment>, note: bool) -> Option<Vec<Attachment>> {
    messages.into_iter().map(|message| attachment_from_proto(message, note)).collect()
}

/// The resource name of a ticket.
pub fn ticket_name(helpdesk: &str, id: i64) -> String {
    format!("helpdesks/{helpdesk}/tickets/{id}")
}

/// The last segment of a name, of a ticket or of a reply.
fn last_id(name: &str) -> Option<i64> {
    name.rsplit_once('/')?.1.parse().ok()
}

pub fn timestamp(micros: Micros) -> Timestamp {
    Timestamp {
        seconds: micros.div_euclid(SECOND),
        nanos: i32::try_from(micros.rem_euclid(SECOND) * 1000).unwrap_or_default(),
    }
}

fn duration(micros: Micros) -> Duration {
    Duration { seconds: micros / SECOND, nanos: i32::try_from(micros % SECOND * 1000).unwrap_or_default() }
}

fn duration_micros(duration: &Duration) -> Micros {
    duration.seconds * SECOND + Micros::from(duration.nanos) / 1000
}

pub fn micros(time: &Timestamp) -> Micros {
    time.seconds * SECOND + Micros::from(time.nanos) / 1000
}

pub fn state_to_proto(state: State) -> proto::State {
    match state {
        State::New => proto::State::New,
        State::Active => proto::State::Active,
        State::Waiting => proto::State::Waiting,
        State::Solved => proto::State::Solved,
        State::Closed => proto::State::Closed,
    }
}

/// None when it is unspecified.
pub fn state_from_proto(state: proto::State) -> Option<State> {
    match state {
        proto::State::Unspecified => None,
        proto::State::New => Some(State::New),
        proto::State::Active => Some(State::Active),
        proto::State::Waiting => Some(State::Waiting),
        proto::State::Solved => Some(State::Solved),
        proto::State::Closed => Some(State::Closed),
    }
}

pub fn link_kind_to_proto(kind: LinkKind) -> proto::LinkKind {
    match kind {
        LinkKind::Parent => proto::LinkKind::Parent,
        LinkKind::Child => proto::LinkKind::Child,
        LinkKind::Original => proto::LinkKind::Original,
        LinkKind::Duplicate => proto::LinkKind::Duplicate,
        LinkKind::Related => proto::LinkKind::Related,
    }
}

/// None when it is unspecified.
pub fn link_kind_from_proto(kind: proto::LinkKind) -> Option<LinkKind> {
    match kind {
        proto::LinkKind::Unspecified => None,
        proto::LinkKind::Parent => Some(LinkKind::Parent),
        proto::LinkKind::Child => Some(LinkKind::Child),
        proto::LinkKind::Original => Some(LinkKind::Original),
        proto::LinkKind::Duplicate => Some(LinkKind::Duplicate),
        proto::LinkKind::Related => Some(LinkKind::Related),
    }
}

pub fn role_to_proto(role: Role) -> proto::Role {
    match role {
        Role::Requester => proto::Role::Requester,
        Role::Agent => proto::Role::Agent,
        Role::Supervisor => proto::Role::Supervisor,
        Role::Service => proto::Role::Service,
        Role::Admin => proto::Role::Admin,
    }
}

/// None when it is unspecified.
pub fn role_from_proto(role: proto::Role) -> Option<Role> {
    match role {
        proto::Role::Unspecified => None,
        proto::Role::Requester => Some(Role::Requester),
        proto::Role::Agent => Some(Role::Agent),
        proto::Role::Supervisor => Some(Role::Supervisor),
        proto::Role::Service => Some(Role::Service),
        proto::Role::Admin => Some(Role::Admin),
    }
}
