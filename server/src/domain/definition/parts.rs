//! The parts of a checked definition that are looked up by their ids. Fields have a file of their own.

use super::spec::{OrderingKey, ReplyPolicy, Trigger, WaitsOn};
use super::{Condition, Effects, Facts};
use crate::domain::{Role, State};

/// A place where a ticket can stand.
#[derive(Debug)]
pub struct Status {
    pub id: String,
    pub display_name: String,
    pub state: State,
    pub waits_on: WaitsOn,
    pub requester_reply: ReplyPolicy,
    pub requester_reply_message: String,
    pub retired: bool,
}

/// A move from one status to another.
#[derive(Debug)]
pub struct Transition {
    pub id: String,
    pub display_name: String,
    pub from: Vec<String>,
    pub to: String,
    pub trigger: Trigger,
    /// Never empty: where none were written, those that the trigger means by default.
    pub roles: Vec<Role>,
    pub guards: Vec<GuardRule>,
    pub effects: Effects,
}

impl Transition {
    pub fn leads_from(&self, status: &str) -> bool {
        self.from.iter().any(|from| from == status)
    }

    /// Whether somebody with the role may take it. Admins may do everything, but their replies set off only what is
    /// meant for them.
    pub fn permits(&self, role: Role) -> bool {
        let by_request = matches!(self.trigger, Trigger::Manual | Trigger::Claim | Trigger::Read);
        self.roles.contains(&role) || (by_request && role == Role::Admin)
    }

    pub(super) fn default_roles(trigger: Trigger) -> Vec<Role> {
        let meant = |role: &Role| match trigger {
            Trigger::Manual | Trigger::Claim | Trigger::Read | Trigger::Note => role.is_staff(),
            Trigger::AgentReply => role.replies_as_staff(),
            Trigger::RequesterReply => *role == Role::Requester,
        };
        Role::ALL.into_iter().filter(meant).collect()
    }
}

/// A condition on a transition, and what a refused caller is told.
#[derive(Debug)]
pub struct GuardRule {
    pub condition: Condition,
    pub message: String,
}

impl GuardRule {
    pub fn holds(&self, facts: &Facts<'_>) -> bool {
        self.condition.holds(facts)
    }
}

/// What replies must be like.
#[derive(Debug)]
pub struct ReplyRule {
    /// Never empty.
    pub roles: Vec<Role>,
    pub condition: Condition,
    pub message: String,
}

/// How urgent a ticket is; the rank is the place in the definition.
#[derive(Debug)]
pub struct Priority {
    pub id: String,
    pub display_name: String,
    pub retired: bool,
}

/// Where tickets wait for staff.
#[derive(Debug)]
pub struct Queue {
    pub id: String,
    pub display_name: String,
    /// Never empty: where none was written, the time of entering the queue.
    pub ordering: Vec<OrderingKey>,
    pub retired: bool,
    /// Empty: no skill is needed.
    pub skill_field: String,
    /// Empty: all.
    pub transfers_to: Vec<String>,
}
