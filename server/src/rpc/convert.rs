//! From the domain to messages, as the caller may see them; and back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use loket::v1 as proto;

use crate::domain::change::FIELDS;
use crate::domain::context::DefinitionVersion;
use crate::domain::definition::{Condition, Definition, GuardRule};
use crate::domain::{
    AccessKey, Actor, Attachment, Change, ExternalRef, More, Reply, ReplyKind, Requester, Role, Ticket, Violation,
};
use crate::store::definition_payload;
use crate::store::payload::{self, timestamp};

/// What a caller may see. Staff see everything; requesters their own tickets, without notes and staff-only fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    Staff,
    Requester {
        subject: String,
        /// The ids of the fields that are not for the staff only. What the definition does not know any more is not
        /// shown: nobody can tell for whom it was.
        shown: BTreeSet<String>,
    },
}

impl Sight {
    pub(super) fn new(actor: &Actor, rules: &Definition) -> Self {
        if actor.role.is_staff() {
            return Self::Staff;
        }
        let shown = rules.fields().iter().filter(|field| !field.staff_only).map(|field| field.id.clone());
        Self::Requester { subject: actor.subject.clone(), shown: shown.collect() }
    }

    pub(super) fn sees(&self, ticket: &Ticket) -> bool {
        match self {
            Self::Staff => true,
            Self::Requester { subject, .. } => ticket.requester == *subject,
        }
    }

    /// Of a ticket that it sees.
    pub(super) fn sees_attachment(&self, attachment: &Attachment) -> bool {
        match self {
            Self::Staff => true,
            Self::Requester { .. } => !attachment.note,
        }
    }

    pub(super) fn ticket(&self, helpdesk: &str, ticket: &Ticket, with_body: bool) -> proto::Ticket {
        let mut message = payload::ticket_to_proto(helpdesk, ticket, with_body);
        if let Self::Requester { shown, .. } = self {
            message.fields.retain(|field, _| shown.contains(field));
            message.reply_count = ticket.replies.public();
            message.note_count = 0;
            message.links.retain(|link| link.same_requester);
            if ticket.more.own_merged_into().is_none() {
                message.merged_into.clear();
            }
            let files = ticket.more.attachments.public;
            (message.attachment_count, message.attachment_bytes) = (files.count, files.bytes);
            (message.note_attachment_count, message.note_attachment_bytes) = (0, 0);
        }
        message
    }

    /// A change without the ticket after it; None when the caller sees nothing of it.
    pub(super) fn change(&self, helpdesk: &str, change: &Change) -> Option<proto::Change> {
        let mut message = payload::change_to_proto(helpdesk, change);
        let Self::Requester { shown, .. } = self else { return Some(message) };
        if change.reply.as_ref().is_some_and(|reply| reply.kind == ReplyKind::Note) {
            // Nothing tells that there is one, not even which command changed the ticket with it.
            message.reply = None;
            message.command.clear();
            message.transition.clear();
        }
        if change.command == "CreateReply" && change.reply.is_none() && is_link(&message) {
            // Another ticket's reply made it, maybe a note.
            message.command.clear();
        }
        message
            .field_changes
            .retain(|change| change.field.strip_prefix(FIELDS).is_none_or(|field| shown.contains(field)));
        without_others(&mut message, change);
        without_note_files(&mut message, change);
        message.request_id.clear();
        if !message.importer.is_empty() {
            // For whom it was imported is no part of the case.
            message.importer.clear();
            message.on_behalf_of.clear();
        }
        message.notifications.clear();
        message.wait_duration = None;
        if change.actor.role.is_staff() {
            message.reason.clear();
        }
        let nothing_left = change.before.is_some() && message.field_changes.is_empty() && message.reply.is_none();
        (!nothing_left).then_some(message)
    }
}

/// Whether a change says of a ticket that it is linked, and nothing else but what every change of a ticket brings with it.
fn is_link(message: &proto::Change) -> bool {
    message.field_changes.iter().all(|change| matches!(change.field.as_str(), "links" | "cc"))
}

/// Tells of the links to the requester's own tickets, as if there were no others.
fn without_others(message: &mut proto::Change, change: &Change) {
    let text = |ticket: &Option<Arc<Ticket>>, of: fn(&More) -> String| {
        ticket.as_deref().map(|ticket| of(&ticket.more)).unwrap_or_default()
    };
    message.field_changes.retain_mut(|told| {
        let of = match told.field.as_str() {
            "links" => More::own_links_text,
            "merged_into" => More::own_merged_into_text,
            _ => return true,
        };
        (told.old_value, told.new_value) = (text(&change.before, of), text(&change.after, of));
        told.old_value != told.new_value
    });
}

/// Tells of the files that the requester sees, as if there were no others.
fn without_note_files(message: &mut proto::Change, change: &Change) {
    let files =
        |ticket: &Option<Arc<Ticket>>| ticket.as_ref().map(|ticket| ticket.more.attachments.public).unwrap_or_default();
    let (old, new) = (files(&change.before), files(&change.after));
    let text = |number: i64| if number == 0 { String::new() } else { number.to_string() };
    message.field_changes.retain_mut(|change| {
        let (old, new) = match change.field.as_str() {
            "note_attachment_count" | "note_attachment_bytes" => return false,
            "attachment_count" => (old.count.into(), new.count.into()),
            "attachment_bytes" => (old.bytes, new.bytes),
            _ => return true,
        };
        (change.old_value, change.new_value) = (text(old), text(new));
        old != new
    });
}

pub(super) fn reply(helpdesk: &str, reply: &Reply, warning: String) -> proto::Reply {
    proto::Reply { warning, ..payload::reply_to_proto(helpdesk, reply) }
}

