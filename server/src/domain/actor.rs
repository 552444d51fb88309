//! Who acts.

use super::{Requester, Ticket};

/// What a caller is to a helpdesk. All but the requester are staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Requester,
    Agent,
    Supervisor,
    Service,
    Admin,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Requester, Self::Agent, Self::Supervisor, Self::Service, Self::Admin];

    /// Those of programs that stand between Loket and people.
    pub const FOR_OTHERS: [Self; 2] = [Self::Service, Self::Admin];

    pub fn acts_for_others(self) -> bool {
        Self::FOR_OTHERS.contains(&self)
    }

    pub fn is_staff(self) -> bool {
        self != Self::Requester
    }

    /// Replies by agents, supervisors and admins are staff replies; those of services are not.
    pub fn replies_as_staff(self) -> bool {
        matches!(self, Self::Agent | Self::Supervisor | Self::Admin)
    }

    /// The word used in definitions, in CEL (`actor.role`) and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Service => "service",
            Self::Admin => "admin",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// The caller of a command or a read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// A requester's is an e-mail address in its normal form.
    pub subject: String,
    pub role: Role,
    /// For whom a service or an admin acts; empty when for itself.
    pub on_behalf_of: String,
}

impl Actor {
    /// What the caller may not see does not exist for it.
    pub fn may_see(&self, ticket: &Ticket) -> bool {
        self.role.is_staff() || ticket.requester == self.subject
    }

    pub fn may_see_requester(&self, requester: &Requester) -> bool {
        self.role.is_staff() || requester.email == self.subject
    }
}
