//! Makes an access key. Decided in `_system`.

use crate::domain::access_key::KeyHash;
use crate::domain::context::{Answer, Context, Decision, Violations, WorkingSet};
use crate::domain::{AccessKey, Refusal, Role, fields, text};

#[derive(Debug, Clone)]
pub struct CreateAccessKey {
    /// Made by the caller of the domain, like the secret behind the hash.
    pub id: String,
    pub hash: KeyHash,
    pub role: Option<Role>,
    pub subject: String,
    /// Ids; empty: all.
    pub helpdesks: Vec<String>,
    pub display_name: String,
}

/// Longer than any e-mail address is a mistake.
const SUBJECT_MAX: usize = 200;

impl CreateAccessKey {
    pub const HELPDESKS_MAX: usize = 100;

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let mut violations = Violations::default();
        if self.role.is_none() {
            violations.add("access_key.role", "is required: REQUESTER, AGENT, SUPERVISOR, SERVICE or ADMIN");
        }
        let mut subject = self.subject.trim().to_owned();
        text::line(&mut violations, "access_key.subject", &self.subject, SUBJECT_MAX);
        if self.role == Some(Role::Requester) && !subject.is_empty() {
            match text::email(&subject) {
                Some(address) => subject = address,
                None => violations.add("access_key.subject", fields::not_an_address(&subject)),
            }
        }
        text::optional(&mut violations, "access_key.display_name", &self.display_name, text::DISPLAY_NAME_MAX);
        self.check_helpdesks(&mut violations, set);
        violations.settle()?;
        let key = AccessKey {
            id: self.id.clone(),
            hash: self.hash,
            role: self.role.unwrap_or(Role::Requester),
            subject,
            helpdesks: self.helpdesks.clone(),
            display_name: self.display_name.clone(),
            create_time: context.now,
            revoke_time: None,
            revision: set.last_revision + 1,
        };
        Ok(Decision { key: Some(key.clone()), answer: Answer::Key(key), ..Decision::default() })
    }

    fn check_helpdesks(&self, violations: &mut Violations, set: &WorkingSet) {
        if self.helpdesks.is_empty() && self.role.is_some_and(|role| role != Role::Admin) {
            violations.add("access_key.helpdesks", "is required: only an ADMIN key opens all helpdesks");
        }
        if self.helpdesks.len() > Self::HELPDESKS_MAX {
            let (given, most) = (self.helpdesks.len(), Self::HELPDESKS_MAX);
            violations.add("access_key.helpdesks", format!("has {given} helpdesks; at most {most} are taken"));
            return;
        }
        for (place, id) in self.helpdesks.iter().enumerate() {
            if !set.helpdesks.contains(id) {
                violations.add(
                    format!("access_key.helpdesks[{place}]"),
                    format!("there is no helpdesk {}; create it first", text::shown(id)),
                );
            }
        }
    }
}
