//! Generates the server half of the contract. The messages are those of the `loket` crate, but for
//! `WatchTicketsResponse`, which the server encodes once for many streams, and the `Ticket` of
//! answers, which often is encoded already.

// Cargo speaks to build scripts through the environment and standard output.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../proto");
    println!("cargo::rerun-if-changed=presets");
    let mut compiler = protox::Compiler::new(["../proto"])?;
    compiler.include_imports(true).open_files(services("../proto/loket/v1")?)?;
    let mut files = compiler.file_descriptor_set();
    files.file.retain(|file| file.package() != "google.api");
    tonic_prost_build::configure()
        .build_client(false)
        .codec_path("::loket::codec::Codec")
        .extern_path(".loket.v1.WatchTicketsResponse", "crate::rpc::encoded::EncodedWatchResponse")
        .extern_path(".loket.v1.Ticket", "crate::rpc::encoded::EncodedTicket")
        .extern_path(".loket.v1", "::loket::v1")
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(files)?;
    Ok(())
}

fn services(folder: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(folder))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with("_service.proto") {
            found.push(PathBuf::from("loket/v1").join(path.file_name().unwrap_or_default()));
        }
    }
    found.sort();
    Ok(found)
}
