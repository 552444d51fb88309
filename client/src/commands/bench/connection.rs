//! Connections as the benchmarks need them: as many as asked for, each one channel, with a key on every call.

use futures_util::Stream;
use loket::reason::AUTHORIZATION;
use loket_client::{Client, Options};
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::Streaming;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use crate::failure::Failure;

/// A connection, and the key if the server wants one. Clones share the connection.
#[derive(Clone)]
pub(super) struct Connection {
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
}

impl Connection {
    /// Opens `count` connections, spread evenly over the server of the options and `further` ones.
    pub(super) async fn open(options: &Options, further: &[String], count: usize) -> Result<Vec<Self>, Failure> {
        let authorization = Some(bearer(&options.token)?);
        let endpoints: Vec<&String> = std::iter::once(&options.endpoint).chain(further).collect();
        let mut connections = Vec::with_capacity(count);
        for endpoint in endpoints.into_iter().cycle().take(count) {
            let options = Options { endpoint: endpoint.clone(), ..options.clone() };
            let channel = Client::connect(options).await?.channel();
            connections.push(Self { channel, authorization: authorization.clone() });
        }
        Ok(connections)
    }

    /// Opens `count` connections to a server that is not a Loket and must not see the key.
    pub(super) async fn open_without_key(options: &Options, count: usize) -> Result<Vec<Self>, Failure> {
        let mut connections = Self::open(options, &[], count).await?;
        for connection in &mut connections {
            connection.authorization = None;
        }
        Ok(connections)
    }

    /// The same connection for the holder of another key.
    pub(super) fn with_key(&self, secret: &str) -> Result<Self, Failure> {
        Ok(Self { channel: self.channel.clone(), authorization: Some(bearer(secret)?) })
    }

    pub(super) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A message with the key on it.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert(AUTHORIZATION, authorization.clone());
        }
        request
    }

    /// Calls with messages that may know less than the contract does: a load generator that decodes only what it looks at
    /// leaves more of the machine to the server.
    pub(super) async fn call<Q, A>(&mut self, path: &'static str, message: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let request = self.request(message);
        let mut grpc = Grpc::new(&mut self.channel);
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(path);
        Ok(grpc.unary(request, path, ProstCodec::<Q, A>::new()).await?.into_inner())
    }

    /// Opens a stream, likewise.
    pub(super) async fn stream<Q, A>(&mut self, path: &'static str, message: Q) -> Result<Streaming<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let request = self.request(message);
        let mut grpc = Grpc::new(&mut self.channel);
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(path);
        Ok(grpc.server_streaming(request, path, ProstCodec::<Q, A>::new()).await?.into_inner())
    }

    /// Opens streams both ways, likewise.
    pub(super) async fn stream_both<Q, A>(
        &mut self,
        path: &'static str,
        messages: impl Stream<Item = Q> + Send + 'static,
    ) -> Result<Streaming<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let request = self.request(messages);
        let mut grpc = Grpc::new(&mut self.channel);
        ready(&mut grpc).await?;
        let path = PathAndQuery::from_static(path);
        Ok(grpc.streaming(request, path, ProstCodec::<Q, A>::new()).await?.into_inner())
    }
}

async fn ready(grpc: &mut Grpc<&mut Channel>) -> Result<(), Status> {
    grpc.ready().await.map_err(|error| Status::unavailable(format!("the connection failed: {error}")))
}

fn bearer(secret: &str) -> Result<MetadataValue<Ascii>, Failure> {
    let mut value = MetadataValue::try_from(format!("Bearer {secret}"))
        .map_err(|_| Failure::Usage("the access key holds characters that no key has".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
