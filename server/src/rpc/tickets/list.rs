//! `ListTickets`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::get;
use crate::domain::filter::Filter;
use crate::domain::{Refusal, Violation, text};
use crate::rpc::call::Call;
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::rpc::{names, page};
use crate::store::list::{self, Key, Order};
use crate::store::{StoreError, dialect, heads, tickets};

pub(in crate::rpc) async fn list(
    server: &Server,
    request: Request<proto::ListTicketsRequest>,
) -> Result<Response<proto::ListTicketsResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let message = request.into_inner();
    let helpdesk = names::helpdesk("parent", &message.parent)?;
    let reading = Reading::begin(server, &call, &helpdesk, message.min_revision).await?;
    let rules = &reading.version.definition;
    let filter = read::filter(&message.filter, rules, &call.caller.actor)?;
    let order = order(&message.order_by, &filter)?;
    let size = page::size(message.page_size)?;
    let with_body = match get::known(message.view)? {
        proto::TicketView::Full => true,
        proto::TicketView::Basic | proto::TicketView::Unspecified => false,
    };
    let subject = &call.caller.actor.subject;
    let scope = ["ListTickets", &helpdesk, &message.filter, &message.order_by, subject];
    let after = page::key(&scope, &message.page_token)?.map(|key| parse(&key)).transpose()?;
    let indexed: Vec<_> = rules.fields().iter().filter(|field| field.indexed).map(|field| field.id.clone()).collect();

    let key = helpdesk.clone();
    let (found, bodies, revision) = server
        .engine
        .read(move |connection| {
            dialect::read(connection, |connection| {
                let revision = heads::last_revision(connection, &key)?;
                let found = list::page(connection, &key, &filter, &indexed, &order, after, size)?;
                let ids: Vec<_> = found.tickets.iter().map(|ticket| ticket.id).filter(|_| with_body).collect();
                let bodies = tickets::bodies(connection, &key, &ids)?;
                Ok::<_, StoreError>((found, bodies, revision))
            })
        })
        .await?;

    let shown = found.tickets.iter().map(|ticket| proto::Ticket {
        body: bodies.get(&ticket.id).cloned().unwrap_or_default(),
        ..reading.sight.ticket(&helpdesk, ticket, false)
    });
    Ok(Response::new(proto::ListTicketsResponse {
        tickets: shown.collect(),
        next_page_token: found.next.map(|next| page::token(&scope, &print(&next))).unwrap_or_default(),
        revision,
    }))
}

fn order(order_by: &str, filter: &Filter) -> Result<Order, Refusal> {
    let wrong = |description: String| Refusal::InvalidOrderBy(Violation::new("order_by", description));
    let words: Vec<_> = order_by.split_whitespace().collect();
    match words.as_slice() {
        [] | ["create_time" | "create_time,"] | ["create_time", "asc"] if !order_by.contains(',') => Ok(Order::Created),
        ["create_time", "desc"] => Ok(Order::CreatedDesc),
        ["queue_order"] => match filter.required_eq("queue").filter(|queue| !queue.is_empty()) {
            Some(queue) => Ok(Order::Queue(queue.to_owned())),
            None => Err(wrong("`queue_order` needs a filter with `queue = …` at its top level".to_owned())),
        },
        _ => Err(wrong(format!(
            "{} is no order; write `create_time`, `create_time desc` or `queue_order`",
            text::shown(order_by)
        ))),
    }
}

fn print(key: &Key) -> String {
    format!("{}:{}", key.ticket, key.queue_key)
}

fn parse(text: &str) -> Result<Key, Refusal> {
    let (ticket, queue_key) = text.split_once(':').ok_or(Refusal::InvalidPageToken)?;
    let ticket = ticket.parse().map_err(|_| Refusal::InvalidPageToken)?;
    Ok(Key { queue_key: queue_key.to_owned(), ticket })
}
