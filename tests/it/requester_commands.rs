//! `loket requester`, `loket feedback`, and replies with canned texts.

use std::process::Output;

use super::database;
use crate::support::programs::{json, loket, run, said};
use crate::support::{Desk, RICH, draft};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requesters_are_registered_tickets_answered_and_surveys_sent() {
    let desk = Desk::of(database(), RICH).await;
    let call = async |arguments: &[&str]| -> Output {
        let mut command = loket(&desk.endpoint(), desk.data().folder(), desk.data().folder());
        command.args(arguments);
        run(command).await
    };
    let told = async |arguments: &[&str]| {
        let output = call(&[arguments, &["-o", "json"]].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        json(&output)
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();

    let register =
        ["requester", "register", "--helpdesk", "desk", "--email", "Ani@example.com", "--display-name", "Ani"];
    let registered = told(&register).await;
    let (name, code) = (text(&registered["name"]), text(&registered["code"]));
    let wrong = call(&["requester", "verify", &name, "--code", "00000-00000"]).await;
    assert_eq!(wrong.status.code(), Some(6), "{}", said(&wrong));
    assert!(said(&wrong).contains("4 more are taken"), "{}", said(&wrong));
    let verified = told(&["requester", "verify", &name, "--code", &code]).await;
    assert!(verified["verify_time"].is_string(), "{verified}");
    assert_eq!(told(&["requester", "get", &name]).await, verified);
    let listed = told(&["requester", "list", "--helpdesk", "desk", "--email", "ani@example.com"]).await;
    assert_eq!(listed, serde_json::json!([verified]));
    let shown = call(&["requester", "list", "--helpdesk", "desk"]).await;
    assert!(said(&shown).contains("ani@example.com"), "{}", said(&shown));

    let ticket = desk.admin().create(draft("Printer")).await.unwrap().name;
    assert_eq!(text(&told(&["helpdesk", "canned", "desk"]).await[0]["id"]), "hello");
    let reply =
        told(&["ticket", "reply", &ticket, "--canned", "due", "--field", "due=2026-12-01", "--body", "Bye"]).await;
    assert_eq!(text(&reply["body"]), "On 2026-12-01, says admin. {T-00001}\n\nBye");
    desk.admin().transition(&ticket, "give_up").await.unwrap();
    let link = told(&["feedback", "link", &ticket]).await;
    let rate = ["feedback", "submit", &ticket, "--rating", "5", "--comment", "Cepat"];
    let refused = call(&rate).await;
    assert_eq!(refused.status.code(), Some(5), "{}", said(&refused));
    let feedback = told(&[&rate[..], &["--survey-token", &text(&link["token"])]].concat()).await;
    assert_eq!((feedback["rating"].as_i64(), text(&feedback["comment"])), (Some(5), "Cepat".to_owned()));
    let shown = call(&["ticket", "get", &ticket]).await;
    assert!(said(&shown).contains("5 of 5"), "{}", said(&shown));
    let again = call(&[&rate[..], &["--survey-token", &text(&link["token"])]].concat()).await;
    assert_eq!(again.status.code(), Some(6), "{}", said(&again));
}
