//! Keeps the caller's deadline, and the server's own.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tonic::Status;
use tower::{Layer, Service};

use super::{HttpRequest, HttpResponse};
use crate::rpc::attachments::upload;
use crate::rpc::call::Deadline;
use crate::rpc::status::Fault;

#[derive(Debug, Clone)]
pub(super) struct DeadlineLayer {
    pub(super) timeout: Duration,
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = KeepDeadline<S>;

    fn layer(&self, inner: S) -> KeepDeadline<S> {
        KeepDeadline { timeout: self.timeout, inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct KeepDeadline<S> {
    timeout: Duration,
    inner: S,
}

impl<S> Service<HttpRequest> for KeepDeadline<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = Infallible, Future: Send + 'static>,
{
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    /// The answer must begin by then; a stream that has begun is not cut.
    fn call(&mut self, mut request: HttpRequest) -> Self::Future {
        let asked = request.headers().get("grpc-timeout").and_then(|value| parse(value.to_str().ok()?));
        // An upload answers when all has come, which takes as long as it takes: it looks itself whether anything moves.
        let is_upload = request.uri().path() == upload::PATH;
        let most = if is_upload { Duration::MAX } else { self.timeout };
        let Some(timeout) =
            asked.map(|asked| asked.saturating_sub(margin(asked)).min(most)).or((!is_upload).then_some(most))
        else {
            return Box::pin(self.inner.call(request));
        };
        if timeout < SHORTEST {
            return Box::pin(async { Ok(Status::from(Fault::TimedOut).into_http()) });
        }
        let deadline = Instant::now() + timeout;
        request.extensions_mut().insert(Deadline(deadline));
        let answer = self.inner.call(request);
        Box::pin(async move {
            match tokio::time::timeout_at(deadline.into(), answer).await {
                Ok(answer) => answer,
                Err(_) => Ok(Status::from(Fault::TimedOut).into_http()),
            }
        })
    }
}

/// What timers tell apart. Of a shorter time the transport may see the end first, and say so without a reason.
const SHORTEST: Duration = Duration::from_millis(1);

/// The answer that time is up must be on its way before the transport, which keeps the caller's deadline too, ends the call
/// without a reason. Clients in C and what is made of it, as Python, send up to 1 % more than their deadline.
fn margin(asked: Duration) -> Duration {
    (asked / 4).min(Duration::from_millis(5)) + (asked / 100).min(Duration::from_millis(500))
}

/// gRPC over HTTP/2: at most eight digits and a unit.
fn parse(value: &str) -> Option<Duration> {
    let unit = value.chars().next_back()?;
    let digits = value.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(count * 3600),
        'M' => Duration::from_secs(count * 60),
        'S' => Duration::from_secs(count),
        'm' => Duration::from_millis(count),
        'u' => Duration::from_micros(count),
        'n' => Duration::from_nanos(count),
        _ => return None,
    })
}
