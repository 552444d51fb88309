//! Connections that are cut without a word.

use std::time::Duration;

use loket_client::v1::{CreateTicketRequest, Ticket, WatchStart, WatchTicketsRequest, WatchTicketsResponse};
use loket_client::{Client, Options, WatchItem};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::scripted::{End, Scene, serve};

/// Stands between client and server. Each value that is sent cuts every connection, and `false` refuses new ones.
async fn wire(server: String) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (cut, cuts) = watch::channel(true);
    let server = server.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (server, mut cuts) = (server.clone(), cuts.clone());
            if !*cuts.borrow_and_update() {
                continue;
            }
            tokio::spawn(async move {
                let mut far = TcpStream::connect(server).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = cuts.changed() => {}
                }
            });
        }
    });
    (endpoint, cut)
}

async fn connect(endpoint: String) -> Client {
    let options = Options { timeout: Duration::from_secs(10), ..Options::new(endpoint, "secret") };
    Client::connect(options).await.unwrap()
}

#[tokio::test]
async fn a_watch_goes_on_behind_its_last_token() {
    let response = |revision, token: &str| WatchTicketsResponse {
        revision,
        resume_token: token.to_owned(),
        ..WatchTicketsResponse::default()
    };
    let (server, seen) =
        serve([Scene::Stream(vec![response(1, "a")], End::Never), Scene::Stream(vec![response(2, "b")], End::Never)])
            .await;
    let (endpoint, cut) = wire(server).await;
    let client = connect(endpoint).await;
    let start = WatchStart::Now.into();
    let mut watch = client.watch(WatchTicketsRequest { start, ..WatchTicketsRequest::default() });

    assert_eq!(watch.next().await.unwrap(), Some(WatchItem::Response(response(1, "a"))));
    cut.send(false).unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(700), watch.next()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    cut.send(true).unwrap();
    assert_eq!(watch.next().await.unwrap(), Some(WatchItem::Response(response(2, "b"))));
    assert_eq!(seen.lock().unwrap().watches[1].resume_token, "a");
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_repeated_with_its_request_id() {
    let ticket = || Scene::Answers(Box::<Ticket>::default());
    let (server, seen) = serve([Scene::Hangs, ticket()]).await;
    let (endpoint, cut) = wire(server).await;
    let client = connect(endpoint).await;

    let call = tokio::spawn(async move { client.create_ticket(CreateTicketRequest::default()).await });
    while seen.lock().unwrap().creates.is_empty() {
        tokio::task::yield_now().await;
    }
    cut.send(true).unwrap();
    call.await.unwrap().unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.creates.len(), 2);
    assert_eq!(seen.creates[0].request_id, seen.creates[1].request_id);
}
