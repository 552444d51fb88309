//! How a command fails: what is said, and with which exit code.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use loket_client::Error;
use loket_client::error::Origin;
use loket_client::v1::ErrorReason;
use tonic::Code;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call failed.
    Call(Error),
    /// A call to a server of another kind failed, by what that is: the hints about Loket's are not for it.
    Elsewhere(&'static str, Error),
    /// What the call failed for is one of several things.
    About(String, Box<Failure>),
    /// What was given cannot be used.
    Usage(String),
    /// A file is not what it should be; one line for each thing.
    Invalid(Vec<String>),
    /// The output cannot be written.
    Output(io::Error),
    /// No ticket waits; what there is to say of it has been said.
    NoTicket,
    /// Ctrl-C ended it before its end.
    Interrupted(&'static str),
    /// Something else.
    Other(String),
    /// Several of several things failed; the first decides the exit code.
    Several(Vec<Failure>),
}

/// Where the key came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// From `--token`.
    Flag,
    /// From `LOKET_TOKEN`.
    Variable,
    /// From the data directory.
    File,
}

/// What a failure is told by, besides what went wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) key: Key,
    /// Whether the same command with a request id asks for the same once more.
    pub(crate) is_repeatable: bool,
}

/// For `loket --help`; `code` below must agree.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  anything else, such as a file here that cannot be read or written, and rows that were refused (`loket import`)
  2  wrong usage
  3  refused as invalid (INVALID_ARGUMENT, OUT_OF_RANGE, a message too large, a file that does not parse)
  4  not found (NOT_FOUND)
  5  not allowed (UNAUTHENTICATED, PERMISSION_DENIED, no key)
  6  conflict with how things stand (ALREADY_EXISTS, ABORTED, FAILED_PRECONDITION, a ticket whose files are full)
  7  unavailable (UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, no connection)
  8  no ticket waits in the queue (`loket queue next`)
  130  stopped by Ctrl-C, SIGTERM or SIGHUP before its end (`loket import`)";

impl Failure {
    /// Says on standard error what went wrong.
    pub(crate) fn report(&self, asked: Asked) -> ExitCode {
        // Whoever reads a pipe only as far as needed is not told off for it.
        if self.local().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        // There is nowhere left to report that standard error is closed.
        let _ = io::stderr().lock().write_all(self.text(asked).as_bytes());
        ExitCode::from(self.code())
    }

    /// What the system said of a file here, or of the output.
    fn local(&self) -> Option<&io::Error> {
        match self {
            Self::Output(error) => Some(error),
            Self::Call(error) => local(error),
            Self::About(_, failure) => failure.local(),
            Self::Elsewhere(..)
            | Self::Usage(_)
            | Self::Invalid(_)
            | Self::NoTicket
            | Self::Interrupted(_)
            | Self::Other(_)
            | Self::Several(_) => None,
        }
    }

    fn text(&self, asked: Asked) -> String {
        let mut text = String::new();
        match self {
            Self::Call(error) => {
                let _ = writeln!(text, "error: {}", crate::show::clean(&error.to_string()));
                if let Some(hint) = hint(error, asked.key) {
                    let _ = writeln!(text, "hint: {hint}");
                }
                if let Some(id) = error.request_id().filter(|_| asked.is_repeatable && may_have_been_done(error)) {
                    let _ = writeln!(text, "hint: it may have been done; to repeat it safely, add --request-id {id}");
                }
            }
            Self::Elsewhere(what, error) => {
                let _ = writeln!(text, "error: {what}: {}", crate::show::clean(&error.to_string()));
            }
            Self::About(what, failure) => {
                let inner = failure.text(asked);
                let _ = write!(text, "error: {what}: {}", inner.strip_prefix("error: ").unwrap_or(&inner));
            }
            Self::Usage(message) | Self::Other(message) => {
                let _ = writeln!(text, "error: {message}");
            }
            Self::Interrupted(message) => {
                let _ = writeln!(text, "error: {message}");
            }
            Self::Invalid(lines) => {
                for line in lines {
                    let _ = writeln!(text, "{line}");
                }
            }
            Self::NoTicket => {}
            Self::Output(error) => {
                let _ = writeln!(text, "error: cannot write the output: {error}");
            }
            Self::Several(failures) => failures.iter().for_each(|failure| text.push_str(&failure.text(asked))),
        }
        text
    }

