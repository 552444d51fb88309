//! What a watcher sees of a change.

use loket::v1 as proto;
use prost::Message;
use proto::TicketEventType as Type;

use crate::domain::filter::Filter;
use crate::domain::{Change, Ticket};
use crate::feed::{Head, Lens, Scope};
use crate::rpc::convert::Sight;
use crate::store::payload::ticket_name;

/// The number of `WatchTicketsResponse.events`. Responses are put together field by field, as they arise.
const EVENTS: u32 = 1;

/// One filter and one visibility.
pub(super) struct TicketLens {
    pub(super) helpdesk: String,
    /// Includes whose tickets the watcher sees.
    pub(super) filter: Filter,
    pub(super) sight: Sight,
    pub(super) scope: Scope,
    pub(super) definition_version: Option<i64>,
}

impl Lens for TicketLens {
    fn definition_version(&self) -> Option<i64> {
        self.definition_version
    }

    fn event(&self, change: &Change, out: &mut Vec<u8>) {
        let Some(after) = &change.after else { return };
        let before = change.before.as_ref().is_some_and(|before| self.filter.matches(before));
        let kind = match (before, self.filter.matches(after)) {
            (false, false) => return,
            (false, true) => Type::Entered,
            (true, true) => Type::Updated,
            (true, false) => Type::Left,
        };
        let mut event = proto::TicketEvent { r#type: kind.into(), revision: change.revision, ..Default::default() };
        if kind == Type::Left {
            let name = ticket_name(&self.helpdesk, after.id);
            event.ticket = Some(proto::Ticket { name, ..Default::default() });
        } else {
            event.change = self.sight.change(&self.helpdesk, change);
            // Only what the watcher does not see has changed. When a filter by time let the ticket in all the same, the
            // watcher must know, though not why.
            if event.change.is_none() && kind == Type::Updated {
                return;
            }
            event.ticket = Some(self.sight.ticket(&self.helpdesk, after, false));
        }
        prost::encoding::message::encode(EVENTS, &event, out);
    }

    fn snapshot_event(&self, ticket: &Ticket, out: &mut Vec<u8>) {
        let event = proto::TicketEvent {
            r#type: Type::Snapshot.into(),
            ticket: Some(self.sight.ticket(&self.helpdesk, ticket, false)),
            change: None,
            revision: ticket.revision,
        };
        prost::encoding::message::encode(EVENTS, &event, out);
    }

    fn seal(&self, revision: i64, uid: Option<i64>, out: &mut Vec<u8>) {
        let resume_token = uid.map(|uid| self.scope.token(Head { revision, uid })).unwrap_or_default();
        append(&proto::WatchTicketsResponse { resume_token, revision, ..Default::default() }, out);
    }
}

/// Adds fields to an encoded response: messages that follow each other are one.
pub(super) fn append(part: &proto::WatchTicketsResponse, out: &mut Vec<u8>) {
    out.extend(part.encode_to_vec());
}
