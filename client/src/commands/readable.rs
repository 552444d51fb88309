//! Files here, looked at before anything is done with them.

use std::fs::File;
use std::path::Path;

use crate::failure::Failure;

/// Whether a file can be uploaded: it is read twice, and where the connection breaks once more from the middle.
pub(super) fn check(file: &Path) -> Result<(), Failure> {
    if file == Path::new("-") {
        return Err(Failure::Usage(
            "standard input is read once, and a file is sent again from where it broke off: write it to a file first"
                .to_owned(),
        ));
    }
    let wrong = |why: &dyn std::fmt::Display| Failure::Other(format!("{}: {why}", file.display()));
    let is_file = file.metadata().map_err(|error| wrong(&error))?.is_file();
    if !is_file {
        return Err(wrong(&"it is not a file, of which every part can be read again"));
    }
    File::open(file).map(drop).map_err(|error| wrong(&error))
}
