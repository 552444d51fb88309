//! `ListChanges`: the history of a ticket.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::Refusal;
use crate::rpc::call::{Call, both};
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::rpc::{names, page};
use crate::store::{AnyConnection, LogEntry, changes, tickets};

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
    let key = helpdesk.clone();
    let read = move |connection: &mut AnyConnection| {
        let found = tickets::by_ids(connection, &key, &[ticket])?.remove(&ticket);
        let behind = |last: Option<&(LogEntry, usize)>, limit| {
            let after = last.map_or(after, |(last, _)| (last.change.revision, last.change.ordinal));
            changes::of_ticket(connection, &key, ticket, after, i64::try_from(limit).unwrap_or(i64::MAX))
        };
        // The log leaves out the field changes of a creation, which are sent: they say the ticket once more.
        Ok((found, page::gather(size, behind, |(_, bytes)| 2 * bytes)?))
    };
    let (reading, (found, (listed, more))) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    if !found.is_some_and(|found| reading.sight.sees(&found)) {
        return Err(Refusal::NotFound { kind: "Ticket", name: parent }.into());
    }
    let next = listed
        .last()
        .filter(|_| more)
        .map(|(last, _)| page::token(&scope, &format!("{}:{}", last.change.revision, last.change.ordinal)));
    // What the caller does not see is left out: a page may be short though more follow.
    let shown = listed.iter().filter_map(|(entry, _)| {
        let mut change = reading.sight.change(&helpdesk, &entry.change)?;
        change.ticket_after =
            entry.change.after.as_deref().map(|ticket| reading.sight.ticket(&helpdesk, ticket, false));
        Some(change)
    });
    Ok(Response::new(proto::ListChangesResponse {
        changes: shown.collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}

fn parse(key: &str) -> Result<(i64, i32), Refusal> {
    let parts =
        key.split_once(':').and_then(|(revision, ordinal)| Some((revision.parse().ok()?, ordinal.parse().ok()?)));
    parts.ok_or(Refusal::InvalidPageToken)
}
