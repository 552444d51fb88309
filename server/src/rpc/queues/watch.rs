//! WatchQueue.
use loket::v1 as proto;
use tonic::{Request, Response, Status};
use crate::rpc::server::Server;
pub(in crate::rpc) type WatchStream = std::pin::Pin<Box<dyn futures_util::Stream<Item = Result<proto::WatchQueueResponse, Status>> + Send>>;
pub(in crate::rpc) async fn watch(_: &Server, _: Request<proto::WatchQueueRequest>) -> Result<Response<WatchStream>, Status> {
    Ok(Response::new(Box::pin(futures_util::stream::empty())))
}
