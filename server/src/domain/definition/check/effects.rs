//! Effects: that what they name exists, that values fit, and that none undoes another.

use std::collections::HashMap;

use super::names::Known;
use super::report::Report;
use crate::domain::Role;
use crate::domain::definition::spec::{Assignment, EffectsSpec, NotificationSpec, Recipient, TransitionSpec, Trigger};
use crate::domain::definition::{Condition, DefinitionSpec, Effects, Field, FieldType, Notice, Transition};

/// Fills the effects of transitions that were read before.
pub(super) fn read(
    spec: &DefinitionSpec,
    known: &Known<'_>,
    fields: &[Field],
    transitions: &mut [Transition],
    report: &mut Report,
) {
    let fields: HashMap<&str, &Field> = fields.iter().map(|field| (field.id.as_str(), field)).collect();
    for (place, (written, transition)) in spec.transitions.iter().zip(transitions).enumerate() {
        if written.effects == EffectsSpec::default() {
            continue;
        }
        let path = format!("transitions[{place}].effects");
        check_assignment(&path, written, &transition.roles, report);
        transition.effects = read_one(&path, &written.effects, known, &fields, report);
    }
}

fn read_one(
    path: &str,
    spec: &EffectsSpec,
    known: &Known<'_>,
    fields: &HashMap<&str, &Field>,
    report: &mut Report,
) -> Effects {
    let EffectsSpec {
        fields: values,
        priority,
        clear_solution,
        assign,
        queue,
        route,
        queue_place,
        notifications,
        link,
    } = spec;
    if !priority.is_empty() {
        known.priorities.find_open(format!("{path}.priority"), priority, report);
    }
    if !queue.is_empty() {
        known.queues.find_open(format!("{path}.queue"), queue, report);
        if *route {
            let wrong = format!("puts it into `{queue}`, and `route` where the rules lead: leave one out");
            report.add(format!("{path}.queue"), wrong);
        }
    }
    let mut kept = Vec::with_capacity(values.len());
    for (id, value) in values {
        kept.extend(read_value(&format!("{path}.fields.{id}"), id, value, known, fields, report));
    }
    if let Some(link) = link {
        check_link(&format!("{path}.link.field"), &link.field, known, report);
    }
    let numbered = notifications.iter().enumerate();
    let notifications =
        numbered.map(|(place, notice)| read_notice(&format!("{path}.notifications[{place}]"), notice, known, report));
    Effects {
        fields: kept,
        priority: priority.clone(),
        clear_solution: *clear_solution,
        assign: *assign,
        queue: queue.clone(),
        route: *route,
        queue_place: *queue_place,
        notifications: notifications.collect(),
        link: link.clone(),
    }
}

/// The names of tickets are texts.
fn check_link(path: &str, field: &str, known: &Known<'_>, report: &mut Report) {
    match known.types.get(field) {
        Some(FieldType::Text) => {}
        Some(_) => report.add(
            path,
            format!("the field `{field}` holds no text, as the name of a ticket is: name a field with FIELD_TYPE_TEXT"),
        ),
        None => known.fields.find(path, field, report),
    }
}

/// A value in the form in which it is kept.
fn read_value(
    path: &str,
    id: &str,
    value: &str,
    known: &Known<'_>,
    fields: &HashMap<&str, &Field>,
    report: &mut Report,
) -> Option<(String, String)> {
    let Some(field) = fields.get(id) else {
        known.fields.find(path, id, report);
        return None;
    };
    let always_required = field.required_when.as_ref().is_some_and(Condition::always_holds);
    if value.is_empty() && always_required {
        let wrong = "is emptied here and always required, so that the transition is never possible: leave it out";
        report.contradiction(path, wrong);
    }
    match field.admits(value) {
        Ok(kept) if field.field_type == FieldType::Agent && !kept.is_empty() => {
            report.add(path, "names an agent, who may leave: leave it out, or empty it");
            None
        }
        Ok(kept) => Some((id.to_owned(), kept)),
        Err(wrong) => {
            report.add(path, wrong);
            None
        }
    }
}

fn read_notice(path: &str, spec: &NotificationSpec, known: &Known<'_>, report: &mut Report) -> Notice {
    let NotificationSpec { recipient, field, message } = spec;
    let message_path = format!("{path}.message");
    report.message(&message_path, message);
    if message.trim().is_empty() {
        report.add(message_path, "is required: say what there is to know");
    }
    let field_path = format!("{path}.field");
    match recipient {
        Recipient::Field => known.fields.find(field_path, field, report),
        Recipient::Assignee | Recipient::Queue | Recipient::Requester if !field.is_empty() => {
            report.add(field_path, "names whom to tell only with NOTIFICATION_RECIPIENT_FIELD: leave it out");
        }
        Recipient::Assignee | Recipient::Queue | Recipient::Requester => {}
    }
    Notice { recipient: *recipient, field: field.clone(), message: message.clone() }
}

/// A claim assigns by itself, and a requester has no tickets.
fn check_assignment(path: &str, spec: &TransitionSpec, roles: &[Role], report: &mut Report) {
    let path = format!("{path}.assign");
    match spec.effects.assign {
        Assignment::Actor | Assignment::Nobody if spec.trigger == Trigger::Claim => {
            report.add(path, "contradicts the claim, which gives the ticket to who claims it: leave it out");
        }
        Assignment::Actor if roles.contains(&Role::Requester) => {
            let wrong = "gives the ticket to who takes the transition, and a requester may take it";
            report.add(path, format!("{wrong}: leave the role out, or write ASSIGNMENT_NOBODY or ASSIGNMENT_KEEP"));
        }
        Assignment::Keep | Assignment::Actor | Assignment::Nobody => {}
    }
}
