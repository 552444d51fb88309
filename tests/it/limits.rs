//! What is too much: of errors, of fields, of an answer, of those who wait. Whatever is sent, an answer with its reason comes.

use std::time::Duration;

use loket::v1::{
    BatchCreateTicketsRequest, ClaimTicketRequest, CreateHelpdeskRequest, CreateReplyRequest, CreateTicketRequest,
    ErrorReason, ExternalRef, FieldDefinition, GetTicketRequest, ListRepliesRequest, ListTicketsRequest, Reply,
    StatusDefinition, Ticket, TicketView, UpdateHelpdeskRequest,
};
use loket_client::Error;
use prost::Message as _;
use prost_types::FieldMask;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::database;
use crate::support::tail::now;
use crate::support::{Caller, Desk, RICH, SIMPLE, draft, eventually, raw, reason, told};

const GET: &str = "/loket.v1.TicketService/GetTicket";

/// An error that a client with the usual limits gets: those for Java take 8 KiB of headers.
fn bearable<T: std::fmt::Debug>(result: Result<T, Error>) -> Error {
    let error = result.expect_err("a refusal");
    assert!(error.reason().is_some(), "{error:?}");
    assert!(error.to_string().len() < 6_000, "{} bytes", error.to_string().len());
    error
}

#[tokio::test]
async fn errors_with_much_to_say_arrive_with_their_reason() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();

    // As many wrong fields as are looked at.
    let wrong = (0..200).map(|n| (format!("field_with_a_long_name_{n}"), "x".repeat(100))).collect();
    let error = bearable(agent.create(Ticket { fields: wrong, ..draft("Printer") }).await);
    assert_eq!(error.reason(), Some(ErrorReason::InvalidRequest));
    assert!(error.message().contains("200 things are wrong"), "{error}");
    let violations = error.violations();
    assert!(violations.len() > 10, "{violations:?}");
    let last = violations.last().unwrap().to_string();
    assert!(last.starts_with("and ") && last.contains(" more"), "{last}");

    // A definition with two hundred mistakes.
    let mut broken = loket::json::helpdesk_from_yaml(SIMPLE).unwrap();
    broken
        .statuses
        .extend((0..180).map(|n| StatusDefinition { id: format!("Not {n}"), ..StatusDefinition::default() }));
    let request = CreateHelpdeskRequest {
        helpdesk_id: "broken".to_owned(),
        helpdesk: Some(broken),
        ..CreateHelpdeskRequest::default()
    };
    let error = bearable(desk.admin().create_helpdesk(request).await);
    assert_eq!(error.reason(), Some(ErrorReason::InvalidDefinition));

    // A hundred thousand characters where two belong.
    let etag = "é".repeat(100_000);
    let claim = ClaimTicketRequest { name: ticket.name.clone(), etag: etag.clone(), ..ClaimTicketRequest::default() };
    assert_eq!(bearable(agent.claim_ticket(claim).await).reason(), Some(ErrorReason::EtagMismatch));
    let update = Ticket { name: ticket.name.clone(), etag, ..Ticket::default() };
    assert_eq!(bearable(agent.update(update, &["subject"]).await).reason(), Some(ErrorReason::EtagMismatch));
    let fields = [("\"é".repeat(50_000), "x".to_owned())].into();
    bearable(agent.create(Ticket { fields, ..draft("Printer") }).await);
    let path = format!("loket.v1.TicketService/{}", "x".repeat(7_000));
    assert_eq!(bearable(raw::call(&agent, &path, Vec::new()).await).reason(), Some(ErrorReason::UnknownMethod));
    // The connection has lived through all of it.
    assert_eq!(agent.get(&ticket.name).await.unwrap().revision, 1);
}

