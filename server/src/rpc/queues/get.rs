//! `GetQueue` and `ListQueues`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::Refusal;
use crate::domain::definition::{Definition, Queue};
use crate::domain::usage::WAITING;
use crate::rpc::call::Call;
use crate::rpc::read::Reading;
use crate::rpc::server::Server;
use crate::rpc::{names, page};
use crate::store::payload::timestamp;
use crate::store::{AnyConnection, StoreError, counts, dialect, queues};

pub(in crate::rpc) async fn get(
    server: &Server,
    request: Request<proto::GetQueueRequest>,
) -> Result<Response<proto::Queue>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::GetQueueRequest { name, min_revision } = request.into_inner();
    let (helpdesk, id) = names::queue("name", &name)?;
    call.caller.must_be_staff("reading queues")?;
    let reading = Reading::begin(server, &call, &helpdesk, min_revision).await?;
    let version = reading.version;
    let found = server
        .engine
        .read(move |connection| {
            let Some(queue) = version.definition.queue(&id) else { return Ok(None) };
            dialect::read(connection, |connection| read(connection, &helpdesk, &version.definition, queue)).map(Some)
        })
        .await?;
    found.map(Response::new).ok_or_else(|| Refusal::NotFound { kind: "Queue", name }.into())
}

pub(in crate::rpc) async fn list(
    server: &Server,
    request: Request<proto::ListQueuesRequest>,
) -> Result<Response<proto::ListQueuesResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ListQueuesRequest { parent, page_size, page_token, min_revision } = request.into_inner();
    let helpdesk = names::helpdesk("parent", &parent)?;
    call.caller.must_be_staff("reading queues")?;
    let reading = Reading::begin(server, &call, &helpdesk, min_revision).await?;
    let size = page::size(page_size)?;
    let version = reading.version;
    // The place in the definition is a key only within one version of it.
    let scope = ["ListQueues", &parent, &version.version.to_string()];
    let begin: usize = match page::key(&scope, &page_token)? {
        Some(key) => key.parse().map_err(|_| Refusal::InvalidPageToken)?,
        None => 0,
    };
    let end = begin.saturating_add(size);
    let next = (end < version.definition.queues().len()).then(|| page::token(&scope, &end.to_string()));
    let listed = server
        .engine
        .read(move |connection| {
            let rules = &version.definition;
            dialect::read(connection, |connection| {
                let page = rules.queues().iter().skip(begin).take(size);
                page.map(|queue| read(connection, &helpdesk, rules, queue)).collect::<Result<Vec<_>, _>>()
            })
        })
        .await?;
    Ok(Response::new(proto::ListQueuesResponse { queues: listed, next_page_token: next.unwrap_or_default() }))
}

/// A queue as it stands.
pub(super) fn read(
    connection: &mut AnyConnection,
    helpdesk: &str,
    rules: &Definition,
    queue: &Queue,
) -> Result<proto::Queue, StoreError> {
    let depth = counts::get(connection, helpdesk, WAITING, &queue.id)?;
    let mut oldest = None;
    if depth > 0 {
        let keys = queues::first_keys(connection, helpdesk, &queue.id, &rules.queue_key_prefixes(queue))?;
        oldest = keys.iter().filter_map(|key| rules.queue_key_time(queue, key)).min();
    }
    Ok(proto::Queue {
        name: format!("helpdesks/{helpdesk}/queues/{}", queue.id),
        display_name: queue.display_name.clone(),
        depth,
        oldest_wait_time: oldest.map(timestamp),
        retired: queue.retired,
    })
}
