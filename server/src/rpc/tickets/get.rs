//! `GetTicket` and `LookupTicket`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use crate::domain::{Refusal, Ticket, Violation, text};
use crate::rpc::call::Call;
use crate::rpc::names;
use crate::rpc::read::Reading;
use crate::rpc::server::Server;
use crate::store::tickets;

pub(in crate::rpc) async fn get(
    server: &Server,
    request: Request<proto::GetTicketRequest>,
) -> Result<Response<proto::Ticket>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::GetTicketRequest { name, view, min_revision } = request.into_inner();
    let (helpdesk, id) = names::ticket("name", &name)?;
    let reading = Reading::begin(server, &call, &helpdesk, min_revision).await?;
    let with_body = with_body(view)?;
    let key = helpdesk.clone();
    let found = server.engine.read(move |connection| tickets::get(connection, &key, id)).await?;
    show(&reading, &helpdesk, found, name, with_body)
}

pub(in crate::rpc) async fn lookup(
    server: &Server,
    request: Request<proto::LookupTicketRequest>,
) -> Result<Response<proto::Ticket>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::LookupTicketRequest { parent, number, view, min_revision } = request.into_inner();
    let helpdesk = names::helpdesk("parent", &parent)?;
    let reading = Reading::begin(server, &call, &helpdesk, min_revision).await?;
    let with_body = with_body(view)?;
    if number.is_empty() {
        let violation = Violation::new("number", "is required: the human number of a ticket");
        return Err(Refusal::Invalid(vec![violation]).into());
    }
    if number.contains('\0') {
        let violation = Violation::new("number", "holds the character U+0000, which is not text");
        return Err(Refusal::Invalid(vec![violation]).into());
    }
    let (key, wanted) = (helpdesk.clone(), number.clone());
    let found = server.engine.read(move |connection| tickets::by_number(connection, &key, &wanted)).await?;
    show(&reading, &helpdesk, found, format!("ticket {} in {parent}", text::shown(&number)), with_body)
}

fn show(
    reading: &Reading,
    helpdesk: &str,
    found: Option<Ticket>,
    name: String,
    with_body: bool,
) -> Result<Response<proto::Ticket>, Status> {
    match found.filter(|ticket| reading.sight.sees(ticket)) {
        Some(ticket) => Ok(Response::new(reading.sight.ticket(helpdesk, &ticket, with_body))),
        None => Err(Refusal::NotFound { kind: "Ticket", name }.into()),
    }
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
