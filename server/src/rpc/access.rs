//! `AccessService`.

use loket::v1 as proto;
use prost::Message;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::call::{Asked, Call};
use super::server::Server;
use super::{convert, identity, names, page};
use crate::domain::commands::{Command, CreateAccessKey, RevokeAccessKey};
use crate::domain::context::Answer;
use crate::domain::{AccessKey, Refusal, Role, Violation};
use crate::engine::{Failure, Outcome};
use crate::store::{SYSTEM, StoreError, changes, keys};

type Answered = Result<Response<proto::AccessKey>, Status>;

pub(super) async fn create(server: &Server, request: Request<proto::CreateAccessKeyRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    call.caller.must_be("creating access keys", &[Role::Admin])?;
    let mut message = request.into_inner();
    let asked = Asked::of(&mut message)?;
    let secret = identity::new_secret().map_err(|_| Failure::Internal)?;
    let command = command(&call, message.access_key, &secret)?;
    let made = !asked.validate_only;
    let outcome = call.submit(server, call.request(SYSTEM, command, asked)).await?;
    let key = key_of(server, outcome).await?;
    server.keys.refresh_off_thread().await?;
    // The secret of an earlier call is not known any more, and this call's belongs to no key then; nor when none was made.
    let secret = if made && key.hash == identity::hash(&secret) { secret } else { String::new() };
    Ok(Response::new(convert::access_key(&key, secret)))
}

fn command(call: &Call, key: Option<proto::AccessKey>, secret: &str) -> Result<Command, Refusal> {
    let Some(key) = key else {
        return Err(Refusal::Invalid(vec![Violation::new("access_key", "is required")]));
    };
    let proto::AccessKey {
        name: _,
        role,
        subject,
        helpdesks,
        display_name,
        secret: _,
        create_time: _,
        revoke_time: _,
        revision: _,
    } = key;
    // Decided by the command too; asked here before each is looked at.
    let most = CreateAccessKey::HELPDESKS_MAX;
    if helpdesks.len() > most {
        let description = format!("has {} helpdesks; at most {most} are taken", helpdesks.len());
        return Err(Refusal::Invalid(vec![Violation::new("access_key.helpdesks", description)]));
    }
    let mut ids = Vec::new();
    for (place, name) in helpdesks.iter().enumerate() {
        let id = names::helpdesk(&format!("access_key.helpdesks[{place}]"), name)?;
        call.caller.enter(&id)?;
        ids.push(id);
    }
    // Nobody hands out more than it has.
    if ids.is_empty() && !call.caller.entry.key.helpdesks.is_empty() {
        let own: Vec<_> = call.caller.entry.key.helpdesks.iter().map(|id| format!("helpdesks/{id}")).collect();
        let description = format!("is required: this key opens only {}", own.join(", "));
        return Err(Refusal::Invalid(vec![Violation::new("access_key.helpdesks", description)]));
    }
    ids.sort();
    ids.dedup();
    Ok(Command::CreateAccessKey(CreateAccessKey {
        id: Uuid::now_v7().simple().to_string().replacen(|c: char| c.is_ascii_digit(), "k", 1),
        hash: identity::hash(secret),
        role: convert::role(role),
        subject,
        helpdesks: ids,
        display_name,
    }))
}

pub(super) async fn revoke(server: &Server, request: Request<proto::RevokeAccessKeyRequest>) -> Answered {
    let call = Call::of(request.extensions())?;
    call.caller.must_be("revoking access keys", &[Role::Admin])?;
    let mut message = request.into_inner();
    let asked = Asked::of(&mut message)?;
    let id = names::access_key("name", &message.name)?;
    let wanted = id.clone();
    let found = server.engine.read(move |connection| keys::by_ids(connection, &[wanted])).await?;
    let visible = found.first().is_some_and(|key| may_see(&call, key));
    if !visible {
        return Err(Refusal::NotFound { kind: "AccessKey", name: message.name }.into());
    }
    let command = Command::RevokeAccessKey(RevokeAccessKey { id });
    let outcome = call.submit(server, call.request(SYSTEM, command, asked)).await?;
    let key = key_of(server, outcome).await?;
    // It must not be answered that the key is revoked while it goes on working here.
    server.keys.refresh_off_thread().await?;
    Ok(Response::new(convert::access_key(&key, String::new())))
}

/// An admin of some helpdesks deals only with keys that open none but those.
fn may_see(call: &Call, key: &AccessKey) -> bool {
    let own = &call.caller.entry.key.helpdesks;
    own.is_empty() || (!key.helpdesks.is_empty() && key.helpdesks.iter().all(|id| own.contains(id)))
}

/// The key of an outcome; of a repeated call, the one that the revision made or changed.
async fn key_of(server: &Server, outcome: Outcome) -> Result<AccessKey, Failure> {
    if let Answer::Key(key) = outcome.answer {
        return Ok(key);
    }
    let found = server
        .engine
        .read(move |connection| {
            let entries = changes::of_revision(connection, SYSTEM, outcome.revision)?;
            let id = entries.iter().find_map(|entry| AccessKey::id_of(&entry.change.resource));
            let Some(id) = id else { return Ok(None) };
            Ok(keys::by_ids(connection, &[id.to_owned()])?.pop())
        })
        .await?;
    found.ok_or(Failure::Internal)
}

pub(super) async fn list(
    server: &Server,
    request: Request<proto::ListAccessKeysRequest>,
) -> Result<Response<proto::ListAccessKeysResponse>, Status> {
    let call = Call::of(request.extensions())?;
    call.caller.must_be("listing access keys", &[Role::Admin])?;
    let proto::ListAccessKeysRequest { page_size, page_token, show_revoked } = request.into_inner();
    let size = page::size(page_size)?;
    let scope = ["ListAccessKeys", &show_revoked.to_string(), &call.caller.actor.subject];
    let after = page::key(&scope, &page_token)?.unwrap_or_default();
    let may_see = {
        let call = call.clone();
        move |key: &AccessKey| may_see(&call, key)
    };
    let (access_keys, next) = server
        .engine
        .read(move |connection| {
            let rows = page::Rows {
                read: |after: &String, limit| -> Result<_, StoreError> {
                    keys::page(connection, show_revoked, after, i64::try_from(limit).unwrap_or(i64::MAX))
                },
                key: |key: &AccessKey| key.id.clone(),
                see: |key| Ok(Some(key).filter(&may_see).map(|key| convert::access_key(&key, String::new()))),
                weigh: Message::encoded_len,
            };
            page::gather(size, after, rows)
        })
        .await?;
    let next_page_token = next.map(|last| page::token(&scope, &last)).unwrap_or_default();
    Ok(Response::new(proto::ListAccessKeysResponse { access_keys, next_page_token }))
}
