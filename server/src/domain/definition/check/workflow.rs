//! The statuses and transitions as a whole: that every status can be reached, and that no case gets stuck.

use std::collections::{HashMap, HashSet};

use super::report::Report;
use crate::domain::State;
use crate::domain::definition::DefinitionSpec;

pub(super) fn check(spec: &DefinitionSpec, report: &mut Report) {
    let reached = reached(spec);
    let leaving = spec
        .transitions
        .iter()
        .flat_map(|transition| transition.from.iter().map(String::as_str).filter(|from| *from != transition.to));
    let leaving: HashSet<&str> = leaving.collect();
    for (place, status) in spec.statuses.iter().enumerate() {
        let id = status.id.as_str();
        if !reached.contains(id) {
            let right = "add a transition that leads there, or mark it `retired`";
            report.add(
                format!("statuses[{place}]"),
                format!("`{id}` cannot be reached from the initial status: {right}"),
            );
        }
        if !leaving.contains(id) && status.state != State::Closed {
            let right = "add a transition from it, or give it STATE_CLOSED";
            report.add(
                format!("statuses[{place}]"),
                format!("no transition leaves `{id}`, where a case would be stuck: {right}"),
            );
        }
    }
}

/// The statuses where tickets can stand: what the initial status leads to, and what the retired ones do, where old
/// tickets still are. With no initial status every status would be reported, which would say the same thing often.
fn reached(spec: &DefinitionSpec) -> HashSet<&str> {
    let ids = || spec.statuses.iter().map(|status| status.id.as_str());
    if !ids().any(|id| id == spec.initial_status) {
        return ids().collect();
    }
    let retired = spec.statuses.iter().filter(|status| status.retired).map(|status| status.id.as_str());
    let mut leads_to: HashMap<&str, Vec<&str>> = HashMap::new();
    for transition in &spec.transitions {
        for from in &transition.from {
            leads_to.entry(from).or_default().push(&transition.to);
        }
    }
    // Merged tickets come to their status without a transition.
    let merged = spec.merge_policy.iter().map(|policy| policy.status.as_str());
    let mut open: Vec<&str> = retired.chain(merged).chain([spec.initial_status.as_str()]).collect();
    let mut reached = HashSet::new();
    while let Some(status) = open.pop() {
        if reached.insert(status) {
            open.extend(leads_to.get(status).into_iter().flatten());
        }
    }
    reached
}
