//! What binds tickets to each other.

use std::sync::Arc;

use super::change::FIELDS;
use super::context::{Context, WorkingSet};
use super::definition::LinkEffect;
use super::{Link, LinkKind, Precondition, PreconditionKind as Kind, State, Ticket, text};

/// How many links a ticket has at most.
pub const LINKS_MAX: usize = 100;

/// How many of a ticket's replies are split off at most. Its row and each of its changes name them all, and taking links off
/// makes no room for more of them.
pub const SPLITS_MAX: usize = 200;

/// How many tickets a line of parents or originals has at most, as far as it is looked up for a circle.
pub const LINE_MAX: usize = 64;

/// Puts a link on both tickets, each as it is seen from there. False when it was there already.
pub fn bind(one: &mut Ticket, kind: LinkKind, other: &mut Ticket) -> bool {
    let same_requester = one.requester == other.requester;
    let here = Link { kind, ticket: other.id, same_requester };
    if one.more.links.contains(&here) {
        return false;
    }
    let there = Link { kind: kind.inverse(), ticket: one.id, same_requester };
    for (ticket, link) in [(one, here), (other, there)] {
        ticket.more.links.push(link);
        ticket.more.links.sort();
    }
    true
}

/// Takes the links of a kind, or all of them, off both tickets. False when there was none.
pub fn unbind(one: &mut Ticket, kind: Option<LinkKind>, other: &mut Ticket) -> bool {
    let before = one.more.links.len();
    let goes = |link: &Link, other: i64, kind: Option<LinkKind>| {
        link.ticket == other && kind.is_none_or(|kind| link.kind == kind)
    };
    let (here, there) = (other.id, one.id);
    one.more.links.retain(|link| !goes(link, here, kind));
    other.more.links.retain(|link| !goes(link, there, kind.map(LinkKind::inverse)));
    for ticket in [&mut *one, other] {
        if ticket.more.merged_into != ticket.linked(LinkKind::Original) {
            ticket.more.merged_into = None;
        }
    }
    one.more.links.len() < before
}

/// Why two tickets cannot be linked so; empty when they can, or are.
pub fn objections(
    set: &WorkingSet,
    context: &Context<'_>,
    one: &Ticket,
    kind: LinkKind,
    other: &Ticket,
) -> Vec<Precondition> {
    let mut failures = Vec::new();
    if one.more.links.iter().any(|link| link.kind == kind && link.ticket == other.id) {
        return failures;
    }
    let mut object = |kind, ticket: &Ticket, description: String| {
        let subject = context.ticket_name(ticket.id);
        failures.push(Precondition { kind, description: format!("{subject} {description}"), subject });
    };
    for ticket in [one, other] {
        if ticket.more.links.len() >= LINKS_MAX {
            object(Kind::Links, ticket, format!("has {LINKS_MAX} links, and takes no more"));
        }
    }
    let (lower, upwards, upper) = match kind {
        LinkKind::Related => return failures,
        LinkKind::Parent | LinkKind::Original => (one, kind, other),
        LinkKind::Child | LinkKind::Duplicate => (other, kind.inverse(), one),
    };
    let word = upwards.word();
    if let Some(another) = lower.linked(upwards).filter(|another| *another != upper.id) {
        let another = context.ticket_name(another);
        object(Kind::Link, lower, format!("has {another} as its {word} already; take that link off first"));
    }
    match line(set, upper, upwards) {
        Line::Ends(tickets) if !tickets.contains(&lower.id) => {}
        Line::Ends(_) => {
            let upper = context.ticket_name(upper.id);
            object(
                Kind::Link,
                lower,
                format!("stands above {upper} in its line of {word}s, which would become a circle"),
            );
        }
        Line::IsLong => {
            object(Kind::Link, upper, format!("ends a line of {LINE_MAX} {word}s, and takes no more below it"));
        }
    }
    failures
}

/// What a ticket is merged into. It is closed and linked to it: a server that knows nothing of `More::merged_into` leaves it
/// there when it opens the ticket again.
pub fn merged_into(ticket: &Ticket) -> Option<i64> {
    let first = ticket.more.merged_into?;
    (ticket.state == State::Closed && ticket.linked(LinkKind::Original) == Some(first)).then_some(first)
}

