//! How many uploads of one caller come in at once: none may have all the places of a server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::rpc::status::Fault;

/// Who has how many.
#[derive(Debug)]
pub(in crate::rpc) struct Places {
    limit: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Places {
    /// Places for callers on a server that takes `uploads` at once: a sixteenth for each of them, and never fewer than 16.
    pub(in crate::rpc) fn of(uploads: usize) -> Self {
        Self { limit: (uploads / 16).max(16), taken: Arc::default() }
    }

    /// Takes one for as long as the answer lives.
    pub(super) fn take(&self, subject: &str) -> Result<Place, Fault> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(subject.to_owned()).or_default();
        if *count >= self.limit {
            return Err(Fault::TooManyOfCaller { limit: self.limit });
        }
        *count += 1;
        Ok(Place { subject: subject.to_owned(), taken: Arc::clone(&self.taken) })
    }
}

pub(super) struct Place {
    subject: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.subject);
            }
        }
    }
}
