//! One stream after another: what both watches are made of.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use loket::v1::ErrorReason;
use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::{Response, Status, Streaming};

use crate::backoff::Backoff;
use crate::error::{Error, Result};

/// A stream that is opened again after it has ended, with growing waits until something comes.
///
/// Nothing is lost when a future of [`Link::next`] is dropped: an opening goes on where it was, and silence is counted on.
#[derive(Debug)]
pub(crate) struct Link<T> {
    state: State<T>,
    backoff: Backoff,
    /// Since when there is no stream; nothing while there is one.
    down: Option<Instant>,
    /// Why the last one ended, or could not be opened.
    trouble: Option<Error>,
    /// Whether there ever was one.
    was_open: bool,
}

/// A watch that is without its stream, which it is trying to open again.
#[derive(Debug, Clone)]
pub struct Outage {
    /// For how long.
    pub elapsed: Duration,
    /// Why the last stream ended or could not be opened: None where it was silent or closed, and before the first was tried.
    pub error: Option<Error>,
}

/// What happened on a link.
pub(crate) enum Step<T> {
    /// The server has accepted the stream.
    Opened,
    /// Something came.
    Message(T),
    /// It ended, failed, or was silent for too long. To go on, call [`Link::again`].
    Ended(Option<Error>),
    /// It was given up before.
    Over,
}

enum State<T> {
    /// To be opened then.
    Closed {
        at: Instant,
    },
    Opening(Opening<T>),
    /// `heard` is when something last came.
    Open {
        stream: Box<Streaming<T>>,
        heard: Instant,
    },
    Over,
}

/// A stream that is being opened.
type Opening<T> = Pin<Box<dyn Future<Output = Result<Streaming<T>>> + Send>>;

impl<T> Link<T> {
    pub(crate) fn new() -> Self {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
        let now = Instant::now();
        Self { state: State::Closed { at: now }, backoff, down: Some(now), trouble: None, was_open: false }
    }

    /// Whether it is without a stream.
    pub(crate) fn outage(&self) -> Option<Outage> {
        self.down.map(|since| Outage { elapsed: since.elapsed(), error: self.trouble.clone() })
    }

    /// What happens next. `open` is asked for a stream when there is none, and it may be silent for `patience`.
    pub(crate) async fn next<F>(&mut self, patience: Option<Duration>, open: impl FnOnce() -> F) -> Step<T>
    where
        F: Future<Output = Result<Streaming<T>>> + Send + 'static,
    {
        if let State::Closed { at } = &self.state {
            sleep_until(*at).await;
            self.state = State::Opening(Box::pin(open()));
        }
        match &mut self.state {
            State::Opening(opening) => match opening.await {
                Ok(stream) => {
                    self.state = State::Open { stream: Box::new(stream), heard: Instant::now() };
                    (self.down, self.trouble) = (None, None);
                    self.was_open = true;
                    Step::Opened
                }
                Err(error) => self.ended(Some(error)),
            },
            State::Open { stream, heard } => {
                let message = match patience {
                    Some(patience) => timeout_at(*heard + patience, stream.message()).await.unwrap_or(Ok(None)),
                    None => stream.message().await,
                };
                match message {
                    Ok(Some(message)) => {
                        *heard = Instant::now();
                        self.backoff.reset();
                        Step::Message(message)
                    }
                    Ok(None) => self.ended(None),
                    Err(status) => self.ended(Some(status.into())),
                }
            }
            State::Closed { .. } | State::Over => Step::Over,
        }
    }

    /// Opens it again, unless the error says that this cannot help. Where there was a stream, a server that is full is waited
    /// for: it may not have noticed yet that the streams of before are gone, this one's among them. The wait is `announced`, or grows from time to time.
    pub(crate) fn again(&mut self, error: Option<Error>, announced: Option<Duration>) -> Result<()> {
        let asked = error.as_ref().and_then(Error::retry_delay);
        let passes = |error: &Error| error.is_transient() || self.was_open && is_full(error);
        if let Some(error) = error.filter(|error| !passes(error)) {
            return Err(error);
        }
        let wait = announced.unwrap_or_else(|| self.backoff.next(asked));
        let at = Instant::now() + wait;
        if announced.is_some() {
            // Nothing is amiss until then.
            self.down = Some(at);
        }
        self.state = State::Closed { at };
        Ok(())
    }

    fn ended(&mut self, error: Option<Error>) -> Step<T> {
        self.state = State::Over;
        self.down.get_or_insert_with(Instant::now);
        self.trouble.clone_from(&error);
        Step::Ended(error)
    }
}

/// Whether the server has as much under way as it admits.
fn is_full(error: &Error) -> bool {
    matches!(error.reason(), Some(ErrorReason::TooManyStreams | ErrorReason::TooManySnapshots))
}

/// Opens a stream within `limit`. A server that is stuck may come back; a revision that does not come, where one is
/// waited for, is for the caller to know.
pub(crate) async fn open<T>(
    limit: Duration,
    min_revision: i64,
    call: impl Future<Output = std::result::Result<Response<Streaming<T>>, Status>>,
) -> Result<Streaming<T>> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => Ok(answer?.into_inner()),
        Err(_elapsed) if min_revision > 0 => Err(Error::late(limit)),
        Err(_elapsed) => Err(Error::silent(limit)),
    }
}

impl<T> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed { .. } => "closed",
            Self::Opening(_) => "opening",
            Self::Open { .. } => "open",
            Self::Over => "over",
        })
    }
}
