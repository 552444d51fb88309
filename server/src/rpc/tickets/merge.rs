//! `MergeTickets`.

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::submit;
use crate::domain::commands::{Command, MergeTickets};
use crate::domain::{Refusal, Violation};
use crate::rpc::call::{Asked, Call, both};
use crate::rpc::encoded::EncodedTicket;
use crate::rpc::names;
use crate::rpc::server::Server;

pub(in crate::rpc) async fn merge(
    server: &Server,
    request: Request<proto::MergeTicketsRequest>,
) -> Result<Response<EncodedTicket>, Status> {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, ticket), asked) = both(names::ticket("name", &message.name), Asked::of(&mut message))?;
    let proto::MergeTicketsRequest { name: _, duplicates, reason, etag, request_id: _, validate_only: _ } = message;
    let duplicates =
        each("duplicates", &duplicates, MergeTickets::MOST, |field, name| names::ticket_of(field, name, &helpdesk))?;
    call.caller.enter(&helpdesk)?;
    let command = Command::MergeTickets(MergeTickets { ticket, duplicates, reason, etag });
    submit(server, &call, call.request(&helpdesk, command, asked)).await
}

/// What each name of a list stands for, or everything that is wrong with them. Of too many, none is looked at.
pub(super) fn each(
    field: &str,
    names: &[String],
    most: usize,
    read: impl Fn(&str, &str) -> Result<i64, Refusal>,
) -> Result<Vec<i64>, Refusal> {
    if names.len() > most {
        let description = format!("has {} names; at most {most} are taken", names.len());
        return Err(Refusal::Invalid(vec![Violation::new(field, description)]));
    }
    let read_all = names.iter().enumerate().map(|(place, name)| read(&format!("{field}[{place}]"), name));
    let mut ids = Ok(Vec::new());
    for id in read_all {
        ids = both(ids, id).map(|(mut ids, id): (Vec<i64>, i64)| {
            ids.push(id);
            ids
        });
    }
    ids
}
