//! What every read has in common: who sees what, as of when.

use std::sync::Arc;

use tonic::Status;

use super::call::Call;
use super::convert::Sight;
use super::server::Server;
use crate::domain::context::DefinitionVersion;
use crate::domain::definition::{Definition, FieldType};
use crate::domain::filter::{FieldKind, Filter, Schema};
use crate::domain::{Actor, Refusal, Violation};

/// A helpdesk as one caller may read it.
pub(super) struct Reading {
    pub(super) version: Arc<DefinitionVersion>,
    pub(super) sight: Sight,
}

impl Reading {
    /// Waits for the revision that the caller wants to see, and finds out what it may see.
    pub(super) async fn begin(server: &Server, call: &Call, helpdesk: &str, min_revision: i64) -> Result<Self, Status> {
        call.caller.enter(helpdesk)?;
        if min_revision < 0 {
            let violation = Violation::new("min_revision", format!("{min_revision} is negative"));
            return Err(Refusal::Invalid(vec![violation]).into());
        }
        let version = server.engine.definition(helpdesk).await?;
        server.engine.wait_for(helpdesk, min_revision, call.deadline).await?;
        let sight = Sight::new(&call.caller.actor, &version.definition);
        Ok(Self { version, sight })
    }
}

/// Parses a filter for a caller, and adds what the caller may see.
pub(super) fn filter(text: &str, rules: &Definition, actor: &Actor) -> Result<Filter, Refusal> {
    let schema = Fields { rules, with_staff_only: actor.role.is_staff() };
    let filter = Filter::parse(text, &schema)
        .map_err(|error| Refusal::InvalidFilter { offset: error.offset, message: error.to_string() })?;
    Ok(if actor.role.is_staff() { filter } else { filter.and_requester(&actor.subject) })
}

/// The fields that a caller may name in a filter.
struct Fields<'d> {
    rules: &'d Definition,
    with_staff_only: bool,
}

impl Schema for Fields<'_> {
    fn field_type(&self, id: &str) -> Option<FieldKind> {
        let field = self.rules.field(id).filter(|field| self.with_staff_only || !field.staff_only)?;
        Some(match field.field_type {
            FieldType::Text => FieldKind::Text,
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
}
