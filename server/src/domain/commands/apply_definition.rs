//! Applies a new version of a helpdesk's definition.

use std::sync::Arc;

use crate::domain::context::{Answer, Context, Decision, DefinitionVersion, WorkingSet};
use crate::domain::definition::{Definition, DefinitionSpec};
use crate::domain::{Precondition, Refusal, Ticket, usage};

#[derive(Debug, Clone)]
pub struct ApplyDefinition {
    pub spec: DefinitionSpec,
    /// The parts of the spec to take; None for all.
    pub parts: Option<Vec<DefinitionPart>>,
    /// Empty: whatever is in force.
    pub etag: String,
}

/// A part of a definition that can be replaced for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionPart {
    DisplayName,
    Statuses,
    InitialStatus,
    Transitions,
    Fields,
    Priorities,
    DefaultPriority,
    Queues,
    Routing,
    DefaultQueue,
    NumberPolicy,
}

impl ApplyDefinition {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let name = format!("helpdesks/{}", context.helpdesk);
        let Some(current) = context.definition else { return Err(context.not_found("Helpdesk", &name)) };
        if !self.etag.is_empty() && self.etag != current.etag() {
            return Err(Refusal::EtagMismatch { name, sent: self.etag.clone(), current: current.etag() });
        }
        let spec = self.merged(current.definition.spec());
        if spec == *current.definition.spec() {
            return Ok(Decision { answer: Answer::Definition(Arc::clone(current)), ..Decision::default() });
        }
        let definition = Definition::check(spec).map_err(Refusal::InvalidDefinition)?;
        check_usage(set, &current.definition, &definition)?;
        let requeued = if Definition::reorders(&current.definition, &definition) {
            requeued(set, &definition)
        } else {
            Vec::new()
        };
        let newly_indexed = Definition::newly_indexed(&current.definition, &definition);
        let version = Arc::new(DefinitionVersion {
            version: current.version + 1,
            definition,
            revision: set.last_revision + 1,
            create_time: current.create_time,
            update_time: context.now,
        });
        Ok(Decision {
            definition: Some(Arc::clone(&version)),
            requeued,
            newly_indexed,
            answer: Answer::Definition(version),
            ..Decision::default()
        })
    }

    fn merged(&self, current: &DefinitionSpec) -> DefinitionSpec {
        let Some(parts) = &self.parts else { return self.spec.clone() };
        let mut merged = current.clone();
        let new = self.spec.clone();
        for part in parts {
            match part {
                DefinitionPart::DisplayName => merged.display_name.clone_from(&new.display_name),
                DefinitionPart::Statuses => merged.statuses.clone_from(&new.statuses),
                DefinitionPart::InitialStatus => merged.initial_status.clone_from(&new.initial_status),
                DefinitionPart::Transitions => merged.transitions.clone_from(&new.transitions),
                DefinitionPart::Fields => merged.fields.clone_from(&new.fields),
                DefinitionPart::Priorities => merged.priorities.clone_from(&new.priorities),
                DefinitionPart::DefaultPriority => merged.default_priority.clone_from(&new.default_priority),
                DefinitionPart::Queues => merged.queues.clone_from(&new.queues),
                DefinitionPart::Routing => merged.routing.clone_from(&new.routing),
                DefinitionPart::DefaultQueue => merged.default_queue.clone_from(&new.default_queue),
                DefinitionPart::NumberPolicy => merged.number_policy.clone_from(&new.number_policy),
            }
        }
        merged
    }
}

/// What tickets use stays.
fn check_usage(set: &WorkingSet, old: &Definition, new: &Definition) -> Result<(), Refusal> {
    let mut failures = Vec::new();
    for used in Definition::in_use(old, new) {
        let key = usage::key(used.kind, &used.id, &used.value);
        let tickets = set.counts.get(&key).copied().unwrap_or(0);
        if tickets > 0 {
            let noun = if tickets == 1 { "ticket" } else { "tickets" };
            failures.push(Precondition {
                kind: "IN_USE",
                subject: used.path,
                description: format!("{} ({tickets} {noun})", used.description),
            });
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Refusal::DefinitionInUse(failures)) }
}

/// The tickets that wait at another place under the new definition.
fn requeued(set: &WorkingSet, definition: &Definition) -> Vec<Arc<Ticket>> {
    let mut moved = Vec::new();
    for ticket in &set.all_waiting {
        let queue_key = definition.queue_key(ticket);
        if queue_key != ticket.queue_key {
            moved.push(Arc::new(Ticket { queue_key, ..Ticket::clone(ticket) }));
        }
    }
    moved
}