    fn code(&self) -> u8 {
        match self {
            // No later try is better: the message itself must be smaller.
            Self::Call(error) if error.reason() == Some(ErrorReason::MessageTooLarge) => 3,
            // Nor is there more room on the ticket.
            Self::Call(error) if error.reason() == Some(ErrorReason::AttachmentQuotaExceeded) => 6,
            // What is wrong is on this side, and nothing was refused.
            Self::Call(error) if local(error).is_some() => 1,
            Self::Call(error) | Self::Elsewhere(_, error) => match error.code() {
                Code::InvalidArgument | Code::OutOfRange => 3,
                Code::NotFound => 4,
                Code::Unauthenticated | Code::PermissionDenied => 5,
                Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => 6,
                Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => 7,
                Code::Ok | Code::Cancelled | Code::Unknown | Code::Internal | Code::Unimplemented | Code::DataLoss => {
                    if error.origin() == Origin::Connection {
                        7
                    } else {
                        1
                    }
                }
            },
            Self::About(_, failure) => failure.code(),
            Self::Usage(_) => 2,
            Self::Invalid(_) => 3,
            Self::Output(_) | Self::Other(_) => 1,
            Self::NoTicket => 8,
            Self::Interrupted(_) => 130,
            Self::Several(failures) => failures.first().map_or(1, Self::code),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What the system said of a file here, where that is what went wrong.
fn local(error: &Error) -> Option<&io::Error> {
    let source = std::error::Error::source(error).filter(|_| error.origin() == Origin::Client);
    source.and_then(|source| source.downcast_ref())
}

/// Whether a mutation may have been done, though there is no answer.
fn may_have_been_done(error: &Error) -> bool {
    match error.origin() {
        Origin::Connection => true,
        Origin::Client | Origin::Server => matches!(error.code(), Code::DeadlineExceeded | Code::Unavailable),
    }
}

/// What to try, where that is likely to help.
fn hint(error: &Error, key: Key) -> Option<&'static str> {
    match (error.origin(), error.code()) {
        (Origin::Connection, Code::Unavailable) => Some(
            "is the server running? Start it with `cargo run --release -- --with-presets`, or name another with \
             --endpoint or LOKET_ENDPOINT",
        ),
        // Something took the connection and then broke it, such as with an answer in HTTP/1.
        (Origin::Connection, _) => Some(
            "is it a server of Loket that listens there? Name the address of its --listen, not of its --metrics-listen",
        ),
        (Origin::Client, Code::Unauthenticated) => Some(
            "the server writes its first key to `admin.key` in its data directory: name that directory with \
             --data-dir or LOKET_DATA_DIR, or give a key with --token or LOKET_TOKEN",
        ),
        (Origin::Server, Code::Unauthenticated) if error.reason() == Some(ErrorReason::InvalidAccessKey) => {
            Some(match key {
                Key::Flag => "the key of --token is not one of this server's; --token comes before --data-dir",
                Key::Variable => {
                    "the key of LOKET_TOKEN is not one of this server's; it comes before LOKET_DATA_DIR: unset it, or name the \
                     data directory with --data-dir"
                }
                Key::File => {
                    "the key is not one of this server's: name its data directory with --data-dir or LOKET_DATA_DIR, \
                     or give a key with --token or LOKET_TOKEN"
                }
            })
        }
        (Origin::Client | Origin::Server, Code::DeadlineExceeded) => Some("--timeout gives it longer"),
        (Origin::Server, Code::Aborted) if error.reason() == Some(ErrorReason::EtagMismatch) => Some(
            "an etag, also one in a file, is of one version: read it again, or leave it out to write over whatever is there",
        ),
        _ => None,
    }
}
