//! Small edits of a definition, in the words of who deletes a rule.

use loket::v1::{
    EmptyReplyPolicy, FieldDefinition, FieldType, Helpdesk, NumberAssignment, NumberPolicy, OrderingKey, ReplyPolicy,
    StatusDefinition, TransitionDefinition, TransitionTrigger,
};

/// What scenarios take out of a definition. What is not there panics: there is nothing to delete.
pub(crate) trait Edit {
    fn status(&mut self, id: &str) -> &mut StatusDefinition;
    fn transition(&mut self, id: &str) -> &mut TransitionDefinition;
    fn field(&mut self, id: &str) -> &mut FieldDefinition;
    fn delete_transition(&mut self, id: &str);
    /// With every transition to it and from it.
    fn delete_status(&mut self, id: &str);
    /// Nothing sets the transition off any more but a caller who names it.
    fn by_hand(&mut self, transition: &str);
    /// Nothing is routed to the queue by a rule any more.
    fn delete_routes_to(&mut self, queue: &str);
    /// Any text will do, instead of one of the choices.
    fn free(&mut self, field: &str);
    /// The queues are ordered by time alone.
    fn order_by_time(&mut self);
    fn number_on(&mut self, assigned_on: NumberAssignment);
    /// The requester's replies are taken in the status as they come.
    fn allow_replies(&mut self, status: &str);
    /// The requester's replies are refused in the status.
    fn refuse_replies(&mut self, status: &str);
}

impl Edit for Helpdesk {
    fn status(&mut self, id: &str) -> &mut StatusDefinition {
        self.statuses.iter_mut().find(|status| status.id == id).unwrap()
    }

    fn transition(&mut self, id: &str) -> &mut TransitionDefinition {
        self.transitions.iter_mut().find(|transition| transition.id == id).unwrap()
    }

    fn field(&mut self, id: &str) -> &mut FieldDefinition {
        self.fields.iter_mut().find(|field| field.id == id).unwrap()
    }

    fn delete_transition(&mut self, id: &str) {
        self.transition(id);
        self.transitions.retain(|transition| transition.id != id);
    }

    fn delete_status(&mut self, id: &str) {
        self.status(id);
        self.statuses.retain(|status| status.id != id);
        self.transitions.retain(|transition| transition.to != id);
        self.transitions.iter_mut().for_each(|transition| transition.from.retain(|from| from != id));
        self.transitions.retain(|transition| !transition.from.is_empty());
    }

    fn by_hand(&mut self, transition: &str) {
        self.transition(transition).set_trigger(TransitionTrigger::Manual);
        // An empty reply can claim only where something comes with a claim.
        if !self.transitions.iter().any(|transition| transition.trigger() == TransitionTrigger::Claim) {
            self.set_empty_reply(EmptyReplyPolicy::Refuse);
        }
    }

    fn delete_routes_to(&mut self, queue: &str) {
        let rules = self.routing.len();
        self.routing.retain(|rule| rule.queue != queue);
        assert_ne!(self.routing.len(), rules, "nothing is routed to {queue}");
    }

    fn free(&mut self, field: &str) {
        let field = self.field(field);
        field.set_type(FieldType::Text);
        field.choices.clear();
    }

    fn order_by_time(&mut self) {
        self.queues.iter_mut().for_each(|queue| queue.ordering = vec![OrderingKey::QueueTime.into()]);
    }

    fn number_on(&mut self, assigned_on: NumberAssignment) {
        self.number_policy.get_or_insert_with(NumberPolicy::default).set_assigned_on(assigned_on);
    }

    fn allow_replies(&mut self, status: &str) {
        let status = self.status(status);
        status.set_requester_reply(ReplyPolicy::Allow);
        status.requester_reply_message.clear();
    }

    fn refuse_replies(&mut self, status: &str) {
        let status = self.status(status);
        status.set_requester_reply(ReplyPolicy::Refuse);
        "Not now.".clone_into(&mut status.requester_reply_message);
    }
}
