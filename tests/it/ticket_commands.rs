//! What the commands of the staff take and tell: texts from standard input, queues as tables show them, files, and what is left out.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::database;
use crate::support::programs::{json, loket, run, said};
use crate::support::{Desk, RICH, draft};

/// Calls the command in a folder, with what it reads from standard input.
async fn call(desk: &Desk, folder: &Path, input: &str, arguments: &[&str]) -> Output {
    let stdin = folder.join("stdin");
    fs::write(&stdin, input).unwrap();
    let mut command = loket(&desk.endpoint(), desk.data().folder(), folder);
    command.args(arguments).stdin(fs::File::open(stdin).unwrap());
    run(command).await
}

/// The same, for what must be done, in JSON.
async fn told(desk: &Desk, folder: &Path, input: &str, arguments: &[&str]) -> serde_json::Value {
    let output = call(desk, folder, input, &[arguments, &["-o", "json"]].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    json(&output)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_come_from_standard_input_and_queues_as_tables_show_them() {
    let desk = Desk::of(database(), RICH).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ticket = desk.admin().create(draft("Printer")).await.unwrap().name;
    let ticket = ticket.as_str();

    let solve = ["ticket", "reply", ticket, "--body", "Done.", "--solution", "-"];
    assert_eq!(told(&desk, folder, "Switched it on\n", &solve).await["solution"], "Switched it on");
    let conversation = call(&desk, folder, "", &["ticket", "replies", ticket]).await;
    assert!(said(&conversation).contains("\n    Done.\n  solution:\n    Switched it on\n"), "{}", said(&conversation));

    told(&desk, folder, "They called.\n", &["ticket", "transition", ticket, "start", "--reason", "-"]).await;
    let transfer = ["ticket", "transfer", ticket, "--to", "desk/web", "--reason", "-"];
    assert_eq!(told(&desk, folder, "Their own page.\n", &transfer).await["queue"], "web");
    let history = told(&desk, folder, "", &["ticket", "history", ticket]).await;
    let reasons: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|change| change["reason"].as_str())
        .filter(|reason| !reason.is_empty())
        .collect();
    assert_eq!(reasons, ["They called.", "Their own page."]);

    let escalate =
        ["ticket", "escalate", ticket, "upstairs", "--to", "helpdesks/desk/queues/pay", "--reason", "R", "--body", "-"];
    let escalated = told(&desk, folder, "Pay it back.", &escalate).await;
    assert_eq!(escalated["child"]["queue"], "pay");
    let child = told(&desk, folder, "", &["ticket", "get", escalated["child"]["name"].as_str().unwrap()]).await;
    assert_eq!(child["body"], "Pay it back.");
    let agent = ["agent", "create", "desk/rina", "--subject", "rina", "--queue", "desk/web", "--queue", "pay"];
    assert_eq!(told(&desk, folder, "", &agent).await["queues"], serde_json::json!(["pay", "web"]));
    let agent = ["agent", "update", "desk/rina", "--queue", "helpdesks/desk/queues/first"];
    assert_eq!(told(&desk, folder, "", &agent).await["queues"], serde_json::json!(["first"]));

    told(&desk, folder, "", &["ticket", "update", ticket, "--external-ref", "old=1", "--external-ref", "old=2"]).await;
    let updated = told(&desk, folder, "", &["ticket", "update", ticket, "--external-ref", ""]).await;
    assert_eq!(updated["external_refs"].as_array().map_or(0, Vec::len), 0, "{updated}");

    let definition = told(&desk, folder, "", &["helpdesk", "get", "desk"]).await.to_string();
    let applied = call(&desk, folder, &definition, &["helpdesk", "apply", "-"]).await;
    assert!(said(&applied).contains("as it was"), "{}", said(&applied));
    let refused = call(&desk, folder, "statuses: 7", &["helpdesk", "apply", "-"]).await;
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    assert!(said(&refused).contains("standard input:1:"), "{}", said(&refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_of_a_list_is_told_and_texts_are_whole() {
    let desk = Desk::of(database(), RICH).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for subject in ["One", "Two"] {
        desk.admin().create(draft(subject)).await.unwrap();
    }
    for format in ["table", "json"] {
        let list = ["ticket", "list", "--helpdesk", "desk", "--limit", "1", "-o", format];
        let listed = call(&desk, folder, "", &list).await;
        assert!(listed.status.success(), "{}", said(&listed));
        let warned = String::from_utf8(listed.stderr).unwrap();
        assert_eq!(warned, "warning: more follow after these 1: --limit 0 lists all\n");
    }
    let all = call(&desk, folder, "", &["ticket", "list", "--helpdesk", "desk", "--limit", "2", "-o", "json"]).await;
    assert_eq!((json(&all).as_array().unwrap().len(), all.stderr.len()), (2, 0), "{}", said(&all));

    let canned = call(&desk, folder, "", &["helpdesk", "canned", "desk"]).await;
    let texts = "\n── due\n    On {fields.due}, says {agent}. {{{number}}}\n";
    assert!(said(&canned).contains(texts), "{}", said(&canned));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_uploaded_for_what_the_server_takes() {
    let desk = Desk::of(database(), RICH).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.txt"), "Hello").unwrap();
    let create =
        ["ticket", "create", "--helpdesk", "desk", "--requester", "ani@example.com", "--subject", "S", "--body", "B"];
    let with = |more: &'static [&'static str]| [&create[..], more].concat();

    let missing = call(&desk, folder, "", &with(&["--attach", "a.txt", "--attach", "b.txt"])).await;
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
    let refused = call(&desk, folder, "", &with(&["--attach", "a.txt", "--priority", "none"])).await;
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
    let validated = call(&desk, folder, "", &with(&["--attach", "a.txt", "--validate-only"])).await;
    assert!(validated.status.success(), "{}", said(&validated));
    assert!(said(&validated).contains("The files were not uploaded"), "{}", said(&validated));

    let created = told(&desk, folder, "", &with(&["--attach", "a.txt"])).await;
    assert_eq!(created["attachment_count"], 1, "{created}");
    let ticket = created["name"].as_str().unwrap();
    let replied = told(&desk, folder, "", &["ticket", "reply", ticket, "--body", "B", "--attach", "a.txt"]).await;
    assert_eq!(replied["attachments"].as_array().unwrap().len(), 1, "{replied}");

    let listed = told(&desk, folder, "", &["attachment", "list", ticket]).await;
    let name = listed[0]["name"].as_str().unwrap();
    for to in ["a.txt", "nowhere/a.txt"] {
        let refused = call(&desk, folder, "", &["attachment", "get", name, "--to", to]).await;
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains("error: cannot write it: "), "{}", said(&refused));
    }
}
