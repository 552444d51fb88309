//! What a transition does besides moving the ticket, in words.

use loket_client::v1::{Assignment, NotificationEffect, NotificationRecipient, QueuePlace, TransitionEffects};

/// An effect, and what it says to people.
pub(crate) struct Effect<'a> {
    pub(crate) does: String,
    pub(crate) message: &'a str,
}

/// In the order in which they come.
pub(crate) fn effects(effects: &TransitionEffects) -> Vec<Effect<'_>> {
    let TransitionEffects {
        fields,
        priority,
        clear_solution,
        assign: _,
        queue,
        route,
        queue_place: _,
        notifications,
        link,
    } = effects;
    let mut does: Vec<_> = fields
        .iter()
        .map(
            |(field, value)| {
                if value.is_empty() { format!("clears {field}") } else { format!("sets {field} to {value}") }
            },
        )
        .collect();
    if !priority.is_empty() {
        does.push(format!("gives it the priority {priority}"));
    }
    if *clear_solution {
        does.push("clears the solution".to_owned());
    }
    match effects.assign() {
        Assignment::Unspecified | Assignment::Keep => {}
        Assignment::Actor => does.push("gives it to who takes it".to_owned()),
        Assignment::Nobody => does.push("gives it to nobody".to_owned()),
    }
    if !queue.is_empty() {
        does.push(format!("puts it into {queue}"));
    }
    if *route {
        does.push("routes it as if it were new".to_owned());
    }
    match effects.queue_place() {
        QueuePlace::Unspecified => {}
        QueuePlace::Keep => does.push("keeps its place".to_owned()),
        QueuePlace::Last => does.push("puts it last in its queue".to_owned()),
    }
    if let Some(link) = link {
        let kind = super::word(link.kind().as_str_name(), "LINK_KIND_");
        does.push(format!("links it, as {kind}, to the ticket that {} names", link.field));
    }
    let mut all: Vec<_> = does.into_iter().map(|does| Effect { does, message: "" }).collect();
    all.extend(
        notifications.iter().map(|told| Effect { does: format!("tells {}", whom(told)), message: &told.message }),
    );
    all
}

fn whom(told: &NotificationEffect) -> String {
    match told.recipient() {
        NotificationRecipient::Unspecified => "nobody".to_owned(),
        NotificationRecipient::Assignee => "whose it is".to_owned(),
        NotificationRecipient::Queue => "who works its queue".to_owned(),
        NotificationRecipient::Requester => "the requester".to_owned(),
        NotificationRecipient::Field => format!("whom {} names", told.field),
    }
}