/// That a ticket was merged, and what its requester does instead of a reply to it. `first` is where it may go on.
pub fn merged_text(ticket: &str, first: Option<&str>) -> String {
    match first {
        Some(first) => format!("{ticket} was merged into {first}, which takes the reply"),
        None => format!("{ticket} was merged into another; file a new ticket instead"),
    }
}

/// The ticket that is worked on in place of a merged one; None for one that was not merged.
///
/// Where that was merged in turn, it is the last: those are at hand, since each is the original of the one before.
pub fn worked_on_instead(set: &WorkingSet, ticket: &Ticket) -> Option<i64> {
    let mut last = merged_into(ticket)?;
    // Each was received before the one that was merged into it, so there is no circle.
    while let Some(next) = set.tickets.get(&last).and_then(|ticket| merged_into(ticket)) {
        last = next;
    }
    Some(last)
}

/// The ticket that a text of a field names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named<'t> {
    /// By its resource name. None: it names no ticket of this helpdesk.
    Id(Option<i64>),
    /// By its human number.
    Number(&'t str),
}

impl<'t> Named<'t> {
    /// None where the text is empty.
    pub fn of(helpdesk: &str, text: &'t str) -> Option<Self> {
        let text = text.trim();
        if !text.starts_with("helpdesks/") {
            return (!text.is_empty()).then_some(Self::Number(text));
        }
        let id = text.strip_prefix("helpdesks/").and_then(|rest| rest.strip_prefix(helpdesk));
        let id = id.and_then(|rest| rest.strip_prefix("/tickets/")).filter(|id| !id.starts_with(['0', '+', '-']));
        Some(Self::Id(id.and_then(|id| id.parse().ok())))
    }
}

/// The ticket that an effect links a ticket to, if its field names one; or why it cannot be linked.
pub fn named<'s>(
    set: &'s WorkingSet,
    context: &Context<'_>,
    link: &LinkEffect,
    ticket: &Ticket,
) -> Result<Option<&'s Arc<Ticket>>, Vec<Precondition>> {
    let text = ticket.fields.get(&link.field).map_or("", String::as_str);
    let Some(named) = Named::of(context.helpdesk, text) else { return Ok(None) };
    let id = match named {
        Named::Id(id) => id,
        Named::Number(number) => set.numbers.get(number).copied().flatten(),
    };
    let subject = || format!("{FIELDS}{}", link.field);
    let object = |description| Err(vec![Precondition { kind: Kind::Link, subject: subject(), description }]);
    let shown = text::shown(text);
    if set.is_apart {
        let right = "leave it empty here, and link the tickets when both are imported";
        return object(format!(
            "the field `{}` names {shown}, and what is imported is linked to no other: {right}",
            link.field
        ));
    }
    let Some(other) = id.and_then(|id| set.ticket(id, context).ok()) else {
        let right = "write the name or the number of one, or leave it empty";
        return object(format!("the field `{}` names {shown}, and there is no such ticket: {right}", link.field));
    };
    if other.id == ticket.id {
        return object(format!("the field `{}` names {shown}, which is the ticket itself", link.field));
    }
    match objections(set, context, ticket, link.kind, other) {
        failures if failures.is_empty() => Ok(Some(other)),
        failures => Err(failures),
    }
}

enum Line {
    /// The tickets from the given one upwards.
    Ends(Vec<i64>),
    IsLong,
}

/// What a ticket's links lead to by one kind of which it has at most one. The tickets are at hand, as `Needs::lines` asked.
fn line(set: &WorkingSet, ticket: &Ticket, upwards: LinkKind) -> Line {
    let mut tickets = vec![ticket.id];
    let mut next = ticket.linked(upwards);
    while let Some(id) = next {
        tickets.push(id);
        if tickets.len() == LINE_MAX {
            return Line::IsLong;
        }
        next = set.tickets.get(&id).and_then(|ticket| ticket.linked(upwards));
    }
    Line::Ends(tickets)
}

impl Ticket {
    /// The first ticket that it is linked to by a kind.
    pub fn linked(&self, kind: LinkKind) -> Option<i64> {
        self.more.links.iter().find(|link| link.kind == kind).map(|link| link.ticket)
    }
}
