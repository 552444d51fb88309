//! `GetTicket` and `LookupTicket`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::{Refusal, Ticket, Violation, text};
use crate::rpc::call::{Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::read::{self, Reading};
use crate::rpc::server::Server;
use crate::store::{AnyConnection, StoreError, queues, tickets};

pub(in crate::rpc) async fn get(
    server: &Server,
    request: Request<proto::GetTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::GetTicketRequest { name, view, min_revision } = request.into_inner();
    let read_as_of = both(with_body(view), read::revision(min_revision));
    let ((helpdesk, id), (with_body, _)) = both(names::ticket("name", &name), read_as_of)?;
    let key = helpdesk.clone();
    let read = move |connection: &mut AnyConnection| {
        let ticket = tickets::get(connection, &key, id)?;
        with_ahead(connection, &key, ticket)
    };
    let (reading, found) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    show(&reading, &helpdesk, found, name, with_body)
}

pub(in crate::rpc) async fn lookup(
    server: &Server,
    request: Request<proto::LookupTicketRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::LookupTicketRequest { parent, number, view, min_revision } = request.into_inner();
    let read_as_of = both(with_body(view), read::revision(min_revision));
    let named = both(names::helpdesk("parent", &parent), given(&number));
    let ((helpdesk, ()), (with_body, _)) = both(named, read_as_of)?;
    let (key, wanted) = (helpdesk.clone(), number.clone());
    let read = move |connection: &mut AnyConnection| {
        let ticket = tickets::by_number(connection, &key, &wanted)?;
        with_ahead(connection, &key, ticket)
    };
    let (reading, found) = Reading::of(server, &call, &helpdesk, min_revision, read).await?;
    show(&reading, &helpdesk, found, format!("ticket {} in {parent}", text::shown(&number)), with_body)
}

/// A ticket, and how many are before it while it waits.
type Placed = (Ticket, Option<i32>);

fn with_ahead(
    connection: &mut AnyConnection,
    helpdesk: &str,
    ticket: Option<Ticket>,
) -> Result<Option<Placed>, StoreError> {
    let Some(ticket) = ticket else { return Ok(None) };
    let ahead = if ticket.waits() { Some(queues::ahead(connection, helpdesk, &ticket)?) } else { None };
    Ok(Some((ticket, ahead.and_then(|ahead| i32::try_from(ahead).ok()))))
}

fn show(
    reading: &Reading,
    helpdesk: &str,
    found: Option<Placed>,
    name: String,
    with_body: bool,
) -> Result<Response<EncodedTicket>, Status> {
    match found.filter(|(ticket, _)| reading.sight.sees(ticket)) {
        Some((ticket, tickets_ahead)) => {
            let shown = reading.sight.ticket(helpdesk, &ticket, with_body);
            Ok(Response::new(proto::Ticket { tickets_ahead, ..shown }.into()))
        }
        None => Err(Refusal::NotFound { kind: "Ticket", name }.into()),
    }
}

fn given(number: &str) -> Result<(), Refusal> {
    if number.is_empty() {
        let violation = Violation::new("number", "is required: the human number of a ticket");
        return Err(Refusal::Invalid(vec![violation]));
    }
    if number.contains('\0') {
        let violation = Violation::new("number", "holds the character U+0000, which is not text");
        return Err(Refusal::Invalid(vec![violation]));
    }
    Ok(())
}

/// FULL by default.
fn with_body(view: i32) -> Result<bool, Refusal> {
    match known(view)? {
        proto::TicketView::Basic => Ok(false),
        proto::TicketView::Full | proto::TicketView::Unspecified => Ok(true),
    }
}

pub(super) fn known(view: i32) -> Result<proto::TicketView, Refusal> {
    proto::TicketView::try_from(view).map_err(|_| {
        let description = format!("{view} is no view; write TICKET_VIEW_BASIC or TICKET_VIEW_FULL");
        Refusal::Invalid(vec![Violation::new("view", description)])
    })
}
