//! The engine knows no preset: what differs between them is data.

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn no_presets_name_occurs_in_the_server() {
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("server");
    let presets = files(&server.join("presets"));
    let presets: Vec<_> = presets.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(presets.len(), 5, "{presets:?}");
    for file in files(&server.join("src")) {
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        let named = text.split(|c: char| !c.is_alphanumeric()).find(|word| presets.contains(word));
        assert_eq!(named, None, "{}", file.display());
    }
}
