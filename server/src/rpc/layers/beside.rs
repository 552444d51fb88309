//! Health and reflection, which need no key, go beside the calls: however many come, and however slowly, they take no call's
//! place, and no call takes theirs.

use std::task::{Context, Poll};

use futures_util::future::Either;
use tower::util::{Oneshot, ServiceExt as _};
use tower::{BoxError, Service};

use super::{HttpRequest, HttpResponse, is_open};

/// What needs no key is served by one, and all else by the other.
#[derive(Debug, Clone)]
pub(super) struct Beside<O, C> {
    pub(super) open: O,
    pub(super) calls: C,
}

impl<O, C> Service<HttpRequest> for Beside<O, C>
where
    O: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone,
    C: Service<HttpRequest, Response = HttpResponse, Error = BoxError> + Clone,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = Either<Oneshot<O, HttpRequest>, Oneshot<C, HttpRequest>>;

    /// Which of them is to be ready is known when the request is there.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        if is_open(request.uri().path()) {
            Either::Left(self.open.clone().oneshot(request))
        } else {
            Either::Right(self.calls.clone().oneshot(request))
        }
    }
}
