//! A ticket's own fields, tags, addresses and references, as they come from outside.

use std::collections::BTreeMap;

use super::context::{Context, Violations, WorkingSet};
use super::definition::{Definition, Field, FieldType};
use super::text::{self, listed, shown, shown_id};
use super::workflow::is_shown;
use super::{ExternalRef, Ticket};

/// Sets fields, checking name, value, who sets them and when; an empty value removes. `path` is where they stand in the request,
/// and `before` the ticket before it.
pub fn set(
    violations: &mut Violations,
    context: &Context<'_>,
    rules: &Definition,
    path: &str,
    wanted: &BTreeMap<String, String>,
    before: &Ticket,
    ticket: &mut Ticket,
) {
    if wanted.len() > text::FIELDS_MAX {
        violations.add(path, format!("has {} fields; at most {} are taken", wanted.len(), text::FIELDS_MAX));
        return;
    }
    let is_known = |staff_only: bool| !staff_only || context.actor.role.is_staff();
    for (id, value) in wanted {
        let at = format!("{path}.{}", shown_id(id));
        let Some(field) = rules.field(id).filter(|field| is_known(field.staff_only)) else {
            let known = rules.fields().iter().filter(|field| is_known(field.staff_only));
            let known = listed(known.map(|field| field.id.as_str()));
            violations.add(at, format!("there is no field {}; there are {known}", shown(id)));
            continue;
        };
        if ticket.fields.get(id).map_or("", String::as_str) == value {
            continue;
        }
        if !field.settable_by(context.actor.role) {
            let allowed: Vec<_> = field.set_by.iter().map(|role| role.word()).collect();
            violations
                .add(at, format!("the role {} may not set it; {} may", context.actor.role.word(), allowed.join(", ")));
            continue;
        }
        let is_default = !before.is_filed() && *value == field.default_value;
        if !is_default && !field.settable_now(&context.facts(before)) {
            violations.add(at, not_now(context, rules, field));
            continue;
        }
        match field.admits(value) {
            Ok(value) if value.is_empty() => {
                ticket.fields.remove(id);
            }
            Ok(value) => {
                ticket.fields.insert(id.clone(), value);
            }
            Err(wrong) => violations.add(at, wrong),
        }
    }
}

/// When a field may be set that may not be now, as far as the caller may know.
fn not_now(context: &Context<'_>, rules: &Definition, field: &Field) -> String {
    let is_told = |path: &str| context.actor.role.is_staff() || is_shown(rules, path);
    match &field.set_when {
        Some(condition) if condition.paths().all(is_told) => {
            format!("may not be set now: it may while {}", condition.source())
        }
        Some(_) | None => "may not be set now".to_owned(),
    }
}

/// That the agents who are named anew work here. Who was named before may have left, and what is imported is of the past.
pub fn check_agents(
    violations: &mut Violations,
    set: &WorkingSet,
    rules: &Definition,
    path: &str,
    before: &Ticket,
    after: &Ticket,
) {
    if set.is_apart {
        return;
    }
    for (id, value) in &after.fields {
        let is_new = || before.fields.get(id) != Some(value);
        let is_agent = rules.field(id).is_some_and(|field| field.field_type == FieldType::Agent);
        if is_agent && is_new() && !set.agents.get(value).is_some_and(|agent| agent.active) {
            let right = "name one, by the subject that it is registered with";
            violations.add(
                format!("{path}.{id}"),
                format!("{} is not an active agent of this helpdesk: {right}", shown(value)),
            );
        }
    }
}

/// Says that a required field is empty; to who may not know of it, only that something is. `path` is where fields stand in the
/// request.
pub fn missing(
    violations: &mut Violations,
    context: &Context<'_>,
    rules: &Definition,
    path: &str,
    id: &str,
    what: &str,
) {
    let is_staffs = rules.field(id).is_some_and(|field| field.staff_only);
    if is_staffs && !context.actor.role.is_staff() {
        violations.add(path, "the staff must fill in something that is required for this ticket");
    } else {
        violations.add(format!("{path}.{id}"), what);
    }
}

