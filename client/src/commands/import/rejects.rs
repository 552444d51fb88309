//! The refused rows, as CSV: the original columns and `loket_error`.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use csv::{ByteRecord, StringRecord};

use super::batches::Refused;

/// The column with the reason. No file of somebody else's has one of this name: an `error` may be theirs.
pub(super) const ERROR: &str = "loket_error";

/// The files that refused rows go to, each begun with its first row. Several batches write to them.
pub(super) struct Rejects {
    /// For each input file, the place of its reject file.
    targets: Vec<usize>,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    files: Vec<RejectFile>,
    /// What became of an earlier import's files that were in the way, and is not yet told.
    kept: Vec<String>,
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
        let (mut targets, mut files) = (Vec::new(), Vec::<RejectFile>::new());
        for (path, header) in inputs {
            let place = place(&path);
            if let Some(file) = read.iter().find(|file| is_one(&self::place(file), &place)) {
                return Err(format!(
                    "the refused rows would go to {} and overwrite {}, which is to be imported: give --rejects another \
                     file",
                    path.display(),
                    file.display()
                ));
            }
            let known = files.iter().position(|file| file.place == place);
            let target = known.unwrap_or(files.len());
            match files.get(target) {
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
                    files.push(RejectFile { path, place, header, keep, writer: None });
                }
            }
            targets.push(target);
        }
        Ok(Self { targets, files: Mutex::new(Files { files, kept: Vec::new() }) })
    }

    /// Whether refused rows can be written; found out before the first is, when its case may be there already.
    pub(super) fn check(&self) -> Result<(), String> {
        let files = self.lock();
        files.files.iter().try_for_each(|file| {
            probe(&file.place).map_err(|error| {
                format!(
                    "the refused rows would go to {}, which cannot be written: {error}; give --rejects another file",
                    file.path.display()
                )
            })
        })
    }

    /// Writes rows, together, and brings them to the files: an import that is stopped or killed has told them.
    pub(super) fn write(&self, rows: &[Refused]) -> Result<(), String> {
        let mut lock = self.lock();
        let Files { files, kept } = &mut *lock;
        for row in rows.iter().filter(|row| !row.is_told) {
            let target = self.targets.get(row.origin.file).copied();
            if let Some(file) = target.and_then(|target| files.get_mut(target)) {
                kept.extend(file.write(row)?);
            }
        }
        files.iter_mut().try_for_each(RejectFile::flush)
    }

    /// What became of an earlier import's files, each told once.
    pub(super) fn kept(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().kept)
    }

    /// The files that have rows.
    pub(super) fn written(&self) -> Vec<String> {
        let files = self.lock();
        let written = files.files.iter().filter(|file| file.writer.is_some());
        written.map(|file| file.path.display().to_string()).collect()
    }

    /// Who failed while writing has left whole rows: what is not flushed is lost with the import.
    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RejectFile {
    fn write(&mut self, refused: &Refused) -> Result<Option<String>, String> {
        let Self { path, place, header, keep, writer } = self;
        let failed = |error: csv::Error| format!("{} cannot be written: {error}", path.display());
        let line = |cells: &ByteRecord, last: &str| -> ByteRecord {
            keep.iter().map(|index| cells.get(*index).unwrap_or_default()).chain([last.as_bytes()]).collect()
        };
        let mut kept = None;
        if writer.is_none() {
            // As it was given, unless it is a link: that stays.
            let own = if path.is_symlink() { place.as_path() } else { path.as_path() };
            kept = keep_earlier(own)
                .map_err(|error| format!("{} is there already and cannot be renamed: {error}", path.display()))?;
            let mut begun = csv::Writer::from_writer(begin(place).map_err(|error| failed(error.into()))?);
            begun.write_byte_record(&line(header.as_byte_record(), ERROR)).map_err(failed)?;
            *writer = Some(begun);
        }
        if let Some(writer) = writer {
            // As it was: what is put in the place of bytes that are not UTF-8 would pass for the row's own.
            let cells = refused.origin.raw.as_ref().unwrap_or(refused.origin.cells.as_byte_record());
            writer.write_byte_record(&line(cells, &refused.to_string())).map_err(failed)?;
        }
        Ok(kept)
    }

    fn flush(&mut self) -> Result<(), String> {
        let path = self.path.display();
        self.writer
            .iter_mut()
            .try_for_each(|writer| writer.flush().map_err(|error| format!("{path} cannot be written: {error}")))
    }
}

/// Tries what the first refused row will need, and leaves nothing behind. A device and a pipe take what they are given.
fn probe(place: &Path) -> io::Result<()> {
    match place.metadata() {
        Ok(data) if data.is_dir() => return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")),
        Ok(data) if !data.is_file() => return Ok(()),
        Ok(_) => drop(OpenOptions::new().append(true).open(place)?),
        Err(_) if place.is_symlink() => {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it is a link, and what it leads to is not there"));
        }
        Err(_) => {}
    }
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder).map(drop)
}

