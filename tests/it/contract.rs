//! What every client in every language relies on: descriptors, reflection, health, and errors that no handler has seen.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use loket::v1::{CreateTicketRequest, ErrorReason, GetTicketRequest};
use prost::Message as _;
use prost::bytes::Bytes;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::database;
use crate::support::{Desk, Server, documented_code, draft, raw, reason, told};

const CREATE: &str = "/loket.v1.TicketService/CreateTicket";
const GET: &str = "/loket.v1.TicketService/GetTicket";

fn services() -> BTreeSet<String> {
    let services = loket::json::POOL.services().map(|service| service.full_name().to_owned());
    services.filter(|name| name.starts_with("loket.v1.")).collect()
}

/// The two versions of reflection are alike and share no types.
macro_rules! reflected {
    ($version:ident, $endpoint:expr) => {{
        use tonic_reflection::pb::$version as pb;
        let channel = tonic::transport::Endpoint::from_shared($endpoint).unwrap().connect().await.unwrap();
        let mut client = pb::server_reflection_client::ServerReflectionClient::new(channel);
        let ask = pb::server_reflection_request::MessageRequest::ListServices(String::new());
        let ask = pb::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
        let mut answers = client.server_reflection_info(tokio_stream::iter([ask])).await.unwrap().into_inner();
        let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
        let pb::server_reflection_response::MessageResponse::ListServicesResponse(listed) = answer else {
            panic!("no list of services: {answer:?}")
        };
        listed.service.into_iter().map(|service| service.name).collect::<BTreeSet<_>>()
    }};
}

#[tokio::test]
async fn both_versions_of_reflection_list_the_services_without_a_key() {
    let server = Server::start(database()).await;
    for listed in [reflected!(v1, server.endpoint()), reflected!(v1alpha, server.endpoint())] {
        assert!(listed.is_superset(&services()), "{listed:?}");
        assert!(listed.contains("grpc.health.v1.Health"), "{listed:?}");
    }
}

#[tokio::test]
async fn every_service_is_healthy_without_a_key() {
    let server = Server::start(database()).await;
    let mut health = HealthClient::new(server.admin().channel());
    for service in services().into_iter().chain([String::new()]) {
        let answer = health.check(HealthCheckRequest { service: service.clone() }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service:?}");
    }
    let unknown = health.check(HealthCheckRequest { service: "loket.v1.NoService".to_owned() }).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);
}

#[test]
fn every_reason_is_documented_with_its_code() {
    let reasons = loket::json::POOL.get_enum_by_name("loket.v1.ErrorReason").unwrap();
    for value in reasons.values().filter(|value| value.number() != 0) {
        let reason = ErrorReason::try_from(value.number()).unwrap();
        assert!(documented_code(reason).is_some(), "{}: its comment begins with its code", value.name());
    }
}

