//! Compiles `proto/` into messages, clients and one descriptor set, without protoc.

// Cargo speaks to build scripts through the environment and standard output.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost::Message as _;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(protos("proto/loket/v1")?)?;

    // The encoded form keeps the `google.api` options; the decoded one below loses them and is for code generation only.
    let descriptors = compiler.encode_file_descriptor_set();
    fs::write(out.join("loket_descriptors.bin"), &descriptors)?;

    let mut files = FileDescriptorSet::decode(&descriptors[..])?;
    files.file.retain(|file| file.package() != "google.api");
    tonic_prost_build::configure()
        .build_server(false)
        .codec_path("crate::codec::Codec")
        .extern_path(".google.rpc", "::tonic_types::pb")
        .btree_map(".")
        .compile_fds(files)?;
    Ok(())
}

fn protos(folder: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(folder))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(PathBuf::from("loket/v1").join(path.file_name().unwrap_or_default()));
        }
    }
    found.sort();
    Ok(found)
}
