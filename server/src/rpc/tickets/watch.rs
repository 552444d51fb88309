//! WatchTickets.
use loket::v1 as proto;
use tonic::{Request, Response, Status};
use crate::rpc::server::Server;
use crate::rpc::shared::Shared;
pub(in crate::rpc) type WatchStream = std::pin::Pin<Box<dyn futures_util::Stream<Item = Result<Shared, Status>> + Send>>;
pub(in crate::rpc) async fn watch(_: &Server, _: Request<proto::WatchTicketsRequest>) -> Result<Response<WatchStream>, Status> {
    Ok(Response::new(Box::pin(futures_util::stream::empty())))
}
