//! Compares what was acknowledged and what was told with what is there.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use loket::v1::{Change, GetTicketRequest, ListChangesRequest, ListTicketsRequest, Ticket};
use loket_client::{Client, Error};
use serde::Serialize;
use tonic::Code;

use super::ledger::Ledger;
use super::watcher::Seen;
use super::{Run, writer};
use crate::failure::Failure;

/// Histories that are read at the same time.
const AT_ONCE: usize = 16;

/// What is not as promised, counted.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Findings {
    /// How many were looked at.
    #[serde(skip)]
    pub(super) revisions: u64,
    /// Acknowledged, and not there as it was acknowledged.
    lost: u64,
    /// There more often than it was asked for.
    done_twice: u64,
    claimed_twice: u64,
    /// Changes that a watcher should have been told and was not.
    missed: u64,
    /// Changes that a watcher was told again.
    told_twice: u64,
    /// Changes that a watcher was told behind a later one.
    out_of_order: u64,
    /// Changes that a watcher was told and that are in no history.
    invented: u64,
    /// Tickets that the changes told do not add up to.
    folds_differ: u64,
    /// Revisions that changed nothing that could be found.
    empty_revisions: u64,
    /// Reads at a revision that did not show it.
    stale_reads: u64,
    /// Calls refused, and watches that failed.
    errors: u64,
}

impl Findings {
    pub(super) fn total(&self) -> u64 {
        self.counts().into_iter().map(|(_, count)| count).sum()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.counts().into_iter().map(|(what, count)| (what, count.to_string()))
    }

