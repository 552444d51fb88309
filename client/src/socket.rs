//! Connections that are cheap for small messages.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tonic::transport::Uri;
use tower::{Service, ServiceExt as _, service_fn};

/// Makes connections within `limit` each.
pub(crate) fn connector(
    limit: Duration,
) -> impl Service<Uri, Response = TokioIo<Socket>, Error = Broken, Future: Send> + Clone + Send + 'static {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(limit));
    service_fn(move |uri: Uri| {
        let connector = connector.clone();
        async move { Ok(TokioIo::new(Socket(connector.oneshot(uri).await?.into_inner()))) }
    })
}

/// Why there is no connection.
type Broken = <HttpConnector as Service<Uri>>::Error;

/// A TCP connection that takes one piece of memory at a time.
///
/// HTTP/2 then copies messages of up to a kilobyte together, and many calls leave in one system call. To a connection
/// that takes several pieces it hands each message of more than 256 bytes where it lies, which is a system call for each.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
