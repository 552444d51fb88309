//! How much work the conditions are: a helpdesk's commands wait for each other, and on SQLite those of all helpdesks.

use super::report::Report;
use crate::domain::definition::{Condition, Definition};

/// What the conditions of a definition may take together, in the steps of [`Condition::steps`]: about 20 ms.
const MAX_STEPS: usize = 150_000;

/// With what the sentence ends.
const RIGHT: &str = "look through fewer long texts, or ask fewer conditions";

/// Whether a sentence is this one, whatever its numbers.
pub(super) fn is_about_work(description: &str) -> bool {
    description.ends_with(RIGHT)
}

pub(super) fn check(definition: &Definition, report: &mut Report) {
    let asked = asked(definition);
    let total = sum(&asked);
    if total <= MAX_STEPS {
        return;
    }
    // Of several, the first.
    let Some((path, steps, times)) = asked.iter().rev().max_by_key(|(_, steps, times)| steps * times) else { return };
    let times = match times {
        1 => String::new(),
        times => format!(" {times} times"),
    };
    report.add(
        path,
        format!(
            "takes up to {steps} steps{times}, the most of all conditions; they come to {total} together, and at most {MAX_STEPS} are taken: {RIGHT}"
        ),
    );
}

/// The steps of all conditions together.
pub(super) fn total(definition: &Definition) -> usize {
    sum(&asked(definition))
}

fn sum(asked: &[(String, usize, usize)]) -> usize {
    asked.iter().map(|(_, steps, times)| steps * times).sum()
}

/// Where each condition is, its steps, and how often one command asks it at most.
///
/// Most are asked once. What a transition would come to is found out for each that leads from the ticket's status: the queue, if
/// it is routed, and whether a field is then required. Both are also asked before and after a change.
fn asked(definition: &Definition) -> Vec<(String, usize, usize)> {
    let leaving = || definition.leaving.values();
    let goes_by_rules = |place: &&usize| definition.transitions()[**place].effects.route;
    let moves = leaving().map(Vec::len).max().unwrap_or_default();
    let routed = leaving().map(|places| places.iter().filter(goes_by_rules).count()).max().unwrap_or_default();

    let mut asked = Vec::new();
    let mut note = |path: String, condition: &Condition, times: usize| asked.push((path, condition.steps(), times));
    for (place, transition) in definition.transitions().iter().enumerate() {
        for (number, guard) in transition.guards.iter().enumerate() {
            note(format!("transitions[{place}].guards[{number}].expression"), &guard.condition, 1);
        }
    }
    for (place, field) in definition.fields().iter().enumerate() {
        if let Some(condition) = &field.required_when {
            note(format!("fields[{place}].required_when"), condition, moves + 2);
        }
        if let Some(condition) = &field.set_when {
            note(format!("fields[{place}].set_when"), condition, 1);
        }
    }
    for (place, rule) in definition.routing.iter().enumerate() {
        if let Some(condition) = &rule.when {
            note(format!("routing[{place}].when"), condition, routed + 2);
        }
    }
    for (place, escalation) in definition.escalations().iter().enumerate() {
        for (number, guard) in escalation.guards.iter().enumerate() {
            note(format!("escalations[{place}].guards[{number}].expression"), &guard.condition, 1);
        }
    }
    for (place, rule) in definition.reply_rules().iter().enumerate() {
        note(format!("reply_rules[{place}].expression"), &rule.condition, 1);
    }
    asked
}