    fn counts(&self) -> [(&'static str, u64); 11] {
        let Self {
            revisions: _,
            lost,
            done_twice,
            claimed_twice,
            missed,
            told_twice,
            out_of_order,
            invented,
            folds_differ,
            empty_revisions,
            stale_reads,
            errors,
        } = self;
        [
            ("lost", *lost),
            ("done twice", *done_twice),
            ("claimed twice", *claimed_twice),
            ("missed", *missed),
            ("told twice", *told_twice),
            ("out of order", *out_of_order),
            ("invented", *invented),
            ("folds differ", *folds_differ),
            ("empty revisions", *empty_revisions),
            ("stale reads", *stale_reads),
            ("errors", *errors),
        ]
    }
}

/// What is there: the tickets that were touched, and what happened to them since the watchers began.
#[derive(Default)]
struct Truth {
    tickets: BTreeMap<String, Ticket>,
    /// By revision and ordinal.
    changes: BTreeMap<(i64, i32), Change>,
}

/// `before` is the number of the last ticket before the run.
pub(super) async fn check(
    run: &Run,
    clients: &[Client],
    before: u64,
    ledger: &Ledger,
    seen: &[Seen],
) -> Result<Findings, Failure> {
    let from = seen.iter().map(|seen| seen.from).min().unwrap_or(0);
    let mut touched: BTreeSet<String> = ledger.claims.iter().map(|claim| claim.0.clone()).collect();
    touched.extend(seen.iter().flat_map(|seen| seen.tickets.keys().cloned()));
    let (truth, head) = Truth::read(run, clients, before, touched, from).await?;
    let mut findings = Findings {
        revisions: (head - from).max(0) as u64,
        stale_reads: ledger.stale,
        errors: ledger.errors + seen.iter().filter(|seen| seen.error.is_some()).count() as u64,
        ..Findings::default()
    };
    findings.check_ledger(&truth, ledger, &run.mark);
    let revisions: BTreeSet<i64> = truth.changes.keys().map(|key| key.0).collect();
    findings.empty_revisions = (from + 1..=head).filter(|revision| !revisions.contains(revision)).count() as u64;
    for seen in seen {
        findings.check_seen(&truth, seen);
    }
    Ok(findings)
}

impl Truth {
    async fn read(
        run: &Run,
        clients: &[Client],
        before: u64,
        mut touched: BTreeSet<String>,
        from: i64,
    ) -> Result<(Self, i64), Failure> {
        let mut truth = Self::default();
        let mut request = ListTicketsRequest {
            parent: run.parent.clone(),
            page_size: 1_000,
            order_by: "create_time desc".to_owned(),
            ..ListTicketsRequest::default()
        };
        let mut head = 0;
        loop {
            let asked = writer::ask(clients, 0, run.patience, &request, |client, request| async move {
                client.list_tickets(request).await
            });
            let page = asked.await?.answer;
            head = page.revision.max(head);
            let is_new = |ticket: &Ticket| number(&ticket.name) > before;
            let is_last = page.next_page_token.is_empty() || !page.tickets.iter().all(is_new);
            truth.tickets.extend(page.tickets.into_iter().filter(is_new).map(|ticket| (ticket.name.clone(), ticket)));
            if is_last {
                break;
            }
            request.page_token = page.next_page_token;
        }
        touched.extend(truth.tickets.keys().cloned());
        let mut read = stream::iter(touched.into_iter().enumerate().map(|(place, name)| {
            let known = truth.tickets.contains_key(&name);
            one(run, clients, place, name, known)
        }))
        .buffer_unordered(AT_ONCE);
        let (mut changes, mut others) = (BTreeMap::new(), Vec::new());
        while let Some((ticket, history)) = read.try_next().await? {
            others.extend(ticket);
            let since = history.into_iter().filter(|change| change.revision > from);
            changes.extend(since.map(|change| ((change.revision, change.ordinal), change)));
        }
        drop(read);
        truth.changes = changes;
        truth.tickets.extend(others.into_iter().map(|ticket| (ticket.name.clone(), ticket)));
        Ok((truth, head))
    }
}

/// A ticket's history, and the ticket unless it is known.
async fn one(
    run: &Run,
    clients: &[Client],
    place: usize,
    name: String,
    known: bool,
) -> Result<(Option<Ticket>, Vec<Change>), Error> {
    let request = ListChangesRequest { parent: name.clone(), page_size: 1_000, ..ListChangesRequest::default() };
    let history = writer::ask(clients, place, run.patience, &request, |client, request| async move {
        client.all_changes(request).try_collect::<Vec<_>>().await
    });
    let history = match history.await {
        Ok(history) => history.answer,
        // What is not there is what this is about.
        Err(error) if error.code() == Code::NotFound => return Ok((None, Vec::new())),
        Err(error) => return Err(error),
    };
    if known {
        return Ok((None, history));
    }
    let request = GetTicketRequest { name, ..GetTicketRequest::default() };
    let ticket = writer::ask(clients, place, run.patience, &request, |client, request| async move {
        client.get_ticket(request).await
    });
    Ok((Some(Ticket { body: String::new(), ..ticket.await?.answer }), history))
}

fn number(name: &str) -> u64 {
    name.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Findings {
    fn check_ledger(&mut self, truth: &Truth, ledger: &Ledger, mark: &str) {
        self.done_twice += ledger.clashes;
        // Tickets: each subject is of one ticket, which is the one that was acknowledged.
        let mut by_subject: BTreeMap<&str, Vec<&Ticket>> = BTreeMap::new();
        for ticket in truth.tickets.values().filter(|ticket| ticket.subject.starts_with(mark)) {
            by_subject.entry(&ticket.subject).or_default().push(ticket);
        }
        for (subject, (name, uid)) in &ledger.tickets {
            let found = by_subject.get(subject.as_str()).map(Vec::as_slice).unwrap_or_default();
            self.lost += u64::from(!found.iter().any(|ticket| ticket.name == *name && ticket.uid == *uid));
        }
        for (subject, found) in by_subject {
            let asked_for = ledger.tickets.contains_key(subject) || ledger.unanswered.contains(subject);
            self.done_twice += found.len() as u64 - u64::from(asked_for);
        }
        // Replies: each body is in one history.
        let mut by_body: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for change in truth.changes.values() {
            if let Some(reply) = change.reply.as_ref().filter(|reply| reply.body.starts_with(mark)) {
                by_body.entry(&reply.body).or_default().push(&change.ticket);
            }
        }
        for (body, ticket) in &ledger.replies {
            self.lost += u64::from(!by_body.get(body.as_str()).is_some_and(|found| found.contains(&ticket.as_str())));
        }
        for (body, found) in by_body {
            let asked_for = ledger.replies.contains_key(body) || ledger.unanswered.contains(body);
            self.done_twice += found.len() as u64 - u64::from(asked_for);
        }
        // Claims: a ticket is won by one, and that one has it.
        self.claimed_twice += ledger.claims.windows(2).filter(|pair| pair[0].0 == pair[1].0).count() as u64;
        let mut claimed: BTreeSet<&str> = BTreeSet::new();
        for change in truth.changes.values().filter(|change| change.command.starts_with("Claim")) {
            self.claimed_twice += u64::from(!claimed.insert(&change.ticket));
        }
        for (ticket, agent) in &ledger.claims {
            let has_it = truth.tickets.get(ticket).is_some_and(|ticket| ticket.assignee == *agent);
            self.lost += u64::from(!has_it);
        }
        // A request id is of one revision.
        let requests: BTreeSet<(&str, i64)> =
            truth.changes.values().map(|change| (change.request_id.as_str(), change.revision)).collect();
        let distinct: BTreeSet<&str> = requests.iter().map(|request| request.0).collect();
        self.done_twice += (requests.len() - distinct.len()) as u64;
    }

    fn check_seen(&mut self, truth: &Truth, seen: &Seen) {
        let mut told = BTreeSet::new();
        let mut last = (0, 0);
        for event in &seen.events {
            let here = (event.revision, event.ordinal);
            if told.insert(here) {
                self.out_of_order += u64::from(here < last);
                let is_there = truth.changes.get(&here).is_some_and(|change| change.ticket == event.ticket);
                self.invented += u64::from(!is_there);
            } else {
                self.told_twice += 1;
            }
            last = here.max(last);
        }
        let expected = truth.changes.iter().filter(|((revision, _), _)| *revision > seen.from);
        let mut changed = BTreeSet::new();
        for (key, change) in expected {
            self.missed += u64::from(!told.contains(key));
            changed.insert(&change.ticket);
        }
        let differs = |name: &&&String| seen.tickets.get(**name) != truth.tickets.get(**name);
        self.folds_differ += changed.iter().filter(differs).count() as u64;
    }
}

#[cfg(test)]
mod tests {
    use loket::v1::Reply;

    use super::*;
    use crate::commands::bench::verify::watcher::Event;

    const MARK: &str = "verify 1";

    fn name(number: i64) -> String {
        format!("helpdesks/bench/tickets/{number}")
    }

    fn ticket(number: i64, revision: i64) -> Ticket {
        let uid = format!("uid {number}");
        Ticket { name: name(number), uid, subject: format!("{MARK} {number}"), revision, ..Ticket::default() }
    }

    fn change(revision: i64, number: i64, command: &str) -> Change {
        let request_id = format!("request {revision}");
        Change { revision, ticket: name(number), command: command.to_owned(), request_id, ..Change::default() }
    }

    fn event(revision: i64, number: i64) -> Event {
        Event { revision, ordinal: 0, ticket: name(number), micros: 0, place: 0 }
    }

    /// Two tickets, one of them claimed, the other replied to.
    fn truth() -> Truth {
        let claimed = Ticket { assignee: "rina".to_owned(), ..ticket(1, 3) };
        let reply = Reply { body: format!("{MARK} reply"), ..Reply::default() };
        let replied = Change { reply: Some(reply), ..change(4, 2, "CreateReply") };
        let changes =
            [change(1, 1, "CreateTicket"), change(2, 2, "CreateTicket"), change(3, 1, "ClaimNextTicket"), replied];
        Truth {
            tickets: [claimed, ticket(2, 4)].map(|ticket| (ticket.name.clone(), ticket)).into(),
            changes: changes.map(|change| ((change.revision, 0), change)).into(),
        }
    }

    fn ledger() -> Ledger {
        Ledger {
            tickets: [1, 2].map(|number| (format!("{MARK} {number}"), (name(number), format!("uid {number}")))).into(),
            replies: [(format!("{MARK} reply"), name(2))].into(),
            claims: vec![(name(1), "rina".to_owned())],
            ..Ledger::default()
        }
    }

    fn seen() -> Seen {
        let events = [(1, 1), (2, 2), (3, 1), (4, 2)].map(|(revision, number)| event(revision, number)).into();
        Seen { events, tickets: truth().tickets, ..Seen::default() }
    }

    fn found(truth: &Truth, ledger: &Ledger, seen: &Seen) -> Findings {
        let mut findings = Findings::default();
        findings.check_ledger(truth, ledger, MARK);
        findings.check_seen(truth, seen);
        findings
    }

    #[test]
    fn what_is_as_promised_is_not_found() {
        assert_eq!(found(&truth(), &ledger(), &seen()), Findings::default());
    }

    #[test]
    fn what_was_lost_or_done_twice_is_found() {
        let mut there = truth();
        there.tickets.remove(&name(2));
        there.changes.remove(&(4, 0));
        let findings = found(&there, &ledger(), &seen());
        // The ticket and the reply; a watcher was told of the reply all the same.
        assert_eq!((findings.lost, findings.invented, findings.folds_differ), (2, 1, 1));

        let mut there = truth();
        let again = Ticket { subject: format!("{MARK} 1"), ..ticket(3, 5) };
        there.tickets.insert(again.name.clone(), again);
        there.changes.insert((5, 0), Change { request_id: "request 1".to_owned(), ..change(5, 3, "CreateTicket") });
        let findings = found(&there, &ledger(), &seen());
        // As a subject, and as a request id; nobody was told.
        assert_eq!((findings.done_twice, findings.missed), (2, 1));

        let unasked = Ledger { replies: BTreeMap::new(), ..ledger() };
        assert_eq!(found(&truth(), &unasked, &seen()).done_twice, 1);
        let open = Ledger { unanswered: [format!("{MARK} reply")].into(), ..unasked };
        assert_eq!(found(&truth(), &open, &seen()), Findings::default());
    }

    #[test]
    fn two_winners_are_found() {
        let mut claims = ledger();
        claims.claims.push((name(1), "tono".to_owned()));
        let findings = found(&truth(), &claims, &seen());
        assert_eq!((findings.claimed_twice, findings.lost), (1, 1));
        let mut there = truth();
        there.changes.insert((5, 0), change(5, 1, "ClaimTicket"));
        assert_eq!(found(&there, &ledger(), &seen()).claimed_twice, 1);
    }

    #[test]
    fn what_a_watcher_was_told_wrongly_is_found() {
        let mut watcher = seen();
        watcher.events.remove(1);
        assert_eq!(found(&truth(), &ledger(), &watcher), Findings { missed: 1, ..Findings::default() });
        let mut watcher = seen();
        watcher.events.push(event(4, 2));
        assert_eq!(found(&truth(), &ledger(), &watcher), Findings { told_twice: 1, ..Findings::default() });
        let mut watcher = seen();
        watcher.events.swap(1, 2);
        assert_eq!(found(&truth(), &ledger(), &watcher), Findings { out_of_order: 1, ..Findings::default() });
        let late = Seen { from: 2, events: seen().events.split_off(2), ..seen() };
        assert_eq!(found(&truth(), &ledger(), &late), Findings::default());
    }
}
