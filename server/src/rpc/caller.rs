//! The caller of a request.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::identity::KeyEntry;
use super::status::Denied;
use crate::domain::{Actor, Refusal, Role, text};

/// The caller of a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) entry: Arc<KeyEntry>,
    pub(super) actor: Actor,
}

impl Caller {
    pub(super) fn new(entry: Arc<KeyEntry>, headers: &http::HeaderMap) -> Result<Self, Denied> {
        let on_behalf_of = match headers.get(loket::reason::ON_BEHALF_OF) {
            None => String::new(),
            Some(value) => {
                if !entry.key.role.acts_for_others() {
                    return Err(Denied::OnBehalfOf { role: entry.key.role });
                }
                let subject = value.to_str().map_err(|_| Denied::NotASubject)?.trim();
                if subject.is_empty() || subject.len() > text::DISPLAY_NAME_MAX {
                    return Err(Denied::NotASubject);
                }
                subject.to_owned()
            }
        };
        let actor = Actor { subject: entry.key.subject.clone(), role: entry.key.role, on_behalf_of };
        Ok(Self { entry, actor })
    }

    /// A helpdesk that the key does not open does not exist for it.
    pub(super) fn enter(&self, helpdesk: &str) -> Result<(), Refusal> {
        if self.opens(helpdesk) {
            return Ok(());
        }
        Err(Refusal::no_helpdesk(helpdesk))
    }

    pub(super) fn opens(&self, helpdesk: &str) -> bool {
        let opened = &self.entry.key.helpdesks;
        if opened.is_empty() { self.actor.role == Role::Admin } else { opened.iter().any(|id| id == helpdesk) }
    }

    /// The helpdesks that it opens, in order of their ids; None for all that there are.
    pub(super) fn only(&self) -> Option<BTreeSet<String>> {
        let opened = &self.entry.key.helpdesks;
        let is_all = opened.is_empty() && self.actor.role == Role::Admin;
        (!is_all).then(|| opened.iter().cloned().collect())
    }

    /// Refuses all roles but these.
    pub(super) fn must_be(&self, what: &str, allowed: &[Role]) -> Result<(), Refusal> {
        if allowed.contains(&self.actor.role) {
            return Ok(());
        }
        Err(Refusal::RoleNotAllowed { what: what.to_owned(), role: self.actor.role, allowed: allowed.to_vec() })
    }

    pub(super) fn must_be_staff(&self, what: &str) -> Result<(), Refusal> {
        self.must_be(what, &[Role::Agent, Role::Supervisor, Role::Service, Role::Admin])
    }
}
