//! Registers an address, and takes the hash of the code that is mailed to it.

use std::sync::Arc;

use crate::domain::context::{Answer, Context, Decision, RequesterChange, Violations, WorkingSet};
use crate::domain::requester::{Code, CodeHash, id_of};
use crate::domain::{Refusal, Requester, Role, fields, text};

#[derive(Debug, Clone)]
pub struct RegisterRequester {
    /// Empty: the caller's own, when it is a requester.
    pub email: String,
    /// Empty: as it is.
    pub display_name: String,
    /// None for callers who do not mail codes.
    pub code: Option<CodeHash>,
}

impl RegisterRequester {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        // Only where there are tickets.
        context.rules()?;
        let email = self.checked(context)?;
        let id = id_of(&email);
        let before = set.requesters.get(&id);
        let mut after = before.map_or_else(
            || Requester {
                id,
                email,
                display_name: String::new(),
                create_time: context.now,
                verify_time: None,
                code: None,
                revision: 0,
            },
            |before| Requester::clone(before),
        );
        if !self.display_name.is_empty() {
            self.display_name.trim().clone_into(&mut after.display_name);
        }
        if let Some(hash) = self.code.filter(|_| after.verify_time.is_none()) {
            after.code = Some(Code::new(hash, context.now));
        }
        if let Some(before) = before.filter(|before| ***before == after) {
            return Ok(Decision { answer: Answer::Requester(Arc::clone(before)), ..Decision::default() });
        }
        after.revision = set.last_revision + 1;
        let after = Arc::new(after);
        let change = RequesterChange { is_new: before.is_none(), after: Arc::clone(&after), reason: String::new() };
        Ok(Decision { requester: Some(change), answer: Answer::Requester(after), ..Decision::default() })
    }

    /// Requesters register themselves.
    pub(super) fn check_role(&self, context: &Context<'_>) -> Result<(), Refusal> {
        if context.actor.role.is_staff() { Ok(()) } else { self.checked(context).map(drop) }
    }

    fn checked(&self, context: &Context<'_>) -> Result<String, Refusal> {
        let mut violations = Violations::default();
        let own = Some(&context.actor.subject).filter(|_| context.actor.role == Role::Requester);
        let email = match own.filter(|_| self.email.is_empty()) {
            Some(own) => Some(own.clone()),
            None => text::email(&self.email),
        };
        match (&email, own) {
            (None, _) => violations.add("requester.email", fields::not_an_address(&self.email)),
            (Some(email), Some(own)) if email != own => violations.add(
                "requester.email",
                format!("{} is not the address of this key, which registers {own}", text::shown(email)),
            ),
            (Some(_), _) => {}
        }
        if !self.display_name.is_empty() {
            text::line(&mut violations, "requester.display_name", &self.display_name, text::DISPLAY_NAME_MAX);
        }
        violations.settle()?;
        Ok(email.unwrap_or_default())
    }
}
