//! Enters a helpdesk in the directory. Decided in `_system`; the helpdesk's own rows follow from it.

use std::sync::Arc;

use crate::domain::context::{Answer, Context, Decision, DefinitionVersion, NewHelpdesk, Violations, WorkingSet};
use crate::domain::definition::Definition;
use crate::domain::{Refusal, text};

#[derive(Debug, Clone)]
pub struct CreateHelpdesk {
    pub id: String,
    pub definition: Arc<Definition>,
}

impl CreateHelpdesk {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let mut violations = Violations::default();
        if !text::is_id(&self.id, "-") {
            violations.add(
                "helpdesk_id",
                format!("{} is not an id; write 1 to 63 of a-z, 0-9 and -, a letter first", text::shown(&self.id)),
            );
        }
        violations.settle()?;
        if set.helpdesks.contains(&self.id) {
            return Err(Refusal::AlreadyExists { kind: "Helpdesk", name: format!("helpdesks/{}", self.id) });
        }
        let definition = Arc::new(DefinitionVersion {
            version: 1,
            definition: Arc::clone(&self.definition),
            revision: 0,
            create_time: context.now,
            update_time: context.now,
        });
        Ok(Decision {
            helpdesk: Some(NewHelpdesk { id: self.id.clone(), definition: Arc::clone(&definition) }),
            answer: Answer::Definition(definition),
            ..Decision::default()
        })
    }
}
