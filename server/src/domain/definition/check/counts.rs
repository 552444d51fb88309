//! How many there may be of everything: looked at first, so that no more than that is ever read.

use super::report::Report;
use crate::domain::definition::DefinitionSpec;
use crate::domain::text::MANDATORY_CC_MAX;

const STATUSES: usize = 200;
const TRANSITIONS: usize = 500;
const GUARDS: usize = 50;
const FIELDS: usize = 200;
const CHOICES: usize = 2_000;
const PRIORITIES: usize = 50;
const QUEUES: usize = 500;
const ESCALATIONS: usize = 100;
const RULES: usize = 500;
const MIME_TYPES: usize = 100;
const CANNED_RESPONSES: usize = 500;
const REPLY_RULES: usize = 50;
/// Notifications of one transition.
const FEW: usize = 10;
/// Roles, ordering keys: there are not so many to name.
const WORDS: usize = 20;
/// Of all kinds together. Each takes time and memory whenever the definition is read.
const EXPRESSIONS: usize = 2_000;
/// Of all fields together.
const ALL_CHOICES: usize = 20_000;

pub(super) fn check(spec: &DefinitionSpec, report: &mut Report) {
    report.count("statuses", spec.statuses.len(), STATUSES);
    report.count("transitions", spec.transitions.len(), TRANSITIONS);
    report.count("fields", spec.fields.len(), FIELDS);
    report.count("priorities", spec.priorities.len(), PRIORITIES);
    report.count("priority_set_by", spec.priority_set_by.len(), WORDS);
    report.count("queues", spec.queues.len(), QUEUES);
    report.count("routing", spec.routing.len(), RULES);
    report.count("escalations", spec.escalations.len(), ESCALATIONS);
    report.count("transfer_policy.roles", spec.transfer_policy.roles.len(), WORDS);
    for (place, escalation) in spec.escalations.iter().enumerate().take(ESCALATIONS) {
        let at = |part: &str| format!("escalations[{place}].{part}");
        report.count(at("queues"), escalation.queues.len(), QUEUES);
        report.count(at("from_queues"), escalation.from_queues.len(), QUEUES);
        report.count(at("from_statuses"), escalation.from_statuses.len(), STATUSES);
        report.count(at("roles"), escalation.roles.len(), WORDS);
        report.count(at("guards"), escalation.guards.len(), GUARDS);
    }
    report.count("attachment_policy.mime_types", spec.attachment_policy.mime_types.len(), MIME_TYPES);
    report.count("canned_responses", spec.canned_responses.len(), CANNED_RESPONSES);
    report.count("mandatory_cc", spec.mandatory_cc.len(), MANDATORY_CC_MAX);
    report.count("reply_rules", spec.reply_rules.len(), REPLY_RULES);
    for (place, rule) in spec.reply_rules.iter().enumerate().take(REPLY_RULES) {
        report.count(format!("reply_rules[{place}].roles"), rule.roles.len(), WORDS);
    }
    for (place, transition) in spec.transitions.iter().enumerate().take(TRANSITIONS) {
        let at = |part: &str| format!("transitions[{place}].{part}");
        report.count(at("from"), transition.from.len(), STATUSES);
        report.count(at("roles"), transition.roles.len(), WORDS);
        report.count(at("guards"), transition.guards.len(), GUARDS);
        report.count(at("effects.fields"), transition.effects.fields.len(), FIELDS);
        report.count(at("effects.notifications"), transition.effects.notifications.len(), FEW);
    }
    for (place, field) in spec.fields.iter().enumerate().take(FIELDS) {
        report.count(format!("fields[{place}].choices"), field.choices.len(), CHOICES);
        report.count(format!("fields[{place}].set_by"), field.set_by.len(), WORDS);
    }
    for (place, queue) in spec.queues.iter().enumerate().take(QUEUES) {
        report.count(format!("queues[{place}].ordering"), queue.ordering.len(), WORDS);
        report.count(format!("queues[{place}].transfers_to"), queue.transfers_to.len(), QUEUES);
    }
    let choices: usize = spec.fields.iter().map(|field| field.choices.len()).sum();
    if choices > ALL_CHOICES {
        report.add("fields", format!("the fields have {choices} choices together: at most {ALL_CHOICES} are taken"));
    }
    let guards: usize = spec.transitions.iter().map(|transition| transition.guards.len()).sum();
    let of_fields = spec.fields.iter().flat_map(|field| [&field.required_when, &field.set_when]);
    let of_fields = of_fields.filter(|source| !source.is_empty()).count();
    let guards = guards + spec.escalations.iter().map(|escalation| escalation.guards.len()).sum::<usize>();
    let expressions =
        guards + of_fields + spec.reply_rules.len() + spec.routing.iter().filter(|rule| !rule.when.is_empty()).count();
    if expressions > EXPRESSIONS {
        let wrong = format!(
            "guards, `required_when`, `set_when`, routing and `reply_rules` have {expressions} expressions together"
        );
        report.add("transitions", format!("{wrong}: at most {EXPRESSIONS} are taken"));
    }
}
