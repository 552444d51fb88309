//! The refused rows, as CSV: the original columns and `loket_error`.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::batches::Refused;

/// The column with the reason. No file of somebody else's has one of this name: an `error` may be theirs.
pub(super) const ERROR: &str = "loket_error";

/// The files that refused rows go to, each begun with its first row.
pub(super) struct Rejects {
    /// For each input file, the place of its reject file.
    targets: Vec<usize>,
    files: Vec<RejectFile>,
}

struct RejectFile {
    path: PathBuf,
    /// The same for every way to write the path.
    place: PathBuf,
    header: StringRecord,
    /// The cells to keep: the reasons of an earlier import are not repeated.
    keep: Vec<usize>,
    writer: Option<csv::Writer<File>>,
}

impl Rejects {
    /// One reject file for each input, or one for all, which must then have the same columns. None may be a file that is
    /// read: it would be emptied.
    pub(super) fn new(read: &[PathBuf], inputs: Vec<(PathBuf, StringRecord)>) -> Result<Self, String> {
        let mut rejects = Self { targets: Vec::new(), files: Vec::new() };
        for (path, header) in inputs {
            let place = place(&path);
            if let Some(file) = read.iter().find(|file| self::place(file) == place) {
                return Err(format!(
                    "the refused rows would go to {} and overwrite {}, which is to be imported: give --rejects another \
                     file",
                    path.display(),
                    file.display()
                ));
            }
            let known = rejects.files.iter().position(|file| file.place == place);
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
                    rejects.files.push(RejectFile { path, place, header, keep, writer: None });
                }
            }
            rejects.targets.push(target);
        }
        Ok(rejects)
    }

    /// Says what became of an earlier import's file, where one was in the way.
    pub(super) fn write(&mut self, refused: &Refused) -> Result<Option<String>, String> {
        let target = self.targets.get(refused.origin.file).copied();
        match target.and_then(|target| self.files.get_mut(target)) {
            Some(file) => file.write(refused),
            None => Ok(None),
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
    fn write(&mut self, refused: &Refused) -> Result<Option<String>, String> {
        let Self { path, place: _, header, keep, writer } = self;
        let failed = |error: csv::Error| format!("{} cannot be written: {error}", path.display());
        let line = |cells: &StringRecord, last: &str| -> StringRecord {
            keep.iter().map(|index| cells.get(*index).unwrap_or_default()).chain([last]).collect()
        };
        let mut kept = None;
        if writer.is_none() {
            kept = keep_earlier(path.as_path())
                .map_err(|error| format!("{} is there already and cannot be renamed: {error}", path.display()))?;
            let mut begun = csv::Writer::from_path(&*path).map_err(failed)?;
            begun.write_record(&line(header, ERROR)).map_err(failed)?;
            *writer = Some(begun);
        }
        if let Some(writer) = writer {
            writer.write_record(&line(&refused.origin.cells, &refused.to_string())).map_err(failed)?;
        }
        Ok(kept)
    }
}

/// Renames the file that an earlier import left, and says so: once a case is there, nothing else tells which of its rows were
/// left out.
fn keep_earlier(path: &Path) -> io::Result<Option<String>> {
    // A device, a pipe, and what leads to one keep nothing, and must stay where they are.
    if !path.symlink_metadata().is_ok_and(|data| data.is_file() && data.len() > 0) {
        return Ok(None);
    }
    let mut number = 1;
    while numbered(path, number).symlink_metadata().is_ok() {
        number += 1;
    }
    let aside = numbered(path, number);
    std::fs::rename(path, &aside)?;
    Ok(Some(format!("{} was there already: it is kept as {}", path.display(), aside.display())))
}

/// `calls.rej.1.csv` for `calls.rej.csv`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut extension = OsString::from(number.to_string());
    if let Some(own) = path.extension() {
        extension.push(".");
        extension.push(own);
    }
    path.with_extension(extension)
}

/// Where a path leads, by its links and its folder, whether there is a file already or not.
fn place(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let in_folder = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::batches::Origin;
    use super::*;

    fn rejects(read: &[PathBuf], targets: &[PathBuf]) -> Result<Rejects, String> {
        let header = StringRecord::from(vec!["number"]);
        Rejects::new(read, targets.iter().map(|path| (path.clone(), header.clone())).collect())
    }

    #[test]
    fn no_file_that_is_read_takes_refused_rows() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (first, second) = (folder.path().join("a.csv"), folder.path().join("a.rej.csv"));
        std::fs::write(&first, "number\n")?;
        std::fs::write(&second, "number\n")?;
        std::os::unix::fs::symlink(&second, folder.path().join("link.csv"))?;
        let read = [first, second];
        for path in ["a.csv", "a.rej.csv", "./a.rej.csv", "link.csv"] {
            let wrong = rejects(&read, &[folder.path().join(path)]).map(|_| ()).unwrap_err();
            assert!(wrong.contains("which is to be imported"), "{wrong}");
        }
        let both = [folder.path().join("b.csv"), folder.path().join("./b.csv")];
        assert_eq!(rejects(&read, &both).map(|rejects| rejects.files.len()), Ok(1));
        Ok(())
    }

    /// What an import that refuses two rows says of the file that they go to.
    fn refuse(path: &Path) -> Result<Option<String>, String> {
        let mut rejects = rejects(&[], &[path.to_owned()])?;
        let row = || Origin { cells: StringRecord::from(vec!["1"]), ..Origin::default() };
        let said = rejects.write(&Refused { origin: row(), reason: "wrong".to_owned() })?;
        assert_eq!(rejects.write(&Refused { origin: row(), reason: "wrong".to_owned() })?, None);
        rejects.flush()?;
        Ok(said)
    }

    #[test]
    fn what_an_earlier_import_left_is_kept() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.rej.csv");
        // An empty file tells nothing.
        std::fs::write(&path, "")?;
        assert_eq!(refuse(&path), Ok(None));
        let earlier = std::fs::read_to_string(&path)?;
        assert_eq!(earlier.lines().count(), 3, "{earlier}");
        for name in ["a.rej.1.csv", "a.rej.2.csv"] {
            let aside = folder.path().join(name);
            let said = format!("{} was there already: it is kept as {}", path.display(), aside.display());
            assert_eq!(refuse(&path), Ok(Some(said)));
            assert_eq!(std::fs::read_to_string(&aside)?, earlier);
        }
        assert_eq!(keep_earlier(Path::new("/dev/null"))?, None);
        assert_eq!(numbered(Path::new("in/rejects"), 1), Path::new("in/rejects.1"));
        Ok(())
    }
    #[test]
    fn an_error_of_the_rows_own_is_kept_and_the_importers_is_not_repeated() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.rej.csv");
        let header = StringRecord::from(vec!["number", "error", ERROR]);
        let rejects = Rejects::new(&[], vec![(path.clone(), header)]);
        let origin = Origin { cells: StringRecord::from(vec!["1", "E42", "of before"]), ..Origin::default() };
        let refused = Refused { origin, reason: "wrong".to_owned() };
        let written = rejects.and_then(|mut rejects| rejects.write(&refused).and_then(|_| rejects.flush()));
        assert_eq!(written, Ok(()));
        assert_eq!(std::fs::read_to_string(&path)?, "number,error,loket_error\n1,E42,:0: wrong\n");
        Ok(())
    }
}
