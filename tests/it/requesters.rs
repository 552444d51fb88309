//! Registering those who file tickets, and verifying their addresses.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use insta::assert_snapshot;
use loket::v1::{
    ErrorReason, GetRequesterRequest, ListRequestersRequest, RegisterRequesterRequest, Requester, Role,
    VerifyRequesterRequest,
};
use loket_client::Error;
use uuid::Uuid;

use super::database;
use crate::support::{Caller, Desk, RICH, SIMPLE, ServerProcess, draft, own, reason, told};

async fn desk() -> Desk {
    Desk::of(database(), &format!("{SIMPLE}identity: IDENTITY_POLICY_VERIFIED\n")).await
}

async fn get(caller: &Caller, name: &str) -> Result<Requester, Error> {
    caller.get_requester(GetRequesterRequest { name: name.to_owned(), ..GetRequesterRequest::default() }).await
}

async fn list(caller: &Caller, email: &str) -> Vec<Requester> {
    let request = ListRequestersRequest {
        parent: caller.parent.clone(),
        email: email.to_owned(),
        page_size: 2,
        ..ListRequestersRequest::default()
    };
    caller.all_requesters(request).try_collect().await.unwrap()
}

#[track_caller]
fn tries_left(result: Result<Requester, Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::VerificationCodeRefused), "{error}");
    error.metadata()["tries_left"].clone()
}

