//! Access keys: whom they let in, where, and who hands them out.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use loket::v1::{
    AccessKey, CreateAccessKeyRequest, CreateHelpdeskRequest, ErrorReason, GetHelpdeskRequest, GetTicketRequest,
    ListAccessKeysRequest, ListHelpdesksRequest, ListTicketsRequest, RevokeAccessKeyRequest, Role,
};
use loket_client::{Client, Error};

use super::database;
use crate::support::{Caller, Desk, RICH, SIMPLE, draft, eventually, raw, reason, told};

pub(super) const ROLES: [Role; 5] = [Role::Requester, Role::Agent, Role::Supervisor, Role::Service, Role::Admin];

async fn desk() -> Desk {
    Desk::of(database(), RICH).await
}

fn revoke(name: &str) -> RevokeAccessKeyRequest {
    RevokeAccessKeyRequest { name: name.to_owned(), ..RevokeAccessKeyRequest::default() }
}

/// A key that is asked for.
pub(super) fn key(role: Role, subject: &str, helpdesks: &[&str]) -> CreateAccessKeyRequest {
    let access_key = AccessKey {
        role: role.into(),
        subject: subject.to_owned(),
        helpdesks: helpdesks.iter().map(|id| format!("helpdesks/{id}")).collect(),
        ..AccessKey::default()
    };
    CreateAccessKeyRequest { access_key: Some(access_key), ..CreateAccessKeyRequest::default() }
}

#[tokio::test]
async fn a_key_opens_its_helpdesks_and_no_others() {
    let desk = desk().await;
    desk.admin().open("other", SIMPLE).await;
    let theirs = desk.admin().on("other").create(draft("Theirs")).await.unwrap();
    for role in ROLES {
        let caller = desk.caller(role, "ani@example.com", &["desk"]).await;
        assert_eq!(reason(caller.get(&theirs.name).await), ErrorReason::ResourceNotFound);
        assert_eq!(reason(caller.on("other").list("").await), ErrorReason::ResourceNotFound);
        assert_eq!(reason(caller.on("other").create(draft("Mine")).await), ErrorReason::ResourceNotFound);
        let get = GetHelpdeskRequest { name: "helpdesks/other".to_owned() };
        assert_eq!(reason(caller.get_helpdesk(get).await), ErrorReason::ResourceNotFound);
        let listed: Vec<_> = caller.all_helpdesks(ListHelpdesksRequest::default()).try_collect().await.unwrap();
        assert_eq!(listed.into_iter().map(|helpdesk| helpdesk.name).collect::<Vec<_>>(), ["helpdesks/desk"]);
    }
}

#[tokio::test]
async fn an_admin_of_one_helpdesk_hands_out_no_more_than_it_has() {
    let desk = desk().await;
    desk.admin().open("other", SIMPLE).await;
    let other = desk.admin().key(Role::Agent, "citra", &["other"]).await;
    let both = desk.admin().key(Role::Agent, "dewi", &["desk", "other"]).await;
    let admin = desk.caller(Role::Admin, "local", &["desk"]).await;
    assert_eq!(reason(admin.create_access_key(key(Role::Admin, "x", &[])).await), ErrorReason::InvalidRequest);
    assert_eq!(reason(admin.create_access_key(key(Role::Agent, "x", &["other"])).await), ErrorReason::ResourceNotFound);
    for name in [other.name, both.name, "accessKeys/admin".to_owned()] {
        let revoke = RevokeAccessKeyRequest { name, ..RevokeAccessKeyRequest::default() };
        assert_eq!(reason(admin.revoke_access_key(revoke).await), ErrorReason::ResourceNotFound);
    }
    let own = admin.create_access_key(key(Role::Agent, "x", &["desk"])).await.unwrap();
    let listed: Vec<_> = admin.all_access_keys(ListAccessKeysRequest::default()).try_collect().await.unwrap();
    let mut subjects: Vec<_> = listed.iter().map(|key| key.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["local", "x"]);
    assert!(listed.iter().all(|key| key.secret.is_empty()));
    assert!(!own.secret.is_empty());
}

