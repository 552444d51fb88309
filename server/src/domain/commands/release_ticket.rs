//! Gives a ticket back to its queue.

use super::check_etag;
use crate::domain::context::{Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::{Precondition, PreconditionKind, Refusal, Role, Ticket, text, workflow};

#[derive(Debug, Clone)]
pub struct ReleaseTicket {
    pub ticket: i64,
    pub reason: String,
    pub etag: String,
}

impl ReleaseTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        context.staff_only("releasing a ticket")?;
        let mut violations = Violations::default();
        text::optional(&mut violations, "reason", &self.reason, text::REASON_MAX);
        violations.settle()?;
        if before.assignee.is_empty() {
            return Ok(Decision::unchanged(before));
        }
        let may =
            before.assignee == context.actor.subject || matches!(context.actor.role, Role::Supervisor | Role::Admin);
        if !may {
            return Err(Refusal::TicketNotReady {
                ticket: context.ticket_name(before.id),
                failures: vec![Precondition {
                    kind: PreconditionKind::Assignee,
                    subject: context.ticket_name(before.id),
                    description: format!(
                        "`{}` has it; only they, a supervisor or an admin give it back",
                        before.assignee
                    ),
                }],
            });
        }
        let mut after = Ticket::clone(before);
        after.assignee.clear();
        after.queue_time = Some(context.now);
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        Ok(Decision::of_ticket(TicketChange { reason: self.reason.clone(), ..TicketChange::new(before, after) }))
    }
}
