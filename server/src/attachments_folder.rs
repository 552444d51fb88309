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
/// What the folder is to be called, in the database, before its mark is written.
const CLAIM: &str = "attachments, claimed";

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
    if let Some(known) = known {
        if marked.as_ref() != Some(&known) {
            return Err(another(folder, &known, marked.as_deref()));
        }
    } else {
        if !is_empty(folder).map_err(failed("cannot read the folder", folder))? {
            return Err(ServeError::Attachments(format!(
                "the folder {} holds something already, and not the attachments of this database, which has none yet; \
                 give an empty one with --attachments-dir",
                folder.display()
            )));
        }
        // The database knows what it is about to write before it is written: so a mark that a crash has left is known for its
        // own, and another database's is not taken for that.
        let claimed = folders::get(connection, CLAIM).map_err(StoreError::from)?;
        let id = claimed.clone().unwrap_or_else(|| Uuid::now_v7().to_string());
        if claimed.is_none() {
            folders::insert(connection, CLAIM, &id).map_err(StoreError::from)?;
        }
        if marked.is_none() {
            write(folder, &mark, &id).map_err(failed("cannot write", &mark))?;
        }
        // Read again: another database may claim the folder in this moment, and was the first.
        let marked = read(&mark).map_err(failed("cannot read the mark", &mark))?;
        if marked.as_ref() != Some(&id) {
            return Err(taken(folder, marked.as_deref()));
        }
        folders::insert(connection, FOLDER, &id).map_err(StoreError::from)?;
    }
    Content::open(folder).map_err(failed("cannot open the folder", folder))
}

fn taken(folder: &Path, marked: Option<&str>) -> ServeError {
    let folder = folder.display();
    let marked = marked.unwrap_or_default();
    ServeError::Attachments(format!(
        "the folder {folder} belongs to another database already, which has put the mark {marked} there, and no two may share \
         one; give another with --attachments-dir. If that database is no more, take away {folder}/{MARK}"
    ))
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
        // One that is empty says nothing, whoever has left it.
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|id| !id.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// But for the mark, and what a crash has left of one.
fn is_empty(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if !entry?.file_name().as_encoded_bytes().starts_with(MARK.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes the mark whole or not at all, and only where none is.
fn write(folder: &Path, mark: &Path, id: &str) -> io::Result<()> {
    let new = folder.join(format!("{MARK}.{id}"));
    let mut file = File::create(&new)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    if fs::metadata(mark).is_ok_and(|mark| mark.len() == 0) {
        fs::remove_file(mark)?;
    }
    // Other than a rename, it leaves what is there.
    let linked = fs::hard_link(&new, mark);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::open(folder)?.sync_all()
}