#[tokio::test]
async fn what_is_too_much_is_refused_before_it_is_looked_at() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let fields: std::collections::BTreeMap<_, _> = (0..50_000).map(|n| (format!("f{n}"), "x".to_owned())).collect();
    insta::assert_snapshot!(told(agent.create(Ticket { fields: fields.clone(), ..draft("Many") }).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields: has 50000 fields; at most 200 are taken
    - ticket.fields: has 50000 fields; at most 200 are taken
    ");
    let update = Ticket { name: ticket.name.clone(), fields, ..Ticket::default() };
    assert_eq!(reason(agent.update(update.clone(), &["fields"]).await), ErrorReason::InvalidRequest);
    let paths: Vec<_> = update.fields.keys().map(|id| format!("fields.{id}")).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    insta::assert_snapshot!(told(agent.update(update, &paths).await), @r"
    InvalidArgument INVALID_REQUEST
    update_mask: has 50000 paths; at most 220 are taken
    - update_mask: has 50000 paths; at most 220 are taken
    ");
    let external_refs =
        (0..50_000).map(|n| ExternalRef { source: "crm".to_owned(), id: n.to_string() }).collect::<Vec<_>>();
    let tags = (0..50_000).map(|n| n.to_string()).collect::<Vec<_>>();
    let cc = vec!["ani@example.com".to_owned(); 50_000];
    insta::assert_snapshot!(told(agent.create(Ticket { external_refs, tags, cc, ..draft("Many") }).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - ticket.tags: has 50000 tags; at most 50 are taken
    - ticket.cc: has 50000 addresses; at most 50 are taken
    - ticket.external_refs: has 50000 references; at most 20 are taken
    ");
    let requests = vec![CreateTicketRequest::default(); 50_000];
    let batch = BatchCreateTicketsRequest { parent: "helpdesks/desk".to_owned(), requests };
    assert_eq!(reason(agent.batch_create_tickets(batch).await), ErrorReason::InvalidRequest);
    assert_eq!(desk.head().await, 1);
}

#[tokio::test]
async fn a_page_ends_before_it_is_too_large_for_its_reader() {
    const BODY: usize = 60_000;
    const MOST: usize = 4 << 20;
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let large =
        |n: usize| Ticket { body: "ü".repeat(BODY), solution: "ö".repeat(BODY), ..draft(&format!("Ticket {n}")) };
    let first = agent.create(large(0)).await.unwrap();
    for n in 1..30 {
        agent.create(large(n)).await.unwrap();
        let reply = Reply { body: "ä".repeat(BODY), ..Reply::default() };
        let reply =
            CreateReplyRequest { parent: first.name.clone(), reply: Some(reply), ..CreateReplyRequest::default() };
        agent.create_reply(reply).await.unwrap();
    }
    for view in [TicketView::Basic, TicketView::Full] {
        let mut request = ListTicketsRequest {
            parent: "helpdesks/desk".to_owned(),
            page_size: 1_000,
            view: view.into(),
            ..ListTicketsRequest::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = agent.list_tickets(request.clone()).await.unwrap();
            assert!(page.encoded_len() < MOST);
            assert!(page.tickets.iter().all(|ticket| (ticket.body.len() == 2 * BODY) == (view == TicketView::Full)));
            seen.extend(page.tickets.into_iter().map(|ticket| ticket.subject));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(seen, (0..30).map(|n| format!("Ticket {n}")).collect::<Vec<_>>());
    }
    let mut request =
        ListRepliesRequest { parent: first.name.clone(), page_size: 1_000, ..ListRepliesRequest::default() };
    let mut replies = 0;
    loop {
        let page = agent.list_replies(request.clone()).await.unwrap();
        assert!(page.encoded_len() < MOST);
        replies += page.replies.len();
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(replies, 29);
    assert_eq!(agent.changes(&first.name).await.unwrap().len(), 30);
}

#[tokio::test]
async fn those_who_wait_for_a_revision_leave_room_for_those_who_do_not() {
    let desk = Desk::open(database().with().max_calls(8)).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let get =
        |min_revision| GetTicketRequest { name: ticket.name.clone(), min_revision, ..GetTicketRequest::default() };
    let mut waits = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (agent, request) = (agent.clone(), get(1_000));
        waits.spawn(async move { agent.tickets().get_ticket(request).await });
    }
    // Two may wait, which is a quarter; the others are told at once.
    for _ in 0..2 {
        let refused = Error::from(waits.join_next().await.unwrap().unwrap().unwrap_err());
        assert_eq!(refused.reason(), Some(ErrorReason::Overloaded));
        assert!(refused.retry_delay().is_some());
    }
    // What is there already is not waited for.
    agent.tickets().get_ticket(get(1)).await.unwrap();
    agent.tickets().get_ticket(get(0)).await.unwrap();
    waits.abort_all();
    while waits.join_next().await.is_some() {}
    let again = async || {
        let waits = tokio::time::timeout(Duration::from_millis(50), agent.tickets().get_ticket(get(1_000))).await;
        waits.is_err().then_some(())
    };
    eventually("who went has made room", again).await;
}

#[tokio::test]
async fn what_needs_no_key_keeps_no_call_out() {
    let desk = Desk::open(database().with().max_calls(32)).await;
    let grpc = [("content-type", "application/grpc")];
    let health = "/grpc.health.v1.Health/Check";
    let _begun = raw::begin(&desk.endpoint(), health, &grpc, 200).await;
    desk.admin().try_create(draft("Printer")).await.unwrap();
    HealthClient::new(desk.admin().channel()).check(HealthCheckRequest::default()).await.unwrap();
}

#[tokio::test]
async fn one_key_has_half_of_the_calls_at_most() {
    let desk = Desk::open(database().with().max_calls(64)).await;
    let agent = desk.agent("budi").await;
    let key = format!("Bearer {}", agent.secret);
    let headers = [("content-type", "application/grpc"), ("authorization", key.as_str())];
    let begun = raw::begin(&desk.endpoint(), "/loket.v1.TicketService/GetTicket", &headers, 200).await;
    let refused = eventually("it has all that it may", async || agent.try_create(draft("Mine")).await.err()).await;
    insta::assert_snapshot!(told::<()>(Err(refused)), @r"
    Unavailable OVERLOADED
    this key has 32 calls under way on this server, which is all that one key may have; nothing was done: try again a little later
    ");
    // Others have the rest, and so has health what is its own.
    desk.agent("dewi").await.try_create(draft("Hers")).await.unwrap();
    HealthClient::new(desk.admin().channel()).check(HealthCheckRequest::default()).await.unwrap();
    drop(begun);
    eventually("there is room again", async || agent.try_create(draft("Mine")).await.ok()).await;
}

#[tokio::test]
async fn one_key_has_half_of_those_that_wait_for_a_revision_at_most() {
    let desk = Desk::open(database().with().max_calls(160)).await;
    let (agent, dewi) = (desk.agent("budi").await, desk.agent("dewi").await);
    let name = agent.create(draft("Printer")).await.unwrap().name;
    let read = |caller: &Caller, min_revision| {
        let (caller, name) = (caller.clone(), name.clone());
        let request = GetTicketRequest { name, min_revision, ..GetTicketRequest::default() };
        async move { caller.tickets().get_ticket(request).await.map_err(Error::from) }
    };
    // Of all calls a quarter may wait.
    let mut waits = tokio::task::JoinSet::new();
    for _ in 0..21 {
        waits.spawn(read(&agent, 1_000));
    }
    insta::assert_snapshot!(told(waits.join_next().await.unwrap().unwrap()), @r"
    Unavailable OVERLOADED
    this key has 20 calls that wait for a revision on this server, which is all that one key may have; nothing was done: try again a little later
    ");
    // Others have the rest, and what is there already is not waited for.
    read(&agent, 1).await.unwrap();
    let (hers, _) = tokio::join!(read(&dewi, 2), desk.admin().create(draft("Fax")));
    hers.unwrap();
    assert_eq!(waits.len(), 20);
}

#[tokio::test]
async fn one_key_has_half_of_the_streams_at_most() {
    let desk = Desk::open(database().with().max_streams(40)).await;
    let (agent, dewi) = (desk.agent("budi").await, desk.agent("dewi").await);
    let watch = async |caller: &Caller| caller.tickets().watch_tickets(now(caller, "")).await.map_err(Error::from);
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(watch(&agent).await.unwrap());
    }
    insta::assert_snapshot!(told(watch(&agent).await), @r"
    ResourceExhausted TOO_MANY_STREAMS
    this key has 20 streams open on this server, which is all that one key may have; end one first
    - streams: at most 20 streams open for one key
    ");
    watch(&dewi).await.unwrap();
    drop(open);
    eventually("one has ended", async || watch(&agent).await.ok()).await;
}

#[tokio::test]
async fn a_compressed_request_is_told_what_is_taken() {
    let desk = Desk::open(database()).await;
    let authorization = format!("Bearer {}", desk.admin().secret);
    let headers =
        [("content-type", "application/grpc"), ("authorization", authorization.as_str()), ("grpc-encoding", "gzip")];
    let result = raw::status(&desk.endpoint(), GET, &headers, raw::framed(b"")).await;
    insta::assert_snapshot!(told(result), @r"
    Unimplemented UNSUPPORTED_ENCODING
    the request is compressed, which this server does not take; send it without `grpc-encoding`
    ");
    let (_, answered) = raw::post(&desk.endpoint(), GET, &headers, raw::framed(b"")).await;
    assert_eq!(answered.get("grpc-accept-encoding").unwrap(), "identity");
}

#[tokio::test]
async fn whom_a_call_acts_for_is_kept_whole_or_refused_and_is_part_of_the_request() {
    let desk = Desk::open(database()).await;
    let service = desk.service("mail").await;
    let request = CreateTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        ticket: Some(draft("Printer")),
        request_id: "3f0c1e5a-9f0b-4c58-a3d1-5b8f0e6a2f10".to_owned(),
        ..CreateTicketRequest::default()
    };
    let (bearer, long) = (format!("Bearer {}", service.secret), "x".repeat(201));
    let call = async |on_behalf_of: &str| {
        let headers = [
            ("content-type", "application/grpc"),
            ("authorization", bearer.as_str()),
            ("loket-on-behalf-of", on_behalf_of),
        ];
        raw::status(
            &desk.endpoint(),
            "/loket.v1.TicketService/CreateTicket",
            &headers,
            raw::framed(&request.encode_to_vec()),
        )
        .await
    };
    for wrong in ["Bèatrice", long.as_str(), ""] {
        let result = call(wrong).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(told(result), @r"
            InvalidArgument INVALID_REQUEST
            loket-on-behalf-of: is not 1 to 200 printable ASCII characters; write an e-mail address or a name
            - loket-on-behalf-of: is not 1 to 200 printable ASCII characters; write an e-mail address or a name
            ");
        }
    }
    assert_eq!(desk.head().await, 0);
    call("citra@example.com").await.unwrap();
    call("citra@example.com").await.unwrap();
    assert_eq!(reason(call("dewi@example.com").await), ErrorReason::RequestIdReused);
    assert_eq!(desk.head().await, 1);
}

#[tokio::test]
async fn streams_that_need_no_key_do_not_hold_up_a_stop() {
    let desk = Desk::open(database()).await;
    let channel = tonic::transport::Endpoint::from_shared(desk.endpoint()).unwrap().connect().await.unwrap();
    let request = HealthCheckRequest { service: "loket.v1.TicketService".to_owned() };
    let mut watch = HealthClient::new(channel).watch(request).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    desk.stop();
    // It may say that it serves no more before it ends.
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            match watch.message().await {
                Ok(Some(_)) => {}
                other => return other.map(drop),
            }
        }
    });
    let status = ended.await.expect("it ends").unwrap_err();
    assert_eq!(Error::from(status).reason(), Some(ErrorReason::ShuttingDown));
}

#[tokio::test]
async fn a_definition_has_limits_which_are_told_first() {
    let desk = Desk::open(database()).await;
    let mut large = loket::json::helpdesk_from_yaml(SIMPLE).unwrap();
    large.name = "helpdesks/desk".to_owned();
    large.fields =
        (0..300).map(|n| FieldDefinition { id: format!("Wrong {n}"), ..FieldDefinition::default() }).collect();
    large.transitions[0].from = vec!["new".to_owned(); 100_000];
    let masked = UpdateHelpdeskRequest {
        helpdesk: Some(large),
        update_mask: Some(FieldMask { paths: vec!["transitions".to_owned()] }),
        ..UpdateHelpdeskRequest::default()
    };
    insta::assert_snapshot!(told(desk.admin().update_helpdesk(masked).await), @r"
    InvalidArgument INVALID_DEFINITION
    transitions[0].from: there are 100000: at most 200 are taken
    - transitions[0].from: there are 100000: at most 200 are taken
    ");
    assert_eq!(desk.head().await, 0);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_request_itself_is_told_at_once() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let list = ListTicketsRequest {
        parent: "desks/desk".to_owned(),
        page_size: -1,
        view: 9,
        min_revision: -2,
        ..ListTicketsRequest::default()
    };
    insta::assert_snapshot!(told(agent.list_tickets(list).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 4
    - parent: "desks/desk" is not a name of this kind; write `helpdesks/{helpdesk}`
    - page_size: -1 is negative; write 1 to 1000, or 0 for 50
    - view: 9 is no view; write TICKET_VIEW_BASIC or TICKET_VIEW_FULL
    - min_revision: -2 is negative
    "#);
    let create = CreateTicketRequest { request_id: "again".to_owned(), ..CreateTicketRequest::default() };
    insta::assert_snapshot!(told(agent.tickets().create_ticket(create).await.map_err(Error::from)), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - parent: is required: `helpdesks/{helpdesk}`
    - request_id: "again" is not a UUID, such as 3f0c1e5a-9f0b-4c58-a3d1-5b8f0e6a2f10
    - ticket: is required
    "#);
}
