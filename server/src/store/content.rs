//! The bytes of files: a folder for each, and in it the parts in which it came, each under the offset of its first byte.
//!
//! A part is on disk before [`Content::append`] returns, and is never changed. Of two that are to stand at the same offset, one
//! is taken: so the parts of a file are always a chain, and where it ends is all that there is to know of an upload's progress.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};

use crate::domain::Micros;

/// What went wrong with the folder, for the operator to read: it may hold paths.
pub type ContentError = Error;

/// Where the bytes of files are.
#[derive(Debug, Clone)]
pub struct Content {
    store: Arc<LocalFileSystem>,
    folder: PathBuf,
}

/// A part of a file: the place of its bytes within the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part(Range<i64>);

/// The file in the folder that says whose it is. A folder without it is another, such as that under a volume which is not mounted.
pub const MARK: &str = ".loket-attachments";

/// Which files seem to be nobody's, and since when: empty files that are named `{id}.{time}`.
const ORPHANS: &str = ".orphans";

/// So many characters of an id are those of its time: a folder for what came within some three days, so that none holds too many.
const BUCKET: usize = 5;
/// All of them: 32 hexadecimal digits.
const ID: usize = 32;

impl Content {
    /// Opens a folder that is there.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let store = LocalFileSystem::new_with_prefix(folder).map_err(io::Error::other)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: folder.to_owned() })
    }

    /// That the folder is there. A volume may go while the server runs, and what is put into the folder under it would be gone
    /// when it comes back.
    async fn check(&self) -> object_store::Result<()> {
        match self.store.head(&Place::from(MARK)).await {
            Ok(_) => Ok(()),
            Err(Error::NotFound { .. }) => {
                let wrong = format!("{MARK}, by which it is known, is not in it: is its volume mounted?");
                Err(failed(io::Error::other(wrong)))
            }
            Err(error) => Err(error),
        }
    }

    /// The parts of a file that follow one another from its beginning.
    pub async fn parts(&self, helpdesk: &str, id: &str) -> object_store::Result<Vec<Part>> {
        let mut found: Vec<(i64, i64)> = self
            .store
            .list(Some(&place(helpdesk, id)))
            .try_filter_map(async |part| {
                let offset = part.location.filename().and_then(|name| name.parse().ok());
                Ok(offset.map(|offset| (offset, part.size as i64)))
            })
            .try_collect()
            .await?;
        if found.is_empty() {
            self.check().await?;
        }
        found.sort_unstable();
        let mut parts = Vec::with_capacity(found.len());
        let mut end = 0;
        for (offset, size) in found {
            if offset != end {
                break;
            }
            end += size;
            parts.push(Part(offset..end));
        }
        Ok(parts)
    }

    /// Puts bytes behind the last part. False when another part stands there already, and nothing was done.
    pub async fn append(&self, helpdesk: &str, id: &str, offset: i64, bytes: Bytes) -> object_store::Result<bool> {
        self.check().await?;
        let part = place(helpdesk, id).join(format!("{offset:020}"));
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&part, PutPayload::from(bytes), options).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads from `offset` on: at most `most` bytes, and not beyond the part that has the first of them.
    pub async fn read(
        &self,
        helpdesk: &str,
        id: &str,
        parts: &[Part],
        offset: i64,
        most: i64,
    ) -> object_store::Result<Bytes> {
        let missing = || Error::NotFound {
            path: place(helpdesk, id).to_string(),
            source: format!("no part has the byte {offset}").into(),
        };
        let after = parts.partition_point(|Part(part)| part.end <= offset);
        let Part(part) = parts.get(after).filter(|Part(part)| part.contains(&offset)).ok_or_else(missing)?;
        let end = part.end.min(offset.saturating_add(most));
        let within = (offset - part.start) as u64..(end - part.start) as u64;
        self.store.get_range(&place(helpdesk, id).join(format!("{:020}", part.start)), within).await
    }

    /// Syncs the folders that lead to a file's parts. It waits for the disk.
    ///
    /// A part may be listed before the folder that names it is synced, by whoever put it there, and that one may have died. So
    /// what is told to a caller, or hashed for good, is settled first.
    pub fn settle(&self, helpdesk: &str, id: &str) -> object_store::Result<()> {
        let file = self.file(helpdesk, id);
        for folder in file.ancestors().take_while(|folder| folder.starts_with(&self.folder)) {
            match File::open(folder).and_then(|folder| folder.sync_all()) {
                // A file without bytes has none.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                synced => synced.map_err(failed)?,
            }
        }
        Ok(())
    }

    /// Takes a file away, with all that a crash may have left of its parts.
    pub fn remove(&self, helpdesk: &str, id: &str) -> io::Result<()> {
        gone(fs::remove_dir_all(self.file(helpdesk, id)))
    }

    /// Takes away what a crash has left of parts of a file that is complete: they were never acknowledged.
    pub fn tidy(&self, helpdesk: &str, id: &str) -> io::Result<()> {
        for entry in read(&self.file(helpdesk, id))? {
            if entry.to_string_lossy().contains('#') {
                fs::remove_file(self.file(helpdesk, id).join(entry))?;
            }
        }
        Ok(())
    }

    /// The folders of a helpdesk that hold files. What else lies there is none of ours.
    pub fn buckets(&self, helpdesk: &str) -> io::Result<Vec<String>> {
        let folder = self.folder.join(helpdesk);
        let mut names = names(&folder)?;
        names.retain(|name| name.len() == BUCKET && folder.join(name).is_dir());
        Ok(names)
    }

    /// The files of a helpdesk that were noted to be nobody's, each with when it was last noted.
    pub fn orphans(&self, helpdesk: &str) -> io::Result<HashMap<String, Micros>> {
        let mut orphans = HashMap::new();
        for name in names(&self.folder.join(helpdesk).join(ORPHANS))? {
            if let Some((id, time)) = orphan(&name) {
                let since = orphans.entry(id.to_owned()).or_insert(time);
                *since = time.max(*since);
            }
        }
        Ok(orphans)
    }

    /// Notes that a file seems to be nobody's. A note that a crash loses is made again, and the time counts anew.
    pub fn note_orphan(&self, helpdesk: &str, id: &str, now: Micros) -> io::Result<()> {
        let folder = self.folder.join(helpdesk).join(ORPHANS);
        fs::create_dir_all(&folder)?;
        File::create(folder.join(format!("{id}.{now}"))).map(drop)
    }

    /// Takes back what was noted of these files.
    pub fn forget_orphans(&self, helpdesk: &str, ids: &HashSet<String>) -> io::Result<()> {
        let folder = self.folder.join(helpdesk).join(ORPHANS);
        for name in names(&folder)? {
            if orphan(&name).is_some_and(|(id, _)| ids.contains(id)) {
                gone(fs::remove_file(folder.join(name)))?;
            }
        }
        Ok(())
    }

    /// The ids of the files in a folder.
    pub fn ids(&self, helpdesk: &str, bucket: &str) -> io::Result<Vec<String>> {
        let folder = self.folder.join(helpdesk).join(bucket);
        let mut ids = names(&folder)?;
        // A folder that became empty is one of a time that is over.
        if ids.is_empty() {
            let _ = fs::remove_dir(folder);
        }
        ids.retain(|id| id.len() == ID && id.bytes().all(|digit| digit.is_ascii_hexdigit()));
        Ok(ids)
    }

    fn file(&self, helpdesk: &str, id: &str) -> PathBuf {
        self.folder.join(place(helpdesk, id).as_ref())
    }
}

fn failed(error: io::Error) -> ContentError {
    Error::Generic { store: "the folder of the attachments", source: error.into() }
}

/// How many bytes these parts have: what is on disk of the file.
pub fn end(parts: &[Part]) -> i64 {
    parts.last().map_or(0, |Part(part)| part.end)
}

fn place(helpdesk: &str, id: &str) -> Place {
    Place::from_iter([helpdesk, id.get(..BUCKET).unwrap_or(id), id])
}

/// What the name of a note says: of which file, and when it was made.
fn orphan(name: &str) -> Option<(&str, Micros)> {
    let (id, time) = name.split_once('.')?;
    Some((id, time.parse().ok()?))
}

/// What another has taken away already is as well gone.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    Ok(read(folder)?.into_iter().filter_map(|name| name.into_string().ok()).collect())
}

/// What a folder holds; nothing where there is none.
fn read(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
