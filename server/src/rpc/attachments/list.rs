//! `ListAttachments`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::{Attachment, Refusal};
use crate::rpc::call::{Call, both};
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::rpc::{names, page};
use crate::store::{AnyConnection, attachments, payload, tickets};

/// What one weighs on the wire besides its texts.
const FRAME: usize = 200;

pub(in crate::rpc) async fn list(
    server: &Server,
    request: Request<proto::ListAttachmentsRequest>,
) -> Result<Response<proto::ListAttachmentsResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ListAttachmentsRequest { parent, page_size, page_token, min_revision } = request.into_inner();
    let read_as_of = both(page::size(page_size), read::revision(min_revision));
    let ((helpdesk, ticket), (size, _)) = both(names::ticket("parent", &parent), read_as_of)?;
    let scope = ["ListAttachments", &parent, &call.caller.actor.subject];
    let after = page::key(&scope, &page_token)?.unwrap_or_default();
    let key = helpdesk.clone();
    let with_notes = call.caller.actor.role.is_staff();
    let read = move |connection: &mut AnyConnection| {
        let found = tickets::by_ids(connection, &key, &[ticket])?.remove(&ticket);
        let behind = |last: Option<&Attachment>, limit| {
            let (after, limit) = (last.map_or(&after, |last| &last.id), i64::try_from(limit).unwrap_or(i64::MAX));
            attachments::page(connection, &key, ticket, with_notes, after, limit)
        };
        Ok((found, page::gather(size, behind, |attachment| FRAME + attachment.filename.len())?))
    };
    let (reading, (found, (listed, more))) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    if !found.is_some_and(|found| reading.sight.sees(&found)) {
        return Err(Refusal::NotFound { kind: "Ticket", name: parent }.into());
    }
    let next = listed.last().filter(|_| more).map(|last| page::token(&scope, &last.id));
    Ok(Response::new(proto::ListAttachmentsResponse {
        attachments: listed.iter().map(|attachment| payload::attachment_to_proto(&helpdesk, attachment)).collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}
