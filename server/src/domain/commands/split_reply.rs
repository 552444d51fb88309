//! Makes a new ticket of replies that begin an unrelated matter.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{CreateTicket, check_etag};
use crate::domain::context::{Answer, Context, Decision, TicketChange, Violations, WorkingSet};
use crate::domain::{
    LinkKind, Precondition, PreconditionKind as Kind, Refusal, Reply, ReplyKind, Split, SplitFrom, Ticket, Violation,
    links, text, workflow,
};

#[derive(Debug, Clone)]
pub struct SplitReply {
    pub ticket: i64,
    /// Their ids within the ticket.
    pub replies: Vec<i64>,
    /// What the new ticket has besides its requester and its body.
    pub new: CreateTicket,
    pub etag: String,
}

impl SplitReply {
    pub const MOST: usize = 50;

    pub(super) fn decide(&self, set: &WorkingSet, context: &Context<'_>) -> Result<Decision, Refusal> {
        let rules = context.rules()?;
        let before = set.ticket(self.ticket, context)?;
        check_etag(context, before, &self.etag)?;
        context.staff_only("splitting a ticket")?;
        let ids = self.ids()?;
        let replies = self.replies(set, context, &ids)?;
        check(context, before, &replies)?;

        let bodies: Vec<_> = replies.iter().map(|reply| reply.body.trim_end()).collect();
        let body = bodies.join("\n\n");
        let (chars, most) = (body.chars().count(), text::BODY_MAX);
        if chars > most {
            let wrong = format!("come to {chars} characters together; a ticket takes {most}: split fewer of them off");
            return Err(Refusal::Invalid(vec![Violation::new("replies", wrong)]));
        }
        let create = CreateTicket {
            requester: before.requester.clone(),
            body,
            channel: before.channel.clone(),
            ..self.new.clone()
        };
        let (mut new, number) = create.file(set, context)?;
        let mut after = Ticket::clone(before);
        links::bind(&mut new, LinkKind::Related, &mut after);
        new.more.split_from = Some(SplitFrom { ticket: before.id, replies: ids.iter().copied().collect() });
        after.more.splits.extend(ids.iter().map(|reply| Split { reply: *reply, ticket: new.id }));
        after.more.splits.sort();
        workflow::settle(rules, &mut after, set.last_revision + 1, context.now);
        let new = TicketChange::created(new, create.body);
        let answer = Answer::Ticket(Arc::clone(&new.after));
        Ok(Decision { tickets: vec![new, TicketChange::new(before, after)], number, answer, ..Decision::default() })
    }

    /// In the order in which they were written.
    fn ids(&self) -> Result<BTreeSet<i64>, Refusal> {
        let mut violations = Violations::default();
        let count = self.replies.len();
        if count == 0 || count > Self::MOST {
            violations.add("replies", format!("has {count} replies; 1 to {} are taken", Self::MOST));
        }
        let mut ids = BTreeSet::new();
        for (place, id) in self.replies.iter().enumerate() {
            if !ids.insert(*id) {
                violations.add(format!("replies[{place}]"), "is named twice");
            }
        }
        violations.settle()?;
        Ok(ids)
    }

    fn replies<'s>(
        &self,
        set: &'s WorkingSet,
        context: &Context<'_>,
        ids: &BTreeSet<i64>,
    ) -> Result<Vec<&'s Reply>, Refusal> {
        let find = |id: &i64| {
            let found = set.replies.get(&(self.ticket, *id)).and_then(Option::as_ref);
            found.ok_or_else(|| {
                let name = format!("{}/replies/{id}", context.ticket_name(self.ticket));
                context.not_found("Reply", &name)
            })
        };
        ids.iter().map(find).collect()
    }
}

/// Everything that is in the way.
fn check(context: &Context<'_>, ticket: &Ticket, replies: &[&Reply]) -> Result<(), Refusal> {
    let name = context.ticket_name(ticket.id);
    let mut failures = Vec::new();
    let mut object = |kind, subject: String, description: String| {
        failures.push(Precondition { kind, description: format!("{subject} {description}"), subject });
    };
    for reply in replies {
        let subject = format!("{name}/replies/{}", reply.id);
        if let Some(split) = ticket.more.splits.iter().find(|split| split.reply == reply.id) {
            object(Kind::Split, subject, format!("was split off before, into {}", context.ticket_name(split.ticket)));
        } else if reply.kind == ReplyKind::Note || reply.author_role.replies_as_staff() {
            object(Kind::Split, subject, "is the staff's; only what the requester wrote becomes a ticket".to_owned());
        }
    }
    if ticket.more.links.len() >= links::LINKS_MAX {
        object(Kind::Links, name.clone(), format!("has {} links, and takes no more", links::LINKS_MAX));
    }
    let (splits, most) = (ticket.more.splits.len(), links::SPLITS_MAX);
    if splits + replies.len() > most {
        object(
            Kind::Split,
            name.clone(),
            format!("has had {splits} replies split off; with these there would be more than {most}"),
        );
    }
    if failures.is_empty() { Ok(()) } else { Err(Refusal::SplitRefused { ticket: name, failures }) }
}
