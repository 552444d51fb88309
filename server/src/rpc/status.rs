//! The only place that builds a `Status`: every error leaves with a reason, and with the standard detail that fits.

mod contact;
mod fault;
mod files;
pub(super) mod history;
mod share;

use std::collections::HashMap;
use std::time::Duration;

pub(super) use fault::Fault;
use loket::reason::{DOMAIN, ON_BEHALF_OF};
use loket::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::domain::text::{self, cut};
use crate::domain::{Precondition, Refusal, Role, Violation, links};
use crate::engine::Failure;
use crate::feed::ResumeError;

/// Why a call could not be let in, or not be carried on.
#[derive(Debug, Clone)]
pub(super) enum Denied {
    NoKey,
    UnknownKey,
    Revoked,
    OnBehalfOf {
        role: Role,
    },
    /// Whom it acts for is not said in a way that can be kept.
    NotASubject,
    /// Whether the key is good cannot be told now.
    KeysUnreadable,
}

/// Why a watch cannot go on from its token.
#[derive(Debug)]
pub(super) enum Unresumable {
    /// What is wrong with the token itself, as the end of a sentence.
    Invalid(&'static str),
    Gone(ResumeError),
}

/// Errors travel in headers, and clients refuse headers that are too large: those for Java and Python 8 KiB, others 16 KiB,
/// without a word about what was wrong. The message counts twice, once escaped, and the details by a third more than their
/// bytes.
const MOST_MESSAGE_BYTES: usize = 900;
const MOST_DETAIL_BYTES: usize = 2_700;
const MOST_VALUE_BYTES: usize = 300;
const MOST_DESCRIPTION_BYTES: usize = 600;

/// As many of these, each with its size, as an error has room for, and how many are left out.
fn fitting<T>(items: impl ExactSizeIterator<Item = (T, usize)>) -> (Vec<T>, usize) {
    fitting_in(MOST_DETAIL_BYTES, items)
}

/// The same in other bytes: what is part of a message need not fit into headers.
fn fitting_in<T>(most_bytes: usize, items: impl ExactSizeIterator<Item = (T, usize)>) -> (Vec<T>, usize) {
    /// What a violation weighs besides its texts.
    const FRAME: usize = 12;
    let all = items.len();
    let mut bytes = 0;
    let fits = |(_, size): &(T, usize)| {
        bytes += size + FRAME;
        bytes <= most_bytes
    };
    let kept: Vec<_> = items.take_while(fits).map(|(item, _)| item).collect();
    let left_out = all - kept.len();
    (kept, left_out)
}

/// The last violation of many: that it is not the last.
fn and_more(left_out: usize) -> String {
    format!("and {left_out} more, which are told when these are right")
}

fn build(
    code: Code,
    reason: ErrorReason,
    metadata: impl IntoIterator<Item = (&'static str, String)>,
    message: impl Into<String>,
    add: impl FnOnce(&mut ErrorDetails),
) -> Status {
    let metadata: HashMap<String, String> =
        metadata.into_iter().map(|(key, value)| (key.to_owned(), cut(&value, MOST_VALUE_BYTES).into_owned())).collect();
    let mut details = ErrorDetails::new();
    details.set_error_info(reason.as_reason(), DOMAIN, metadata);
    add(&mut details);
    Status::with_error_details(code, cut(&message.into(), MOST_MESSAGE_BYTES), details)
}

fn invalid(reason: ErrorReason, summary: &str, violations: &[Violation]) -> Status {
    let lines: Vec<_> = violations.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.description)).collect();
    let message = match lines.as_slice() {
        [only] => only.clone(),
        many => format!("{summary}: {} things are wrong. {}", many.len(), many.join(". ")),
    };
    build(Code::InvalidArgument, reason, [], message, |details| {
        let (told, left_out) = fitting(violations.iter().map(|Violation { field, description }| {
            let (field, description) = (cut(field, MOST_VALUE_BYTES), cut(description, MOST_DESCRIPTION_BYTES));
            let size = field.len() + description.len();
            ((field, description), size)
        }));
        for (field, description) in told {
            details.add_bad_request_violation(field, description);
        }
        if left_out > 0 {
            details.add_bad_request_violation("", and_more(left_out));
        }
    })
}

