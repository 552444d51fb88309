//! Transfers by hand and escalations.

use loket::v1 as proto;

use super::words::{ESCALATION_MODES, ROLES, TRANSFER_PLACEMENTS, number};
use super::{Reader, guard_spec, guard_to_proto, numbered};
use crate::domain::definition::EscalationMode;
use crate::domain::definition::spec::{EscalationSpec, TransferPolicySpec};

impl Reader {
    pub(super) fn transfer_policy(&mut self, policy: &proto::TransferPolicy) -> TransferPolicySpec {
        let proto::TransferPolicy { placement, roles, claimed_only, keep_assignee } = policy;
        TransferPolicySpec {
            placement: self.or_default("transfer_policy.placement".to_owned(), *placement, TRANSFER_PLACEMENTS),
            roles: self.list("transfer_policy.roles", roles, ROLES),
            claimed_only: *claimed_only,
            keep_assignee: *keep_assignee,
        }
    }

    pub(super) fn escalation(&mut self, place: usize, escalation: &proto::EscalationDefinition) -> EscalationSpec {
        let proto::EscalationDefinition { id, display_name, mode, queues, from_queues, from_statuses, roles, guards } =
            escalation;
        let at = |part: &str| format!("escalations[{place}].{part}");
        EscalationSpec {
            id: id.clone(),
            display_name: display_name.clone(),
            mode: self.given(at("mode"), *mode, ESCALATION_MODES).unwrap_or(EscalationMode::Child),
            queues: queues.clone(),
            from_queues: from_queues.clone(),
            from_statuses: from_statuses.clone(),
            roles: self.list(&at("roles"), roles, ROLES),
            guards: numbered(guards, |_, guard| guard_spec(guard)),
        }
    }
}

/// Where nothing was written, nothing is shown.
pub(super) fn transfer_policy_to_proto(spec: &TransferPolicySpec) -> Option<proto::TransferPolicy> {
    let TransferPolicySpec { placement, roles, claimed_only, keep_assignee } = spec;
    (*spec != TransferPolicySpec::default()).then(|| proto::TransferPolicy {
        placement: number(*placement, TRANSFER_PLACEMENTS),
        roles: roles.iter().map(|role| number(*role, ROLES)).collect(),
        claimed_only: *claimed_only,
        keep_assignee: *keep_assignee,
    })
}

pub(super) fn escalation_to_proto(spec: &EscalationSpec) -> proto::EscalationDefinition {
    let EscalationSpec { id, display_name, mode, queues, from_queues, from_statuses, roles, guards } = spec;
    proto::EscalationDefinition {
        id: id.clone(),
        display_name: display_name.clone(),
        mode: number(*mode, ESCALATION_MODES),
        queues: queues.clone(),
        from_queues: from_queues.clone(),
        from_statuses: from_statuses.clone(),
        roles: roles.iter().map(|role| number(*role, ROLES)).collect(),
        guards: guards.iter().map(guard_to_proto).collect(),
    }
}
