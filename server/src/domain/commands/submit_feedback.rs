//! Answers the survey of a closed ticket.

use std::sync::Arc;

use crate::domain::context::{Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::{
    ContactRefusal, Feedback, Micros, Precondition, PreconditionKind, Refusal, Role, Ticket, text, time, workflow,
};

#[derive(Debug, Clone)]
pub struct SubmitFeedback {
    pub ticket: i64,
    pub rating: i32,
    pub comment: String,
    /// When the link was made whose token came with it; None without one.
    pub link_made: Option<Micros>,
}

impl SubmitFeedback {
    /// Who has the ticket's link need not be able to see it.
    pub fn ticket<'s>(&self, set: &'s WorkingSet, context: &Context<'_>) -> Result<&'s Arc<Ticket>, Refusal> {
        match set.tickets.get(&self.ticket).filter(|_| self.link_made.is_some()) {
            Some(ticket) => Ok(ticket),
            None => set.ticket(self.ticket, context),
        }
    }

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = self.ticket(set, context)?;
        let name = context.ticket_name(before.id);
        if self.link_made.is_none() && context.actor.role != Role::Requester {
            return Err(Refusal::RoleNotAllowed {
                what: "answering a survey without the token of its link".to_owned(),
                role: context.actor.role,
                allowed: vec![Role::Requester],
            });
        }
        self.check()?;
        let Some(survey) = rules.survey() else {
            return Err(ContactRefusal::NoSurvey { helpdesk: context.helpdesk.to_owned() }.into());
        };
        let expired =
            self.link_made.map(|made| made + survey.lifetime).filter(|expire_time| *expire_time <= context.now);
        if let Some(expire_time) = expired {
            return Err(
                ContactRefusal::SurveyTokenExpired { ticket: name, expire_time: time::rfc3339(expire_time) }.into()
            );
        }
        let Some(close_time) = before.close_time else {
            // Who has the link need not be shown how the case is worked on.
            let stands = if context.actor.may_see(before) {
                format!("the status `{}` is not closed", before.status)
            } else {
                "it is not closed".to_owned()
            };
            let description = format!("{stands}; a closed ticket is asked about");
            let failures = vec![Precondition { kind: PreconditionKind::Status, subject: name.clone(), description }];
            return Err(Refusal::TicketNotReady { ticket: name, failures });
        };
        if before.more.feedback.as_ref().is_some_and(|feedback| feedback.close_time == close_time) {
            return Err(ContactRefusal::FeedbackExists { ticket: name }.into());
        }
        let mut after = Ticket::clone(before);
        after.more.feedback = Some(Feedback {
            rating: self.rating,
            comment: self.comment.clone(),
            submit_time: context.now,
            close_time,
            via_link: self.link_made.is_some(),
        });
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        Ok(Decision::of_ticket(TicketChange::new(before, after)))
    }

    fn check(&self) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        if !(1..=5).contains(&self.rating) {
            violations.add("feedback.rating", format!("{} is no rating; write 1 to 5, the best", self.rating));
        }
        text::optional(&mut violations, "feedback.comment", &self.comment, Feedback::COMMENT_MAX);
        violations.settle()
    }
}