/// The id of a priority that may be given, or empty.
pub fn priority(violations: &mut Violations, rules: &Definition, path: &str, wanted: &str) -> String {
    if !wanted.is_empty() && rules.priority(wanted).is_none_or(|priority| priority.retired) {
        let known = rules.priorities().iter().filter(|priority| !priority.retired);
        let known = listed(known.map(|priority| priority.id.as_str()));
        let known = if known.is_empty() { "this helpdesk has none".to_owned() } else { known };
        let wrong = match rules.priority(wanted) {
            Some(_) => format!("the priority `{wanted}` is retired"),
            None => format!("there is no priority {}", shown(wanted)),
        };
        violations.add(path, format!("{wrong}; there are: {known}"));
    }
    wanted.to_owned()
}

/// That the caller is one who gives tickets a priority.
pub fn check_priority(violations: &mut Violations, context: &Context<'_>, rules: &Definition, path: &str) {
    let role = context.actor.role;
    if !rules.may_prioritise(role) {
        let allowed: Vec<_> = rules.spec().priority_set_by.iter().map(|role| role.word()).collect();
        violations.add(path, format!("the role {} may not set it; {} may", role.word(), allowed.join(", ")));
    }
}

/// Labels, sorted and without repetition.
pub fn tags(violations: &mut Violations, path: &str, wanted: &[String]) -> Vec<String> {
    if wanted.len() > text::TAGS_MAX {
        violations.add(path, format!("has {} tags; at most {} are taken", wanted.len(), text::TAGS_MAX));
        return Vec::new();
    }
    for (place, tag) in wanted.iter().enumerate() {
        text::line(violations, &format!("{path}[{place}]"), tag, text::TAG_MAX);
    }
    let mut tags = wanted.to_vec();
    tags.sort();
    tags.dedup();
    tags
}

/// Addresses in their normal form, sorted and without repetition; None when they cannot be taken. Those that are mandatory do
/// not count.
pub fn cc(violations: &mut Violations, rules: &Definition, path: &str, wanted: &[String]) -> Option<Vec<String>> {
    let mut too_many =
        |found: usize| violations.add(path, format!("has {found} addresses; at most {} are taken", text::CC_MAX));
    if wanted.len() > text::CC_MAX + rules.mandatory_cc().len() {
        too_many(wanted.len());
        return None;
    }
    let mut cc = Vec::with_capacity(wanted.len());
    let mut wrong = Vec::new();
    for (place, address) in wanted.iter().enumerate() {
        match text::email(address) {
            Some(address) => cc.push(address),
            None => wrong.push((place, address)),
        }
    }
    cc.sort();
    cc.dedup();
    let own = cc.iter().filter(|address| !rules.mandatory_cc().contains(address)).count();
    if own > text::CC_MAX {
        too_many(own);
    }
    let is_right = own <= text::CC_MAX && wrong.is_empty();
    for (place, address) in wrong {
        violations.add(format!("{path}[{place}]"), not_an_address(address));
    }
    is_right.then_some(cc)
}

/// That nobody is taken off who is on the cc of every ticket.
pub fn keeps_mandatory_cc(
    violations: &mut Violations,
    rules: &Definition,
    path: &str,
    before: &Ticket,
    after: &Ticket,
) {
    for address in rules.mandatory_cc() {
        if before.cc.contains(address) && !after.cc.contains(address) {
            violations.add(path, format!("{address} is on the cc of every ticket of this helpdesk: leave it there"));
        }
    }
}

pub fn not_an_address(text: &str) -> String {
    format!("{} is not an e-mail address, such as customer@example.com", shown(text))
}

/// References, sorted and without repetition.
pub fn external_refs(violations: &mut Violations, path: &str, wanted: &[ExternalRef]) -> Vec<ExternalRef> {
    if wanted.len() > text::REFS_MAX {
        violations.add(path, format!("has {} references; at most {} are taken", wanted.len(), text::REFS_MAX));
        return Vec::new();
    }
    for (place, reference) in wanted.iter().enumerate() {
        if !text::is_id(&reference.source, "._-") {
            violations.add(
                format!("{path}[{place}].source"),
                format!("{} is not a source; write it like `crm` or `mail.message-id`", shown(&reference.source)),
            );
        }
        text::line(violations, &format!("{path}[{place}].id"), &reference.id, text::REF_ID_MAX);
    }
    let mut refs = wanted.to_vec();
    refs.sort();
    refs.dedup();
    refs
}
