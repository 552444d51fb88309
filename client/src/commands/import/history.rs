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
pub(super) use order::check as check_order;
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
        })
    }
}

/// The mapping that a file holds.
pub(super) fn file(path: &Path) -> Result<File, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::Other(format!("{} cannot be read: {error}", path.display())))?;
    File::parse(&text).map_err(|error| Failure::Invalid(vec![format!("error: {}:{error}", path.display())]))
}
