//! The one error type: what the server said, or why it could not be asked.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use loket::v1::ErrorReason;
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::StatusExt as _;

/// Why a call failed. It displays as a sentence, followed by one line for each violation.
///
/// Programs decide by [`Error::reason`] and, where there is none, by [`Error::code`]; never by the message.
#[derive(Debug, Clone)]
pub struct Error(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    origin: Origin,
    code: Code,
    reason: Option<ErrorReason>,
    message: String,
    metadata: BTreeMap<String, String>,
    violations: Vec<Violation>,
    resource: Option<Resource>,
    retry_delay: Option<Duration>,
    request_id: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Where an error arose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The server answered with it.
    Server,
    /// The connection: none could be made, or it broke. A mutation may have been applied.
    Connection,
    /// This side: a setting, or the deadline.
    Client,
}

/// One thing that was wrong: a field of the request, a precondition or a quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A field of the request breaks a rule.
    Field {
        /// The path of the field: `ticket.subject`.
        field: String,
        /// What is wrong with it, and what would be right.
        description: String,
    },
    /// Something must hold and does not, such as the guard of a transition.
    Precondition {
        /// Its kind, as the server classes it.
        kind: String,
        /// What it is about.
        subject: String,
        /// What must hold.
        description: String,
    },
    /// A limit was reached.
    Quota {
        /// Whose limit it is.
        subject: String,
        /// The limit.
        description: String,
    },
}

/// The resource that an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its type: `loket.v1/Ticket`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What about it.
    pub description: String,
}

