//! `RequesterService`.

use std::sync::Arc;

use loket::v1 as proto;
use tonic::{Request, Response, Status};

use super::call::{Asked, Call, both};
use super::read::{self, Reading};
use super::server::Server;
use super::{convert, names, page};
use crate::domain::commands::{Command, REFUSED, RegisterRequester, VerifyRequester};
use crate::domain::context::Answer;
use crate::domain::requester::{Code, id_of};
use crate::domain::{ContactRefusal, Refusal, Requester, Role, Violation, text};
use crate::engine::{Failure, Outcome, RequestId};
use crate::store::{AnyConnection, changes, requesters};

type Answered = Result<Response<proto::Requester>, Status>;

pub(super) async fn register(server: &Server, request: Request<proto::RegisterRequesterRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let (helpdesk, asked) = both(names::helpdesk("parent", &message.parent), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    let Some(proto::Requester { email, display_name, .. }) = message.requester else {
        return Err(Refusal::Invalid(vec![Violation::new("requester", "is required")]).into());
    };
    let actor = &call.caller.actor;
    let email = if email.is_empty() && actor.role == Role::Requester { actor.subject.clone() } else { email };
    // They mail it. Nobody else learns it, or the address would not be verified by it.
    let mails = actor.role.acts_for_others() && !asked.validate_only;
    let code = if mails { new_code().map_err(|_| Failure::Internal)? } else { String::new() };
    let id = id_of(&text::email(&email).unwrap_or_default());
    let hash = mails.then(|| Code::hash(&helpdesk, &id, &code));
    let command = Command::RegisterRequester(RegisterRequester { email, display_name, code: hash });
    let outcome = call.submit(server, call.request(&helpdesk, command, asked)).await?;
    let requester = requester_of(server, &helpdesk, outcome, None).await?;
    // Of a repeated call the requester keeps the code of the first, which nobody knows any more: none is told then, nor where
    // none was needed.
    let is_kept = requester.code.as_ref().map(|code| code.hash) == hash;
    let code = if hash.is_some() && is_kept { code } else { String::new() };
    Ok(Response::new(convert::requester(&helpdesk, &requester, code)))
}

pub(super) async fn verify(server: &Server, request: Request<proto::VerifyRequesterRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let mut message = request.into_inner();
    let ((helpdesk, requester), asked) = both(names::requester("name", &message.name), Asked::of(&mut message))?;
    call.caller.enter(&helpdesk)?;
    if message.code.trim().is_empty() {
        return Err(Refusal::Invalid(vec![Violation::new("code", "is required: the code that was mailed")]).into());
    }
    let code = Code::hash(&helpdesk, &requester, &message.code);
    let (validate_only, request_id) = (asked.validate_only, asked.request_id.clone());
    let command = Command::VerifyRequester(VerifyRequester { requester, code, validate_only });
    let outcome = call.submit(server, call.request(&helpdesk, command, asked)).await?;
    let requester = requester_of(server, &helpdesk, outcome, Some(request_id)).await?;
    Ok(Response::new(convert::requester(&helpdesk, &requester, String::new())))
}

/// The requester of an outcome; of a repeated call, the one that the revision changed, as it is now. A code that was refused
/// when it came under `verifies` is refused again.
async fn requester_of(
    server: &Server,
    helpdesk: &str,
    outcome: Outcome,
    verifies: Option<RequestId>,
) -> Result<Arc<Requester>, Failure> {
    match outcome.answer {
        Answer::Requester(requester) => return Ok(requester),
        Answer::Refused(refusal) => return Err(Failure::Refused(*refusal)),
        Answer::Nothing
        | Answer::NoneFits
        | Answer::Escalated { .. }
        | Answer::Agent(_)
        | Answer::Ticket(_)
        | Answer::Reply { .. }
        | Answer::Definition(_)
        | Answer::Key(_)
        | Answer::Upload(_) => {}
    }
    let key = helpdesk.to_owned();
    let found = server
        .engine
        .read(move |connection| {
            let entries = changes::of_revision(connection, &key, outcome.revision)?;
            let Some(entry) = entries.into_iter().next() else { return Ok(None) };
            let id = entry.change.resource.rsplit('/').next().unwrap_or_default();
            let found = requesters::get(connection, &key, id)?;
            // A call that changed nothing has the revision of another one, which may have been refused.
            let is_own = verifies.is_some_and(|verifies| verifies.id == entry.change.request_id);
            Ok(found.map(|requester| (requester, is_own && entry.change.reason == REFUSED)))
        })
        .await?;
    match found {
        Some((requester, false)) => Ok(Arc::new(requester)),
        Some((requester, true)) => {
            let name = convert::requester_name(helpdesk, &requester.id);
            let tries_left = requester.code.map_or(0, |code| code.tries_left);
            Err(Failure::Refused(ContactRefusal::CodeRefused { name, tries_left }.into()))
        }
        None => Err(Failure::Internal),
    }
}

pub(super) async fn get(server: &Server, request: Request<proto::GetRequesterRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    let proto::GetRequesterRequest { name, min_revision } = request.into_inner();
    let ((helpdesk, id), _) = both(names::requester("name", &name), read::revision(min_revision))?;
    let key = helpdesk.clone();
    let query = move |connection: &mut AnyConnection| requesters::get(connection, &key, &id);
    let (_, found) = Reading::of(server, &call, &helpdesk, min_revision, query).await?;
    match found.filter(|requester| call.caller.actor.may_see_requester(requester)) {
        Some(requester) => Ok(Response::new(convert::requester(&helpdesk, &requester, String::new()))),
        None => Err(Refusal::NotFound { kind: "Requester", name }.into()),
    }
}

pub(super) async fn list(
    server: &Server,
    request: Request<proto::ListRequestersRequest>,
) -> Result<Response<proto::ListRequestersResponse>, Status> {
    let call = Call::of(request.extensions())?;
    let proto::ListRequestersRequest { parent, page_size, page_token, email, min_revision } = request.into_inner();
    let read_as_of = both(page::size(page_size), read::revision(min_revision));
    let ((helpdesk, only), (size, _)) = both(both(names::helpdesk("parent", &parent), address(&email)), read_as_of)?;
    let actor = &call.caller.actor;
    let scope = ["ListRequesters", &helpdesk, &email, &actor.subject];
    let after = page::key(&scope, &page_token)?.unwrap_or_default();
    let only = if actor.role.is_staff() { only } else { Some(only.unwrap_or_else(|| actor.subject.clone())) };
    let key = helpdesk.clone();
    let query = move |connection: &mut AnyConnection| {
        if let Some(address) = &only {
            let found = requesters::get(connection, &key, &id_of(address))?;
            return Ok((found.into_iter().collect(), None));
        }
        let rows = page::Rows {
            read: |after: &String, limit| {
                requesters::page(connection, &key, after, i64::try_from(limit).unwrap_or(i64::MAX))
            },
            key: |requester: &Requester| requester.id.clone(),
            see: |row| Ok(Some(row)),
            weigh: |requester: &Requester| requester.email.len() + requester.display_name.len(),
        };
        page::gather(size, after, rows)
    };
    let (_, (listed, next)): (_, (Vec<Requester>, _)) =
        Reading::of(server, &call, &helpdesk, min_revision, query).await?;
    let next = next.map(|last| page::token(&scope, &last));
    let seen = listed.iter().filter(|requester| actor.may_see_requester(requester));
    Ok(Response::new(proto::ListRequestersResponse {
        requesters: seen.map(|requester| convert::requester(&helpdesk, requester, String::new())).collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}

/// An address in its normal form; None when none is given.
fn address(email: &str) -> Result<Option<String>, Refusal> {
    if email.is_empty() {
        return Ok(None);
    }
    let wrong = || Violation::new("email", crate::domain::fields::not_an_address(email));
    text::email(email).map(Some).ok_or_else(|| Refusal::Invalid(vec![wrong()]))
}

/// Ten letters and digits, 50 random bits, none of which is mistaken for another when it is typed.
fn new_code() -> Result<String, getrandom::Error> {
    const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bits = [0_u8; 10];
    getrandom::fill(&mut bits)?;
    let signs: String = bits.iter().map(|byte| char::from(SIGNS[usize::from(byte & 31)])).collect();
    Ok(format!("{}-{}", &signs[..5], &signs[5..]))
}
