//! Streams that no key opens: whether the server is there, and what it offers. They are few, and end when it stops.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::Status;

use crate::rpc::status::Fault;

/// How many there may be. Health checkers and explorers need one each, and anybody can open them.
pub(super) const MOST: usize = 1_000;

/// A body that ends, told why, when the server stops: nobody would end it otherwise, and every stop would wait for it.
pub(super) struct UntilClosing {
    body: tonic::body::Body,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether the last of the body was let through.
    closes: bool,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

impl UntilClosing {
    pub(super) fn new(body: tonic::body::Body, closing: CancellationToken, permit: OwnedSemaphorePermit) -> Self {
        Self { body, closing: Box::pin(closing.cancelled_owned()), closes: false, ended: false, _permit: permit }
    }
}

impl Body for UntilClosing {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if !self.closes {
            self.closes = self.closing.as_mut().poll(context).is_ready();
            let next = Pin::new(&mut self.body).poll_frame(context);
            // What is there when it closes is still told, such as that nothing is served any more.
            if next.is_ready() || !self.closes {
                return next;
            }
        }
        self.ended = true;
        let mut trailers = HeaderMap::new();
        let added = Status::from(Fault::ShuttingDown).add_header(&mut trailers);
        Poll::Ready(Some(added.map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
