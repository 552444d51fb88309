//! Cases with what happened to them: the rows of an event log become histories.

mod case;
mod cases;
mod mapping;
mod order;
mod time;
mod upload;

use std::collections::BTreeMap;
use std::path::Path;

use loket::v1::{GetHelpdeskRequest, State};
use loket_client::Client;

pub(super) use case::Reading;
pub(super) use cases::{Plan, read};
pub(super) use mapping::{File, Mapping};
pub(super) use order::Begun;
pub(super) use upload::Upload;

use crate::failure::Failure;

/// So many histories the server takes in a call.
pub(super) const MOST_IN_A_CALL: usize = 100;

/// What the import must know of the helpdesk's definition.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    /// Each status, and whether it is closed.
    pub(super) statuses: BTreeMap<String, bool>,
    pub(super) initial_status: String,
    pub(super) queues: Vec<String>,
    pub(super) fields: Vec<String>,
    pub(super) priorities: Vec<String>,
}

impl Rules {
    pub(super) async fn of(client: &Client, helpdesk: &str) -> Result<Self, Failure> {
        let helpdesk = client.get_helpdesk(GetHelpdeskRequest { name: helpdesk.to_owned() }).await?;
        let statuses = helpdesk.statuses.iter().map(|status| (status.id.clone(), status.state() == State::Closed));
        Ok(Self {
            statuses: statuses.collect(),
            initial_status: helpdesk.initial_status,
            queues: helpdesk.queues.into_iter().map(|queue| queue.id).collect(),
            fields: helpdesk.fields.into_iter().map(|field| field.id).collect(),
            priorities: helpdesk.priorities.into_iter().map(|priority| priority.id).collect(),
        })
    }

    /// What is wrong with a field, if the helpdesk does not have it.
    pub(super) fn field(&self, id: &str) -> Option<String> {
        missing("field", id, self.fields.iter())
    }

    /// What is wrong with a priority. None is the default one.
    pub(super) fn priority(&self, id: &str) -> Option<String> {
        missing("priority", id, self.priorities.iter())
    }

    pub(super) fn queue(&self, id: &str) -> Option<String> {
        missing("queue", id, self.queues.iter())
    }

    pub(super) fn status(&self, id: &str) -> Option<String> {
        missing("status", id, self.statuses.keys())
    }
}

/// What is wrong with the source of a reference, as every helpdesk sees it.
pub(super) fn source_fault(source: &str) -> Option<String> {
    let is_good = source.len() <= 63
        && source.starts_with(|c: char| c.is_ascii_lowercase())
        && source.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c));
    (!is_good).then(|| format!("`{source}` is no source; write it like `crm` or `mail.message-id`"))
}

fn missing<'a>(kind: &str, id: &str, mut known: impl Iterator<Item = &'a String> + Clone) -> Option<String> {
    let there = known.clone().map(String::as_str).collect::<Vec<_>>();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    let is_known = id.is_empty() || known.any(|known| known == id);
    (!is_known).then(|| format!("the helpdesk has no {kind} `{id}`; it has: {there}"))
}

/// The mapping that a file holds.
pub(super) fn file(path: &Path) -> Result<File, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::Other(format!("{} cannot be read: {error}", path.display())))?;
    File::parse(&text).map_err(|error| Failure::Invalid(vec![format!("error: {}:{error}", path.display())]))
}