/// What an empty reply was that claimed a ticket.
pub(super) fn claim(helpdesk: &str, ticket: &Ticket, actor: &Actor) -> proto::Reply {
    proto::Reply {
        author: actor.subject.clone(),
        author_role: payload::role_to_proto(actor.role).into(),
        revision: ticket.revision,
        claimed_ticket: payload::ticket_name(helpdesk, ticket.id),
        claimed_number: ticket.number.clone(),
        ..proto::Reply::default()
    }
}

pub(super) fn external_refs(refs: Vec<proto::ExternalRef>) -> Vec<ExternalRef> {
    refs.into_iter().map(|proto::ExternalRef { source, id }| ExternalRef { source, id }).collect()
}

/// A helpdesk as somebody with the role may see it: to requesters nothing tells that there are fields for the staff only.
pub(super) fn helpdesk(id: &str, version: &Arc<DefinitionVersion>, role: Role) -> proto::Helpdesk {
    let DefinitionVersion { version: number, definition, revision, create_time, update_time } = &**version;
    let mut message = definition_payload::spec_to_proto(definition.spec());
    if !role.is_staff() {
        without_staffs(&mut message, definition);
    }
    proto::Helpdesk {
        name: format!("helpdesks/{id}"),
        definition_version: *number,
        revision: *revision,
        etag: version.etag(),
        create_time: Some(timestamp(*create_time)),
        update_time: Some(timestamp(*update_time)),
        contradictions: if role.is_staff() { contradictions(definition) } else { Vec::new() },
        ..message
    }
}

fn contradictions(definition: &Definition) -> Vec<proto::DefinitionContradiction> {
    let contradictions = definition.contradictions().iter().cloned();
    contradictions
        .map(|Violation { field, description }| proto::DefinitionContradiction { field, description })
        .collect()
}

/// Takes out the staff-only fields, the expressions that name one, and the texts that the staff reply with.
fn without_staffs(message: &mut proto::Helpdesk, rules: &Definition) {
    let is_staffs = |id: &str| rules.field(id).is_some_and(|field| field.staff_only);
    let tells = |condition: &Condition| condition.paths().filter_map(|path| path.strip_prefix(FIELDS)).any(is_staffs);
    // Who meets a rule is told its message where it refuses; to others nothing tells that there is one.
    let hide = |guards: &mut Vec<proto::Guard>, checked: &[GuardRule], is_met: bool| {
        let mut rules = checked.iter();
        guards.retain_mut(|guard| {
            let is_hidden = rules.next().is_some_and(|rule| tells(&rule.condition));
            if is_hidden {
                guard.expression.clear();
            }
            is_met || !is_hidden
        });
    };
    for (transition, checked) in message.transitions.iter_mut().zip(rules.transitions()) {
        hide(&mut transition.guards, &checked.guards, checked.permits(Role::Requester));
        if let Some(effects) = &mut transition.effects {
            effects.notifications.clear();
            effects.fields.retain(|field, _| !is_staffs(field));
            effects.link.take_if(|link| is_staffs(&link.field));
        }
        // Others without any have none, and nothing tells that these had.
        transition.effects.take_if(|effects| definition_payload::has_no_effect(effects));
    }
    for (rule, checked) in message.reply_rules.iter_mut().zip(rules.reply_rules()) {
        if tells(&checked.condition) {
            rule.expression.clear();
        }
    }
    for (escalation, checked) in message.escalations.iter_mut().zip(rules.escalations()) {
        hide(&mut escalation.guards, &checked.guards, false);
    }
    for queue in &mut message.queues {
        if is_staffs(&queue.skill_field) {
            queue.skill_field.clear();
        }
    }
    for (field, checked) in message.fields.iter_mut().zip(rules.fields()) {
        if checked.required_when.as_ref().is_some_and(tells) {
            field.required_when.clear();
        }
        if checked.set_when.as_ref().is_some_and(tells) {
            field.set_when.clear();
        }
    }
    let mut routing = rules.routing().iter();
    message.routing.retain(|_| !routing.next().and_then(|rule| rule.when.as_ref()).is_some_and(tells));
    message.fields.retain(|field| !is_staffs(&field.id));
    message.canned_responses.clear();
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

pub(super) fn requester_name(helpdesk: &str, id: &str) -> String {
    format!("helpdesks/{helpdesk}/requesters/{id}")
}

/// A requester as callers see it; the code is there once, when it is made.
pub(super) fn requester(helpdesk: &str, requester: &Requester, code: String) -> proto::Requester {
    let Requester { id, email, display_name, create_time, verify_time, code: kept, revision } = requester;
    proto::Requester {
        name: requester_name(helpdesk, id),
        email: email.clone(),
        display_name: display_name.clone(),
        create_time: Some(timestamp(*create_time)),
        verify_time: verify_time.map(timestamp),
        code,
        code_expire_time: kept.as_ref().filter(|code| code.tries_left > 0).map(|code| timestamp(code.expire_time)),
        code_tries_left: kept.as_ref().map_or(0, |code| code.tries_left),
        revision: *revision,
    }
}

/// The role of a message; None when it is not given or not known.
pub(super) fn role(role: i32) -> Option<Role> {
    proto::Role::try_from(role).ok().and_then(payload::role_from_proto)
}

/// A span of time that is not negative; None for all else, such as nanoseconds that are a second or more.
pub(super) fn duration(given: prost_types::Duration) -> Option<Duration> {
    let nanos = u32::try_from(given.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(given.seconds).ok()?, nanos))
}

/// As it was given, whatever that is.
pub(super) fn shown_duration(given: prost_types::Duration) -> String {
    let prost_types::Duration { seconds, nanos } = given;
    if nanos == 0 { format!("{seconds} s") } else { format!("{seconds} s and {nanos} ns") }
}
