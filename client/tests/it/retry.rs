//! What is tried again, and with what.

use std::time::Duration;

use loket_client::v1::CreateTicketRequest;
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::scripted::{Scene, play};

fn busy(delay: Option<Duration>) -> Scene {
    let mut details = ErrorDetails::new();
    details.set_error_info("OVERLOADED", "loket.v1", []).set_retry_info(delay);
    Scene::Fails(Status::with_error_details(Code::Unavailable, "busy", details))
}

#[tokio::test]
async fn a_mutation_is_repeated_with_the_same_request_id_and_the_key() {
    let (client, seen) = play([busy(None), busy(None), Scene::Answers(Box::default())]).await;
    client.create_ticket(CreateTicketRequest::default()).await.unwrap();

    let seen = seen.lock().unwrap();
    let ids: Vec<_> = seen.creates.iter().map(|request| request.request_id.as_str()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.len() == 36 && *id == ids[0]), "{ids:?}");
    assert!(seen.authorization.iter().all(|key| key == "Bearer secret"));
}

#[tokio::test]
async fn a_request_id_that_was_given_is_kept() {
    let (client, seen) = play([Scene::Answers(Box::default())]).await;
    let request = CreateTicketRequest { request_id: "mine".to_owned(), ..CreateTicketRequest::default() };
    client.create_ticket(request).await.unwrap();
    assert_eq!(seen.lock().unwrap().creates[0].request_id, "mine");
}

#[tokio::test]
async fn the_server_says_how_long_to_wait() {
    let asked = Duration::from_millis(400);
    let (client, _) = play([busy(Some(asked)), Scene::Answers(Box::default())]).await;
    let began = Instant::now();
    client.create_ticket(CreateTicketRequest::default()).await.unwrap();
    assert!(began.elapsed() >= asked);
}

#[tokio::test]
async fn a_wait_past_the_deadline_is_not_waited_for() {
    let (client, _) = play([busy(Some(Duration::from_mins(1)))]).await;
    let began = Instant::now();
    let error = client.create_ticket(CreateTicketRequest::default()).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unavailable, "busy"));
    assert!(began.elapsed() < client.timeout());
}

#[tokio::test]
async fn nothing_else_is_tried_again() {
    for code in [Code::Aborted, Code::ResourceExhausted, Code::Internal, Code::DeadlineExceeded, Code::Unknown] {
        let (client, seen) = play([Scene::Fails(Status::new(code, "no"))]).await;
        let error = client.create_ticket(CreateTicketRequest::default()).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(seen.lock().unwrap().creates.len(), 1, "{code:?}");
    }
}
