//! Priorities, queues and the routing between them.

use super::condition;
use super::names::{Known, ids, once};
use super::report::Report;
use crate::domain::definition::spec::{OrderingKey, PrioritySpec, QueueSpec, RoutingRuleSpec};
use crate::domain::definition::{DefinitionSpec, Priority, Queue, Rule};

const MAX_DESCRIPTION_CHARS: usize = 500;

pub(super) fn read_priorities(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<Priority> {
    ids("priority", "priorities", spec.priorities.iter().map(|priority| priority.id.as_str()), report);
    if !spec.default_priority.is_empty() {
        known.priorities.find_open("default_priority", &spec.default_priority, report);
    }
    once("priority_set_by", &spec.priority_set_by, |role| role.word().to_owned(), report);
    let mut read = |(place, priority): (usize, &PrioritySpec)| {
        let PrioritySpec { id, display_name, description, retired } = priority;
        report.line(format!("priorities[{place}].display_name"), display_name);
        report.text(format!("priorities[{place}].description"), description, MAX_DESCRIPTION_CHARS);
        Priority { id: id.clone(), display_name: display_name.clone(), retired: *retired }
    };
    spec.priorities.iter().enumerate().map(&mut read).collect()
}

pub(super) fn read(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<Queue> {
    ids("queue", "queues", spec.queues.iter().map(|queue| queue.id.as_str()), report);
    if spec.queues.is_empty() {
        report.add("queues", "there is none: a ticket needs at least one queue to wait in");
    } else {
        known.queues.find_open("default_queue", &spec.default_queue, report);
    }
    spec.queues.iter().enumerate().map(|(place, queue)| read_queue(place, queue, known, report)).collect()
}

fn read_queue(place: usize, spec: &QueueSpec, known: &Known<'_>, report: &mut Report) -> Queue {
    let QueueSpec { id, display_name, ordering, retired, skill_field, transfers_to } = spec;
    report.line(format!("queues[{place}].display_name"), display_name);
    let path = format!("queues[{place}].ordering");
    once(&path, ordering, |key| word(*key).to_owned(), report);
    // Two tickets hardly ever have the same time, so nothing after a time would count.
    for (place, key) in ordering.iter().enumerate() {
        if key.is_time() && place + 1 < ordering.len() {
            let wrong = format!("`{}` leaves nothing to order by after it: a time comes last", word(*key));
            report.add(format!("{path}[{place}]"), wrong);
        }
    }
    let path = format!("queues[{place}].skill_field");
    if !skill_field.is_empty() && known.fields.has(skill_field) && !known.choices.contains_key(skill_field.as_str()) {
        report.add(path, format!("`{skill_field}` has no choices: a skill is one of a CHOICE or TREE field"));
    } else if !skill_field.is_empty() {
        known.fields.find_open(path, skill_field, report);
    }
    let path = format!("queues[{place}].transfers_to");
    for (place, queue) in transfers_to.iter().enumerate() {
        known.queues.find(format!("{path}[{place}]"), queue, report);
        if queue == id {
            report.add(format!("{path}[{place}]"), "is this queue itself, where its tickets are already: leave it out");
        }
    }
    once(&path, transfers_to, String::clone, report);
    Queue {
        id: id.clone(),
        display_name: display_name.clone(),
        ordering: spec.ordering().to_vec(),
        retired: *retired,
        skill_field: skill_field.clone(),
        transfers_to: transfers_to.clone(),
    }
}

fn word(key: OrderingKey) -> &'static str {
    match key {
        OrderingKey::Priority => "PRIORITY",
        OrderingKey::ReceiveTime => "RECEIVE_TIME",
        OrderingKey::QueueTime => "QUEUE_TIME",
    }
}

pub(super) fn read_routing(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<Rule> {
    let numbered = spec.routing.iter().enumerate();
    numbered.map(|(place, rule)| read_rule(place, rule, known, report)).collect()
}

fn read_rule(place: usize, spec: &RoutingRuleSpec, known: &Known<'_>, report: &mut Report) -> Rule {
    let RoutingRuleSpec { when, queue, priority } = spec;
    let at = |part: &str| format!("routing[{place}].{part}");
    if queue.is_empty() && priority.is_empty() {
        report.add(format!("routing[{place}]"), "gives neither a queue nor a priority: name one of them");
    }
    if !queue.is_empty() {
        known.queues.find_open(at("queue"), queue, report);
    }
    if !priority.is_empty() {
        known.priorities.find_open(at("priority"), priority, report);
    }
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Rule {
        when: given(when).and_then(|source| condition::read(&at("when"), &source, known, report)),
        queue: given(queue),
        priority: given(priority),
    }
}
