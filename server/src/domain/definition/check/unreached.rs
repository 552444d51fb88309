//! What never comes to its turn, because something before it always does: two defaults, of which one is meant.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::report::Report;
use crate::domain::Role;
use crate::domain::definition::spec::{Assignment, ReplyPolicy, RoutingRuleSpec, TransitionSpec, Trigger};
use crate::domain::definition::{Condition, DefinitionSpec};

pub(super) fn check(spec: &DefinitionSpec, report: &mut Report) {
    check_routing(spec, report);
    check_triggers(spec, report);
    check_refused_replies(spec, report);
}

/// Whether a condition that may be left out always holds.
fn always(source: &str) -> bool {
    let may = !["ticket", "actor"].iter().any(|read| source.contains(read));
    source.is_empty() || (may && Condition::compile(source).is_ok_and(|condition| condition.always_holds()))
}

fn check_routing(spec: &DefinitionSpec, report: &mut Report) {
    let always = |rule: &&RoutingRuleSpec| always(&rule.when);
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
    // A rule that names a queue ends the search: its tickets may be left to the default priority.
    let ends_without = |rule: &RoutingRuleSpec| !rule.queue.is_empty() && rule.priority.is_empty();
    let first = numbered().find(|(_, rule)| !rule.priority.is_empty());
    if let Some((place, rule)) = first
        && !spec.default_priority.is_empty()
        && rule.priority != spec.default_priority
        && !spec.routing[..place].iter().any(ends_without)
    {
        let wrong =
            format!("gives every ticket `{}`, and `default_priority` is `{}`", rule.priority, spec.default_priority);
        report.add(format!("routing[{place}].priority"), format!("{wrong}: there are two defaults, leave one out"));
    }
}

/// Of several transitions that an event could set off the first is taken whose roles, guards and required fields do not object.
///
/// A definition may have 100,000 pairs of a transition and a status, so each is looked up among the few that always come
/// first there, and not compared with all before it.
fn check_triggers(spec: &DefinitionSpec, report: &mut Report) {
    let fields_may_object = spec.fields.iter().any(|field| !field.required_when.is_empty());
    let mut leads: HashMap<Lead<'_>, usize> = HashMap::new();
    let mut always_first: HashMap<_, Vec<(u8, &TransitionSpec)>> = HashMap::new();
    for (place, later) in spec.transitions.iter().enumerate() {
        if later.trigger == Trigger::Manual {
            continue;
        }
        let next = leads.len() + 1;
        let lead = if fields_may_object { *leads.entry(Lead::of(later)).or_insert(next) } else { 0 };
        let roles = roles(later);
        for (number, status) in later.from.iter().enumerate() {
            let before = always_first.entry((later.trigger, status.as_str(), lead)).or_default();
            match before.iter().find(|(earlier, _)| earlier & roles == roles) {
                Some((_, first)) => {
                    let wrong = format!("`{}` always comes before `{}` from `{status}`", first.id, later.id);
                    let right = "give that one guards, or leave this status out";
                    let path = format!("transitions[{place}].from[{number}]");
                    let none = if first.guards.is_empty() { "no guards" } else { "guards that always hold" };
                    report.add(path, format!("{wrong}, having {none}: {right}"));
                }
                // What a ticket cannot be linked to objects as a guard would, and so does an agent who is not active.
                None if later.effects.link.is_none()
                    && later.effects.assign != Assignment::Actor
                    && later.guards.iter().all(|guard| always(&guard.expression)) =>
                {
                    before.push((roles, later));
                }
                None => {}
            }
        }
    }
}

/// Where a transition leaves a ticket, as far as a required field may ask.
#[derive(PartialEq, Eq, Hash)]
struct Lead<'a> {
    to: &'a str,
    fields: &'a BTreeMap<String, String>,
    priority: &'a str,
    clear_solution: bool,
    assign: Assignment,
    queue: &'a str,
    route: bool,
}

impl<'a> Lead<'a> {
    fn of(transition: &'a TransitionSpec) -> Self {
        let effects = &transition.effects;
        Self {
            to: &transition.to,
            fields: &effects.fields,
            priority: &effects.priority,
            clear_solution: effects.clear_solution,
            assign: effects.assign,
            queue: &effects.queue,
            route: effects.route,
        }
    }
}

/// Who may take a transition, a bit for each; without any it is whoever its trigger comes from.
fn roles(transition: &TransitionSpec) -> u8 {
    let bit = |role: Role| Role::ALL.iter().position(|known| *known == role).map_or(0, |place| 1_u8 << place);
    if transition.roles.is_empty() {
        return u8::MAX;
    }
    transition.roles.iter().fold(0, |all, role| all | bit(*role))
}

/// A reply that is refused sets nothing off.
fn check_refused_replies(spec: &DefinitionSpec, report: &mut Report) {
    let refusing = spec.statuses.iter().filter(|status| status.requester_reply == ReplyPolicy::Refuse);
    let refusing: HashSet<&str> = refusing.map(|status| status.id.as_str()).collect();
    for (place, transition) in spec.transitions.iter().enumerate() {
        if transition.trigger != Trigger::RequesterReply {
            continue;
        }
        let numbered = transition.from.iter().enumerate();
        for (from, status) in numbered.filter(|(_, status)| refusing.contains(status.as_str())) {
            let right = "leave it out, or let the status take replies";
            report.add(
                format!("transitions[{place}].from[{from}]"),
                format!("`{status}` refuses the requester's replies, which would set it off: {right}"),
            );
        }
    }
}
