//! What every call passes, from the outside in. Each layer stands where it does for a reason:
//!
//! 1. observe: the span with the request id, the metrics, and the last word on errors: whatever comes from further in, even
//!    from tonic itself, leaves with a reason;
//! 2. catch panics: one call's panic is that call's alone, and is still observed;
//! 3. beside: what needs no key is on a way of its own, without the limit and with a short deadline;
//! 4. shed load over a limit on calls at once: what cannot be served soon is told so at once, before it costs anything;
//! 5. deadline: the caller's or the server's, whichever is sooner, from before the key is looked up;
//! 6. admit: no handler ever sees a caller without a good key.
//!
//! The sizes of messages are limited where they are decoded: in `server.rs`.

mod admit;
mod beside;
mod deadline;
mod observe;
mod until;

use std::any::Any;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;

use self::admit::AdmitLayer;
use self::beside::Beside;
use self::deadline::DeadlineLayer;
use self::observe::ObserveLayer;
use super::identity::Keys;
use super::status::Fault;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type HttpRequest = http::Request<tonic::body::Body>;
type HttpResponse = http::Response<tonic::body::Body>;

/// What the layers admit.
#[derive(Debug, Clone, Copy)]
pub struct LayerOptions {
    /// Calls at once; open streams do not count.
    pub concurrency: usize,
    /// How long a call may take until its answer begins.
    pub timeout: Duration,
    /// The largest request, in bytes: to name it in errors.
    pub message_bytes: usize,
}

/// The layers, for any service that answers calls; `closing` is cancelled when the server begins to stop.
pub fn stack<S>(
    service: S,
    keys: Arc<Keys>,
    options: LayerOptions,
    closing: CancellationToken,
) -> impl Service<HttpRequest, Response = HttpResponse, Error = Infallible, Future: Send> + Clone + Send
where
    S: Service<HttpRequest, Response = HttpResponse, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static,
{
    let admit = AdmitLayer {
        keys,
        calls: options.concurrency,
        closing,
        open: Arc::new(Semaphore::new(until::MOST)),
        strange: Arc::new(Semaphore::new((options.concurrency / 16).max(16))),
    };
    let open = ServiceBuilder::new()
        .map_err(|never: Infallible| -> BoxError { match never {} })
        .layer(DeadlineLayer { timeout: options.timeout.min(OPEN_TIMEOUT) })
        .layer(admit.clone())
        .service(service.clone());
    let calls = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(options.concurrency))
        .layer(DeadlineLayer { timeout: options.timeout })
        .layer(admit)
        .service(service);
    ServiceBuilder::new()
        .layer(ObserveLayer { message_bytes: options.message_bytes })
        .layer(CatchPanicLayer::custom(panicked))
        .service(Beside { open, calls })
}

/// What needs no key is answered from memory; whoever takes longer to ask does not mean to.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// What was said goes to the log; the caller learns only that something failed.
#[allow(clippy::needless_pass_by_value, reason = "`CatchPanicLayer` hands it over in a box")]
fn panicked(panic: Box<dyn Any + Send>) -> HttpResponse {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = said.unwrap_or("something that is not text"), "a call panicked");
    tonic::Status::from(Fault::Internal { request_id: String::new() }).into_http()
}

/// Those of them that may stay open.
fn is_open_stream(path: &str) -> bool {
    path.starts_with("/grpc.reflection.") || path == "/grpc.health.v1.Health/Watch"
}

/// Paths that need no key: whether the server is there, and what it offers.
fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.Health/") || path.starts_with("/grpc.reflection.")
}