fn failed(
    reason: ErrorReason,
    metadata: impl IntoIterator<Item = (&'static str, String)>,
    message: String,
    failures: &[Precondition],
) -> Status {
    // The messages of guards are sentences, and become parts of one.
    let whys: Vec<_> = failures.iter().map(|failure| failure.description.trim_end_matches('.')).collect();
    let message = if whys.is_empty() { message } else { format!("{message}: {}", whys.join("; ")) };
    build(Code::FailedPrecondition, reason, metadata, message, |details| {
        let (told, left_out) = fitting(failures.iter().map(|Precondition { kind, subject, description }| {
            let (subject, description) = (cut(subject, MOST_VALUE_BYTES), cut(description, MOST_DESCRIPTION_BYTES));
            let size = kind.word().len() + subject.len() + description.len();
            ((kind.word(), subject, description), size)
        }));
        for (kind, subject, description) in told {
            details.add_precondition_failure_violation(kind, subject, description);
        }
        if left_out > 0 {
            details.add_precondition_failure_violation("", "", and_more(left_out));
        }
    })
}

fn invalid_filter(offset: usize, message: String) -> Status {
    let violation = Violation::new("filter", message);
    build(
        Code::InvalidArgument,
        ErrorReason::InvalidFilter,
        [("offset", offset.to_string())],
        format!("filter: {}", violation.description),
        |details| {
            details.add_bad_request_violation("filter", cut(&violation.description, MOST_DESCRIPTION_BYTES));
        },
    )
}

fn not_allowed(what: &str, role: Role, allowed: &[Role]) -> Status {
    let allowed: Vec<_> = allowed.iter().map(|role| role.word()).collect();
    build(
        Code::PermissionDenied,
        ErrorReason::RoleNotAllowed,
        [("role", role.word().to_owned())],
        format!("{what} is not for the role {}; it is for: {}", role.word(), allowed.join(", ")),
        |_| {},
    )
}

fn last_admin_key(key: &str) -> Status {
    failed(
        ErrorReason::LastAdminKey,
        [("access_key", format!("accessKeys/{key}"))],
        format!(
            "accessKeys/{key} is the last admin key that opens every helpdesk, and without it nobody could make another: \
             make another first, and revoke this one with it"
        ),
        &[],
    )
}

fn may_not_create(helpdesk: &str) -> Status {
    build(
        Code::PermissionDenied,
        ErrorReason::RoleNotAllowed,
        [("role", Role::Admin.word().to_owned())],
        format!(
            "this key opens certain helpdesks only, and {} is none of them; an admin key that opens all may create it",
            text::shown(helpdesk)
        ),
        |_| {},
    )
}

/// An etag stands in quotes of its own.
fn shown_etag(etag: &str) -> String {
    let is_plain = etag.len() <= MOST_ETAG_BYTES && etag.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain { etag.to_owned() } else { text::shown(etag) }
}

/// Longer than any that the server has given.
const MOST_ETAG_BYTES: usize = 40;

fn kind_name(kind: &str) -> String {
    format!("{DOMAIN}/{kind}")
}

impl From<Refusal> for Status {
    // A table: an arm for each refusal.
    #[allow(clippy::too_many_lines)]
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(violations) => invalid(ErrorReason::InvalidRequest, "the request is invalid", &violations),
            Refusal::InvalidFilter { offset, message } => invalid_filter(offset, message),
            Refusal::InvalidOrderBy(violation) => {
                invalid(ErrorReason::InvalidOrderBy, "the order is invalid", &[violation])
            }
            Refusal::InvalidPageToken => invalid(
                ErrorReason::InvalidPageToken,
                "the page token is invalid",
                &[Violation::new(
                    "page_token",
                    "is not a token that this method gave for the same request; begin again without one",
                )],
            ),
            Refusal::NotFound { kind, name } => build(
                Code::NotFound,
                ErrorReason::ResourceNotFound,
                [("resource", name.clone())],
                format!("there is no {name}, or this key may not see it"),
                |details| {
                    details.set_resource_info(kind_name(kind), &name, "", "does not exist, or may not be seen");
                },
            ),
            Refusal::AlreadyExists { kind, name } => build(
                Code::AlreadyExists,
                ErrorReason::ResourceExists,
                [("resource", name.clone())],
                format!("{name} is there already"),
                |details| {
                    details.set_resource_info(kind_name(kind), &name, "", "exists");
                },
            ),
            Refusal::SubjectTaken { subject, agent } => build(
                Code::AlreadyExists,
                ErrorReason::ResourceExists,
                [("resource", agent.clone()), ("subject", subject.clone())],
                format!("{agent} is registered for the subject {} already: update it instead", text::shown(&subject)),
                |details| {
                    details.set_resource_info(kind_name("Agent"), &agent, "", "is registered for this subject");
                },
            ),
            Refusal::ExternalRefExists { source, id, ticket } => build(
                Code::AlreadyExists,
                ErrorReason::ExternalRefExists,
                [("source", source.clone()), ("id", id.clone()), ("ticket", ticket.clone())],
                format!("{ticket} carries the external reference {source}:{id} already"),
                |details| {
                    details.set_resource_info(kind_name("Ticket"), &ticket, "", "carries this external reference");
                },
            ),
            Refusal::EtagMismatch { kind, name, sent, current } => build(
                Code::Aborted,
                ErrorReason::EtagMismatch,
                [("resource", name.clone()), ("etag", current.clone())],
                format!(
                    "{name} has changed: its etag is {current}, not {}; read it again and decide again",
                    shown_etag(&sent)
                ),
                |details| {
                    details.set_resource_info(kind_name(kind), &name, "", "has another etag");
                },
            ),
            Refusal::AlreadyClaimed { ticket, assignee } => failed(
                ErrorReason::AlreadyClaimed,
                [("assignee", assignee.clone())],
                format!("{ticket} is claimed by {assignee} already"),
                &[],
            ),
            Refusal::TicketNotReady { ticket, failures } => {
                failed(ErrorReason::TicketNotReady, [], format!("{ticket} cannot be changed so"), &failures)
            }
            Refusal::TransitionRefused { ticket, transition, failures } => failed(
                ErrorReason::TransitionRefused,
                [("transition", transition.clone())],
                format!("the transition {transition} cannot be taken on {ticket}"),
                &failures,
            ),
            Refusal::AgentNotEligible { subject, failures } => failed(
                ErrorReason::AgentNotEligible,
                [("subject", subject.clone())],
                format!("the ticket is not for {}", text::shown(&subject)),
                &failures,
            ),
            Refusal::TransferRefused { ticket, queue, failures } => failed(
                ErrorReason::TransferRefused,
                [("queue", queue.clone())],
                format!("{ticket} cannot be transferred to the queue {queue}"),
                &failures,
            ),
            Refusal::EscalationRefused { ticket, escalation, failures } => failed(
                ErrorReason::EscalationRefused,
                [("escalation", escalation.clone())],
                format!("the escalation {escalation} cannot be taken on {ticket}"),
                &failures,
            ),
            Refusal::ReplyRefused { ticket, status, message, leads_to } => failed(
                ErrorReason::ReplyRefused,
                [("status", status.clone()), ("leads_to", leads_to.join(","))],
                format!("{ticket} takes no reply in the status {status}: {message}"),
                &[],
            ),
            Refusal::DuplicateTicket { first } => build(
                Code::AlreadyExists,
                ErrorReason::DuplicateTicket,
                [("ticket", first.clone())],
                format!("{first} has the same text from the same requester; it keeps its place: reply there instead"),
                |details| {
                    details.set_resource_info(kind_name("Ticket"), &first, "", "has the same text");
                },
            ),
            Refusal::LinkRefused { ticket, failures } => {
                failed(ErrorReason::LinkRefused, [], format!("{ticket} cannot be linked so"), &failures)
            }
            Refusal::MergeRefused { failures } => {
                failed(ErrorReason::MergeRefused, [], "nothing is merged".to_owned(), &failures)
            }
            Refusal::SplitRefused { ticket, failures } => {
                failed(ErrorReason::SplitRefused, [], format!("{ticket} cannot be split so"), &failures)
            }
            Refusal::TicketMerged { ticket, first } => failed(
                ErrorReason::TicketMerged,
                first.iter().map(|first| ("ticket", first.clone())),
                links::merged_text(&ticket, first.as_deref()),
                &[],
            ),
            Refusal::ReplyRuleBroken { ticket, failures } => failed(
                ErrorReason::ReplyRuleBroken,
                [],
                format!("the reply on {ticket} is not as this helpdesk asks"),
                &failures,
            ),
            Refusal::HistoryRefused(events) => history::refused(events, MOST_DETAIL_BYTES),
            Refusal::RoleNotAllowed { what, role, allowed } => not_allowed(&what, role, &allowed),
            Refusal::LastAdminKey { key } => last_admin_key(&key),
            Refusal::MayNotCreate { helpdesk } => may_not_create(&helpdesk),
            Refusal::RequestIdReused { request_id, command } => build(
                Code::InvalidArgument,
                ErrorReason::RequestIdReused,
                [("request_id", request_id.clone()), ("method", command.clone())],
                format!(
                    "request_id: {request_id} was used for {command} with other content; make a new one for each request"
                ),
                |details| {
                    details.add_bad_request_violation("request_id", "was used for a request with other content");
                },
            ),
            Refusal::InvalidDefinition(violations) => {
                invalid(ErrorReason::InvalidDefinition, "the definition is invalid", &violations)
            }
            Refusal::Upload(refusal) => files::refused(refusal),
            Refusal::DefinitionInUse(failures) => failed(
                ErrorReason::DefinitionInUse,
                [],
                "the definition takes away what tickets use".to_owned(),
                &failures,
            ),
            Refusal::Contact(refusal) => contact::status(refusal),
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Overloaded { retry_after } => overloaded(retry_after),
            Failure::TooManyWaiting { limit } => build(
                Code::ResourceExhausted,
                ErrorReason::TooManyWaitingClaims,
                [("limit", limit.to_string())],
                format!(
                    "{limit} claims wait for a ticket on this server, which is all it admits; ask again without waiting"
                ),
                |details| {
                    details.add_quota_failure_violation("waiting_claims", format!("at most {limit} claims that wait"));
                },
            ),
            Failure::ShuttingDown => Fault::ShuttingDown.into(),
            Failure::StoreUnavailable => build(
                Code::Unavailable,
                ErrorReason::StoreUnavailable,
                [],
                "the database does not answer: try again; a change, where one was asked for, may have been made or not: repeat it with the same request id",
                |details| {
                    details.set_retry_info(Some(Duration::from_secs(1)));
                },
            ),
            Failure::ContentUnavailable => build(
                Code::Unavailable,
                ErrorReason::StoreUnavailable,
                [],
                "the folder of the attachments does not answer or is full; what was told to be there is kept: try again",
                |details| {
                    details.set_retry_info(Some(Duration::from_secs(1)));
                },
            ),
            Failure::TimedOut => Fault::TimedOut.into(),
            failure @ (Failure::Store(_) | Failure::Internal) => failed_call(failure, ""),
        }
    }
}

