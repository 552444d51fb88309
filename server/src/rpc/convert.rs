//! From the domain to messages, as the caller may see them; and back.

use std::sync::Arc;

use loket::v1 as proto;

use crate::domain::change::FIELDS;
use crate::domain::context::DefinitionVersion;
use crate::domain::definition::Definition;
use crate::domain::{AccessKey, Actor, Change, ExternalRef, Reply, ReplyKind, Role, Ticket};
use crate::store::payload::{self, timestamp};

/// What a caller may see. Staff see everything; requesters their own tickets, without notes and staff-only fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    Staff,
    Requester {
        subject: String,
        /// The ids of the fields that are for the staff only.
        hidden: Vec<String>,
    },
}

impl Sight {
    pub(super) fn new(actor: &Actor, rules: &Definition) -> Self {
        if actor.role.is_staff() {
            return Self::Staff;
        }
        let hidden = rules.fields().iter().filter(|field| field.staff_only).map(|field| field.id.clone());
        Self::Requester { subject: actor.subject.clone(), hidden: hidden.collect() }
    }

    pub(super) fn sees(&self, ticket: &Ticket) -> bool {
        match self {
            Self::Staff => true,
            Self::Requester { subject, .. } => ticket.requester == *subject,
        }
    }

    pub(super) fn ticket(&self, helpdesk: &str, ticket: &Ticket, with_body: bool) -> proto::Ticket {
        let mut message = payload::ticket_to_proto(helpdesk, ticket, with_body);
        if let Self::Requester { hidden, .. } = self {
            for field in hidden {
                message.fields.remove(field);
            }
            message.reply_count = ticket.replies.public();
            message.note_count = 0;
        }
        message
    }

    /// A change without the ticket after it; None when the caller sees nothing of it.
    pub(super) fn change(&self, helpdesk: &str, change: &Change) -> Option<proto::Change> {
        let mut message = payload::change_to_proto(helpdesk, change);
        let Self::Requester { hidden, .. } = self else { return Some(message) };
        if change.reply.as_ref().is_some_and(|reply| reply.kind == ReplyKind::Note) {
            message.reply = None;
        }
        message.field_changes.retain(|change| {
            change.field.strip_prefix(FIELDS).is_none_or(|field| !hidden.iter().any(|hidden| hidden == field))
        });
        message.request_id.clear();
        if change.command == "TransitionTicket" {
            // Its comment is for the staff.
            message.reason.clear();
        }
        let nothing_left = change.before.is_some() && message.field_changes.is_empty() && message.reply.is_none();
        (!nothing_left).then_some(message)
    }
}

pub(super) fn reply(helpdesk: &str, reply: &Reply, warning: String) -> proto::Reply {
    proto::Reply { warning, ..payload::reply_to_proto(helpdesk, reply) }
}

pub(super) fn external_refs(refs: Vec<proto::ExternalRef>) -> Vec<ExternalRef> {
    refs.into_iter().map(|proto::ExternalRef { source, id }| ExternalRef { source, id }).collect()
}

pub(super) fn helpdesk(id: &str, version: &Arc<DefinitionVersion>) -> proto::Helpdesk {
    let DefinitionVersion { version: number, definition, revision, create_time, update_time } = &**version;
    proto::Helpdesk {
        name: format!("helpdesks/{id}"),
        definition_version: *number,
        revision: *revision,
        etag: version.etag(),
        create_time: Some(timestamp(*create_time)),
        update_time: Some(timestamp(*update_time)),
        ..crate::store::definition_payload::spec_to_proto(definition.spec())
    }
}

/// A key as callers see it; the secret is there once, when it is made.
pub(super) fn access_key(key: &AccessKey, secret: String) -> proto::AccessKey {
    let AccessKey { id, hash: _, role, subject, helpdesks, display_name, create_time, revoke_time, revision } = key;
    proto::AccessKey {
        name: format!("accessKeys/{id}"),
        role: payload::role_to_proto(*role).into(),
        subject: subject.clone(),
        helpdesks: helpdesks.iter().map(|id| format!("helpdesks/{id}")).collect(),
        display_name: display_name.clone(),
        secret,
        create_time: Some(timestamp(*create_time)),
        revoke_time: revoke_time.map(timestamp),
        revision: *revision,
    }
}

/// The role of a message; None when it is not given or not known.
pub(super) fn role(role: i32) -> Option<Role> {
    proto::Role::try_from(role).ok().and_then(payload::role_from_proto)
}
