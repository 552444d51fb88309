//! Applies a new version of a helpdesk's definition.

use std::sync::Arc;

use crate::domain::context::{Answer, Context, Decision, DefinitionVersion, Rework, WorkingSet};
use crate::domain::definition::{Definition, DefinitionSpec};
use crate::domain::{Precondition, PreconditionKind, Refusal, Violation, usage};

#[derive(Debug, Clone)]
pub struct ApplyDefinition {
    pub proposed: Proposed,
    /// Empty: whatever is in force.
    pub etag: String,
}

/// What is to be in force.
#[derive(Debug, Clone)]
pub enum Proposed {
    /// All of it, checked.
    Whole(Arc<Definition>),
    /// What came of some parts, or of all, and of the others of a version, which must still be in force; or what is wrong with it.
    Merged(Merged),
}

/// Parts of a definition, put into those of a version and checked beforehand: to check a large one takes a second, in which
/// nothing else is decided.
#[derive(Debug, Clone)]
pub struct Merged {
    onto: String,
    definition: Result<Arc<Definition>, Vec<Violation>>,
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
    PrioritySetBy,
    Queues,
    Routing,
    DefaultQueue,
    NumberPolicy,
    DuplicatePolicy,
    MergePolicy,
    TransferPolicy,
    Escalations,
    AttachmentPolicy,
    CannedResponses,
    Survey,
    Identity,
    EmptyReply,
    MandatoryCc,
    ReplyRules,
}

impl Merged {
    /// Puts these parts of a spec into a version. What the others contradict already stands in the way of none.
    pub fn new(current: &DefinitionVersion, new: &DefinitionSpec, parts: &[DefinitionPart]) -> Self {
        Self::whole(current, merge(current.definition.spec(), new, parts))
    }

    /// Puts all of a spec in place of a version. What contradicts itself there already may stand here as well: whoever applies again
    /// what is in force is not to be refused by a server that looks for more than the one before it.
    pub fn whole(current: &DefinitionVersion, spec: DefinitionSpec) -> Self {
        let definition = if spec == *current.definition.spec() {
            Ok(Arc::clone(&current.definition))
        } else {
            current.definition.amend(spec).map(Arc::new)
        };
        Self { onto: current.etag(), definition }
    }

    /// The etag of the version whose other parts it has. Where another is in force, the refusal says that this one was sent.
    pub fn onto(&self) -> &str {
        &self.onto
    }
}

impl ApplyDefinition {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let Some(current) = context.definition else { return Err(Refusal::no_helpdesk(context.helpdesk)) };
        if !self.etag.is_empty() {
            check_etag(&self.etag, current, context)?;
        }
        let definition = match &self.proposed {
            Proposed::Whole(definition) => Arc::clone(definition),
            Proposed::Merged(Merged { onto, definition }) => {
                check_etag(onto, current, context)?;
                definition.clone().map_err(Refusal::InvalidDefinition)?
            }
        };
        if *definition.spec() == *current.definition.spec() {
            return Ok(Decision { answer: Answer::Definition(Arc::clone(current)), ..Decision::default() });
        }
        check_usage(set, &current.definition, &definition)?;
        let rework = Rework {
            places: current.definition.spec().reorders(definition.spec()),
            skills: current.definition.spec().reskills(definition.spec()),
            fields: Definition::newly_indexed(&current.definition, &definition),
            texts: definition.refuses_duplicates()
                && definition.spec().duplicate_policy != current.definition.spec().duplicate_policy,
        };
        let version = Arc::new(DefinitionVersion {
            version: current.version + 1,
            definition,
            revision: set.last_revision + 1,
            create_time: current.create_time,
            update_time: context.now,
        });
        Ok(Decision {
            definition: Some(Arc::clone(&version)),
            rework,
            answer: Answer::Definition(version),
            ..Decision::default()
        })
    }
}

fn merge(current: &DefinitionSpec, new: &DefinitionSpec, parts: &[DefinitionPart]) -> DefinitionSpec {
    let mut merged = current.clone();
    for part in parts {
        match part {
            DefinitionPart::DisplayName => merged.display_name.clone_from(&new.display_name),
            DefinitionPart::Statuses => merged.statuses.clone_from(&new.statuses),
            DefinitionPart::InitialStatus => merged.initial_status.clone_from(&new.initial_status),
            DefinitionPart::Transitions => merged.transitions.clone_from(&new.transitions),
            DefinitionPart::Fields => merged.fields.clone_from(&new.fields),
            DefinitionPart::Priorities => merged.priorities.clone_from(&new.priorities),
            DefinitionPart::DefaultPriority => merged.default_priority.clone_from(&new.default_priority),
            DefinitionPart::PrioritySetBy => merged.priority_set_by.clone_from(&new.priority_set_by),
            DefinitionPart::Queues => merged.queues.clone_from(&new.queues),
            DefinitionPart::Routing => merged.routing.clone_from(&new.routing),
            DefinitionPart::DefaultQueue => merged.default_queue.clone_from(&new.default_queue),
            DefinitionPart::NumberPolicy => merged.number_policy.clone_from(&new.number_policy),
            DefinitionPart::DuplicatePolicy => merged.duplicate_policy = new.duplicate_policy,
            DefinitionPart::MergePolicy => merged.merge_policy.clone_from(&new.merge_policy),
            DefinitionPart::TransferPolicy => merged.transfer_policy.clone_from(&new.transfer_policy),
            DefinitionPart::Escalations => merged.escalations.clone_from(&new.escalations),
            DefinitionPart::AttachmentPolicy => merged.attachment_policy.clone_from(&new.attachment_policy),
            DefinitionPart::CannedResponses => merged.canned_responses.clone_from(&new.canned_responses),
            DefinitionPart::Survey => merged.survey.clone_from(&new.survey),
            DefinitionPart::Identity => merged.identity = new.identity,
            DefinitionPart::EmptyReply => merged.empty_reply = new.empty_reply,
            DefinitionPart::MandatoryCc => merged.mandatory_cc.clone_from(&new.mandatory_cc),
            DefinitionPart::ReplyRules => merged.reply_rules.clone_from(&new.reply_rules),
        }
    }
    merged
}

fn check_etag(etag: &str, current: &DefinitionVersion, context: &Context<'_>) -> Result<(), Refusal> {
    if etag == current.etag() {
        return Ok(());
    }
    Err(Refusal::EtagMismatch {
        kind: "Helpdesk",
        name: format!("helpdesks/{}", context.helpdesk),
        sent: etag.to_owned(),
        current: current.etag(),
    })
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
                kind: PreconditionKind::InUse,
                subject: used.path,
                description: format!("{} ({tickets} {noun})", used.description),
            });
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(Refusal::DefinitionInUse(failures)) }
}
