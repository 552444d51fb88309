//! The definitions in force, checked once and kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::context::DefinitionVersion;
use crate::domain::definition::Definition;
use crate::store::helpdesks::{self, DefinitionRow};
use crate::store::{AnyConnection, StoreError, definition_payload, heads};

/// What was read of definitions, as long as the database is the one that they were read from.
#[derive(Debug, Default)]
pub struct Definitions {
    known: Mutex<Known>,
    /// By helpdesk, held by whoever reads and checks its definition: when many need it at once, one does it for all.
    reading: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    /// See [`Hub::doubts`](crate::feed::Hub::doubts).
    doubts: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Known {
    /// By helpdesk, the newest version that this process has seen.
    newest: HashMap<String, Arc<DefinitionVersion>>,
    /// What the doubts came to when they were read.
    doubts: u64,
}

impl Definitions {
    pub(super) fn new(doubts: Arc<AtomicU64>) -> Self {
        Self { known: Mutex::default(), reading: Mutex::default(), doubts }
    }

    /// The definition in force as this connection sees it: another process may have applied a newer one. None when there is
    /// no such helpdesk.
    pub fn current(
        &self,
        connection: &mut AnyConnection,
        helpdesk: &str,
    ) -> Result<Option<Arc<DefinitionVersion>>, StoreError> {
        match heads::get(connection, helpdesk)? {
            Some(head) => self.version(connection, helpdesk, head.definition_version),
            // Nothing was written to it yet: the directory has its first definition.
            None => self.version(connection, helpdesk, 1),
        }
    }

    /// One version of a definition.
    pub fn version(
        &self,
        connection: &mut AnyConnection,
        helpdesk: &str,
        version: i64,
    ) -> Result<Option<Arc<DefinitionVersion>>, StoreError> {
        let known = || self.get(helpdesk).filter(|known| known.version == version);
        if let Some(known) = known() {
            return Ok(Some(known));
        }
        let turn = Arc::clone(self.reading().entry(helpdesk.to_owned()).or_default());
        let _alone = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let read = match known() {
            Some(known) => Ok(Some(known)),
            None => self.read(connection, helpdesk, version),
        };
        self.reading().remove(helpdesk);
        read
    }

    /// Reads and checks a version, which may take a second, and keeps it if it is the newest.
    fn read(
        &self,
        connection: &mut AnyConnection,
        helpdesk: &str,
        version: i64,
    ) -> Result<Option<Arc<DefinitionVersion>>, StoreError> {
        let doubts = self.doubts();
        let Some(entry) = helpdesks::directory_entry(connection, helpdesk)? else { return Ok(None) };
        let row = helpdesks::definition(connection, helpdesk, version)?;
        let row = match row {
            Some(row) => row,
            None if version == 1 => DefinitionRow {
                helpdesk: helpdesk.to_owned(),
                version,
                definition: entry.definition,
                revision: 0,
                create_time: entry.create_time,
            },
            None => return Err(StoreError::Corrupt(format!("version {version} of the definition of {helpdesk}"))),
        };
        let loaded = Arc::new(read(&row, entry.create_time)?);
        self.put(helpdesk, &loaded, doubts);
        Ok(Some(loaded))
    }

    /// To be noted before a version is read or written.
    pub(super) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::SeqCst)
    }

    /// One of the same number takes the other's place: the database may have lost it, and been given another. What was read
    /// before a doubt that came meanwhile is not kept.
    pub(super) fn put(&self, helpdesk: &str, version: &Arc<DefinitionVersion>, doubts: u64) {
        let known = &mut *self.known();
        let newest = &mut known.newest;
        if known.doubts == doubts && newest.get(helpdesk).is_none_or(|old| old.version <= version.version) {
            newest.insert(helpdesk.to_owned(), Arc::clone(version));
        }
    }

    /// Whether a version of a helpdesk's definition was read.
    pub(super) fn has(&self, helpdesk: &str) -> bool {
        self.known().newest.contains_key(helpdesk)
    }

    fn reading(&self) -> MutexGuard<'_, HashMap<String, Arc<Mutex<()>>>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, helpdesk: &str) -> Option<Arc<DefinitionVersion>> {
        self.known().newest.get(helpdesk).cloned()
    }

    /// What is known, and nothing of a database that may not be the same any more.
    fn known(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let doubts = self.doubts.load(Ordering::SeqCst);
        if known.doubts != doubts {
            *known = Known { newest: HashMap::new(), doubts };
        }
        known
    }
}

fn read(row: &DefinitionRow, create_time: i64) -> Result<DefinitionVersion, StoreError> {
    let spec = definition_payload::decode(&row.definition)?;
    let definition = Definition::stored(spec).map_err(|wrong| {
        let wrong: Vec<_> = wrong.into_iter().map(|wrong| format!("{}: {}", wrong.field, wrong.description)).collect();
        StoreError::Corrupt(format!("the definition of {}: {}", row.helpdesk, wrong.join("; ")))
    })?;
    Ok(DefinitionVersion {
        version: row.version,
        definition: Arc::new(definition),
        revision: row.revision,
        create_time,
        update_time: row.create_time,
    })
}
