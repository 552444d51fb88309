//! `ListChanges`: the history of a ticket.

use loket::v1 as proto;
use prost::Message;
use tonic::{Request, Response, Status};

use crate::domain::{Change, Refusal};
use crate::rpc::call::{Call, both};
use crate::rpc::convert::Sight;
use crate::rpc::read;
use crate::rpc::server::Server;
use crate::rpc::{names, page};
use crate::store::{LogEntry, StoreError, changes, dialect, tickets};

pub(in crate::rpc) async fn list(
    server: &Server,
    request: Request<proto::ListChangesRequest>,
) -> Result<Response<proto::ListChangesResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ListChangesRequest { parent, page_size, page_token, min_revision } = request.into_inner();
    let read_as_of = both(page::size(page_size), read::revision(min_revision));
    let ((helpdesk, ticket), (size, _)) = both(names::ticket("parent", &parent), read_as_of)?;
    let scope = ["ListChanges", &parent, &call.caller.actor.subject];
    let after = page::key(&scope, &page_token)?.map(|key| parse(&key)).transpose()?.unwrap_or((0, -1));
    let (key, actor, definitions) = (helpdesk.clone(), call.caller.actor.clone(), server.engine.definitions());
    let name = parent.clone();
    read::wait(server, &call, &helpdesk, min_revision).await?;
    // One transaction: what takes a place in the page is what the definition of now lets the caller see.
    let read = read::in_turn(server, &call, move |connection| {
        dialect::read(connection, |connection| {
            let Some(version) = definitions.current(connection, &key)? else {
                return Ok(Err(Refusal::no_helpdesk(&key)));
            };
            let sight = Sight::new(&actor, &version.definition);
            let found = tickets::by_ids(connection, &key, &[ticket])?.remove(&ticket);
            if !found.is_some_and(|found| sight.sees(&found)) {
                return Ok(Err(Refusal::NotFound { kind: "Ticket", name }));
            }
            let rows = page::Rows {
                read: |after: &(i64, i32), limit| {
                    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                    changes::of_ticket(connection, &key, ticket, *after, limit)
                },
                key: |entry: &LogEntry| (entry.change.revision, entry.change.ordinal),
                see: |entry: LogEntry| Ok(shown(&sight, &key, &entry.change)),
                weigh: Message::encoded_len,
            };
            Ok::<_, StoreError>(Ok(page::gather(size, after, rows)?))
        })
    });
    let (changes, next) = read.await??;
    let next_page_token =
        next.map(|(revision, ordinal)| page::token(&scope, &format!("{revision}:{ordinal}"))).unwrap_or_default();
    Ok(Response::new(proto::ListChangesResponse { changes, next_page_token }))
}

fn shown(sight: &Sight, helpdesk: &str, change: &Change) -> Option<proto::Change> {
    let mut message = sight.change(helpdesk, change)?;
    message.ticket_after = change.after.as_deref().map(|ticket| sight.ticket(helpdesk, ticket, false));
    Some(message)
}

fn parse(key: &str) -> Result<(i64, i32), Refusal> {
    let parts =
        key.split_once(':').and_then(|(revision, ordinal)| Some((revision.parse().ok()?, ordinal.parse().ok()?)));
    parts.ok_or(Refusal::InvalidPageToken)
}
