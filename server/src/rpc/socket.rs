//! What a connection is read from and written to.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tonic::transport::server::{Connected, TcpConnectInfo, TcpIncoming};

/// So long a connection may take to say what every HTTP/2 connection begins with; from then on it is asked whether it is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes with which an HTTP/2 connection begins: RFC 9113, section 3.4.
const PREFACE: usize = 24;

/// When no connection can be taken, as where all file descriptors are in use, so long nothing is tried.
const PAUSE: Duration = Duration::from_millis(100);

/// Of a trouble that lasts, a line in the log for each of this time.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// A TCP connection that takes one piece of memory at a time.
///
/// HTTP/2 then copies messages of up to a kilobyte together, and many answers leave in one system call. To a connection
/// that takes several pieces it hands each message of more than 256 bytes where it lies, which is a system call for each.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// Until the connection has begun.
    opening: Option<Opening>,
}

#[derive(Debug)]
struct Opening {
    read: usize,
    until: Pin<Box<Sleep>>,
}

impl Socket {
    fn new(stream: TcpStream) -> Self {
        let until = Box::pin(sleep_until(Instant::now() + PATIENCE));
        Self { stream, opening: Some(Opening { read: 0, until }) }
    }
}

/// The connections that come to a listener.
pub fn incoming(listener: TcpListener) -> impl Stream<Item = io::Result<Socket>> {
    let mut told: Option<Instant> = None;
    TcpIncoming::from(listener).with_nodelay(Some(true)).then(move |taken| {
        let failed = taken.as_ref().err().is_some_and(is_shortage);
        if let Err(error) = &taken
            && failed
            && told.is_none_or(|told| told.elapsed() > BETWEEN_LINES)
        {
            told = Some(Instant::now());
            tracing::error!(%error, "no connection can be taken");
        }
        async move {
            if failed {
                sleep(PAUSE).await;
            }
            taken.map(Socket::new)
        }
    })
}

/// Whether it lies with this machine, and the next try fails as well; a connection that is gone already is nobody's trouble.
fn is_shortage(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

impl Connected for Socket {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, opening } = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(stream).poll_read(cx, buf);
        if let Some(begun) = opening {
            begun.read += buf.filled().len() - before;
            if begun.read >= PREFACE {
                *opening = None;
            } else if read.is_pending() && begun.until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
