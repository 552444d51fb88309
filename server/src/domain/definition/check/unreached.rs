//! What never comes to its turn, because something before it always does: two defaults, of which one is meant.

use super::report::Report;
use crate::domain::definition::DefinitionSpec;
use crate::domain::definition::spec::{ReplyPolicy, RoutingRuleSpec, TransitionSpec, Trigger};

pub(super) fn check(spec: &DefinitionSpec, report: &mut Report) {
    check_routing(spec, report);
    check_triggers(spec, report);
    check_refused_replies(spec, report);
}

fn check_routing(spec: &DefinitionSpec, report: &mut Report) {
    let always = |rule: &&RoutingRuleSpec| rule.when.is_empty();
    let numbered = || spec.routing.iter().enumerate().filter(|(_, rule)| always(rule));
    if let Some((place, rule)) = numbered().find(|(_, rule)| !rule.queue.is_empty()) {
        if rule.queue != spec.default_queue {
            let wrong =
                format!("takes every ticket to `{}`, and `default_queue` is `{}`", rule.queue, spec.default_queue);
            report
                .add(format!("routing[{place}].queue"), format!("{wrong}: there are two defaults, leave the rule out"));
        }
        for later in place + 1..spec.routing.len() {
            report.add(format!("routing[{later}]"), format!("is never tried: routing[{place}] takes every ticket"));
        }
    }
    let first = numbered().find(|(_, rule)| !rule.priority.is_empty());
    if let Some((place, rule)) = first
        && !spec.default_priority.is_empty()
        && rule.priority != spec.default_priority
    {
        let wrong =
            format!("gives every ticket `{}`, and `default_priority` is `{}`", rule.priority, spec.default_priority);
        report.add(format!("routing[{place}].priority"), format!("{wrong}: there are two defaults, leave one out"));
    }
}

/// Of several transitions that an event could set off the first is taken whose roles, guards and required fields do not object.
fn check_triggers(spec: &DefinitionSpec, report: &mut Report) {
    let fields_may_object = spec.fields.iter().any(|field| !field.required_when.is_empty());
    for (place, later) in spec.transitions.iter().enumerate() {
        if later.trigger == Trigger::Manual {
            continue;
        }
        let always_before = |earlier: &TransitionSpec| {
            let same_roles = earlier.roles.is_empty()
                || (!later.roles.is_empty() && later.roles.iter().all(|role| earlier.roles.contains(role)));
            earlier.trigger == later.trigger
                && earlier.guards.is_empty()
                && same_roles
                && (!fields_may_object || earlier.to == later.to)
        };
        for (number, status) in later.from.iter().enumerate() {
            let first = spec.transitions[..place]
                .iter()
                .find(|earlier| earlier.from.contains(status) && always_before(earlier));
            if let Some(first) = first {
                let wrong = format!("`{}` always comes before `{}` from `{status}`", first.id, later.id);
                let right = "give that one guards, or leave this status out";
                report
                    .add(format!("transitions[{place}].from[{number}]"), format!("{wrong}, having no guards: {right}"));
            }
        }
    }
}

/// A reply that is refused sets nothing off.
fn check_refused_replies(spec: &DefinitionSpec, report: &mut Report) {
    let refuses = |id: &String| {
        let refusing = |policy: ReplyPolicy| policy == ReplyPolicy::Refuse;
        spec.statuses.iter().any(|status| status.id == *id && refusing(status.requester_reply))
    };
    for (place, transition) in spec.transitions.iter().enumerate() {
        if transition.trigger != Trigger::RequesterReply {
            continue;
        }
        for (from, status) in transition.from.iter().enumerate().filter(|(_, status)| refuses(status)) {
            let right = "leave it out, or let the status take replies";
            report.add(
                format!("transitions[{place}].from[{from}]"),
                format!("`{status}` refuses the requester's replies, which would set it off: {right}"),
            );
        }
    }
}
