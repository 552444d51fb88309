//! A server that follows a script: one scene for each call, in order.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use loket_client::v1::{CreateTicketRequest, Ticket, WatchTicketsRequest, WatchTicketsResponse};
use loket_client::{Client, Options};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// What becomes of one call.
pub(crate) enum Scene {
    /// The call fails.
    Fails(Status),
    /// These responses, then the end.
    Stream(Vec<WatchTicketsResponse>, End),
    /// Nothing, ever.
    Hangs,
    /// A ticket.
    Answers(Box<Ticket>),
}

/// How a stream ends.
pub(crate) enum End {
    Ok,
    Fails(Status),
    Never,
}

/// What was asked of the server.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) watches: Vec<WatchTicketsRequest>,
    pub(crate) creates: Vec<CreateTicketRequest>,
    pub(crate) authorization: Vec<String>,
}

#[derive(Clone)]
struct Scripted {
    scenes: Arc<Mutex<VecDeque<Scene>>>,
    seen: Arc<Mutex<Seen>>,
}

/// Starts the server, and a client of it.
pub(crate) async fn play(scenes: impl IntoIterator<Item = Scene>) -> (Client, Arc<Mutex<Seen>>) {
    let (endpoint, seen) = serve(scenes).await;
    let options = Options { timeout: Duration::from_secs(5), ..Options::new(endpoint, "secret") };
    (Client::connect(options).await.unwrap(), seen)
}

/// Starts the server and returns its endpoint.
pub(crate) async fn serve(scenes: impl IntoIterator<Item = Scene>) -> (String, Arc<Mutex<Seen>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::default();
    let scripted = Scripted { scenes: Arc::new(Mutex::new(scenes.into_iter().collect())), seen: Arc::clone(&seen) };
    let server = tonic::transport::Server::builder().add_service(scripted);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (endpoint, seen)
}

impl NamedService for Scripted {
    const NAME: &'static str = "loket.v1.TicketService";
}

impl tower::Service<http::Request<Body>> for Scripted {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        let key = request.headers()["authorization"].to_str().unwrap().to_owned();
        this.seen.lock().unwrap().authorization.push(key);
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/loket.v1.TicketService/WatchTickets" => {
                    Grpc::new(ProstCodec::default()).server_streaming(this, request).await
                }
                "/loket.v1.TicketService/CreateTicket" => Grpc::new(ProstCodec::default()).unary(this, request).await,
                path => Status::unimplemented(path).into_http(),
            })
        })
    }
}

impl Scripted {
    fn next(&self) -> Scene {
        self.scenes.lock().unwrap().pop_front().unwrap_or(Scene::Fails(Status::internal("the script is over")))
    }
}

impl ServerStreamingService<WatchTicketsRequest> for Scripted {
    type Response = WatchTicketsResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<WatchTicketsResponse, Status>> + Send>>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Self::ResponseStream>, Status>> + Send>>;

    fn call(&mut self, request: Request<WatchTicketsRequest>) -> Self::Future {
        self.seen.lock().unwrap().watches.push(request.into_inner());
        let answer = match self.next() {
            Scene::Stream(responses, end) => {
                let responses = stream::iter(responses.into_iter().map(Ok));
                let stream: Self::ResponseStream = match end {
                    End::Ok => Box::pin(responses),
                    End::Fails(status) => Box::pin(responses.chain(stream::iter([Err(status)]))),
                    End::Never => Box::pin(responses.chain(stream::pending())),
                };
                Ok(Response::new(stream))
            }
            Scene::Fails(status) => Err(status),
            Scene::Hangs => return Box::pin(std::future::pending()),
            Scene::Answers(_) => Err(Status::internal("the script has no stream here")),
        };
        Box::pin(ready(answer))
    }
}

impl UnaryService<CreateTicketRequest> for Scripted {
    type Response = Ticket;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Ticket>, Status>> + Send>>;

    fn call(&mut self, request: Request<CreateTicketRequest>) -> Self::Future {
        self.seen.lock().unwrap().creates.push(request.into_inner());
        match self.next() {
            Scene::Answers(ticket) => Box::pin(ready(Ok(Response::new(*ticket)))),
            Scene::Fails(status) => Box::pin(ready(Err(status))),
            Scene::Hangs => Box::pin(std::future::pending()),
            Scene::Stream(..) => Box::pin(ready(Err(Status::internal("the script has a stream here")))),
        }
    }
}
