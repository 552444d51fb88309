//! Watches every call: its span, its metrics, and the last word on errors.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderMap, HeaderValue};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument;

use super::{BoxError, HttpRequest, HttpResponse};
use crate::rpc::call::CallId;
use crate::rpc::status::Fault;

#[derive(Debug, Clone)]
pub(super) struct ObserveLayer {
    pub(super) message_bytes: usize,
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { message_bytes: self.message_bytes, inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Observe<S> {
    message_bytes: usize,
    inner: S,
}

impl<S, B> Service<HttpRequest> for Observe<S>
where
    S: Service<HttpRequest, Response = http::Response<B>, Error = BoxError, Future: Send> + Clone + Send + 'static,
    B: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Infallible>> + Send>>;

    /// The readiness of what is within is asked for by `call`: an error of it is answered, not handed on.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: HttpRequest) -> Self::Future {
        let inner = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, inner);
        let path = request.uri().path().to_owned();
        let request_id: Arc<str> = next_request_id().into();
        request.extensions_mut().insert(CallId(Arc::clone(&request_id)));
        let span = tracing::error_span!("call", method = %path, request_id = %request_id);
        let message_bytes = self.message_bytes;
        let began = Instant::now();
        let answer = async move {
            let answer = match std::future::poll_fn(|context| inner.poll_ready(context)).await {
                Ok(()) => inner.call(request).await,
                Err(error) => Err(error),
            };
            let response = match answer {
                Ok(response) => finish(response.map(tonic::body::Body::new), &path, &request_id, message_bytes),
                Err(_) => Status::from(Fault::Overloaded).into_http(),
            };
            let code = code(response.headers());
            if code == Code::Internal {
                tracing::error!("the call failed");
            } else {
                tracing::debug!(?code, micros = began.elapsed().as_micros() as u64, "answered");
            }
            record(&path, code, began);
            Ok(response)
        };
        Box::pin(answer.instrument(span))
    }
}

/// Unique within the process, and unlikely to be another's.
fn next_request_id() -> String {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        let mut bits = [0; 8];
        // Without chance the ids are still unique within the process.
        let _ = getrandom::fill(&mut bits);
        AtomicU64::new(u64::from_le_bytes(bits))
    });
    format!("{:016x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The code of an answer that is only a head; anything else has begun well.
fn code(headers: &HeaderMap) -> Code {
    headers.get("grpc-status").map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()))
}

/// Errors that no handler has built get their reason here, and faults the id under which the log has them.
fn finish(response: HttpResponse, path: &str, request_id: &str, message_bytes: usize) -> HttpResponse {
    let headers = response.headers();
    let code = code(headers);
    if code == Code::Ok {
        return response;
    }
    let is_explained = headers.contains_key("grpc-status-details-bin");
    if is_explained && code != Code::Internal {
        return response;
    }
    let status = Status::from_header_map(headers);
    let message = status.as_ref().map_or("", Status::message);
    let fault = match code {
        _ if !is_explained && Fault::is_about_the_connection(message) => {
            Fault::Undecodable("it broke off before its end".to_owned())
        }
        Code::Internal if !is_explained && Fault::is_about_decoding(message) => Fault::Undecodable(message.to_owned()),
        Code::OutOfRange if message.contains("message length too large") => Fault::TooLarge { limit: message_bytes },
        Code::NotFound if path.starts_with("/grpc.health.v1.Health/") => Fault::UnknownService,
        Code::Unimplemented if headers.contains_key(ACCEPT_ENCODING) => Fault::Compressed,
        Code::Unimplemented => Fault::UnknownMethod(path.to_owned()),
        Code::Cancelled | Code::DeadlineExceeded => Fault::TimedOut,
        Code::Internal
        | Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => {
            if !is_explained {
                tracing::error!(?code, message, "an error without a reason");
            }
            Fault::Internal { request_id: request_id.to_owned() }
        }
    };
    let is_compressed = matches!(fault, Fault::Compressed);
    let mut response = Status::from(fault).into_http();
    if is_compressed {
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    response
}

/// Tells the client which encodings it may try instead; `tonic` sends it with the error, and with no other.
const ACCEPT_ENCODING: &str = "grpc-accept-encoding";

/// Made-up paths get no meters of their own, whoever makes them up: meters are kept for ever.
fn label(path: &str) -> &str {
    static KNOWN: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let own = loket::json::POOL.services().filter(|service| service.package_name() == "loket.v1");
        let own = own.flat_map(|service| service.methods().collect::<Vec<_>>());
        let own = own.map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name()));
        own.chain(OPEN_METHODS.map(str::to_owned)).collect()
    });
    if KNOWN.contains(path) { path } else { "unknown" }
}

/// The methods that are not this contract's.
const OPEN_METHODS: [&str; 4] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// The meters of one method.
struct Meters {
    seconds: metrics::Histogram,
    ok: metrics::Counter,
}

fn record(path: &str, code: Code, began: Instant) {
    static METERS: LazyLock<RwLock<HashMap<String, Arc<Meters>>>> = LazyLock::new(RwLock::default);
    let path = label(path);
    let known = METERS.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
    let meters = known.unwrap_or_else(|| {
        let meters = Arc::new(Meters {
            seconds: metrics::histogram!("loket_call_seconds", "method" => path.to_owned()),
            ok: metrics::counter!("loket_calls_total", "method" => path.to_owned(), "code" => "Ok"),
        });
        METERS.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), Arc::clone(&meters));
        meters
    });
    meters.seconds.record(began.elapsed().as_secs_f64());
    if code == Code::Ok {
        meters.ok.increment(1);
    } else {
        metrics::counter!("loket_calls_total", "method" => path.to_owned(), "code" => format!("{code:?}")).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::{OPEN_METHODS, label};

    #[test]
    fn only_methods_that_there_are_have_meters_of_their_own() {
        for known in ["/loket.v1.TicketService/CreateTicket", "/loket.v1.QueueService/WatchQueue"] {
            assert_eq!(label(known), known);
        }
        assert_eq!(OPEN_METHODS.map(label), OPEN_METHODS);
        for made_up in ["", "/", "/loket.v1.TicketService/Juggle", "/loket.v1.TicketService/CreateTicket/", "/a/b"] {
            assert_eq!(label(made_up), "unknown");
        }
    }
}
