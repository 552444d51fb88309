//! The events of an imported history that are refused.

use loket::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{MOST_DESCRIPTION_BYTES, and_more, build, fitting_in};
use crate::domain::text::cut;
use crate::domain::{EventRefusal, Refusal};

/// Every event with its reason and its path, as far as so many bytes allow.
pub(in crate::rpc) fn refused(events: Vec<EventRefusal>, most_bytes: usize) -> Status {
    let count = events.len();
    let told: Vec<Told> = events.into_iter().flat_map(told).collect();
    let all = told.iter().map(|Told { path, why, .. }| format!("{path}: {why}")).collect::<Vec<_>>().join(". ");
    let events = if count == 1 { "one event of the history is" } else { &format!("{count} events of the history are") };
    let message = format!("{events} refused. {all}");
    build(Code::FailedPrecondition, ErrorReason::HistoryRefused, [("events", count.to_string())], message, |details| {
        let sized = told.iter().map(|told| (told, told.reason.len() + told.path.len() + told.why.len()));
        let (fitting, left_out) = fitting_in(most_bytes, sized);
        for Told { reason, path, why } in fitting {
            details.add_precondition_failure_violation(reason, path, why);
        }
        if left_out > 0 {
            details.add_precondition_failure_violation("", "", and_more(left_out));
        }
    })
}

/// One thing that is wrong with one event.
struct Told {
    /// What the call would have ended with that does it in live use.
    reason: String,
    path: String,
    why: String,
}

fn told(event: EventRefusal) -> Vec<Told> {
    let EventRefusal { place, operation, refusal } = event;
    let path =
        |within: &str| if within.is_empty() { format!("events[{place}]") } else { format!("events[{place}].{within}") };
    let cut = |why: &str| cut(why, MOST_DESCRIPTION_BYTES).into_owned();
    if let Refusal::Invalid(violations) = refusal {
        let reason = ErrorReason::InvalidRequest.as_reason();
        let one = |violation: crate::domain::Violation| Told {
            reason: reason.to_owned(),
            path: path(&violation.field),
            why: cut(&violation.description),
        };
        return violations.into_iter().map(one).collect();
    }
    let status = Status::from(refusal);
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    // The ticket that a message names is not there: what stands against the event says enough.
    let failures = status.get_details_precondition_failure().map(|failure| failure.violations).unwrap_or_default();
    let whys: Vec<_> = failures.iter().map(|failure| failure.description.trim_end_matches('.')).collect();
    let why = if whys.is_empty() { cut(status.message()) } else { cut(&whys.join("; ")) };
    vec![Told { reason, path: path(operation), why }]
}
