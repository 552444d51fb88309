//! `ListAttachments`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::{Actor, Attachment, LinkKind, Refusal, Ticket, links};
use crate::rpc::call::{Call, both};
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::rpc::{names, page};
use crate::store::attachments::Wanted;
use crate::store::{AnyConnection, StoreError, attachments, payload, tickets};

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
    let actor = call.caller.actor.clone();
    let read = move |connection: &mut AnyConnection| {
        let found = tickets::by_ids(connection, &key, &[ticket])?.remove(&ticket);
        let wanted = match &found {
            Some(found) => wanted(connection, &key, found, &actor)?,
            None => return Ok((None, (Vec::new(), None))),
        };
        let rows = page::Rows {
            read: |after: &String, limit| {
                attachments::page(connection, &key, &wanted, after, i64::try_from(limit).unwrap_or(i64::MAX))
            },
            key: |attachment: &Attachment| attachment.id.clone(),
            see: |row| Ok(Some(row)),
            weigh: |attachment: &Attachment| FRAME + attachment.filename.len(),
        };
        Ok((found, page::gather(size, after, rows)?))
    };
    let (reading, (found, (listed, next))) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    if !found.is_some_and(|found| reading.sight.sees(&found)) {
        return Err(Refusal::NotFound { kind: "Ticket", name: parent }.into());
    }
    let next = next.map(|last| page::token(&scope, &last));
    Ok(Response::new(proto::ListAttachmentsResponse {
        attachments: listed.iter().map(|attachment| payload::attachment_to_proto(&helpdesk, attachment)).collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}

/// The ticket, what was merged into it, and the replies that it was made of, as far as the caller may see them.
fn wanted(
    connection: &mut AnyConnection,
    helpdesk: &str,
    ticket: &Ticket,
    actor: &Actor,
) -> Result<Wanted, StoreError> {
    let links = ticket.more.links.iter().filter(|link| link.kind == LinkKind::Duplicate);
    let mut others: Vec<i64> = links.map(|link| link.ticket).collect();
    others.extend(ticket.more.split_from.as_ref().map(|from| from.ticket));
    let mut others = tickets::by_ids(connection, helpdesk, &others)?;
    others.retain(|_, other| actor.may_see(other));
    let is_merged = |other: &&Ticket| links::merged_into(other) == Some(ticket.id);
    let merged = others.values().filter(is_merged).map(|other| other.id);
    Ok(Wanted {
        tickets: std::iter::once(ticket.id).chain(merged).collect(),
        replies: ticket.more.split_from.clone().filter(|from| others.contains_key(&from.ticket)),
        with_notes: actor.role.is_staff(),
    })
}
