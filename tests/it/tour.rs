//! The README's tour works as it is written.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::database;
use crate::support::ServerProcess;
use crate::support::programs::{CLIENT, for_admin, json, program, run, said};

/// The section.
fn tour() -> &'static str {
    let readme = include_str!("../../README.md");
    readme.split("\n## ").find_map(|section| section.strip_prefix("A tour\n")).expect("there is a tour")
}

/// The files that it shows, each below the line that ends with its name.
fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    tour().split("`:\n\n```").skip(1).zip(tour().split("`:\n\n```")).filter_map(|(behind, before)| {
        let (_, name) = before.rsplit_once('`')?;
        let (_, block) = behind.split_once('\n')?;
        Some((name, &block[..=block.find("\n```")?]))
    })
}

/// The commands of the section, each as one line.
fn commands() -> Vec<String> {
    let tour = tour().replace("\\\n", " ");
    let blocks = tour.split("```sh\n").skip(1).filter_map(|block| block.split_once("\n```"));
    let lines = blocks.flat_map(|(block, _)| block.lines());
    lines.filter(|line| line.starts_with("loket ") || line.starts_with("printf ")).map(str::to_owned).collect()
}

/// As it would be typed.
fn shell(server: &ServerProcess, folder: &Path, line: &str) -> Command {
    let mut command = Command::new("sh");
    for_admin(&mut command, &server.endpoint(), server.data().folder()).current_dir(folder);
    command.args(["-c", &format!("PATH=\"{}:$PATH\"; exec {line}", program(CLIENT).parent().unwrap().display())]);
    command
}

/// Some of the incidents that the tour imports.
fn incidents(folder: &Path) {
    let file = fs::File::create(folder.join("uci_incident_event_log.csv.gz")).unwrap();
    let mut encoder = GzEncoder::new(file, Compression::fast());
    encoder
        .write_all(
            b"number,caller_id,contact_type,category,subcategory,priority,assignment_group\n\
              INC1,2403,Phone,55,170,3,56\n\
              INC1,2403,Phone,55,170,3,57\n\
              INC2,?,Email,40,215,1,?\n",
        )
        .unwrap();
    encoder.finish().unwrap();
}

/// The command, with the name of the attachment that is to be fetched.
async fn with_name(server: &ServerProcess, folder: &Path, line: &str) -> String {
    if !line.contains(" get NAME") {
        return line.to_owned();
    }
    let list = run(shell(server, folder, "loket attachment list smmpanel/1 -o json")).await;
    line.replace("NAME", json(&list)[0]["name"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_does_what_it_says() {
    let server = ServerProcess::start(database().with().presets()).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    incidents(folder);
    let files: Vec<_> =
        files().map(|(name, text)| fs::write(folder.join(name), text).map(|()| name).unwrap()).collect();
    assert_eq!(files, ["desk.yaml", "old-desk.csv", "replay.yaml"]);
    let commands = commands();
    assert!(commands.len() > 10, "{commands:#?}");
    for line in &commands {
        if line.starts_with("loket bench ") {
            // They take long; each is tried by a test of its own.
        } else if line.contains(" watch ") {
            let mut watch = shell(&server, folder, line).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
            let told =
                tokio::task::spawn_blocking(move || lines.find(|line| line.as_ref().unwrap().contains("Pesanan")));
            let told = tokio::time::timeout(std::time::Duration::from_secs(30), told).await;
            watch.kill().unwrap();
            watch.wait().unwrap();
            assert!(told.unwrap().unwrap().is_some(), "{line} does not tell of the ticket");
        } else {
            let line = &with_name(&server, folder, line).await;
            let output = run(shell(&server, folder, line)).await;
            assert!(output.status.success(), "{line}\n{}", said(&output));
        }
    }
    let ticket = server.admin().await.get("helpdesks/smmpanel/tickets/1").await.unwrap();
    assert_eq!((ticket.subject.as_str(), ticket.fields["action"].as_str()), ("Pesanan belum masuk", "speedup"));
    assert_eq!(server.admin().await.on("ovo").list("").await.unwrap().len(), 2);
    assert_eq!(server.admin().await.on("desk").list("state = CLOSED").await.unwrap().len(), 1);
    let [sent, fetched] = ["bukti.png", "copy.png"].map(|name| fs::read(folder.join(name)).unwrap());
    assert_eq!(sent, fetched);
}
