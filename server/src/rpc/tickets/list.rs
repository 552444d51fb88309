//! `ListTickets`.

use std::collections::HashMap;

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::get;
use crate::domain::definition::Definition;
use crate::domain::filter::Filter;
use crate::domain::{Actor, Refusal, Ticket, Violation, text};
use crate::rpc::call::{Call, both};
use crate::rpc::convert::Sight;
use crate::rpc::read;
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
    let read_as_of = both(get::known(message.view), read::revision(message.min_revision));
    let named = both(names::helpdesk("parent", &message.parent), page::size(message.page_size));
    let ((helpdesk, size), (view, min_revision)) = both(named, read_as_of)?;
    read::wait(server, &call, &helpdesk, min_revision).await?;
    let with_body = match view {
        proto::TicketView::Full => true,
        proto::TicketView::Basic | proto::TicketView::Unspecified => false,
    };
    let actor = call.caller.actor.clone();
    let scope = ["ListTickets", &helpdesk, &message.filter, &message.order_by, &call.caller.actor.subject];
    let after = page::key(&scope, &message.page_token)?.map(|key| parse(&key)).transpose()?;
    let (filter, order_by) = (message.filter.clone(), message.order_by.clone());
    let (key, definitions) = (helpdesk.clone(), server.engine.definitions());
    // One transaction: what may be named, what is found and what is shown are all of one definition.
    let read = read::in_turn(server, &call, move |connection| {
        dialect::read(connection, |connection| {
            let Some(version) = definitions.current(connection, &key)? else {
                return Ok(Err(Refusal::no_helpdesk(&key)));
            };
            let rules = &version.definition;
            let (filter, order) = match asked(&filter, &order_by, rules, &actor, after.is_some()) {
                Ok(asked) => asked,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let fields = rules.fields().iter().filter(|field| field.indexed);
            let indexed: Vec<_> = fields.map(|field| field.id.clone()).collect();
            let revision = heads::last_revision(connection, &key)?;
            let found = list::page(connection, &key, &filter, &indexed, &order, after.as_ref(), size)?;
            let ids: Vec<_> = found.tickets.iter().map(|ticket| ticket.id).filter(|_| with_body).collect();
            let read = |ids: &[i64]| tickets::bodies(connection, &key, ids).map(|bodies| bodies.into_iter().collect());
            let bodies = page::gather_values(&ids, read, |(_, body): &(i64, String)| body.len())?;
            let found = Found { tickets: found.tickets, next: found.next, bodies, revision, order };
            Ok::<_, StoreError>(Ok((found, Sight::new(&actor, rules))))
        })
    });
    let (found, sight) = read.await??;
    let (tickets, next) = found.shown(&helpdesk, &sight);
    Ok(Response::new(proto::ListTicketsResponse {
        tickets,
        next_page_token: next.map(|next| page::token(&scope, &print(&next))).unwrap_or_default(),
        revision: found.revision,
    }))
}

/// A page as it was read.
struct Found {
    tickets: Vec<Ticket>,
    next: Option<Key>,
    /// Without those of the last tickets where the page has no room for them.
    bodies: Vec<(i64, String)>,
    revision: i64,
    order: Order,
}

impl Found {
    /// As many as an answer has room for, and where the next page begins.
    fn shown(&self, helpdesk: &str, sight: &Sight) -> (Vec<proto::Ticket>, Option<Key>) {
        let bodies: HashMap<_, _> = self.bodies.iter().map(|(id, body)| (*id, body)).collect();
        let shown = self.tickets.iter().map(|ticket| proto::Ticket {
            body: bodies.get(&ticket.id).map(|body| (*body).clone()).unwrap_or_default(),
            ..sight.ticket(helpdesk, ticket, false)
        });
        let mut shown: Vec<_> = shown.collect();
        let fitting = page::fitting(&shown);
        if fitting == shown.len() {
            return (shown, self.next.clone());
        }
        shown.truncate(fitting);
        (shown, self.tickets.get(fitting - 1).map(|last| self.order.key(last)))
    }
}

fn asked(
    filter: &str,
    order_by: &str,
    rules: &Definition,
    actor: &Actor,
    goes_on: bool,
) -> Result<(Filter, Order), Refusal> {
    let filter = read::filter(filter, rules, actor, goes_on)?;
    let order = order(order_by, &filter)?;
    Ok((filter, order))
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
