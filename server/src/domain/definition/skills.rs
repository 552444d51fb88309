//! Which skill a ticket needs of who takes it.

use super::spec::FieldType;
use super::{Definition, Field};
use crate::domain::Ticket;

impl Definition {
    /// The field whose value is the skill that tickets in a queue need; None where they need none.
    pub fn skill_field(&self, queue: &str) -> Option<&Field> {
        self.queue(queue).filter(|queue| !queue.skill_field.is_empty()).and_then(|queue| self.field(&queue.skill_field))
    }

    /// Whether any queue asks for skills.
    pub fn asks_for_skills(&self) -> bool {
        self.queues().iter().any(|queue| !queue.skill_field.is_empty())
    }

    /// Each skill with which a ticket can be taken from its queue: the value or, of a tree, any node above it. Empty where
    /// the queue asks for none; the empty text where the ticket has no value, so that anybody can take it.
    pub fn skills_for(&self, ticket: &Ticket) -> Vec<String> {
        let Some(field) = self.skill_field(&ticket.queue) else { return Vec::new() };
        let value = ticket.fields.get(&field.id).map_or("", String::as_str);
        let mut skills = vec![value.to_owned()];
        if field.field_type == FieldType::Tree {
            let above = value.match_indices('/').map(|(place, _)| value[..place].to_owned());
            skills.extend(above);
        }
        skills
    }

    /// Whether some value of a field that is a skill in some queue is this one.
    pub fn is_skill(&self, value: &str) -> bool {
        self.skill_values().any(|known| known == value)
    }

    /// The values that are skills in some queue.
    pub fn skill_values(&self) -> impl Iterator<Item = &str> {
        let fields =
            self.fields().iter().filter(|field| self.queues().iter().any(|queue| queue.skill_field == field.id));
        fields.flat_map(|field| field.choices.iter().map(|choice| choice.value.as_str()))
    }
}
