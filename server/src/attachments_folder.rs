//! The folder of the attachments, and the mark in it: which database it belongs to. All servers of a database must have the
//! same one, and none may clear up in another's.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use uuid::Uuid;

use crate::serve::ServeError;
use crate::store::{AnyConnection, Content, StoreError, folders};

/// The file that holds the id of the folder.
const MARK: &str = ".loket-attachments";
/// The folder's name in the database.
const FOLDER: &str = "attachments";

/// Opens the folder, or says what is wrong with it and what to do. Called in this server's turn to start.
pub(crate) fn open_attachments(connection: &mut AnyConnection, folder: &Path) -> Result<Content, ServeError> {
    let failed = |what, path: &Path| {
        let path = path.display().to_string();
        move |error| ServeError::File { what, path, error }
    };
    fs::create_dir_all(folder).map_err(failed("cannot make the folder", folder))?;
    let mark = folder.join(MARK);
    let marked = read(&mark).map_err(failed("cannot read the mark", &mark))?;
    let known = folders::get(connection, FOLDER).map_err(StoreError::from)?;
    match (known, marked) {
        (Some(known), Some(marked)) if known == marked => {}
        (Some(known), marked) => return Err(another(folder, &known, marked.as_deref())),
        (None, marked) => {
            if !is_empty(folder).map_err(failed("cannot read the folder", folder))? {
                return Err(ServeError::Attachments(format!(
                    "the folder {} holds something already, and not the attachments of this database, which has none yet; \
                     give an empty one with --attachments-dir",
                    folder.display()
                )));
            }
            // The file first: a mark that the database does not know is one that a crash has left, and is taken.
            let id = marked.unwrap_or_else(|| Uuid::now_v7().to_string());
            write(folder, &mark, &id).map_err(failed("cannot write", &mark))?;
            folders::insert(connection, FOLDER, &id).map_err(StoreError::from)?;
        }
    }
    Content::open(folder).map_err(failed("cannot open the folder", folder))
}

fn another(folder: &Path, known: &str, marked: Option<&str>) -> ServeError {
    let folder = folder.display();
    let found = match marked {
        Some(marked) => format!("its mark is {marked}"),
        None => "it has no mark".to_owned(),
    };
    ServeError::Attachments(format!(
        "the folder {folder} is not the one with the attachments of this database: {found}, and {known} is expected in \
         {MARK}. All servers on one database share one folder: mount it here, and name it with --attachments-dir. If the files \
         were moved here by other means, write {known} into {folder}/{MARK}"
    ))
}

fn read(mark: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(mark) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// But for the mark.
fn is_empty(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if entry?.file_name() != MARK {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write(folder: &Path, mark: &Path, id: &str) -> io::Result<()> {
    let mut file = File::create(mark)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}