/// The name of a code, as metrics have it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "Ok",
        Code::Cancelled => "Cancelled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

/// The status of a failure, with the id under which the log has the call where the server is at fault, and its cause.
pub(super) fn failed_call(failure: Failure, request_id: &str) -> Status {
    if let Failure::Store(error) = &failure {
        if request_id.is_empty() {
            tracing::error!(%error, "the call could not be done");
        } else {
            tracing::error!(%error, request_id, "the call could not be done");
        }
    }
    if matches!(failure, Failure::Store(_) | Failure::Internal) {
        return Fault::Internal { request_id: request_id.to_owned() }.into();
    }
    failure.into()
}

fn overloaded(retry_after: Duration) -> Status {
    build(
        Code::Unavailable,
        ErrorReason::Overloaded,
        [],
        "the server is busier than it admits; nothing was done: try again a little later",
        |details| {
            details.set_retry_info(Some(retry_after));
        },
    )
}

impl From<Denied> for Status {
    fn from(denied: Denied) -> Self {
        let unauthenticated = |reason, message: &str| build(Code::Unauthenticated, reason, [], message, |_| {});
        match denied {
            Denied::NoKey => unauthenticated(
                ErrorReason::InvalidAccessKey,
                "the call has no access key that can be read; send the metadata `authorization: Bearer {key}`",
            ),
            Denied::UnknownKey => {
                unauthenticated(ErrorReason::InvalidAccessKey, "the access key is not one of this server's")
            }
            Denied::Revoked => unauthenticated(ErrorReason::AccessKeyRevoked, "the access key was revoked"),
            Denied::OnBehalfOf { role } => Refusal::RoleNotAllowed {
                what: "acting for somebody".to_owned(),
                role,
                allowed: Role::FOR_OTHERS.to_vec(),
            }
            .into(),
            Denied::NotASubject => {
                let most = text::DISPLAY_NAME_MAX;
                let description =
                    format!("is not 1 to {most} printable ASCII characters; write an e-mail address or a name");
                Refusal::Invalid(vec![Violation::new(ON_BEHALF_OF, description)]).into()
            }
            Denied::KeysUnreadable => Failure::StoreUnavailable.into(),
        }
    }
}

