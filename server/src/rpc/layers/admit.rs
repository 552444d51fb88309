//! Lets callers in by their keys.

use std::convert::Infallible;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tower::{Layer, Service};

use super::{HttpRequest, HttpResponse, is_open};
use crate::rpc::identity::Keys;

#[derive(Clone)]
pub(super) struct AdmitLayer {
    pub(super) keys: Arc<Keys>,
}

impl<S> Layer<S> for AdmitLayer {
    type Service = Admit<S>;

    fn layer(&self, inner: S) -> Admit<S> {
        Admit { keys: Arc::clone(&self.keys), inner }
    }
}

#[derive(Clone)]
pub(super) struct Admit<S> {
    keys: Arc<Keys>,
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

    fn call(&mut self, mut request: HttpRequest) -> Self::Future {
        let inner = self.inner.clone();
        // The clone has not been polled: the ready one is used up, the clone stays.
        let mut inner = mem::replace(&mut self.inner, inner);
        if is_open(request.uri().path()) {
            return Box::pin(inner.call(request));
        }
        let keys = Arc::clone(&self.keys);
        Box::pin(async move {
            match keys.admit(request.headers()).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner.call(request).await
                }
                Err(denied) => Ok(Status::from(denied).into_http()),
            }
        })
    }
}
