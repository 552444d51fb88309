//! The back end in memory. `store/dialect/filter.rs` is the other: they change together.

use super::{ListField, Node, Test, TextField, TimeField, check};
use crate::domain::{Micros, Ticket};

pub(super) fn node(node: &Node, ticket: &Ticket) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(|part| self::node(part, ticket)),
        Node::Or(parts) => parts.iter().any(|part| self::node(part, ticket)),
        Node::Not(inner) => !self::node(inner, ticket),
        Node::Test(test) => holds(test, ticket),
    }
}

fn holds(test: &Test, ticket: &Ticket) -> bool {
    match test {
        Test::Is(field, value) => text(field, ticket) == value,
        Test::Contains(field, value) => text(field, ticket).contains(value.as_str()),
        Test::Below(field, value) => text(field, ticket)
            .strip_prefix(value.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        Test::Ranks(field, form, order, value) => {
            let own = text(field, ticket);
            form.fits(own) && order.holds(own.cmp(value))
        }
        Test::Counts(field, order, value) => {
            check::integer(text(field, ticket)).is_some_and(|number| order.holds(number.cmp(value)))
        }
        Test::Has(field, value) => list(*field, ticket).contains(value),
        Test::NotEmpty(field) => !list(*field, ticket).is_empty(),
        Test::At(field, value) => time(*field, ticket) == Some(*value),
        Test::When(field, order, value) => time(*field, ticket).is_some_and(|time| order.holds(time.cmp(value))),
        Test::IsSet(field) => time(*field, ticket).is_some(),
    }
}

fn text<'t>(field: &TextField, ticket: &'t Ticket) -> &'t str {
    match field {
        TextField::Number => &ticket.number,
        TextField::Requester => &ticket.requester,
        TextField::Channel => &ticket.channel,
        TextField::Priority => &ticket.priority,
        TextField::Status => &ticket.status,
        TextField::State => ticket.state.word(),
        TextField::Queue => &ticket.queue,
        TextField::Assignee => &ticket.assignee,
        TextField::Subject => &ticket.subject,
        TextField::Own(id) => ticket.fields.get(id).map_or("", String::as_str),
    }
}

fn list(field: ListField, ticket: &Ticket) -> &[String] {
    match field {
        ListField::Tags => &ticket.tags,
        ListField::Cc => &ticket.cc,
    }
}

fn time(field: TimeField, ticket: &Ticket) -> Option<Micros> {
    match field {
        TimeField::Receive => Some(ticket.receive_time),
        TimeField::Queue => ticket.queue_time,
        TimeField::Create => Some(ticket.create_time),
        TimeField::Update => Some(ticket.update_time),
        TimeField::FirstReply => ticket.first_reply_time,
        TimeField::Close => ticket.close_time,
    }
}
