//! Files through the command line.

use std::fs;

use super::super::database;
use super::MIB;
use crate::support::programs::{json, loket, run, said};
use crate::support::{Desk, draft, noise};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_attached_listed_and_fetched() {
    let desk = Desk::open(database()).await;
    let folder = tempfile::tempdir().unwrap();
    let bytes = noise(1, MIB + 1);
    fs::write(folder.path().join("scan.pdf"), &bytes).unwrap();
    fs::write(folder.path().join("note.txt"), "Hello").unwrap();
    let command = async |line: &str| {
        let mut command = loket(&desk.endpoint(), desk.data().folder(), folder.path());
        run({
            command.args(line.split(' ')).args(["-o", "json"]);
            command
        })
        .await
    };
    let create = "ticket create --helpdesk desk --requester a@example.com --subject S --body B --attach scan.pdf --attach note.txt";
    let created = command(create).await;
    assert!(created.status.success(), "{}", said(&created));
    assert_eq!(json(&created)["attachment_count"], 2);
    let replied = command("ticket reply desk/1 --body B --attach note.txt").await;
    assert_eq!(json(&replied)["attachments"][0]["mime_type"], "text/plain", "{}", said(&replied));

    let listed = json(&command("attachment list desk/1").await);
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let scan = listed.as_array().unwrap().iter().find(|file| file["filename"] == "scan.pdf").unwrap();
    assert_eq!(scan["mime_type"], "application/pdf");
    let name = scan["name"].as_str().unwrap();
    let fetched = command(&format!("attachment get {name} --to copy.pdf")).await;
    assert!(fetched.status.success(), "{}", said(&fetched));
    assert!(fs::read(folder.path().join("copy.pdf")).unwrap() == bytes);
    let part = command(&format!("attachment get {name} --to - --offset 5 --length 7")).await;
    assert_eq!(part.stdout, &bytes[5..12]);
    // Nothing that is there is written over.
    let again = command(&format!("attachment get {name}")).await;
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));

    let uploaded = json(&command("attachment upload scan.pdf --helpdesk desk").await);
    assert_eq!(uploaded["state"], "STATE_FINISHED");
    let sent = json(&command("attachment upload scan.pdf --helpdesk desk").await);
    let sent = sent["name"].as_str().unwrap();
    let replied = command(&format!("ticket reply desk/1 --body B --attach note.txt --upload {sent}")).await;
    let attached = json(&replied)["attachments"].to_string();
    assert!(attached.contains("scan.pdf") && attached.contains("note.txt"), "{}", said(&replied));
    let begun = desk.admin().begin_upload("scan.pdf", &bytes).await.unwrap().name;
    let resumed = json(&command(&format!("attachment upload scan.pdf --resume {begun}")).await);
    assert_eq!(resumed["state"], "STATE_FINISHED");
    desk.admin().create_with(draft("Both"), &[uploaded["name"].as_str().unwrap(), &begun]).await.unwrap();
    let missing = command("ticket reply desk/1 --body B --attach missing.txt").await;
    assert_eq!(missing.status.code(), Some(1), "{}", said(&missing));
}
