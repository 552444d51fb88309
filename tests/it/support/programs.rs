//! The programs under test, and the command line client as scripts use it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The server.
pub(crate) const SERVER: &str = "loket-server";

/// The command line client.
pub(crate) const CLIENT: &str = "loket";

/// A program, built as it stands: Cargo builds the programs of the package under test only, and these are others'.
pub(crate) fn program(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    PROGRAMS.get_or_init(build).get(name).expect("Cargo names the program it built")
}

fn build() -> HashMap<String, PathBuf> {
    // With the test beside them, so that the features of their dependencies, and so all of them, are those at hand.
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "--message-format=json-render-diagnostics"]);
    build.args(["-p", "loket", "-p", "loket-server", "-p", "loket-client"]);
    build.args(["--test", "it", "--bin", SERVER, "--bin", CLIENT]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let output = build.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the programs do not build");
    let messages = String::from_utf8(output.stdout).unwrap();
    let programs = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let target = &message["target"];
        let name = target["name"].as_str().filter(|_| target["kind"][0] == "bin")?;
        Some((name.to_owned(), PathBuf::from(message["executable"].as_str()?)))
    });
    programs.collect()
}

/// `loket` in a folder, for the holder of the key that a server has written to its data directory.
pub(crate) fn loket(endpoint: &str, data_dir: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program(CLIENT));
    for_admin(&mut command, endpoint, data_dir).current_dir(folder);
    command
}

/// Tells a command, and those that it runs, where the server is.
pub(crate) fn for_admin<'a>(command: &'a mut Command, endpoint: &str, data_dir: &Path) -> &'a mut Command {
    let command = without_settings(command).env("LOKET_ENDPOINT", endpoint).env("LOKET_DATA_DIR", data_dir);
    command.stdin(Stdio::null())
}

/// What whoever runs the tests has set for a server of its own says nothing to theirs.
pub(crate) fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LOKET_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end, off the threads of the test's servers.
pub(crate) async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// What a command wrote, for messages.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Sends a signal, as the program `kill` names it.
pub(crate) fn signal(process: u32, name: &str) {
    let done = Command::new("kill").args([format!("-{name}"), process.to_string()]).status().unwrap();
    assert!(done.success(), "{done}");
}

/// What `-o json` wrote.
pub(crate) fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}
