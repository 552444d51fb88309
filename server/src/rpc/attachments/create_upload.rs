//! `CreateUpload`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};
use uuid::{NoContext, Timestamp, Uuid};

use super::show;
use crate::domain::commands::{Command, CreateUpload};
use crate::domain::context::Answer;
use crate::domain::time::SECOND;
use crate::domain::upload::upload_name;
use crate::domain::{Micros, Refusal, Upload, Violation, text};
use crate::engine::{Failure, Outcome};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::names;
use crate::rpc::server::Server;
use crate::store::{changes, payload, uploads};

pub(in crate::rpc) async fn create_upload(
    server: &Server,
    request: Request<proto::CreateUploadRequest>,
) -> Result<Response<proto::Upload>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let named = both(names::helpdesk("parent", &message.parent), Asked::of(&mut message));
    let ((helpdesk, asked), command) = both(named, command(server, &call, message))?;
    call.caller.enter(&helpdesk)?;
    let outcome = call.submit(server, call.request(&helpdesk, command, asked)).await?;
    if let Answer::Upload(upload) = &outcome.answer {
        return Ok(Response::new(payload::upload_to_proto(&helpdesk, upload, 0)));
    }
    let upload = made_by(server, &helpdesk, outcome).await?;
    Ok(Response::new(show(server, &helpdesk, &upload).await?))
}

fn command(server: &Server, call: &Call, message: proto::CreateUploadRequest) -> Result<Command, Refusal> {
    let proto::CreateUploadRequest { parent: _, upload, request_id: _, validate_only: _ } = message;
    let Some(upload) = upload else {
        return Err(Refusal::Invalid(vec![Violation::new("upload", "is required")]));
    };
    let proto::Upload {
        name: _,
        filename,
        mime_type,
        size_bytes,
        sha256,
        committed_bytes: _,
        state: _,
        attachment: _,
        create_time: _,
        expire_time: _,
        revision: _,
    } = upload;
    let sha256 = match sha256.as_str() {
        "" => None,
        given => Some(payload::hash_from_hex(given).ok_or_else(|| {
            let description = format!("{} is no SHA-256; write 64 hexadecimal digits", text::shown(given));
            Refusal::Invalid(vec![Violation::new("upload.sha256", description)])
        })?),
    };
    Ok(Command::CreateUpload(CreateUpload {
        id: id_at(server.engine.clock().now()),
        subject: call.caller.actor.subject.clone(),
        filename,
        mime_type,
        size: size_bytes,
        sha256,
    }))
}

/// A UUID of version 7, without hyphens: it is also the name of a folder, and tells when that was made.
fn id_at(now: Micros) -> String {
    let nanos = now.rem_euclid(SECOND) * 1_000;
    let time = Timestamp::from_unix(NoContext, now.div_euclid(SECOND) as u64, nanos as u32);
    Uuid::new_v7(time).simple().to_string()
}

/// The upload that a repeated call has made, as it is now.
async fn made_by(server: &Server, helpdesk: &str, outcome: Outcome) -> Result<Upload, Failure> {
    let key = helpdesk.to_owned();
    let (name, found) = server
        .engine
        .read(move |connection| {
            let entries = changes::of_revision(connection, &key, outcome.revision)?;
            let name = entries.first().map(|entry| entry.change.resource.clone()).unwrap_or_default();
            let id = name.strip_prefix(&upload_name(&key, "")).unwrap_or_default().to_owned();
            Ok((name, uploads::by_ids(connection, &key, &[id])?.pop()))
        })
        .await?;
    found.ok_or(Failure::Refused(Refusal::NotFound { kind: "Upload", name }))
}
