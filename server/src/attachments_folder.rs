//! The folder of the attachments, and the mark in it: which database it belongs to. All servers of a database must have the
//! same one, and none may clear up in another's.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use uuid::Uuid;

use crate::private_folder;
use crate::serve::ServeError;
use crate::store::content::MARK;
use crate::store::{AnyConnection, Content, StoreError, folders};

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
    private_folder::make(folder).map_err(failed("cannot make the folder", folder))?;
    let mark = folder.join(MARK);
    let marked = read(&mark).map_err(failed("cannot read the mark", &mark))?;
    let known = folders::get(connection, FOLDER).map_err(StoreError::from)?;
    if let Some(known) = &known {
        if marked.as_ref() != Some(known) {
            return Err(another(folder, known, marked.as_deref()));
        }
    } else if !is_empty(folder).map_err(failed("cannot read the folder", folder))? {
        return Err(ServeError::Attachments(format!(
            "the folder {} holds something already, and not the attachments of this database, which has none yet; \
             give an empty one with --attachments-dir",
            folder.display()
        )));
    }
    check_links(folder, |file, link| fs::hard_link(file, link))?;
    if known.is_none() {
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

/// Parts of files and the mark are put only where nothing is, by hard links, which not every file system has. It is found out
/// here, and not by the first who attaches a file.
fn check_links(folder: &Path, link: impl Fn(&Path, &Path) -> io::Result<()>) -> Result<(), ServeError> {
    // Both names are new each time: one that a crash has left behind is in nobody's way.
    let probe = format!("{MARK}.probe.{}", Uuid::now_v7());
    let (file, linked) = (folder.join(&probe), folder.join(format!("{probe}.linked")));
    let failed = |error| ServeError::File { what: "cannot write", path: file.display().to_string(), error };
    File::create_new(&file).map_err(failed)?;
    let (first, second) = (link(&file, &linked), link(&file, &linked));
    let removed = fs::remove_file(&file).and_then(|()| if first.is_ok() { fs::remove_file(&linked) } else { Ok(()) });
    removed.map_err(failed)?;
    let wrong = match (first, second) {
        (Ok(()), Err(error)) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        (Ok(()), Ok(())) => "it replaces what is there by a hard link".to_owned(),
        (Err(error), _) | (Ok(()), Err(error)) => format!("it makes no hard links: {error}"),
    };
    Err(ServeError::Attachments(format!(
        "the file system of the folder {} cannot keep attachments, since {wrong}; give a folder on one that has hard links, \
         such as ext4, XFS, Btrfs, ZFS or NFS, with --attachments-dir",
        folder.display()
    )))
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
         were moved here by other means, write {known} into {folder}/{MARK}. A copy of a database needs a copy of its folder, \
         never the same one"
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
    // Unlike a rename, a link does not replace what is there.
    let linked = fs::hard_link(&new, mark);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of a file system on which links are made so; nothing is left behind in any case.
    fn told(link: impl Fn(&Path, &Path) -> io::Result<()>) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let told = check_links(folder.path(), link).err().map(|error| error.to_string());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        told.map(|told| told.replace(&folder.path().display().to_string(), "FOLDER"))
    }

    /// A server was killed while it tried.
    #[test]
    fn what_a_crash_left_of_a_try_is_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let names = std::cell::RefCell::new(Vec::new());
        for _ in 0..2 {
            let link = |file: &Path, linked: &Path| {
                names.borrow_mut().push(linked.to_owned());
                fs::hard_link(file, linked)
            };
            check_links(folder.path(), link).unwrap();
            // Both links of one try have one name, which is left behind here.
            fs::write(names.borrow().last().unwrap(), "").unwrap();
        }
        assert_ne!(names.borrow().first(), names.borrow().last());
    }

    #[test]
    fn a_file_system_without_hard_links_is_not_taken() {
        assert_eq!(told(|file, link| fs::hard_link(file, link)), None);
        // As FAT answers, and as what copies instead of linking does.
        let unsupported = told(|_, _| Err(io::Error::from(io::ErrorKind::Unsupported))).unwrap();
        insta::assert_snapshot!(unsupported, @"the file system of the folder FOLDER cannot keep attachments, since it makes no hard links: unsupported; give a folder on one that has hard links, such as ext4, XFS, Btrfs, ZFS or NFS, with --attachments-dir");
        let replaces = told(|file, link| fs::copy(file, link).map(drop)).unwrap();
        insta::assert_snapshot!(replaces, @"the file system of the folder FOLDER cannot keep attachments, since it replaces what is there by a hard link; give a folder on one that has hard links, such as ext4, XFS, Btrfs, ZFS or NFS, with --attachments-dir");
    }
}