#[tokio::test]
async fn an_address_is_registered_verified_and_found() {
    let desk = desk().await;
    let (service, agent) = (desk.service("web").await, desk.agent("budi").await);
    let ani = desk.requester("ani@example.com").await;
    assert_snapshot!(told(ani.create(own("Mine")).await), @r"
    FailedPrecondition REQUESTER_NOT_REGISTERED
    helpdesks/desk takes tickets of registered requesters, and ani@example.com is not registered: call RegisterRequester, and VerifyRequester with the code that is mailed, first
    ");
    // Who does not mail codes makes none.
    let by_agent = agent.register(" Ani@Example.com").await.unwrap();
    assert_eq!((by_agent.email.as_str(), by_agent.code.as_str()), ("ani@example.com", ""));
    assert_eq!((by_agent.code_expire_time, by_agent.code_tries_left), (None, 0));
    assert!(!by_agent.name.contains("ani"), "{}", by_agent.name);
    assert_snapshot!(told(ani.create(own("Mine")).await), @r"
    FailedPrecondition REQUESTER_NOT_VERIFIED
    ani@example.com is registered and not verified: first call VerifyRequester with the code that was mailed to it
    ");
    assert_eq!(reason(ani.verify(&by_agent.name, "01234-56789").await), ErrorReason::VerificationCodeExpired);

    let registered = service.register("ani@example.com").await.unwrap();
    assert_eq!((registered.name.as_str(), registered.code.len()), (by_agent.name.as_str(), 11));
    assert_eq!(registered.code_tries_left, 5);
    let again = ani.register("").await.unwrap();
    assert_eq!(again, Requester { code: String::new(), ..registered.clone() });
    let verified = ani.verify(&registered.name, &registered.code).await.unwrap();
    assert_eq!(verified.verify_time, Some(desk.clock.timestamp()));
    assert_eq!((verified.code_expire_time, verified.code_tries_left), (None, 0));
    // It stays so, and no further code is made.
    assert_eq!(service.verify(&registered.name, "whatever").await.unwrap(), verified);
    assert_eq!(service.register("ani@example.com").await.unwrap(), verified);
    ani.create(own("Mine")).await.unwrap();
    agent.create(loket::v1::Ticket { requester: "ANI@example.com".to_owned(), ..draft("For ani") }).await.unwrap();
    assert_eq!(get(&ani, &registered.name).await.unwrap(), verified);
    assert_eq!(list(&agent, "Ani@example.com").await, [verified]);
}

#[tokio::test]
async fn requesters_see_themselves_only() {
    let desk = desk().await;
    let admin = desk.admin();
    for number in 0..5 {
        admin.register(&format!("c{number}@example.com")).await.unwrap();
    }
    let all = list(admin, "").await;
    assert_eq!(all.iter().map(|one| one.email.as_str()).collect::<BTreeSet<_>>().len(), 5);
    assert!(all.is_sorted_by_key(|one| &one.name) && all.iter().all(|one| one.code.is_empty()));
    let own_one = list(admin, "c1@example.com").await.remove(0);
    let other = list(admin, "c2@example.com").await.remove(0);
    let c1 = desk.requester("c1@example.com").await;
    assert_eq!(list(&c1, "").await, [own_one]);
    assert_eq!(list(&c1, "c2@example.com").await, []);
    assert_eq!(reason(get(&c1, &other.name).await), ErrorReason::ResourceNotFound);
    assert_eq!(reason(c1.verify(&other.name, "01234-56789").await), ErrorReason::ResourceNotFound);
    // Nothing was tried.
    assert_eq!(get(admin, &other.name).await.unwrap().code_tries_left, 5);
    assert_snapshot!(told(c1.register("c2@example.com").await), @r#"
    InvalidArgument INVALID_REQUEST
    requester.email: "c2@example.com" is not the address of this key, which registers c1@example.com
    - requester.email: "c2@example.com" is not the address of this key, which registers c1@example.com
    "#);
}

#[tokio::test]
async fn five_wrong_codes_use_a_code_up_whichever_server_they_come_to() {
    let mut server = ServerProcess::start(database()).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    let registered = admin.register("ani@example.com").await.unwrap();
    let wrong = async |code: &str| admin.verify(&registered.name, code).await;
    assert_eq!(tries_left(wrong("00000-00000").await), "4");
    // Sent again with its id, it is the same try.
    let request = VerifyRequesterRequest {
        name: registered.name.clone(),
        code: "11111-11111".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..VerifyRequesterRequest::default()
    };
    assert_eq!(tries_left(admin.verify_requester(request.clone()).await), "3");
    assert_eq!(tries_left(admin.verify_requester(request).await), "3");
    server.kill();
    server.restart().await;
    assert_eq!(tries_left(wrong("22222-22222").await), "2");
    // Nor does it say which is right while nothing can be counted.
    for code in ["33333-33333", &registered.code] {
        let request = VerifyRequesterRequest {
            name: registered.name.clone(),
            code: code.to_owned(),
            validate_only: true,
            ..VerifyRequesterRequest::default()
        };
        let told = admin.verify_requester(request).await.unwrap();
        assert_eq!((told.verify_time, told.code_tries_left), (None, 2));
    }
    assert_eq!(tries_left(wrong("44444-44444").await), "1");
    let last = wrong("55555-55555").await;
    assert_snapshot!(told(last).replace(&registered.name, "?"), @r"
    FailedPrecondition VERIFICATION_CODE_REFUSED
    the code is not that of ?, and was the last that is taken: register again for another
    ");
    assert_snapshot!(told(wrong(&registered.code).await).replace(&registered.name, "?"), @r"
    FailedPrecondition VERIFICATION_CODE_EXPIRED
    no code of ? is good: none was made, or it is older than 30 minutes, or was tried too often; a service or an admin registers the address again for another
    ");
    assert_eq!(get(&admin, &registered.name).await.unwrap().code_expire_time, None);
    let another = admin.register("ani@example.com").await.unwrap();
    assert_ne!(another.code, registered.code);
    assert_eq!(tries_left(wrong(&registered.code).await), "4");
    assert!(wrong(&another.code).await.unwrap().verify_time.is_some());
}

#[tokio::test]
async fn a_code_is_good_for_half_an_hour() {
    let desk = desk().await;
    let first = desk.admin().register("ani@example.com").await.unwrap();
    desk.clock.advance(Duration::from_mins(30));
    assert_eq!(reason(desk.admin().verify(&first.name, &first.code).await), ErrorReason::VerificationCodeExpired);
    let second = desk.admin().register("ani@example.com").await.unwrap();
    desk.clock.advance(Duration::from_mins(30) - Duration::from_micros(1));
    desk.admin().verify(&second.name, &second.code).await.unwrap();
}

#[tokio::test]
async fn a_repeated_registration_does_not_tell_the_code_again() {
    let desk = desk().await;
    let request = RegisterRequesterRequest {
        parent: "helpdesks/desk".to_owned(),
        requester: Some(Requester { email: "ani@example.com".to_owned(), ..Requester::default() }),
        request_id: Uuid::new_v4().to_string(),
        ..RegisterRequesterRequest::default()
    };
    let first = desk.admin().register_requester(request.clone()).await.unwrap();
    let again = desk.admin().register_requester(request).await.unwrap();
    assert_eq!(again, Requester { code: String::new(), ..first.clone() });
    // The first one stays good.
    desk.admin().verify(&first.name, &first.code).await.unwrap();
    let validated = RegisterRequesterRequest {
        parent: "helpdesks/desk".to_owned(),
        requester: Some(Requester { email: "budi@example.com".to_owned(), ..Requester::default() }),
        validate_only: true,
        ..RegisterRequesterRequest::default()
    };
    assert_eq!(desk.admin().register_requester(validated).await.unwrap().code, "");
    assert_eq!(list(desk.admin(), "budi@example.com").await, []);
}

/// It changed nothing, so it has the revision of what came before it.
#[tokio::test]
async fn a_repeated_registration_is_not_refused_for_the_wrong_code_before_it() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let name = desk.admin().register("ani@example.com").await.unwrap().name;
    assert_eq!(tries_left(desk.admin().verify(&name, "00000-00000").await), "4");
    let request = RegisterRequesterRequest {
        parent: "helpdesks/desk".to_owned(),
        requester: Some(Requester { email: "ani@example.com".to_owned(), ..Requester::default() }),
        request_id: Uuid::new_v4().to_string(),
        ..RegisterRequesterRequest::default()
    };
    let first = agent.register_requester(request.clone()).await.unwrap();
    assert_eq!(agent.register_requester(request).await.unwrap(), first);
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_told() {
    let desk = desk().await;
    let admin = desk.admin();
    assert_snapshot!(told(admin.register("nobody").await), @r#"
    InvalidArgument INVALID_REQUEST
    requester.email: "nobody" is not an e-mail address, such as customer@example.com
    - requester.email: "nobody" is not an e-mail address, such as customer@example.com
    "#);
    let bare = RegisterRequesterRequest { parent: "helpdesks/desk".to_owned(), ..Default::default() };
    assert_snapshot!(told(admin.register_requester(bare).await), @r"
    InvalidArgument INVALID_REQUEST
    requester: is required
    - requester: is required
    ");
    assert_eq!(reason(admin.on("nowhere").register("ani@example.com").await), ErrorReason::ResourceNotFound);
    for name in ["helpdesks/desk/requesters/", "helpdesks/desk/requesters/Ani", "helpdesks/desk/tickets/1"] {
        assert_eq!(reason(admin.verify(name, "1").await), ErrorReason::InvalidRequest, "{name}");
    }
    let ani = admin.register("ani@example.com").await.unwrap();
    assert_eq!(reason(admin.verify(&ani.name, " ").await), ErrorReason::InvalidRequest);
    assert_eq!(reason(admin.verify("helpdesks/desk/requesters/r1", "1").await), ErrorReason::ResourceNotFound);
    let wrong =
        ListRequestersRequest { parent: "helpdesks/desk".to_owned(), email: "x".to_owned(), ..Default::default() };
    assert_eq!(reason(admin.list_requesters(wrong).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn a_batch_of_tickets_is_checked_for_each_of_its_requesters() {
    let desk = desk().await;
    desk.admin().verified("ani@example.com").await;
    let item = |requester: &str| loket::v1::CreateTicketRequest {
        ticket: Some(loket::v1::Ticket { requester: requester.to_owned(), ..draft("Printer") }),
        ..Default::default()
    };
    let requests = ["ani@example.com", "budi@example.com", "Ani@Example.com"].map(item).to_vec();
    let parent = "helpdesks/desk".to_owned();
    let batch = loket::v1::BatchCreateTicketsRequest { parent, requests };
    let results = desk.admin().batch_create_tickets(batch).await.unwrap().results;
    let good = |result: &loket::v1::BatchCreateTicketsResult| {
        matches!(result.result, Some(loket::v1::batch_create_tickets_result::Result::Ticket(_)))
    };
    assert_eq!(results.iter().map(good).collect::<Vec<_>>(), [true, false, true]);
}

/// Neither codes nor survey tokens are anywhere but in the one answer that tells them.
#[tokio::test]
async fn codes_and_tokens_are_in_no_log_and_in_no_other_answer() {
    let options = database().with().flag("--log=trace,h2=off,hyper=off");
    let server = ServerProcess::start(options).await;
    let admin = server.admin().await;
    admin.open("desk", RICH).await;
    let service = server.caller(Role::Service, "web", &["desk"]).await;
    let registered = service.register("ani@example.com").await.unwrap();
    assert_eq!(tries_left(service.verify(&registered.name, "00000-00000").await), "4");
    let ticket = admin.create(draft("Printer")).await.unwrap();
    admin.transition(&ticket.name, "give_up").await.unwrap();
    let token = admin.survey_link(&ticket.name).await.unwrap().token;
    service.rate(&ticket.name, 4, &token).await.unwrap();
    service.verify(&registered.name, &registered.code).await.unwrap();

    let answers = [
        format!("{:?}", list(&admin, "").await),
        format!("{:?}", get(&admin, &registered.name).await),
        format!("{:?}", admin.list("").await),
        format!("{:?}", admin.changes(&ticket.name).await),
    ];
    let (log, plain) = (server.log(), registered.code.replace('-', ""));
    assert!(log.contains("RegisterRequester"), "{log}");
    for text in answers.iter().chain([&log]) {
        for secret in [&registered.code, &plain, &token] {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
    }
}
