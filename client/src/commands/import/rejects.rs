//! The refused rows, as CSV: the original columns and `error`.

use std::fs::File;
use std::path::PathBuf;

use csv::StringRecord;

use super::batches::Refused;

const ERROR: &str = "error";

/// The files that refused rows go to, each begun with its first row.
pub(super) struct Rejects {
    /// For each input file, the place of its reject file.
    targets: Vec<usize>,
    files: Vec<RejectFile>,
}

struct RejectFile {
    path: PathBuf,
    header: StringRecord,
    /// The cells to keep: an `error` column of an earlier import is not repeated.
    keep: Vec<usize>,
    writer: Option<csv::Writer<File>>,
}

impl Rejects {
    /// One reject file for each input, or one for all, which must then have the same columns.
    pub(super) fn new(inputs: Vec<(PathBuf, StringRecord)>) -> Result<Self, String> {
        let mut rejects = Self { targets: Vec::new(), files: Vec::new() };
        for (path, header) in inputs {
            let known = rejects.files.iter().position(|file| file.path == path);
            let target = known.unwrap_or(rejects.files.len());
            match rejects.files.get(target) {
                Some(file) if file.header != header => {
                    return Err(format!(
                        "the files have different columns and cannot share {}: import them one by one, or leave \
                         --rejects away",
                        path.display()
                    ));
                }
                Some(_) => {}
                None => {
                    let keep = (0..header.len()).filter(|index| &header[*index] != ERROR).collect();
                    rejects.files.push(RejectFile { path, header, keep, writer: None });
                }
            }
            rejects.targets.push(target);
        }
        Ok(rejects)
    }

    pub(super) fn write(&mut self, refused: &Refused) -> Result<(), String> {
        let target = self.targets.get(refused.origin.file).copied();
        match target.and_then(|target| self.files.get_mut(target)) {
            Some(file) => file.write(refused),
            None => Ok(()),
        }
    }

    /// Brings what was written to the files. Called after each batch, so that an import that is stopped has told all.
    pub(super) fn flush(&mut self) -> Result<(), String> {
        for file in &mut self.files {
            if let Some(writer) = &mut file.writer {
                writer.flush().map_err(|error| format!("{} cannot be written: {error}", file.path.display()))?;
            }
        }
        Ok(())
    }

    /// The files that have rows.
    pub(super) fn written(&self) -> Vec<String> {
        let written = self.files.iter().filter(|file| file.writer.is_some());
        written.map(|file| file.path.display().to_string()).collect()
    }
}

impl RejectFile {
    fn write(&mut self, refused: &Refused) -> Result<(), String> {
        let Self { path, header, keep, writer } = self;
        let failed = |error: csv::Error| format!("{} cannot be written: {error}", path.display());
        let line = |cells: &StringRecord, last: &str| -> StringRecord {
            keep.iter().map(|index| cells.get(*index).unwrap_or_default()).chain([last]).collect()
        };
        if writer.is_none() {
            let mut begun = csv::Writer::from_path(&*path).map_err(failed)?;
            begun.write_record(&line(header, ERROR)).map_err(failed)?;
            *writer = Some(begun);
        }
        match writer {
            Some(writer) => writer.write_record(&line(&refused.origin.cells, &refused.to_string())).map_err(failed),
            None => Ok(()),
        }
    }
}