/// What a result of this crate is, unless it says otherwise.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The gRPC code. Errors of this side have the code that the server would have used.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The reason, when the server gave one that this version knows.
    pub fn reason(&self) -> Option<ErrorReason> {
        self.0.reason
    }

    /// What went wrong, without the violations.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The metadata of the reason, as documented on [`ErrorReason`]: `assignee`, `oldest_revision`, …
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// Everything that was wrong, in the server's order: fields, preconditions, quotas.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// The resource that is missing, or there already.
    pub fn resource(&self) -> Option<&Resource> {
        self.0.resource.as_ref()
    }

    /// How long the server asks to wait before the next try.
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    /// The request id, given or made, of the mutation that failed: where it may have been done all the same, the same request
    /// under this id is done once. None for what changes nothing, and for batches, whose items have ids of their own.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Where it arose.
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// Whether the same request, with the same request id, may succeed a little later: the server is unavailable, or the
    /// connection could not be made or broke.
    pub fn is_transient(&self) -> bool {
        self.0.code == Code::Unavailable || self.0.origin == Origin::Connection
    }

    /// The oldest revision that the feed still holds, in an error about a resume token.
    pub fn oldest_revision(&self) -> Option<i64> {
        self.0.metadata.get("oldest_revision")?.parse().ok()
    }

    /// The helpdesk's last revision, in an error about a resume token.
    pub fn head_revision(&self) -> Option<i64> {
        self.0.metadata.get("head_revision")?.parse().ok()
    }

    pub(crate) fn of_request(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    pub(crate) fn unusable(message: impl Into<String>) -> Self {
        Self::of_client(Code::InvalidArgument, message)
    }

    /// A file here cannot be read or written: of such an error [`StdError::source`] is the [`std::io::Error`].
    pub(crate) fn local(what: &str, error: io::Error) -> Self {
        let mut told = Self::unusable(format!("{what}: {error}"));
        told.0.source = Some(Arc::new(error));
        told
    }

    pub(crate) fn spoiled(message: impl Into<String>) -> Self {
        Self::of_client(Code::DataLoss, message)
    }

    pub(crate) fn no_key(message: impl Into<String>) -> Self {
        Self::of_client(Code::Unauthenticated, message)
    }

    pub(crate) fn late(after: Duration) -> Self {
        Self::of_client(Code::DeadlineExceeded, format!("there was no answer within {after:?}"))
    }

    pub(crate) fn silent(after: Duration) -> Self {
        let mut error = Self::late(after);
        error.0.origin = Origin::Connection;
        error
    }

    pub(crate) fn unreachable(endpoint: &str, source: tonic::transport::Error) -> Self {
        let mut error = Self::of_client(Code::Unavailable, format!("cannot connect to {endpoint}: {}", root(&source)));
        error.0.origin = Origin::Connection;
        error.0.source = Some(Arc::new(source));
        error
    }

    fn of_client(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            origin: Origin::Client,
            code,
            reason: None,
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            resource: None,
            retry_delay: None,
            request_id: None,
            source: None,
        }))
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().filter(|info| info.domain == loket::reason::DOMAIN);
        let fields = details.bad_request().into_iter().flat_map(|bad| &bad.field_violations).map(|violation| {
            Violation::Field { field: violation.field.clone(), description: violation.description.clone() }
        });
        let preconditions =
            details.precondition_failure().into_iter().flat_map(|failure| &failure.violations).map(|violation| {
                Violation::Precondition {
                    kind: violation.r#type.clone(),
                    subject: violation.subject.clone(),
                    description: violation.description.clone(),
                }
            });
        let quotas = details.quota_failure().into_iter().flat_map(|failure| &failure.violations).map(|violation| {
            Violation::Quota { subject: violation.subject.clone(), description: violation.description.clone() }
        });

        let (origin, code) = arose(&status);
        Self(Box::new(Parts {
            origin,
            code,
            reason: info.and_then(|info| ErrorReason::from_reason(&info.reason)),
            message: sentence(origin, &status),
            metadata: info.map(|info| info.metadata.clone().into_iter().collect()).unwrap_or_default(),
            violations: fields.chain(preconditions).chain(quotas).collect(),
            resource: details.resource_info().map(|resource| Resource {
                kind: resource.resource_type.clone(),
                name: resource.resource_name.clone(),
                description: resource.description.clone(),
            }),
            retry_delay: details.retry_info().and_then(|retry| retry.retry_delay),
            request_id: None,
            source: status.source().is_some().then(|| Arc::new(status) as Arc<dyn StdError + Send + Sync>),
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violations: Vec<_> = self.0.violations.iter().map(Violation::to_string).collect();
        let told = told_from(&self.0.message, &self.0.violations, &violations);
        if told == Some(0) {
            return f.write_str(&self.0.message);
        }
        let sentence = &self.0.message[..told.unwrap_or(self.0.message.len())];
        f.write_str(sentence.trim_end_matches([' ', '.', ':', ';']))?;
        violations.iter().try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}

/// Where a message begins to tell its violations, which for those who read nothing else it may end with: each as it is `shown`,
/// or without its place.
fn told_from(message: &str, violations: &[Violation], shown: &[String]) -> Option<usize> {
    let ends = violations.iter().map(Violation::words).any(|words| {
        let message = message.trim_end_matches('.');
        !words.is_empty() && message.ends_with(words)
    });
    let without_place = |violation: &Violation| message.find(violation.words()).filter(|place| ends && *place > 0);
    // What it is about may also be the end of the sentence: `… on helpdesks/h/tickets/1: it is closed`.
    let begins = |place: &usize| {
        let sentence = message[..*place].trim_end();
        sentence.is_empty() || sentence.ends_with(['.', ':', ';'])
    };
    let place = |(shown, violation): (&String, &Violation)| {
        message.find(shown).filter(begins).or_else(|| without_place(violation))
    };
    shown.iter().zip(violations).filter_map(place).min()
}

impl Violation {
    /// What is wrong, as a part of a sentence: without where, and without a full stop.
    fn words(&self) -> &str {
        let (Self::Field { description, .. }
        | Self::Precondition { description, .. }
        | Self::Quota { description, .. }) = self;
        description.trim_end_matches('.')
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { field: subject, description }
            | Self::Precondition { kind: _, subject, description }
            | Self::Quota { subject, description } => {
                let names_it = |rest: &str| subject.is_empty() || subject.contains('/') && rest.starts_with([' ', '/']);
                if description.strip_prefix(subject.as_str()).is_some_and(names_it) {
                    f.write_str(description)
                } else {
                    write!(f, "{subject}: {description}")
                }
            }
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Only what the transport made has a source; what the server sent has none.
fn arose(status: &Status) -> (Origin, Code) {
    let mut cause = status.source();
    if cause.is_none() {
        return (Origin::Server, status.code());
    }
    while let Some(error) = cause {
        if error.is::<TimeoutExpired>() {
            return (Origin::Client, Code::DeadlineExceeded);
        }
        cause = error.source();
    }
    let broke = [Code::Unavailable, Code::Unknown, Code::Internal, Code::Cancelled].contains(&status.code());
    (if broke { Origin::Connection } else { Origin::Client }, status.code())
}

fn sentence(origin: Origin, status: &Status) -> String {
    match (origin, status.source()) {
        (Origin::Connection, Some(source)) => format!("the connection failed: {}", root(source)),
        (Origin::Client, Some(source)) => root(source),
        (Origin::Connection | Origin::Client | Origin::Server, _) if status.message().is_empty() => {
            format!("the server answered {:?} without saying why", status.code())
        }
        (Origin::Connection | Origin::Client | Origin::Server, _) => status.message().to_owned(),
    }
}

/// The last cause says most: `Connection refused (os error 111)` and not `transport error`.
fn root(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn reads_as_a_sentence_with_every_violation() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("INVALID_REQUEST", "loket.v1", [("a".to_owned(), "b".to_owned())])
            .add_bad_request_violation("ticket.subject", "must not be empty")
            .add_bad_request_violation("ticket.body", "must not be empty");
        let status = Status::with_error_details(Code::InvalidArgument, "the request breaks 2 rules", details);

        let error = Error::from(status);
        assert_eq!(
            error.to_string(),
            "the request breaks 2 rules\n  ticket.subject: must not be empty\n  ticket.body: must not be empty"
        );
        assert_eq!(error.reason(), Some(ErrorReason::InvalidRequest));
        assert_eq!(error.metadata()["a"], "b");
        assert_eq!(error.origin(), Origin::Server);
        assert!(!error.is_transient());
    }

    #[test]
    fn a_violation_in_the_message_is_not_told_twice() {
        let shown = |message: &str| {
            let mut details = ErrorDetails::new();
            details.add_bad_request_violation("filter", "column 9");
            Error::from(Status::with_error_details(Code::InvalidArgument, message, details)).to_string()
        };
        assert_eq!(shown("filter: column 9"), "filter: column 9");
        assert_eq!(shown("1 thing is wrong. filter: column 9"), "1 thing is wrong\n  filter: column 9");
        assert_eq!(shown("the filter is wrong: column 9"), "the filter is wrong\n  filter: column 9");
        assert_eq!(shown("the filter is wrong: column 9."), "the filter is wrong\n  filter: column 9");
        assert_eq!(shown("column 9 is wrong; write 8"), "column 9 is wrong; write 8\n  filter: column 9");
    }

    #[test]
    fn a_sentence_that_ends_with_what_the_violations_are_about_is_told_to_its_end() {
        let ticket = "helpdesks/h/tickets/1";
        let mut details = ErrorDetails::new();
        details.add_precondition_failure_violation("STATUS", ticket, "it leads on from: claimed; not from `new`");
        details.add_precondition_failure_violation("GUARD", "rooster", "Get the data first.");
        let message = format!(
            "the escalation rooster cannot be taken on {ticket}: it leads on from: claimed; not from `new`; Get the data first"
        );
        let error = Error::from(Status::with_error_details(Code::FailedPrecondition, message, details));
        assert_eq!(
            error.to_string(),
            "the escalation rooster cannot be taken on helpdesks/h/tickets/1\n  \
             helpdesks/h/tickets/1: it leads on from: claimed; not from `new`\n  rooster: Get the data first."
        );
    }

    #[test]
    fn knows_the_edges_of_the_feed() {
        let bounds = [("oldest_revision", "7"), ("head_revision", "12")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let mut details = ErrorDetails::new();
        details.set_error_info("RESUME_TOKEN_EXPIRED", "loket.v1", bounds);
        let error = Error::from(Status::with_error_details(Code::OutOfRange, "too old", details));
        assert_eq!((error.oldest_revision(), error.head_revision()), (Some(7), Some(12)));
    }

    #[test]
    fn a_timeout_of_the_channel_is_a_deadline() {
        let error = Error::from(Status::from_error(Box::new(TimeoutExpired(()))));
        assert_eq!(error.code(), Code::DeadlineExceeded);
        assert!(!error.is_transient());
    }
}
