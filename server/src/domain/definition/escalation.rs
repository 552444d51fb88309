//! Ways on: transfers by hand, and escalations.

use super::GuardRule;
use super::spec::{EscalationMode, TransferPlacement};
use crate::domain::Role;

/// What a transfer by hand does, and who may ask for it.
#[derive(Debug)]
pub struct Transfer {
    pub placement: TransferPlacement,
    /// Never empty: where none were written, all of the staff.
    pub roles: Vec<Role>,
    pub claimed_only: bool,
    pub keep_assignee: bool,
}

/// A way on to another queue or tier.
#[derive(Debug)]
pub struct Escalation {
    pub id: String,
    pub display_name: String,
    pub mode: EscalationMode,
    pub queues: Vec<String>,
    /// Empty: all.
    pub from_queues: Vec<String>,
    /// Empty: all that are not closed.
    pub from_statuses: Vec<String>,
    /// Never empty: where none were written, all of the staff.
    pub roles: Vec<Role>,
    pub guards: Vec<GuardRule>,
}

/// Whether a role is among these; admins may do everything.
pub fn permits(roles: &[Role], role: Role) -> bool {
    role == Role::Admin || roles.contains(&role)
}