impl From<Unresumable> for Status {
    fn from(why: Unresumable) -> Self {
        let out_of_range = |reason, oldest: i64, head: i64, message: &str| {
            let metadata = [("oldest_revision", oldest.to_string()), ("head_revision", head.to_string())];
            build(
                Code::OutOfRange,
                reason,
                metadata,
                format!("resume_token: {message}; watch from a new snapshot"),
                |_| {},
            )
        };
        match why {
            Unresumable::Invalid(what) => invalid(
                ErrorReason::InvalidResumeToken,
                "the resume token is invalid",
                &[Violation::new("resume_token", what)],
            ),
            Unresumable::Gone(ResumeError::Expired { oldest, head }) => out_of_range(
                ErrorReason::ResumeTokenExpired,
                oldest,
                head,
                &format!("is older than revision {oldest}, the oldest that can be resumed from"),
            ),
            Unresumable::Gone(ResumeError::Ahead { oldest, head }) => out_of_range(
                ErrorReason::ResumeTokenAhead,
                oldest,
                head,
                &format!("is ahead of revision {head}, the last of this helpdesk"),
            ),
            Unresumable::Gone(ResumeError::EpochChanged { oldest, head }) => {
                out_of_range(ErrorReason::FeedEpochChanged, oldest, head, "is of another log, as after a restore")
            }
            Unresumable::Gone(ResumeError::Store(error)) => Failure::from_store(&error).into(),
        }
    }
}
