//! Calls below the generated clients: any bytes to any path, and any HTTP/2 request.

use http::uri::PathAndQuery;
use http::{HeaderMap, Request, StatusCode};
use loket_client::Error;
use prost::bytes::{Buf as _, BufMut as _, Bytes};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::Caller;

/// A unary call of `loket.v1` with bytes for a message.
pub(crate) async fn call(caller: &Caller, service_and_method: &str, message: Vec<u8>) -> Result<Vec<u8>, Error> {
    let path = PathAndQuery::try_from(format!("/{service_and_method}")).unwrap();
    let mut grpc = tonic::client::Grpc::new(caller.channel());
    grpc.ready().await.unwrap();
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {}", caller.secret).parse().unwrap());
    Ok(grpc.unary(request, path, Verbatim).await?.into_inner())
}

/// A message as it stands on the wire: not compressed, its length, its bytes.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut frame = vec![0];
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.extend_from_slice(message);
    frame.into()
}

/// A POST with headers and a body of any kind. Returns the headers and the trailers of the answer in one.
pub(crate) async fn post(
    endpoint: &str,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Bytes,
) -> (StatusCode, HeaderMap) {
    let address = endpoint.strip_prefix("http://").unwrap();
    let (client, connection) =
        h2::client::handshake(tokio::net::TcpStream::connect(address).await.unwrap()).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut request = Request::post(format!("{endpoint}{path}")).header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (answer, mut sending) = client.ready().await.unwrap().send_request(request.body(()).unwrap(), false).unwrap();
    sending.send_data(body, true).unwrap();
    let (head, mut body) = answer.await.unwrap().into_parts();
    let mut all = head.headers;
    while let Some(data) = body.data().await {
        let _ = body.flow_control().release_capacity(data.unwrap().len());
    }
    all.extend(body.trailers().await.unwrap().unwrap_or_default());
    connection.abort();
    (head.status, all)
}

/// Calls whose messages never come: so many are begun, on one connection, and open until what is returned is dropped.
pub(crate) async fn begin(
    endpoint: &str,
    path: &str,
    headers: &[(&'static str, &str)],
    count: usize,
) -> impl Sized + use<> {
    let address = endpoint.strip_prefix("http://").unwrap();
    let (mut client, connection) =
        h2::client::handshake(tokio::net::TcpStream::connect(address).await.unwrap()).await.unwrap();
    let mut connected = tokio::task::JoinSet::new();
    connected.spawn(connection);
    let mut begun = Vec::new();
    for _ in 0..count {
        let mut request = Request::post(format!("{endpoint}{path}")).header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client = client.ready().await.unwrap();
        begun.push(client.send_request(request.body(()).unwrap(), false).unwrap());
    }
    (client, begun, connected)
}

/// What a gRPC server answered a POST.
pub(crate) async fn status(
    endpoint: &str,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Bytes,
) -> Result<(), Error> {
    let (http, answered) = post(endpoint, path, headers, body).await;
    assert_eq!(http, StatusCode::OK);
    match Status::from_header_map(&answered).expect("a gRPC status") {
        status if status.code() == tonic::Code::Ok => Ok(()),
        status => Err(status.into()),
    }
}

#[derive(Debug, Clone, Copy)]
struct Verbatim;

impl Codec for Verbatim {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Verbatim {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Verbatim {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length).to_vec()))
    }
}
