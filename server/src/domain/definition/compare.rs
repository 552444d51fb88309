//! What a new definition takes away from the old one.

use std::collections::{HashMap, HashSet};

use super::Definition;
use super::spec::{DefinitionSpec, FieldSpec, FieldType, OrderingKey, QueueSpec};

/// Something that tickets may still use and that the new definition removes or re-states. Whether any ticket uses it is
/// for the caller to look up. Retiring is not listed: it is the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// `status`, `priority`, `queue`, `field` or `choice`.
    pub kind: &'static str,
    /// The id of the thing; of a choice, the id of its field.
    pub id: String,
    /// The value of a choice; empty otherwise.
    pub value: String,
    /// Where in the new definition.
    pub path: String,
    /// What is wrong while tickets use it, and what would be right.
    pub description: String,
}

impl Definition {
    pub fn in_use(old: &Self, new: &Self) -> Vec<Use> {
        let mut uses = Vec::new();
        statuses(old, new, &mut uses);
        let removed = |kind, path: &str, id: &str| removed(kind, path, id, "");
        let gone = old.priorities().iter().filter(|priority| new.priority(&priority.id).is_none());
        uses.extend(gone.map(|priority| removed("priority", "priorities", &priority.id)));
        let gone = old.queues().iter().filter(|queue| new.queue(&queue.id).is_none());
        uses.extend(gone.map(|queue| removed("queue", "queues", &queue.id)));
        fields(old, new, &mut uses);
        uses
    }

    /// The ids of the fields that are indexed now and were not: tickets have values that the index does not know.
    pub fn newly_indexed(old: &Self, new: &Self) -> Vec<String> {
        let was = |id: &str| old.field(id).is_some_and(|field| field.indexed);
        let found = new.fields().iter().filter(|field| field.indexed && !was(&field.id));
        found.map(|field| field.id.clone()).collect()
    }
}

impl DefinitionSpec {
    /// Whether a ticket that waits may have another queue key under the new definition: the ranks of the priorities or the
    /// ordering of a queue have changed. Whose turn it is in a status does not change while tickets stand there.
    pub fn reorders(&self, new: &Self) -> bool {
        let ranks =
            |spec: &Self| -> Vec<String> { spec.priorities.iter().map(|priority| priority.id.clone()).collect() };
        let orderings: HashMap<&str, &[OrderingKey]> =
            new.queues.iter().map(|queue| (queue.id.as_str(), queue.ordering())).collect();
        let changed =
            |queue: &QueueSpec| orderings.get(queue.id.as_str()).is_some_and(|ordering| *ordering != queue.ordering());
        ranks(self) != ranks(new) || self.queues.iter().any(changed)
    }

    /// Whether a ticket that waits may need other skills under the new definition.
    pub fn reskills(&self, new: &Self) -> bool {
        let skills = |spec: &Self| -> Vec<(String, String, bool)> {
            let needing = spec.queues.iter().filter(|queue| !queue.skill_field.is_empty());
            let mut skills: Vec<_> = needing
                .map(|queue| {
                    let is_tree =
                        |field: &FieldSpec| field.id == queue.skill_field && field.field_type == FieldType::Tree;
                    (queue.id.clone(), queue.skill_field.clone(), spec.fields.iter().any(is_tree))
                })
                .collect();
            skills.sort();
            skills
        };
        let (old, new_skills) = (skills(self), skills(new));
        old != new_skills || (!old.is_empty() && self.reorders(new))
    }
}

fn statuses(old: &Definition, new: &Definition, uses: &mut Vec<Use>) {
    for before in old.statuses() {
        match new.spec().statuses.iter().position(|status| status.id == before.id) {
            None => uses.push(removed("status", "statuses", &before.id, "")),
            Some(place) => {
                let state = new.spec().statuses[place].state;
                if state != before.state {
                    uses.push(Use {
                        kind: "status",
                        id: before.id.clone(),
                        value: String::new(),
                        path: format!("statuses[{place}].state"),
                        description: format!(
                            "the state of `{}` changes from {} to {} while tickets stand there: retire it and add another status",
                            before.id,
                            before.state.word(),
                            state.word(),
                        ),
                    });
                }
                let waits_on = new.spec().statuses[place].waits_on;
                if waits_on != before.waits_on {
                    uses.push(Use {
                        kind: "status",
                        id: before.id.clone(),
                        value: String::new(),
                        path: format!("statuses[{place}].waits_on"),
                        description: format!(
                            "whose turn it is in `{}` changes from {} to {} while tickets stand there: retire it and add another status",
                            before.id,
                            before.waits_on.word(),
                            waits_on.word(),
                        ),
                    });
                }
            }
        }
    }
}

fn fields(old: &Definition, new: &Definition, uses: &mut Vec<Use>) {
    for before in &old.spec().fields {
        match new.spec().fields.iter().position(|field| field.id == before.id) {
            None => uses.push(removed("field", "fields", &before.id, "")),
            Some(place) => {
                let after = &new.spec().fields[place];
                if kept_alike(before.field_type, after.field_type) {
                    choices(before, after, place, uses);
                } else {
                    uses.push(retyped(before, after, place));
                }
            }
        }
    }
}

/// A tree is compared like a choice in everything its values are kept for, and the name of an agent like a text.
fn kept_alike(before: FieldType, after: FieldType) -> bool {
    let is_text = |field_type| matches!(field_type, FieldType::Text | FieldType::Agent);
    before == after || (before.has_choices() && after.has_choices()) || (is_text(before) && is_text(after))
}

fn choices(before: &FieldSpec, after: &FieldSpec, place: usize, uses: &mut Vec<Use>) {
    let left: HashSet<&str> = after.choices.iter().map(|choice| choice.value.as_str()).collect();
    let gone = before.choices.iter().filter(|choice| !left.contains(choice.value.as_str()));
    let path = format!("fields[{place}].choices");
    uses.extend(gone.map(|choice| removed("choice", &path, &before.id, &choice.value)));
}

fn retyped(before: &FieldSpec, after: &FieldSpec, place: usize) -> Use {
    Use {
        kind: "field",
        id: before.id.clone(),
        value: String::new(),
        path: format!("fields[{place}].type"),
        description: format!(
            "the type of `{}` changes from {} to {} while tickets have values: retire it and add another field",
            before.id,
            before.field_type.word(),
            after.field_type.word(),
        ),
    }
}

fn removed(kind: &'static str, path: &str, id: &str, value: &str) -> Use {
    let name = if value.is_empty() { id } else { value };
    Use {
        kind,
        id: id.to_owned(),
        value: value.to_owned(),
        path: path.to_owned(),
        description: format!("the {kind} `{name}` is removed while tickets use it: mark it `retired` instead"),
    }
}