#[tokio::test]
async fn an_unknown_method_or_service_is_told_by_its_path() {
    let server = Server::start(database()).await;
    insta::assert_snapshot!(told(raw::call(server.admin(), "loket.v1.TicketService/Juggle", Vec::new()).await), @r"
    Unimplemented UNKNOWN_METHOD
    this server has no method /loket.v1.TicketService/Juggle
    ");
    insta::assert_snapshot!(told(raw::call(server.admin(), "loket.v2.TicketService/GetTicket", Vec::new()).await), @r"
    Unimplemented UNKNOWN_METHOD
    this server has no method /loket.v2.TicketService/GetTicket
    ");
}

#[tokio::test]
async fn bytes_that_are_no_message_are_told_and_change_nothing() {
    let desk = Desk::open(database()).await;
    let authorization = format!("Bearer {}", desk.admin().secret);
    let headers = [("content-type", "application/grpc"), ("authorization", authorization.as_str())];
    let mut good = CreateTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        ticket: Some(draft("Printer")),
        ..CreateTicketRequest::default()
    }
    .encode_to_vec();
    let place = good.windows(7).position(|window| window == b"Printer").unwrap();
    good[place] = 0xff;
    let bodies: [(&str, Bytes); 6] = [
        ("garbage", raw::framed(b"\xff\xff\xff\xff")),
        ("a subject that is not UTF-8", raw::framed(&good)),
        ("a field of another type", raw::framed(b"\x08\x01")),
        ("half a message", raw::framed(&good).slice(..20)),
        ("no message", Bytes::new()),
        ("a flag that there is not", Bytes::from_static(b"\x07\x00\x00\x00\x00")),
    ];
    for (what, body) in bodies {
        let result = raw::status(&desk.endpoint(), CREATE, &headers, body).await;
        assert_eq!(reason(result), ErrorReason::UndecodableRequest, "{what}");
    }
    let upload = "/loket.v1.AttachmentService/UploadAttachment";
    for body in [raw::framed(b"\xff\xff\xff\xff"), raw::framed(&good).slice(..20)] {
        let result = raw::status(&desk.endpoint(), upload, &headers, body).await;
        assert_eq!(reason(result), ErrorReason::UndecodableRequest);
    }
    assert_eq!(desk.head().await, 0);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_told_the_limit() {
    let desk = Desk::open(database().with().max_message_bytes(100_000)).await;
    let agent = desk.agent("budi").await;
    let mut ticket = draft("Large");
    ticket.body = "x".repeat(100_000);
    insta::assert_snapshot!(told(agent.create(ticket).await), @r"
    ResourceExhausted MESSAGE_TOO_LARGE
    the message is larger than the 100000 bytes that this server takes
    - message: at most 100000 bytes
    ");
    assert_eq!(desk.head().await, 0);
}

#[tokio::test]
async fn the_deadlines_of_the_caller_and_of_the_server_are_kept() {
    // Neither is ever reached by what it waits for: a revision that does not come.
    let desk = Desk::open(database().with().request_timeout(Duration::from_millis(300))).await;
    let ticket = desk.admin().create(draft("Printer")).await.unwrap();
    let request = GetTicketRequest { name: ticket.name, min_revision: 1_000, ..GetTicketRequest::default() };
    let body = raw::framed(&request.encode_to_vec());
    let authorization = format!("Bearer {}", desk.admin().secret);
    let headers =
        [("content-type", "application/grpc"), ("authorization", authorization.as_str()), ("grpc-timeout", "50m")];
    let own = raw::status(&desk.endpoint(), GET, &headers, body.clone()).await;
    let servers = raw::status(&desk.endpoint(), GET, &headers[..2], body).await;
    insta::assert_snapshot!(told(own), @r"
    DeadlineExceeded TIMED_OUT
    the call took longer than it may; a change that it asks for may have been made or not: repeat it with the same request id
    ");
    assert_eq!(reason(servers), ErrorReason::TimedOut);
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_does_nothing() {
    let desk = Desk::open(database()).await;
    let request = CreateTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        ticket: Some(draft("Too late")),
        ..CreateTicketRequest::default()
    };
    let authorization = format!("Bearer {}", desk.admin().secret);
    let headers =
        [("content-type", "application/grpc"), ("authorization", authorization.as_str()), ("grpc-timeout", "1n")];
    let result = raw::status(&desk.endpoint(), CREATE, &headers, raw::framed(&request.encode_to_vec())).await;
    assert_eq!(reason(result), ErrorReason::TimedOut);
    // Whatever was queued before this is decided before it.
    let next = desk.admin().create(draft("In time")).await.unwrap();
    assert_eq!(next.name, "helpdesks/desk/tickets/1");
}

#[tokio::test]
async fn a_server_that_is_full_sheds_load_with_a_hint_when_to_come_again() {
    let desk = Desk::open(database().with().max_calls(1).request_timeout(Duration::from_secs(5))).await;
    let waiting = desk.agent("budi").await;
    let request = GetTicketRequest {
        name: "helpdesks/desk/tickets/1".to_owned(),
        min_revision: 1_000,
        ..GetTicketRequest::default()
    };
    let waits = tokio::spawn(async move { waiting.tickets().get_ticket(request).await });
    let shed = crate::support::eventually("a call is shed", async || {
        let name = "helpdesks/desk/tickets/1".to_owned();
        let answer = desk.admin().tickets().get_ticket(GetTicketRequest { name, ..GetTicketRequest::default() }).await;
        let error = loket_client::Error::from(answer.unwrap_err());
        (error.reason() == Some(ErrorReason::Overloaded)).then_some(error)
    })
    .await;
    waits.abort();
    assert!(shed.retry_delay().is_some());
    insta::assert_snapshot!(told::<()>(Err(shed)), @r"
    Unavailable OVERLOADED
    the server is busier than it admits; nothing was done: try again a little later
    ");
}
