//! Lets callers in by their keys.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tower::{Layer, Service};

use super::until::{self, UntilClosing};
use super::{HttpRequest, HttpResponse, is_open, is_open_stream};
use crate::rpc::caller::Caller;
use crate::rpc::identity::Keys;
use crate::rpc::share::{Of, Place};
use crate::rpc::status::Fault;

#[derive(Clone)]
pub(super) struct AdmitLayer {
    pub(super) keys: Arc<Keys>,
    /// Calls at once, of all keys.
    pub(super) calls: usize,
    /// Cancelled when the server begins to stop.
    pub(super) closing: CancellationToken,
    /// A permit for each stream that no key opened.
    pub(super) open: Arc<Semaphore>,
    /// A permit for each call with a key that is not known, while it is looked for: a made-up one takes long.
    pub(super) strange: Arc<Semaphore>,
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit { layer: self.clone(), inner }
    }
}

#[derive(Clone)]
pub(super) struct Admit<S> {
    layer: AdmitLayer,
    inner: S,
}

impl<S> Service<HttpRequest> for Admit<S>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        let inner = self.inner.clone();
        // The clone has not been polled: the ready one is used up, the clone stays.
        let mut inner = mem::replace(&mut self.inner, inner);
        let path = request.uri().path();
        if is_open_stream(path) {
            let (open, closing) = (Arc::clone(&self.layer.open), self.layer.closing.clone());
            return Box::pin(async move {
                // Counted when the request is there: who never sends it takes nobody's place.
                let answer = inner.call(request).await?;
                let Ok(permit) = open.try_acquire_owned() else {
                    return Ok(Status::from(Fault::TooManyStreams { limit: until::MOST }).into_http());
                };
                Ok(answer.map(|body| tonic::body::Body::new(UntilClosing::new(body, closing, permit))))
            });
        }
        if is_open(path) {
            return Box::pin(inner.call(request));
        }
        match self.layer.keys.admit_known(request.headers()) {
            Some(Ok(caller)) => Box::pin(serve(inner, request, caller, self.layer.calls)),
            Some(Err(denied)) => Box::pin(ready(Ok(Status::from(denied).into_http()))),
            None => {
                let (keys, calls) = (Arc::clone(&self.layer.keys), self.layer.calls);
                let Ok(strange) = Arc::clone(&self.layer.strange).try_acquire_owned() else {
                    return Box::pin(ready(Ok(Status::from(Fault::Overloaded).into_http())));
                };
                Box::pin(async move {
                    let admitted = keys.admit_unknown(request.headers()).await;
                    drop(strange);
                    match admitted {
                        Ok(caller) => serve(inner, request, caller, calls).await,
                        Err(denied) => Ok(Status::from(denied).into_http()),
                    }
                })
            }
        }
    }
}

/// Serves a call whose caller is known, where its key has room for it among the `calls` of all.
async fn serve<S>(
    mut inner: S,
    mut request: HttpRequest,
    caller: Caller,
    calls: usize,
) -> Result<HttpResponse, Infallible>
where
    S: Service<HttpRequest, Response = HttpResponse, Error = Infallible>,
{
    match Place::take(&caller.entry, Of::Calls, calls) {
        Ok(_place) => {
            request.extensions_mut().insert(Arc::new(caller));
            inner.call(request).await
        }
        Err(too_many) => Ok(Status::from(too_many).into_http()),
    }
}
