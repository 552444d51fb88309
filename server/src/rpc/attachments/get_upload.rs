//! `GetUpload`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::{own, show};
use crate::rpc::call::Call;
use crate::rpc::names;
use crate::rpc::server::Server;

pub(in crate::rpc) async fn get_upload(
    server: &Server,
    request: Request<proto::GetUploadRequest>,
) -> Result<Response<proto::Upload>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::GetUploadRequest { name } = request.into_inner();
    let (helpdesk, id) = names::upload("name", &name)?;
    let upload = own(server, &call, &helpdesk, &id).await?;
    Ok(Response::new(show(server, &helpdesk, &upload).await?))
}
