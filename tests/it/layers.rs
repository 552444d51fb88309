//! The arrows between the server's layers: a layer uses only those to its left.

use std::fs;
use std::path::{Path, PathBuf};

/// From left to right. The crate's root wires them together and is no layer.
const LAYERS: [&str; 6] = ["domain", "store", "feed", "engine", "rpc", "serve"];

/// What a layer's files may not name, besides the layers to its right.
const FORBIDDEN: [(&str, &[&str]); 5] = [
    ("domain", &["tonic", "diesel", "tokio", "loket::", "SystemTime", "Instant::now"]),
    ("store", &["tonic::", "tokio::"]),
    ("feed", &["diesel"]),
    ("engine", &["tonic::", "diesel"]),
    ("rpc", &["diesel"]),
];

fn server() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("server")
}

/// Every source file below a folder, or the file of the same name, without the comments; tests are not looked at.
fn sources(layer: &str) -> Vec<(String, String)> {
    let source = server().join("src");
    let mut found = Vec::new();
    let mut folders = vec![source.join(layer)];
    let file = source.join(format!("{layer}.rs"));
    let mut files = if file.exists() { vec![file] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    for path in files {
        let name = path.strip_prefix(&source).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        if !name.contains("tests") {
            found.push((name, code));
        }
    }
    assert!(!found.is_empty(), "there is no layer {layer}");
    found
}

/// The layers that a file names by `crate::`, in paths and in `use crate::{…}`.
fn named(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (place, prefix) in code.match_indices("crate::") {
        let rest = &code[place + prefix.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            for item in list.split_inclusive([',', '{', '}']) {
                if depth == 0 {
                    names.push(word(item.trim_start()));
                }
                depth += i32::from(item.ends_with('{')) - i32::from(item.ends_with('}'));
                if depth < 0 {
                    break;
                }
            }
        } else {
            names.push(word(rest));
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[test]
fn each_layer_uses_only_those_to_its_left() {
    for (place, layer) in LAYERS.iter().enumerate() {
        for (file, code) in sources(layer) {
            for name in named(&code) {
                let other = LAYERS.iter().position(|other| *other == name);
                assert!(other.is_none_or(|other| other <= place), "{file} uses {name}, which is to its right");
            }
        }
    }
}

#[test]
fn a_layer_knows_nothing_that_is_not_its_own() {
    for (layer, words) in FORBIDDEN {
        for (file, code) in sources(layer) {
            for word in words {
                assert!(!code.contains(word), "{file} names {word}");
            }
        }
    }
}

#[test]
fn the_names_are_found_in_paths_and_in_lists() {
    let code = "use crate::domain::Ticket;\nuse crate::{engine, feed::{Hub, ring}, store};\ncrate::rpc::x();";
    assert_eq!(named(code), ["domain", "engine", "feed", "store", "rpc"]);
}

/// Every error leaves through one file, which gives it a reason.
#[test]
fn only_one_file_builds_a_status() {
    let codes = [
        "new",
        "cancelled",
        "unknown",
        "invalid_argument",
        "deadline_exceeded",
        "not_found",
        "already_exists",
        "permission_denied",
        "resource_exhausted",
        "failed_precondition",
        "aborted",
        "out_of_range",
        "unimplemented",
        "internal",
        "unavailable",
        "data_loss",
        "unauthenticated",
        "with_details",
        "with_error_details",
    ];
    for layer in LAYERS {
        for (file, code) in sources(layer) {
            if file == "rpc/status.rs" {
                continue;
            }
            for constructor in codes {
                assert!(!code.contains(&format!("Status::{constructor}(")), "{file} builds a Status by {constructor}");
            }
        }
    }
}

/// What differs between the databases is in one place; another opens them.
#[test]
fn only_the_dialect_knows_the_databases() {
    for (file, code) in sources("store") {
        if file.starts_with("store/dialect") || file == "store/connection.rs" {
            continue;
        }
        for word in ["Sqlite(", "Postgres(", "PgConnection", "SqliteConnection", "json_extract", "::json ->"] {
            assert!(!code.contains(word), "{file} names {word}");
        }
    }
}

/// What differs between helpdesks is data.
#[test]
fn no_preset_is_named_in_the_code() {
    let presets: Vec<_> = fs::read_dir(server().join("presets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(presets.len(), 5);
    let all = LAYERS.iter().flat_map(|layer| sources(layer));
    let root = ["main.rs", "lib.rs", "config.rs", "first_start.rs", "telemetry.rs"]
        .map(|file| (file.to_owned(), fs::read_to_string(server().join("src").join(file)).unwrap()));
    for (file, code) in all.chain(root) {
        for preset in &presets {
            let words = code.split(|c: char| !c.is_alphanumeric());
            assert!(words.into_iter().all(|word| !word.eq_ignore_ascii_case(preset)), "{file} names {preset}");
        }
    }
}
