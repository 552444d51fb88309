//! Statuses.

use super::names::{Known, ids};
use super::report::Report;
use crate::domain::State;
use crate::domain::definition::spec::{ReplyPolicy, StatusSpec, WaitsOn};
use crate::domain::definition::{DefinitionSpec, MergePolicy, Status};

pub(super) fn read(spec: &DefinitionSpec, known: &Known<'_>, report: &mut Report) -> Vec<Status> {
    ids("status", "statuses", spec.statuses.iter().map(|status| status.id.as_str()), report);
    if spec.statuses.is_empty() {
        report.add("statuses", "there is none: a ticket needs at least one status to stand in");
    } else {
        known.statuses.find_open("initial_status", &spec.initial_status, report);
    }
    if let Some(policy) = &spec.merge_policy {
        read_merge_policy(spec, known, policy, report);
    }
    spec.statuses.iter().enumerate().map(|(place, status)| read_one(place, status, report)).collect()
}

fn read_merge_policy(spec: &DefinitionSpec, known: &Known<'_>, policy: &MergePolicy, report: &mut Report) {
    const PATH: &str = "merge_policy.status";
    known.statuses.find_open(PATH, &policy.status, report);
    let found = spec.statuses.iter().find(|status| status.id == policy.status);
    if found.is_some_and(|status| status.state != State::Closed) {
        report.add(PATH, format!("`{}` is not STATE_CLOSED: a merged ticket is not worked on", policy.status));
    }
}

fn read_one(place: usize, spec: &StatusSpec, report: &mut Report) -> Status {
    let StatusSpec { id, display_name, state, waits_on, requester_reply, requester_reply_message, retired } = spec;
    report.line(format!("statuses[{place}].display_name"), display_name);
    let path = format!("statuses[{place}].requester_reply_message");
    report.message(&path, requester_reply_message);
    if *state == State::Closed && *waits_on == WaitsOn::Staff {
        let right = "give it WAITS_ON_NOBODY, or another state";
        report.add(
            format!("statuses[{place}].waits_on"),
            format!("`{id}` is STATE_CLOSED, and nobody works on a closed ticket: {right}"),
        );
    }
    match requester_reply {
        ReplyPolicy::Allow => {}
        ReplyPolicy::Warn | ReplyPolicy::Refuse if !requester_reply_message.trim().is_empty() => {}
        ReplyPolicy::Warn => report.add(path, format!("is required, as `{id}` warns: tell the requester of what")),
        ReplyPolicy::Refuse => {
            report.add(
                path,
                format!("is required, as `{id}` refuses replies: tell the requester which way is open instead"),
            );
        }
    }
    Status {
        id: id.clone(),
        display_name: display_name.clone(),
        state: *state,
        waits_on: *waits_on,
        requester_reply: *requester_reply,
        requester_reply_message: requester_reply_message.clone(),
        retired: *retired,
    }
}
