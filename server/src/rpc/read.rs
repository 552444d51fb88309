//! What every read has in common: who sees what, as of when.

use std::sync::Arc;

use tonic::Status;

use super::call::Call;
use super::convert::Sight;
use super::server::Server;
use super::share::{Of, Place};
use super::status::{Denied, Fault};
use crate::domain::context::DefinitionVersion;
use crate::domain::definition::{Definition, FieldType};
use crate::domain::filter::{FieldKind, Filter, Schema, TextField};
use crate::domain::{Actor, Refusal, Violation};
use crate::engine::Failure;
use crate::store::{AnyConnection, StoreError};

/// A helpdesk as one caller may read it.
pub(super) struct Reading {
    pub(super) version: Arc<DefinitionVersion>,
    pub(super) sight: Sight,
}

impl Reading {
    /// Waits for the revision that the caller wants to see, and finds out what it may see.
    pub(super) async fn begin(server: &Server, call: &Call, helpdesk: &str, min_revision: i64) -> Result<Self, Status> {
        wait(server, call, helpdesk, min_revision).await?;
        let version = server.engine.definition(helpdesk).await?;
        Ok(Self::new(call, version))
    }

    /// Waits for the revision that the caller wants to see, reads, and finds out what the caller may see of it.
    ///
    /// The definition is read last: what a newer one hides is not shown by an older one, whenever it was applied.
    pub(super) async fn of<T: Send + 'static>(
        server: &Server,
        call: &Call,
        helpdesk: &str,
        min_revision: i64,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(Self, T), Status> {
        wait(server, call, helpdesk, min_revision).await?;
        let (definitions, id) = (server.engine.definitions(), helpdesk.to_owned());
        let read = in_turn(server, call, move |connection| {
            let value = query(connection)?;
            Ok(definitions.current(connection, &id)?.map(|version| (version, value)))
        });
        let (version, value) = read.await?.ok_or_else(|| Refusal::no_helpdesk(helpdesk))?;
        Ok((Self::new(call, version), value))
    }

    fn new(call: &Call, version: Arc<DefinitionVersion>) -> Self {
        let sight = Sight::new(&call.caller.actor, &version.definition);
        Self { version, sight }
    }
}

/// Reads in the caller's turn: who asks for much at once waits for itself, and others for little of it.
pub(super) async fn in_turn<T: Send + 'static>(
    server: &Server,
    call: &Call,
    query: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    let turn = call.turn().await?;
    let in_turn = move |connection: &mut AnyConnection| {
        // Until it has been read, though the caller may be gone.
        let _turn = turn;
        query(connection)
    };
    server.engine.read(in_turn).await
}

/// Waits for the revision that the caller wants to see of a helpdesk that its key opens; not longer than the key is good, and
/// the server runs.
pub(super) async fn wait(server: &Server, call: &Call, helpdesk: &str, min_revision: i64) -> Result<(), Status> {
    call.caller.enter(helpdesk)?;
    if revision(min_revision)? == 0 {
        return Ok(());
    }
    // Only a helpdesk that exists has a feed to wait on.
    server.engine.definition(helpdesk).await?;
    let feed = server.engine.hub().feed(helpdesk).await.map_err(|error| Failure::from_store(&error))?;
    if feed.head() >= min_revision {
        return Ok(());
    }
    // Who waits holds a call, and for long: most calls are kept for those who do not.
    let _place = Place::take(&call.caller.entry, Of::Waits, server.limits.waits)?;
    let _permit = server.waits.try_acquire().map_err(|_| Fault::Overloaded)?;
    tokio::select! {
        biased;
        () = call.caller.entry.revoked.cancelled() => Err(Denied::Revoked.into()),
        () = server.closing.cancelled() => Err(Fault::ShuttingDown.into()),
        waited = server.engine.wait_for(helpdesk, min_revision, call.deadline) => Ok(waited?),
    }
}

/// A revision to wait for; 0 for none.
pub(super) fn revision(min_revision: i64) -> Result<i64, Refusal> {
    if min_revision < 0 {
        let violation = Violation::new("min_revision", format!("{min_revision} is negative"));
        return Err(Refusal::Invalid(vec![violation]));
    }
    Ok(min_revision)
}

/// Parses a filter for a caller, and adds what the caller may see. Who goes on where it was keeps its filter, though a
/// value that it names is not in the definition any more.
pub(super) fn filter(text: &str, rules: &Definition, actor: &Actor, goes_on: bool) -> Result<Filter, Refusal> {
    let schema = Fields { rules, with_staff_only: actor.role.is_staff(), with_any_value: goes_on };
    let filter = Filter::parse(text, &schema)
        .map_err(|error| Refusal::InvalidFilter { offset: error.offset, message: error.to_string() })?;
    Ok(if actor.role.is_staff() { filter } else { filter.and_requester(&actor.subject) })
}

/// The fields that a caller may name in a filter.
struct Fields<'d> {
    rules: &'d Definition,
    with_staff_only: bool,
    with_any_value: bool,
}

impl Schema for Fields<'_> {
    fn field_type(&self, id: &str) -> Option<FieldKind> {
        let field = self.rules.field(id).filter(|field| self.with_staff_only || !field.staff_only)?;
        Some(match field.field_type {
            FieldType::Text | FieldType::Agent => FieldKind::Text,
            FieldType::Integer => FieldKind::Integer,
            FieldType::Boolean => FieldKind::Boolean,
            FieldType::Date => FieldKind::Date,
            FieldType::Timestamp => FieldKind::Timestamp,
            FieldType::Choice => FieldKind::Choice,
            FieldType::Tree => FieldKind::Tree,
        })
    }

    fn field_ids(&self) -> Vec<String> {
        let fields = self.rules.fields().iter().filter(|field| self.with_staff_only || !field.staff_only);
        fields.map(|field| field.id.clone()).collect()
    }

    fn values(&self, field: &TextField) -> Option<Vec<&str>> {
        if self.with_any_value {
            return None;
        }
        let rules = self.rules;
        match field {
            TextField::Status => Some(rules.statuses().iter().map(|status| status.id.as_str()).collect()),
            TextField::Priority => Some(rules.priorities().iter().map(|priority| priority.id.as_str()).collect()),
            TextField::Queue => Some(rules.queues().iter().map(|queue| queue.id.as_str()).collect()),
            TextField::Own(id) => {
                let field = rules.field(id).filter(|field| field.field_type.has_choices())?;
                Some(field.choices.iter().map(|choice| choice.value.as_str()).collect())
            }
            TextField::Number
            | TextField::Requester
            | TextField::Channel
            | TextField::State
            | TextField::Assignee
            | TextField::Subject => None,
        }
    }
}
