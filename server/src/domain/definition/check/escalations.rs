//! Transfers by hand and escalations: that they lead somewhere, and that somebody may take them.

use super::names::{Known, ids, once};
use super::report::{Report, valid};
use super::transitions::read_guard;
use crate::domain::definition::spec::{EscalationMode, EscalationSpec};
use crate::domain::definition::{DefinitionSpec, Escalation, Transfer};
use crate::domain::{Role, State};

pub(super) fn read_transfer(spec: &DefinitionSpec, report: &mut Report) -> Transfer {
    let policy = &spec.transfer_policy;
    Transfer {
        placement: policy.placement,
        roles: staff("transfer_policy.roles", &policy.roles, report),
        claimed_only: policy.claimed_only,
        keep_assignee: policy.keep_assignee,
    }
}

pub(super) fn read(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<Escalation> {
    ids("escalation", "escalations", spec.escalations.iter().map(|escalation| escalation.id.as_str()), report);
    let numbered = spec.escalations.iter().enumerate();
    numbered.map(|(place, escalation)| read_one(place, escalation, spec, known, report)).collect()
}

fn read_one(
    place: usize,
    escalation: &EscalationSpec,
    spec: &DefinitionSpec,
    known: &Known<'_>,
    report: &mut Report,
) -> Escalation {
    let EscalationSpec { id, display_name, mode, queues, from_queues, from_statuses, roles, guards } = escalation;
    let at = |part: &str| format!("escalations[{place}].{part}");
    report.line(at("display_name"), display_name);
    if queues.is_empty() {
        report.add(at("queues"), "is empty: name the queues that it leads to");
    }
    for (place, queue) in queues.iter().enumerate() {
        known.queues.find_open(at(&format!("queues[{place}]")), queue, report);
    }
    once(&at("queues"), queues, String::clone, report);
    for (place, queue) in from_queues.iter().enumerate() {
        known.queues.find(at(&format!("from_queues[{place}]")), queue, report);
    }
    once(&at("from_queues"), from_queues, String::clone, report);
    if let ([only], EscalationMode::Move) = (queues.as_slice(), mode)
        && from_queues.iter().any(|from| from == only)
    {
        let wrong = format!("`{only}` is the only queue that it leads to: what is there already cannot go there");
        report.add(at("from_queues"), wrong);
    }
    for (place, status) in from_statuses.iter().enumerate() {
        let path = at(&format!("from_statuses[{place}]"));
        known.statuses.find(&path, status, report);
        let is_closed = |known: &&super::super::spec::StatusSpec| known.id == *status && known.state == State::Closed;
        if spec.statuses.iter().find(is_closed).is_some() {
            report.add(path, format!("`{status}` is closed: nothing is escalated from there"));
        }
    }
    once(&at("from_statuses"), from_statuses, String::clone, report);
    let numbered = guards.iter().enumerate();
    let guards = numbered
        .filter_map(|(place, guard)| read_guard(&at(&format!("guards[{place}]")), guard, known, report))
        .collect();
    Escalation {
        id: id.clone(),
        display_name: display_name.clone(),
        mode: *mode,
        queues: queues.clone(),
        from_queues: from_queues.clone(),
        from_statuses: from_statuses.clone(),
        roles: staff(&at("roles"), roles, report),
        guards,
    }
}

/// The roles that were written, or all of the staff.
fn staff(path: &str, roles: &[Role], report: &mut Report) -> Vec<Role> {
    once(path, roles, |role| role.word().to_owned(), report);
    let all = || Role::ALL.into_iter().filter(|role| role.is_staff());
    for (place, role) in roles.iter().enumerate().filter(|(_, role)| !role.is_staff()) {
        let wrong = format!(
            "it is the staff's, and never comes from the role `{}`: {}",
            role.word(),
            valid(all().map(Role::word))
        );
        report.add(format!("{path}[{place}]"), wrong);
    }
    if roles.is_empty() { all().collect() } else { roles.to_vec() }
}