/// Opens it for the first row, and empties nothing: what another import has begun meanwhile is not its own.
fn begin(place: &Path) -> io::Result<File> {
    match OpenOptions::new().write(true).create_new(true).open(place) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new().append(true).open(place),
        opened => opened,
    }
}

/// Renames the file that an earlier import left, and says so: once a case is there, nothing else tells which of its rows were
/// left out. What a link leads to is renamed where it lies, and the link stays.
fn keep_earlier(path: &Path) -> io::Result<Option<String>> {
    // A device and a pipe keep nothing, and must stay where they are.
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

/// Whether two places are of one file, which may have several names.
fn is_one(place: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let file = |place: &Path| {
            place.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| (data.dev(), data.ino()))
        };
        if file(place).is_some_and(|file_of| file(other) == Some(file_of)) {
            return true;
        }
    }
    place == other
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
        std::fs::hard_link(&second, folder.path().join("name.csv"))?;
        let read = [first, second];
        for path in ["a.csv", "a.rej.csv", "./a.rej.csv", "link.csv", "name.csv"] {
            let wrong = rejects(&read, &[folder.path().join(path)]).map(|_| ()).unwrap_err();
            assert!(wrong.contains("which is to be imported"), "{wrong}");
        }
        let both = [folder.path().join("b.csv"), folder.path().join("./b.csv")];
        assert_eq!(rejects(&read, &both).map(|rejects| rejects.lock().files.len()), Ok(1));
        Ok(())
    }

    /// What an import that refuses two rows says of the file that they go to.
    fn refuse(path: &Path) -> Result<Option<String>, String> {
        let rejects = rejects(&[], &[path.to_owned()])?;
        rejects.check()?;
        let row = || Origin { cells: StringRecord::from(vec!["1"]), ..Origin::default() };
        let refused = || Refused::new(row(), "wrong".to_owned());
        rejects.write(&[refused()])?;
        let said = rejects.kept();
        rejects.write(&[refused()])?;
        assert_eq!(rejects.kept(), [""; 0]);
        Ok(said.into_iter().next())
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
    fn a_link_stays_and_what_it_leads_to_is_kept() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (path, link) = (folder.path().join("in/a.rej.csv"), folder.path().join("link.csv"));
        std::fs::create_dir(folder.path().join("in"))?;
        std::os::unix::fs::symlink(&path, &link)?;
        assert!(
            refuse(&link).unwrap_err().contains("which cannot be written: it is a link, and what it leads to is not")
        );
        std::fs::write(&path, "of before")?;
        let aside = folder.path().join("in/a.rej.1.csv");
        let said = refuse(&link).map(Option::unwrap_or_default);
        assert!(said.as_ref().is_ok_and(|said| said.ends_with("in/a.rej.1.csv")), "{said:?}");
        assert_eq!(std::fs::read_to_string(&aside)?, "of before");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&path)?.lines().count(), 3);
        Ok(())
    }

    #[test]
    fn where_nothing_can_be_written_is_told_before_and_nothing_is_left_behind() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let check = |path: PathBuf| rejects(&[], &[path]).and_then(|rejects| rejects.check());
        for path in [folder.path().join("none/a.rej.csv"), folder.path().to_owned()] {
            let wrong = check(path).unwrap_err();
            assert!(wrong.contains("which cannot be written"), "{wrong}");
        }
        assert_eq!(check(folder.path().join("a.rej.csv")), Ok(()));
        assert_eq!(check("/dev/null".into()), Ok(()));
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
        Ok(())
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_as_they_were() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.rej.csv");
        let raw = ByteRecord::from(vec![&b"caf\xe9"[..]]);
        let cells = StringRecord::from_byte_record_lossy(raw.clone());
        let origin = Origin { cells, raw: Some(raw), ..Origin::default() };
        let written = rejects(&[], std::slice::from_ref(&path))
            .and_then(|rejects| rejects.write(&[Refused::new(origin, "wrong".to_owned())]));
        assert_eq!(written, Ok(()));
        assert_eq!(std::fs::read(&path)?, b"number,loket_error\ncaf\xe9,:0: wrong\n");
        Ok(())
    }

    #[test]
    fn an_error_of_the_rows_own_is_kept_and_the_importers_is_not_repeated() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.rej.csv");
        let header = StringRecord::from(vec!["number", "error", ERROR]);
        let rejects = Rejects::new(&[], vec![(path.clone(), header)]);
        let origin = Origin { cells: StringRecord::from(vec!["1", "E42", "of before"]), ..Origin::default() };
        let refused = Refused::new(origin, "wrong".to_owned());
        let written = rejects.and_then(|rejects| rejects.write(&[refused]));
        assert_eq!(written, Ok(()));
        assert_eq!(std::fs::read_to_string(&path)?, "number,error,loket_error\n1,E42,:0: wrong\n");
        Ok(())
    }
}
