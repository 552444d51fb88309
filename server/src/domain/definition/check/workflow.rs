//! The statuses and transitions as a whole: that every status can be reached, and that no case gets stuck.

use std::collections::HashSet;

use super::report::Report;
use crate::domain::State;
use crate::domain::definition::DefinitionSpec;

pub(super) fn check(spec: &DefinitionSpec, report: &mut Report) {
    let reached = reached(spec);
    for (place, status) in spec.statuses.iter().enumerate() {
        let id = status.id.as_str();
        if !reached.contains(id) {
            let right = "add a transition that leads there, or mark it `retired`";
            report.add(
                format!("statuses[{place}]"),
                format!("`{id}` cannot be reached from the initial status: {right}"),
            );
        }
        let leaves = |from: &[String], to: &str| to != id && from.iter().any(|from| from == id);
        let left = spec.transitions.iter().any(|transition| leaves(&transition.from, &transition.to));
        if !left && status.state != State::Closed {
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
    let mut reached: HashSet<&str> = retired.chain([spec.initial_status.as_str()]).collect();
    loop {
        let open = |to: &str| !reached.contains(to);
        let next: Vec<&str> = spec
            .transitions
            .iter()
            .filter(|transition| open(&transition.to))
            .filter(|transition| transition.from.iter().any(|from| reached.contains(from.as_str())))
            .map(|transition| transition.to.as_str())
            .collect();
        if next.is_empty() {
            return reached;
        }
        reached.extend(next);
    }
}
