//! Claims the first ticket that waits in a queue.

use super::claim_ticket::claim;
use crate::domain::Refusal;
use crate::domain::context::{Context, Decision, WorkingSet};

#[derive(Debug, Clone)]
pub struct ClaimNextTicket {
    /// Its id.
    pub queue: String,
}

impl ClaimNextTicket {
    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        context.staff_only("claiming a ticket")?;
        if rules.queue(&self.queue).is_none() {
            let name = format!("helpdesks/{}/queues/{}", context.helpdesk, self.queue);
            return Err(context.not_found("Queue", &name));
        }
        let first = set.waiting.get(&self.queue).and_then(|waiting| waiting.first());
        match first.and_then(|(_, id)| set.tickets.get(id)) {
            Some(ticket) => Ok(claim(rules, set, context, ticket)),
            None => Ok(Decision::default()),
        }
    }
}
