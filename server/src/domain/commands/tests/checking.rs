//! What must be so whatever has happened.

use super::*;

/// A ticket by itself.
pub(super) fn check_ticket(rules: &Definition, ticket: &Ticket) {
    let status = rules.status(&ticket.status).unwrap();
    assert_eq!(ticket.state, status.state);
    assert_eq!(ticket.close_time.is_some(), ticket.state == State::Closed);
    assert!(rules.queue(&ticket.queue).is_some(), "one queue: {}", ticket.queue);
    assert!(ticket.priority.is_empty() || rules.priority(&ticket.priority).is_some());
    let staff = Role::ALL.into_iter().filter(|role| role.is_staff());
    assert!(ticket.assignee.is_empty() || staff.into_iter().any(|role| role.word() == ticket.assignee));
    let its_turn = status.waits_on == WaitsOn::Staff && ticket.assignee.is_empty();
    assert_eq!(ticket.waits(), its_turn);
    assert_eq!(ticket.queue_key, rules.queue_key(ticket));
    assert!(ticket.cc.is_sorted() && rules.mandatory_cc().iter().all(|address| ticket.cc.contains(address)));
    for (id, value) in &ticket.fields {
        assert!(!value.is_empty());
        assert_eq!(rules.field(id).unwrap().admits(value).as_ref(), Ok(value));
    }
}

/// What binds tickets to each other is seen from both, and leads nowhere in a circle.
pub(super) fn check_links(set: &WorkingSet) {
    for ticket in set.tickets.values() {
        let links = &ticket.more.links;
        assert!(links.is_sorted() && links.windows(2).all(|two| two[0] != two[1]));
        for link in links {
            let other = &set.tickets[&link.ticket];
            let same_requester = ticket.requester == other.requester;
            let back = Link { kind: link.kind.inverse(), ticket: ticket.id, same_requester };
            assert!(other.more.links.contains(&back), "{link:?} of {} is not on the other", ticket.id);
            assert_eq!(link.same_requester, same_requester);
            assert_ne!(link.ticket, ticket.id);
        }
        for upwards in [LinkKind::Parent, LinkKind::Original] {
            assert!(links.iter().filter(|link| link.kind == upwards).count() <= 1);
            let mut above = vec![ticket.id];
            while let Some(next) = set.tickets[above.last().unwrap()].linked(upwards) {
                assert!(!above.contains(&next), "a circle: {above:?}");
                above.push(next);
            }
        }
        if let Some(first) = ticket.more.merged_into {
            assert_eq!((ticket.state, ticket.linked(LinkKind::Original)), (State::Closed, Some(first)));
            let first = &set.tickets[&first];
            assert!((first.receive_time, first.id) < (ticket.receive_time, ticket.id), "not the first of them");
        }
        let splits = &ticket.more.splits;
        assert!(splits.len() <= SPLITS_MAX && splits.windows(2).all(|two| two[0].reply < two[1].reply));
        for split in splits {
            let from = set.tickets[&split.ticket].more.split_from.as_ref().unwrap();
            assert!(from.ticket == ticket.id && from.replies.contains(&split.reply));
        }
    }
}

/// The kept counts, as the store has them: by kind and id.
pub(super) type Counts = BTreeMap<(String, String), i64>;

/// Adds what a change does to the counts.
pub(super) fn count(counts: &mut Counts, rules: &Definition, before: Option<&Ticket>, after: &Ticket) {
    let mut deltas = usage::Deltas::new();
    usage::count(&mut deltas, rules, before, after);
    for ((kind, id, value), tickets) in deltas {
        *counts.entry(usage::key(kind, id, value)).or_default() += tickets;
    }
}

/// What is counted along the way is what there is.
pub(super) fn check_counts(rules: &Definition, set: &WorkingSet, kept: &Counts) {
    let mut counted = Counts::new();
    for ticket in set.tickets.values() {
        count(&mut counted, rules, None, ticket);
    }
    let kept: Counts = kept.iter().filter(|(_, tickets)| **tickets != 0).map(|(key, it)| (key.clone(), *it)).collect();
    assert_eq!(kept, counted);
    for queue in QUEUES {
        let waiting = set.tickets.values().filter(|ticket| ticket.waits() && ticket.queue == queue).count();
        let key = usage::key(usage::WAITING, queue, "");
        assert_eq!(kept.get(&key).copied().unwrap_or_default(), i64::try_from(waiting).unwrap());
    }
}

/// What a ticket is but for what changes do not tell.
fn told(ticket: &Ticket, of: &Ticket) -> Ticket {
    let mut told = ticket.clone();
    told.queue_key.clone_from(&of.queue_key);
    (told.revision, told.replies) = (of.revision, of.replies);
    told.more.last_reply = of.more.last_reply;
    told.more.last_move.clone_from(&of.more.last_move);
    told.more.last_canned_response.clone_from(&of.more.last_canned_response);
    told
}

/// The history of a ticket leads from what it was to what it is, and back.
pub(super) fn check_history(before: &Arc<Ticket>, change: &TicketChange, actor: &Actor, now: Micros) {
    let after = &change.after;
    let never = |ticket: &Ticket| {
        (ticket.id, ticket.uid.clone(), ticket.requester.clone(), ticket.receive_time, ticket.create_time)
    };
    assert_eq!(never(before), never(after));
    assert!(before.number.is_empty() || before.number == after.number, "a number is for ever");
    assert!(before.more.read_time.is_none() || before.more.read_time == after.more.read_time);
    assert!(after.update_time >= before.update_time);
    let logged = Change {
        commit_time: now,
        event_time: now,
        reply: change.reply.clone(),
        reason: change.reason.clone(),
        transition: change.transition.clone(),
        notifications: change.notifications.clone(),
        before: Some(Arc::clone(before)),
        after: Some(Arc::clone(after)),
        ..Change::bare(after.revision, actor.clone())
    };
    let changes = logged.field_changes();
    let back = undo(after, &changes, before.update_time).unwrap();
    assert_eq!(told(&back, before), **before);
    let forward = |change: FieldChange| FieldChange { field: change.field, old: change.new, new: change.old };
    let changes: Vec<_> = changes.into_iter().map(forward).collect();
    let on = undo(before, &changes, after.update_time).unwrap();
    assert_eq!(told(&on, after), **after);
}

/// Everything that waits is in the line of its queue, and nothing else is.
pub(super) fn check_lines(set: &WorkingSet) {
    let mut lines: BTreeMap<&str, BTreeSet<(String, i64)>> = BTreeMap::new();
    for ticket in set.tickets.values().filter(|ticket| ticket.waits()) {
        lines.entry(&ticket.queue).or_default().insert((ticket.queue_key.clone(), ticket.id));
    }
    for (queue, line) in &set.waiting {
        assert_eq!(*line, lines.remove(queue.as_str()).unwrap_or_default());
    }
    assert!(lines.is_empty());
}