#[tokio::test]
async fn an_admin_of_one_helpdesk_makes_no_other_and_learns_of_none() {
    let desk = desk().await;
    desk.admin().open("other", SIMPLE).await;
    let admin = desk.caller(Role::Admin, "local", &["desk"]).await;
    let create = async |id: &str| {
        let helpdesk = Some(loket::json::helpdesk_from_yaml(SIMPLE).unwrap());
        let request =
            CreateHelpdeskRequest { helpdesk_id: id.to_owned(), helpdesk, ..CreateHelpdeskRequest::default() };
        told(admin.create_helpdesk(request).await)
    };
    insta::assert_snapshot!(create("other").await, @r#"
    PermissionDenied ROLE_NOT_ALLOWED
    this key opens certain helpdesks only, and "other" is none of them; an admin key that opens all may create it
    "#);
    assert_eq!(create("third").await.replace("third", "other"), create("other").await);
    insta::assert_snapshot!(create("desk").await, @r"
    AlreadyExists RESOURCE_EXISTS
    helpdesks/desk is there already
    ");
}

#[tokio::test]
async fn a_revoked_key_fails_at_once_also_after_a_restart() {
    let desk = desk().await;
    let key = desk.admin().key(Role::Agent, "budi", &["desk"]).await;
    let agent = Caller::connect(&desk.endpoint(), &key.secret, "desk").await;
    agent.list("").await.unwrap();
    let request = RevokeAccessKeyRequest { name: key.name, ..RevokeAccessKeyRequest::default() };
    let revoked = desk.admin().revoke_access_key(request.clone()).await.unwrap();
    assert_eq!(revoked.revoke_time, Some(desk.clock.timestamp()));
    insta::assert_snapshot!(told(agent.list("").await), @r"
    Unauthenticated ACCESS_KEY_REVOKED
    the access key was revoked
    ");
    // Again is OK and changes nothing.
    assert_eq!(desk.admin().revoke_access_key(request).await.unwrap(), revoked);
    let secret = key.secret;
    let server = desk.server.again().await;
    let agent = Caller::connect(&server.endpoint(), &secret, "desk").await;
    assert_eq!(reason(agent.list("").await), ErrorReason::AccessKeyRevoked);
    // Those that are revoked are listed on demand only.
    let listed = |show_revoked| {
        let request = ListAccessKeysRequest { show_revoked, ..ListAccessKeysRequest::default() };
        server.admin().all_access_keys(request).try_collect::<Vec<_>>()
    };
    assert_eq!((listed(false).await.unwrap().len(), listed(true).await.unwrap().len()), (1, 2));
}

#[tokio::test]
async fn a_read_that_waits_ends_when_its_key_is_revoked() {
    let desk = Desk::open(database().with().max_calls(8)).await;
    let key = desk.admin().key(Role::Agent, "budi", &["desk"]).await;
    let agent = Caller::connect(&desk.endpoint(), &key.secret, "desk").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let get = GetTicketRequest { name: ticket.name, min_revision: 1_000, ..GetTicketRequest::default() };
    let mut waits = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let (agent, request) = (agent.clone(), get.clone());
        // Whoever looks below may have the place for a moment. The client would come back late for it.
        waits.spawn(async move {
            loop {
                let waited = agent.tickets().get_ticket(request.clone()).await.map_err(Error::from);
                if waited.as_ref().err().and_then(Error::reason) != Some(ErrorReason::Overloaded) {
                    return waited;
                }
            }
        });
    }
    // Two may wait here: when there is no room for a third, they do.
    let full = async || {
        let third =
            tokio::time::timeout(Duration::from_millis(50), desk.admin().tickets().get_ticket(get.clone())).await;
        third.is_ok_and(|refused| refused.is_err()).then_some(())
    };
    eventually("both wait", full).await;
    desk.admin().revoke_access_key(revoke(&key.name)).await.unwrap();
    while let Some(waited) = waits.join_next().await {
        assert_eq!(reason(waited.unwrap()), ErrorReason::AccessKeyRevoked);
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_a_good_key() {
    let desk = desk().await;
    let body = || raw::framed(&[]);
    let list = "/loket.v1.TicketService/ListTickets";
    let grpc = ("content-type", "application/grpc");
    insta::assert_snapshot!(told(raw::status(&desk.endpoint(), list, &[grpc], body()).await), @r"
    Unauthenticated INVALID_ACCESS_KEY
    the call has no access key that can be read; send the metadata `authorization: Bearer {key}`
    ");
    let secret = desk.admin().secret.clone();
    for authorization in
        ["Bearer", "Bearer ", "Bearer nonsense", &secret, &format!("Basic {secret}"), &format!("Bearer {secret}0")]
    {
        let refused = raw::status(&desk.endpoint(), list, &[grpc, ("authorization", authorization)], body()).await;
        assert_eq!(reason(refused), ErrorReason::InvalidAccessKey, "{authorization}");
    }
    // Whether there is such a method is not told either.
    let unknown = raw::status(&desk.endpoint(), "/loket.v1.TicketService/Juggle", &[grpc], body()).await;
    assert_eq!(reason(unknown), ErrorReason::InvalidAccessKey);
}

#[tokio::test]
async fn the_first_key_and_the_attachments_are_readable_by_their_owner_alone_and_made_once() {
    let desk = desk().await;
    let path = desk.data().folder().join("admin.key");
    let rights = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(rights(&path), 0o600);
    // Whoever may look into the folder that it is in.
    assert_eq!(rights(desk.data().attachments()), 0o700);
    let before = std::fs::read_to_string(&path).unwrap();
    let server = desk.server.again().await;
    assert_eq!(std::fs::read_to_string(server.data().folder().join("admin.key")).unwrap(), before);
}

#[tokio::test]
async fn a_key_says_what_is_wrong_with_it() {
    let desk = desk().await;
    let admin: &Client = desk.admin();
    insta::assert_snapshot!(told(admin.create_access_key(CreateAccessKeyRequest::default()).await), @r"
    InvalidArgument INVALID_REQUEST
    access_key: is required
    - access_key: is required
    ");
    insta::assert_snapshot!(told(admin.create_access_key(key(Role::Unspecified, "", &[])).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - access_key.role: is required: REQUESTER, AGENT, SUPERVISOR, SERVICE or ADMIN
    - access_key.subject: is required: 1 to 200 characters
    ");
    insta::assert_snapshot!(told(admin.create_access_key(key(Role::Requester, "ani", &["nowhere"])).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - access_key.subject: "ani" is not an e-mail address, such as customer@example.com
    - access_key.helpdesks[0]: there is no helpdesk "nowhere"; create it first
    "#);
    insta::assert_snapshot!(told(admin.create_access_key(key(Role::Agent, "budi", &[])).await), @r"
    InvalidArgument INVALID_REQUEST
    access_key.helpdesks: is required: only an ADMIN key opens all helpdesks
    - access_key.helpdesks: is required: only an ADMIN key opens all helpdesks
    ");
    let request = ListTicketsRequest { parent: "helpdesks/_system".to_owned(), ..ListTicketsRequest::default() };
    assert_eq!(reason(admin.list_tickets(request).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn the_last_key_by_which_others_are_made_is_kept() {
    let desk = desk().await;
    let admin: &Client = desk.admin();
    // Neither of these could stand in for it.
    desk.admin().key(Role::Admin, "local", &["desk"]).await;
    desk.admin().key(Role::Supervisor, "sari", &["desk"]).await;
    insta::assert_snapshot!(told(admin.revoke_access_key(revoke("accessKeys/admin")).await), @r"
    FailedPrecondition LAST_ADMIN_KEY
    accessKeys/admin is the last admin key that opens every helpdesk, and without it nobody could make another: make another first, and revoke this one with it
    ");
    let second = desk.admin().key(Role::Admin, "second", &[]).await;
    let other = Caller::connect(&desk.endpoint(), &second.secret, "desk").await;
    // Both at once: one of them stays, whichever comes first.
    let (one, two) = tokio::join!(
        other.revoke_access_key(revoke("accessKeys/admin")),
        other.revoke_access_key(revoke(&second.name)),
    );
    let refused = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    let [refused] = refused.try_into().unwrap();
    let refused = reason::<()>(Err(refused));
    // Whichever was revoked first, the other is kept; or it was the caller's own, which then is let in no more.
    assert!(matches!(refused, ErrorReason::LastAdminKey | ErrorReason::AccessKeyRevoked), "{refused:?}");
}
