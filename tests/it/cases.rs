//! Cases that belong together: links, merges and splits.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use loket::v1::{
    ErrorReason, EscalateTicketRequest, ExplainTransitionsRequest, LinkKind, LinkTicketsRequest, MergeTicketsRequest,
    SplitReplyRequest, State, Ticket, TicketEventType, UnlinkTicketsRequest, WatchStart, WatchTicketsRequest,
};
use loket_client::Error;
use uuid::Uuid;

use super::database;
use crate::support::{Caller, Desk, RICH, SIMPLE, draft, fields, own, reason, told};

const ANI: &str = "ani@example.com";

/// Where merged tickets are closed, and a reply opens a closed ticket again.
fn merging() -> String {
    SIMPLE.replace("default_queue: main", "default_queue: main\nmerge_policy: {status: closed}").replace(
        "queues:",
        "- {id: unsolved, from: [closed], to: new, trigger: TRANSITION_TRIGGER_REQUESTER_REPLY}\nqueues:",
    )
}

async fn file(caller: &Caller, requester: &str, subject: &str) -> String {
    caller.create(Ticket { requester: requester.to_owned(), ..draft(subject) }).await.unwrap().name
}

async fn link(caller: &Caller, name: &str, kind: LinkKind, other: &str) -> Result<Ticket, Error> {
    let request = LinkTicketsRequest {
        name: name.to_owned(),
        other_ticket: other.to_owned(),
        kind: kind.into(),
        ..LinkTicketsRequest::default()
    };
    caller.link_tickets(request).await
}

async fn unlink(caller: &Caller, name: &str, kind: LinkKind, other: &str) -> Result<Ticket, Error> {
    let request = UnlinkTicketsRequest {
        name: name.to_owned(),
        other_ticket: other.to_owned(),
        kind: kind.into(),
        ..UnlinkTicketsRequest::default()
    };
    caller.unlink_tickets(request).await
}

async fn merge(caller: &Caller, name: &str, duplicates: &[&str]) -> Result<Ticket, Error> {
    let duplicates = duplicates.iter().map(|name| (*name).to_owned()).collect();
    caller
        .merge_tickets(MergeTicketsRequest { name: name.to_owned(), duplicates, ..MergeTicketsRequest::default() })
        .await
}

fn links(ticket: &Ticket) -> Vec<(LinkKind, &str)> {
    ticket.links.iter().map(|link| (link.kind(), link.ticket.rsplit('/').next().unwrap())).collect()
}

#[tokio::test]
async fn a_link_is_on_both_tickets_in_one_revision() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let (one, two) = (file(&agent, ANI, "One").await, file(&agent, ANI, "Two").await);
    for (kind, inverse) in [
        (LinkKind::Parent, LinkKind::Child),
        (LinkKind::Child, LinkKind::Parent),
        (LinkKind::Original, LinkKind::Duplicate),
        (LinkKind::Duplicate, LinkKind::Original),
        (LinkKind::Related, LinkKind::Related),
    ] {
        let before = desk.head().await;
        let linked = link(&agent, &two, kind, &one).await.unwrap();
        assert_eq!(links(&linked), [(kind, "1")]);
        let other = agent.get(&one).await.unwrap();
        assert_eq!(links(&other), [(inverse, "2")]);
        assert_eq!((linked.revision, other.revision, desk.head().await), (before + 1, before + 1, before + 1));
        for (name, ordinal) in [(&two, 0), (&one, 1)] {
            let last = agent.changes(name).await.unwrap().pop().unwrap();
            assert_eq!((last.command.as_str(), last.ordinal, last.revision), ("LinkTickets", ordinal, before + 1));
            assert_eq!(last.field_changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(), ["links"]);
        }
        // Already so, said from either side.
        assert_eq!(link(&agent, &two, kind, &one).await.unwrap(), linked);
        assert_eq!(link(&agent, &one, inverse, &two).await.unwrap().revision, before + 1);
        assert_eq!(desk.head().await, before + 1);
        // A link of another kind is not taken off; that of its kind is, on both.
        if kind != LinkKind::Related {
            assert_eq!(unlink(&agent, &one, LinkKind::Related, &two).await.unwrap().revision, before + 1);
        }
        let kind = if kind == LinkKind::Child { LinkKind::Unspecified } else { inverse };
        assert_eq!(unlink(&agent, &one, kind, &two).await.unwrap().links, []);
        assert_eq!(agent.get(&two).await.unwrap().links, []);
        assert_eq!(desk.head().await, before + 2);
        assert_eq!(unlink(&agent, &two, kind, &one).await.unwrap().revision, before + 2);
    }
}

#[tokio::test]
async fn the_answer_to_what_was_so_already_is_repeated_about_the_same_ticket() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let (one, two) = (file(&agent, ANI, "One").await, file(&agent, ANI, "Two").await);
    link(&agent, &one, LinkKind::Related, &two).await.unwrap();
    let request = LinkTicketsRequest {
        name: two.clone(),
        other_ticket: one,
        kind: LinkKind::Related.into(),
        request_id: Uuid::new_v4().to_string(),
        ..LinkTicketsRequest::default()
    };
    let first = agent.link_tickets(request.clone()).await.unwrap();
    assert_eq!(first.name, two);
    assert_eq!(agent.link_tickets(request).await.unwrap(), first);
}

#[tokio::test]
async fn what_would_be_a_circle_or_one_too_many_is_not_linked() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let mut names = Vec::new();
    for number in 0..4 {
        names.push(file(&agent, ANI, &format!("Ticket {number}")).await);
    }
    let [one, two, three, four] = [&names[0], &names[1], &names[2], &names[3]];
    insta::assert_snapshot!(told(link(&agent, one, LinkKind::Parent, one).await), @r"
    InvalidArgument INVALID_REQUEST
    other_ticket: is the ticket itself; name another one
    - other_ticket: is the ticket itself; name another one
    ");
    insta::assert_snapshot!(told(link(&agent, one, LinkKind::Unspecified, "helpdesks/other/tickets/1").await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - other_ticket: "helpdesks/other/tickets/1" is not of the helpdesk `desk`
    - kind: is required: valid are LINK_KIND_PARENT, LINK_KIND_CHILD, LINK_KIND_ORIGINAL, LINK_KIND_DUPLICATE, LINK_KIND_RELATED
    "#);
    link(&agent, one, LinkKind::Parent, two).await.unwrap();
    link(&agent, three, LinkKind::Child, two).await.unwrap();
    let before = desk.head().await;
    for (lower, upper) in [(two, one), (three, two), (three, one)] {
        assert_eq!(reason(link(&agent, lower, LinkKind::Parent, upper).await), ErrorReason::LinkRefused);
        assert_eq!(reason(link(&agent, upper, LinkKind::Child, lower).await), ErrorReason::LinkRefused);
    }
    insta::assert_snapshot!(told(link(&agent, three, LinkKind::Parent, one).await), @r"
    FailedPrecondition LINK_REFUSED
    helpdesks/desk/tickets/3 cannot be linked so: helpdesks/desk/tickets/3 stands above helpdesks/desk/tickets/1 in its line of parents, which would become a circle
    - helpdesks/desk/tickets/3 stands above helpdesks/desk/tickets/1 in its line of parents, which would become a circle
    ");
    insta::assert_snapshot!(told(link(&agent, one, LinkKind::Parent, four).await), @r"
    FailedPrecondition LINK_REFUSED
    helpdesks/desk/tickets/1 cannot be linked so: helpdesks/desk/tickets/1 has helpdesks/desk/tickets/2 as its parent already; take that link off first
    - helpdesks/desk/tickets/1 has helpdesks/desk/tickets/2 as its parent already; take that link off first
    ");
    assert_eq!(desk.head().await, before);
    // A line of another kind is another line.
    link(&agent, three, LinkKind::Original, one).await.unwrap();
    assert_eq!(reason(link(&agent, one, LinkKind::Original, three).await), ErrorReason::LinkRefused);
}

#[tokio::test]
async fn of_two_links_that_close_a_circle_at_once_one_is_made() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    for round in 0..8 {
        let (one, two) = (file(&agent, ANI, "One").await, file(&agent, ANI, "Two").await);
        let both = tokio::join!(link(&agent, &one, LinkKind::Parent, &two), link(&agent, &two, LinkKind::Parent, &one));
        let made = [&both.0, &both.1].into_iter().filter(|result| result.is_ok()).count();
        assert_eq!(made, 1, "round {round}");
    }
}

#[tokio::test]
async fn a_ticket_has_a_hundred_links_and_no_more() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let hub = file(&agent, ANI, "Hub").await;
    let names = join_all((0..101).map(|number| {
        let agent = agent.clone();
        async move { file(&agent, ANI, &format!("Spoke {number}")).await }
    }))
    .await;
    let linked = join_all(names.iter().map(|name| link(&agent, &hub, LinkKind::Child, name))).await;
    let refused: Vec<_> = linked.into_iter().filter(Result::is_err).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(agent.get(&hub).await.unwrap().links.len(), 100);
    assert_eq!(reason(refused.into_iter().next().unwrap()), ErrorReason::LinkRefused);
}

/// Both link what they file to the ticket that it comes of.
#[tokio::test]
async fn with_a_hundred_links_a_ticket_is_neither_split_nor_escalated_by_a_child() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let hub = file(&agent, ANI, "Hub").await;
    let spokes = agent.fill((0..100).map(|number| draft(&format!("Spoke {number}")))).await;
    for linked in join_all(spokes.iter().map(|spoke| link(&agent, &hub, LinkKind::Related, &spoke.name))).await {
        linked.unwrap();
    }
    let reply = desk.requester(ANI).await.reply(&hub, "And the fax is wet").await.unwrap().name;
    let before = desk.head().await;
    let apart = async || split(&agent, &hub, &[&reply], titled("Fax")).await;
    let upstairs = async || {
        let (name, escalation) = (hub.clone(), "upstairs".to_owned());
        let reason = "Too hard for us".to_owned();
        agent
            .escalate_ticket(EscalateTicketRequest { name, escalation, reason, ..EscalateTicketRequest::default() })
            .await
    };
    insta::assert_snapshot!(told(apart().await), @r"
    FailedPrecondition SPLIT_REFUSED
    helpdesks/desk/tickets/1 cannot be split so: helpdesks/desk/tickets/1 has 100 links, and takes no more
    - helpdesks/desk/tickets/1 has 100 links, and takes no more
    ");
    insta::assert_snapshot!(told(upstairs().await), @r"
    FailedPrecondition ESCALATION_REFUSED
    the escalation upstairs cannot be taken on helpdesks/desk/tickets/1: it has 100 links, which is all that a ticket has
    - helpdesks/desk/tickets/1: it has 100 links, which is all that a ticket has
    ");
    assert_eq!(desk.head().await, before);
    // With one less there is room for one.
    unlink(&agent, &hub, LinkKind::Related, &spokes[0].name).await.unwrap();
    apart().await.unwrap();
    assert_eq!(reason(upstairs().await), ErrorReason::EscalationRefused);
    unlink(&agent, &hub, LinkKind::Related, &spokes[1].name).await.unwrap();
    upstairs().await.unwrap();
    assert_eq!(agent.get(&hub).await.unwrap().links.len(), 100);
}

#[tokio::test]
async fn a_merge_goes_up_to_a_hundred_links_and_can_be_done_again_there() {
    let desk = Desk::of(database(), &merging()).await;
    let agent = desk.agent("budi").await;
    let first = file(&agent, ANI, "First").await;
    let names = join_all((0..101).map(|number| {
        let agent = agent.clone();
        async move { file(&agent, ANI, &format!("Again {number}")).await }
    }))
    .await;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    merge(&agent, &first, &names[..50]).await.unwrap();
    let before = desk.head().await;
    merge(&agent, &first, &names[50..99]).await.unwrap();
    insta::assert_snapshot!(told(merge(&agent, &first, &names[99..]).await), @r"
    FailedPrecondition MERGE_REFUSED
    nothing is merged: helpdesks/desk/tickets/1 has 100 links, and takes no more
    - helpdesks/desk/tickets/1 has 100 links, and takes no more
    ");
    merge(&agent, &first, &names[99..100]).await.unwrap();
    assert_eq!(reason(merge(&agent, &first, &names[100..]).await), ErrorReason::MergeRefused);
    assert_eq!(desk.head().await, before + 2);
    // The link of one that was reopened is among the hundred.
    agent.transition(names[0], "reopen").await.unwrap();
    assert_eq!(merge(&agent, &first, &names[..1]).await.unwrap().links.len(), 100);
    assert_eq!(agent.get(names[0]).await.unwrap().merged_into, first);
}

#[tokio::test]
async fn where_the_first_was_merged_too_the_first_of_all_takes_the_reply() {
    let desk = Desk::of(database(), &merging()).await;
    let agent = desk.agent("budi").await;
    let mut names = Vec::new();
    for subject in ["One", "Two", "Three", "Four"] {
        names.push(file(&agent, ANI, subject).await);
        desk.clock.advance(std::time::Duration::from_secs(1));
    }
    for later in (1..4).rev() {
        merge(&agent, &names[later - 1], &[&names[later]]).await.unwrap();
    }
    insta::assert_snapshot!(told_reply(&desk.requester(ANI).await, &names[3]).await, @r"
    FailedPrecondition TICKET_MERGED
    helpdesks/desk/tickets/4 was merged into helpdesks/desk/tickets/1, which takes the reply
    ");
}

#[tokio::test]
async fn a_requester_sees_links_to_own_tickets_only() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let (first, own_other) = (file(&agent, ANI, "One").await, file(&agent, ANI, "Two").await);
    let others = file(&agent, "bela@example.com", "Somebody else's").await;
    let request = LinkTicketsRequest {
        name: first.clone(),
        other_ticket: others.clone(),
        kind: LinkKind::Child.into(),
        reason: "A secret reason".to_owned(),
        ..LinkTicketsRequest::default()
    };
    agent.link_tickets(request).await.unwrap();
    link(&agent, &first, LinkKind::Related, &own_other).await.unwrap();
    let seen = ani.get(&first).await.unwrap();
    assert_eq!(links(&seen), [(LinkKind::Related, "2")]);
    assert_eq!(agent.get(&first).await.unwrap().links.len(), 2);
    let history = ani.changes(&first).await.unwrap();
    let commands: Vec<_> = history.iter().map(|change| change.command.as_str()).collect();
    assert_eq!(commands, ["CreateTicket", "LinkTickets"]);
    let all = format!("{history:?}{seen:?}{:?}", ani.list("").await.unwrap());
    assert!(!all.contains("secret") && !all.contains("tickets/3") && !all.contains("child"), "{all}");
    assert_eq!(reason(link(&ani, &first, LinkKind::Related, &others).await), ErrorReason::ResourceNotFound);
    assert_eq!(reason(link(&ani, &first, LinkKind::Related, &own_other).await), ErrorReason::RoleNotAllowed);
}

/// The names of those that wait in `main`, in order.
async fn waiting(caller: &Caller) -> Vec<String> {
    let request = loket::v1::ListTicketsRequest {
        parent: caller.parent.clone(),
        filter: "queue = main".to_owned(),
        order_by: "queue_order".to_owned(),
        ..loket::v1::ListTicketsRequest::default()
    };
    caller.list_tickets(request).await.unwrap().tickets.into_iter().map(|ticket| ticket.name).collect()
}

#[tokio::test]
async fn the_first_keeps_its_place_and_the_others_leave_the_queue() {
    let desk = Desk::of(database(), &merging()).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let mut names = Vec::new();
    for (requester, subject) in
        [("bela@example.com", "Before"), (ANI, "One"), ("bela@example.com", "After"), (ANI, "Two"), (ANI, "Three")]
    {
        names.push(file(&agent, requester, subject).await);
        desk.clock.advance(std::time::Duration::from_secs(1));
    }
    let [before, one, after, two, three] = [0, 1, 2, 3, 4].map(|place: usize| names[place].as_str());
    let was = agent.get(one).await.unwrap();
    let watch = WatchTicketsRequest {
        parent: agent.parent.clone(),
        filter: "queue = main AND status = new".to_owned(),
        start: WatchStart::Now.into(),
        ..WatchTicketsRequest::default()
    };
    let mut stream = agent.tickets().watch_tickets(watch).await.unwrap().into_inner();

    let first = merge(&agent, one, &[two, three]).await.unwrap();
    assert_eq!(links(&first), [(LinkKind::Duplicate, "4"), (LinkKind::Duplicate, "5")]);
    assert_eq!((&first.status, first.queue_time, first.receive_time), (&was.status, was.queue_time, was.receive_time));
    assert_eq!(waiting(&agent).await, [before, one, after]);
    for name in [two, three] {
        let merged = agent.get(name).await.unwrap();
        assert_eq!(
            (merged.status.as_str(), merged.state(), links(&merged)),
            ("closed", State::Closed, vec![(LinkKind::Original, "2")])
        );
        assert_eq!((merged.revision, merged.close_time), (first.revision, Some(desk.clock.timestamp())));
    }
    // What comes first is where the stream begins.
    let mut events = Vec::new();
    while events.is_empty() {
        events = stream.message().await.unwrap().unwrap().events;
    }
    let told: Vec<_> = events.iter().map(|event| (event.r#type(), event.revision)).collect();
    let revision = first.revision;
    assert_eq!(
        told,
        [(TicketEventType::Updated, revision), (TicketEventType::Left, revision), (TicketEventType::Left, revision)]
    );

    for name in [two, three] {
        assert_eq!(agent.get(name).await.unwrap().merged_into, one);
        let history = agent.changes(name).await.unwrap();
        assert!(
            history.last().unwrap().field_changes.iter().any(|it| it.field == "merged_into" && it.new_value == "2")
        );
    }

    // Again is OK, also with others; nothing more happens to those that were merged.
    assert_eq!(merge(&agent, one, &[three, two]).await.unwrap(), first);
    // Whose it was replies on the first.
    insta::assert_snapshot!(told_reply(&ani, three).await, @r"
    FailedPrecondition TICKET_MERGED
    helpdesks/desk/tickets/5 was merged into helpdesks/desk/tickets/2, which takes the reply
    ");
    let request = ExplainTransitionsRequest { name: three.to_owned(), ..ExplainTransitionsRequest::default() };
    let explained = ani.explain_transitions(request).await.unwrap().transitions;
    let mut replies = explained.iter().filter(|transition| transition.trigger == "REQUESTER_REPLY").peekable();
    assert!(replies.peek().is_some());
    assert!(
        replies.all(|transition| !transition.allowed && transition.objections.iter().any(|it| it.r#type == "MERGE"))
    );
    assert_eq!(agent.get(three).await.unwrap().status, "closed");
    ani.reply(one, "Any news?").await.unwrap();
    // A note on it is the staff's business, and reopening too; then it is a ticket like any other.
    agent.note(three, "Merged by mistake").await.unwrap();
    agent.transition(three, "reopen").await.unwrap();
    ani.reply(three, "This is something else").await.unwrap();
    assert_eq!(agent.get(three).await.unwrap().merged_into, "");
    // It can be merged again, and its link is there already. Taken off, it is an end to it too.
    merge(&agent, one, &[three]).await.unwrap();
    assert_eq!(ani.get(three).await.unwrap().merged_into, one);
    assert_eq!(unlink(&agent, three, LinkKind::Original, one).await.unwrap().merged_into, "");
    ani.reply(three, "And this").await.unwrap();
}

#[tokio::test]
async fn what_was_closed_before_it_was_linked_as_a_duplicate_is_not_merged() {
    let desk = Desk::of(database(), &merging()).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let (one, two) = (file(&agent, ANI, "One").await, file(&agent, ANI, "Two").await);
    agent.transition(&two, "close").await.unwrap();
    let linked = link(&agent, &two, LinkKind::Original, &one).await.unwrap();
    assert_eq!((linked.state(), linked.merged_into.as_str()), (State::Closed, ""));
    assert_eq!(reason(merge(&agent, &one, &[&two]).await), ErrorReason::MergeRefused);
    // The rules for closed tickets apply to it: here, a reply opens it again.
    ani.reply(&two, "Any news?").await.unwrap();
    assert_eq!(agent.get(&two).await.unwrap().status, "new");
    merge(&agent, &one, &[&two]).await.unwrap();
    assert_eq!(reason(ani.reply(&two, "Any news?").await), ErrorReason::TicketMerged);
}

async fn told_reply(caller: &Caller, ticket: &str) -> String {
    told(caller.reply(ticket, "Any news?").await)
}

#[tokio::test]
async fn what_cannot_be_merged_is_told_at_once_and_nothing_is_done() {
    let desk = Desk::of(database(), &merging()).await;
    let agent = desk.agent("budi").await;
    let mut names = Vec::new();
    for requester in [ANI, ANI, "bela@example.com", ANI, ANI] {
        names.push(file(&agent, requester, "Printer").await);
    }
    let [one, two, others, four, closed] = [0, 1, 2, 3, 4].map(|place: usize| names[place].as_str());
    agent.transition(closed, "close").await.unwrap();
    link(&agent, four, LinkKind::Original, others).await.unwrap();
    let before = desk.head().await;
    insta::assert_snapshot!(told(merge(&agent, two, &[one, others, four, closed]).await), @r"
    FailedPrecondition MERGE_REFUSED
    nothing is merged: helpdesks/desk/tickets/1 was received before helpdesks/desk/tickets/2; merge into the one that was received first; helpdesks/desk/tickets/3 is another requester's, and this helpdesk merges those of one requester only; helpdesks/desk/tickets/4 has helpdesks/desk/tickets/3 as its original already; take that link off first; helpdesks/desk/tickets/5 is closed, with the status `closed`; link it as a duplicate instead
    - helpdesks/desk/tickets/1 was received before helpdesks/desk/tickets/2; merge into the one that was received first
    - helpdesks/desk/tickets/3 is another requester's, and this helpdesk merges those of one requester only
    - helpdesks/desk/tickets/4 has helpdesks/desk/tickets/3 as its original already; take that link off first
    - helpdesks/desk/tickets/5 is closed, with the status `closed`; link it as a duplicate instead
    ");
    insta::assert_snapshot!(told(merge(&agent, one, &[one, two, two]).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - duplicates[0]: is the ticket itself, which cannot be merged into itself
    - duplicates[2]: is named twice
    ");
    insta::assert_snapshot!(told(merge(&agent, one, &[]).await), @r"
    InvalidArgument INVALID_REQUEST
    duplicates: has 0 tickets; 1 to 50 are taken
    - duplicates: has 0 tickets; 1 to 50 are taken
    ");
    insta::assert_snapshot!(told(merge(&agent, closed, &[two]).await), @r"
    FailedPrecondition MERGE_REFUSED
    nothing is merged: helpdesks/desk/tickets/5 is closed, with the status `closed`; reopen it, or merge into another; helpdesks/desk/tickets/2 was received before helpdesks/desk/tickets/5; merge into the one that was received first
    - helpdesks/desk/tickets/5 is closed, with the status `closed`; reopen it, or merge into another
    - helpdesks/desk/tickets/2 was received before helpdesks/desk/tickets/5; merge into the one that was received first
    ");
    assert_eq!(reason(merge(&agent, one, &["helpdesks/other/tickets/1"]).await), ErrorReason::InvalidRequest);
    assert_eq!(reason(merge(&agent, one, &["helpdesks/desk/tickets/99"]).await), ErrorReason::ResourceNotFound);
    let many: Vec<_> = (0..51).map(|_| two).collect();
    assert_eq!(reason(merge(&agent, one, &many).await), ErrorReason::InvalidRequest);
    assert_eq!(desk.head().await, before);
    assert_eq!(agent.get(two).await.unwrap().links, []);
}

#[tokio::test]
async fn of_two_opposite_merges_at_once_one_is_done() {
    let desk = Desk::of(database(), &merging()).await;
    let agent = desk.agent("budi").await;
    for _ in 0..8 {
        let (one, two) = (file(&agent, ANI, "One").await, file(&agent, ANI, "Two").await);
        let (ones, twos) = ([one.as_str()], [two.as_str()]);
        let (right, wrong) = tokio::join!(merge(&agent, &one, &twos), merge(&agent, &two, &ones));
        right.unwrap();
        assert_eq!(reason(wrong), ErrorReason::MergeRefused);
        assert_eq!(agent.get(&one).await.unwrap().state(), State::New);
        assert_eq!(agent.get(&two).await.unwrap().state(), State::Closed);
    }
}

#[tokio::test]
async fn a_helpdesk_says_whether_and_where_it_merges() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let (one, two) = (file(&agent, ANI, "One").await, file(&agent, "bela@example.com", "Two").await);
    insta::assert_snapshot!(told(merge(&agent, &one, &[&two]).await), @r"
    FailedPrecondition MERGE_REFUSED
    nothing is merged: helpdesks/desk/tickets/1 cannot take others in: the helpdesk's definition has no `merge_policy`, which would say where they go
    - helpdesks/desk/tickets/1 cannot take others in: the helpdesk's definition has no `merge_policy`, which would say where they go
    ");
    let across = SIMPLE
        .replace("default_queue: main", "default_queue: main\nmerge_policy: {status: merged, across_requesters: true}");
    let across = across.replace(
        "initial_status: new",
        "- {id: merged, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}\ninitial_status: new",
    );
    let helpdesk = |yaml: &str| {
        let helpdesk = loket::json::helpdesk_from_yaml(yaml).unwrap();
        loket::v1::UpdateHelpdeskRequest {
            helpdesk: Some(loket::v1::Helpdesk { name: "helpdesks/desk".to_owned(), ..helpdesk }),
            ..loket::v1::UpdateHelpdeskRequest::default()
        }
    };
    for wrong in ["open", "gone"] {
        let yaml = across.replace("status: merged, across", &format!("status: {wrong}, across"));
        let refused = desk.admin().update_helpdesk(helpdesk(&yaml)).await.unwrap_err();
        assert!(
            refused.violations().iter().any(|it| it.to_string().starts_with("merge_policy.status: ")),
            "{refused:?}"
        );
    }
    desk.admin().update_helpdesk(helpdesk(&across)).await.unwrap();
    merge(&agent, &one, &[&two]).await.unwrap();
    assert_eq!(agent.get(&two).await.unwrap().status, "merged");
    // Of whose ticket it was merged into nothing is told.
    let bela = desk.requester("bela@example.com").await;
    insta::assert_snapshot!(told(bela.reply(&two, "Any news?").await), @r"
    FailedPrecondition TICKET_MERGED
    helpdesks/desk/tickets/2 was merged into another; file a new ticket instead
    ");
    let seen = bela.get(&two).await.unwrap();
    assert_eq!((seen.links.len(), seen.merged_into.as_str()), (0, ""));
    assert_eq!(agent.get(&two).await.unwrap().merged_into, one);
    let history = bela.changes(&two).await.unwrap();
    let told: Vec<_> = history[1].field_changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!(told, ["status", "state", "close_time"]);
}

async fn split(caller: &Caller, parent: &str, replies: &[&str], ticket: Ticket) -> Result<Ticket, Error> {
    let request = SplitReplyRequest {
        parent: parent.to_owned(),
        replies: replies.iter().map(|reply| (*reply).to_owned()).collect(),
        ticket: Some(ticket),
        ..SplitReplyRequest::default()
    };
    caller.split_reply(request).await
}

fn titled(subject: &str) -> Ticket {
    Ticket { subject: subject.to_owned(), ..Ticket::default() }
}

#[tokio::test]
async fn replies_become_a_ticket_of_their_own_once() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let old = ani.create(Ticket { channel: "web".to_owned(), ..own("Printer") }).await.unwrap();
    let first = ani.reply(&old.name, "And the fax is wet,\n").await.unwrap();
    let second = ani.reply(&old.name, "since Monday.").await.unwrap();
    desk.clock.advance(std::time::Duration::from_mins(1));
    let before = agent.get(&old.name).await.unwrap();

    let more = Ticket { fields: fields([("area", "pay")]), priority: "high".to_owned(), ..titled("Fax") };
    let new = split(&agent, &old.name, &[&second.name, &first.name], more).await.unwrap();
    let whole = ani.get(&new.name).await.unwrap();
    assert_eq!(whole.body, "And the fax is wet,\n\nsince Monday.");
    assert_eq!((whole.requester.as_str(), whole.channel.as_str(), whole.subject.as_str()), (ANI, "web", "Fax"));
    assert_eq!((new.number.as_str(), new.queue.as_str(), new.priority.as_str()), ("T-00002", "pay", "high"));
    assert_eq!((new.receive_time, new.status.as_str()), (Some(desk.clock.timestamp()), "new"));
    assert_eq!(links(&whole), [(LinkKind::Related, "1")]);

    assert_eq!(whole.split_from, [first.name.as_str(), second.name.as_str()]);

    // The old ticket is as it was, but for the link; the replies stay where they are.
    let after = agent.get(&old.name).await.unwrap();
    assert_eq!(links(&after), [(LinkKind::Related, "2")]);
    let splits: Vec<_> = after.splits.iter().map(|split| (split.reply.as_str(), split.ticket.as_str())).collect();
    assert_eq!(splits, [(first.name.as_str(), new.name.as_str()), (second.name.as_str(), new.name.as_str())]);
    assert_eq!(after.revision, new.revision);
    let unchanged = Ticket {
        links: Vec::new(),
        splits: Vec::new(),
        revision: before.revision,
        etag: before.etag.clone(),
        update_time: before.update_time,
        ..after
    };
    assert_eq!(unchanged, before);
    assert_eq!(agent.replies(&old.name).await.unwrap().len(), 2);

    let head = desk.head().await;
    insta::assert_snapshot!(told(split(&agent, &old.name, &[&first.name], titled("Fax")).await), @r"
    FailedPrecondition SPLIT_REFUSED
    helpdesks/desk/tickets/1 cannot be split so: helpdesks/desk/tickets/1/replies/1 was split off before, into helpdesks/desk/tickets/2
    - helpdesks/desk/tickets/1/replies/1 was split off before, into helpdesks/desk/tickets/2
    ");
    assert_eq!(desk.head().await, head);
}

#[tokio::test]
async fn what_cannot_be_split_off_is_told() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let old = ani.create(own("Printer")).await.unwrap().name;
    let other = ani.create(own("Another")).await.unwrap().name;
    let staffs = agent.reply(&old, "Is it plugged in?").await.unwrap().name;
    let note = agent.note(&old, "It is not.").await.unwrap().name;
    let anis = ani.reply(&old, "It is.").await.unwrap().name;
    let elsewhere = ani.reply(&other, "Hello").await.unwrap().name;
    let head = desk.head().await;
    insta::assert_snapshot!(told(split(&agent, &old, &[&staffs, &note, &anis], titled("New")).await), @r"
    FailedPrecondition SPLIT_REFUSED
    helpdesks/desk/tickets/1 cannot be split so: helpdesks/desk/tickets/1/replies/1 is the staff's; only what the requester wrote becomes a ticket; helpdesks/desk/tickets/1/replies/2 is the staff's; only what the requester wrote becomes a ticket
    - helpdesks/desk/tickets/1/replies/1 is the staff's; only what the requester wrote becomes a ticket
    - helpdesks/desk/tickets/1/replies/2 is the staff's; only what the requester wrote becomes a ticket
    ");
    insta::assert_snapshot!(told(split(&agent, &old, &[&format!("{old}/replies/9"), &anis], titled("New")).await), @r"
    NotFound RESOURCE_NOT_FOUND
    there is no helpdesks/desk/tickets/1/replies/9, or this key may not see it
    ");
    insta::assert_snapshot!(told(split(&agent, &old, &[&elsewhere], titled("New")).await), @r#"
    InvalidArgument INVALID_REQUEST
    replies[0]: "helpdesks/desk/tickets/2/replies/1" is not a reply of the ticket; write `helpdesks/desk/tickets/1/replies/{reply}`
    - replies[0]: "helpdesks/desk/tickets/2/replies/1" is not a reply of the ticket; write `helpdesks/desk/tickets/1/replies/{reply}`
    "#);
    insta::assert_snapshot!(told(split(&agent, &old, &[&anis, &anis], titled("New")).await), @r"
    InvalidArgument INVALID_REQUEST
    replies[1]: is named twice
    - replies[1]: is named twice
    ");
    insta::assert_snapshot!(told(split(&agent, &old, &[], titled("New")).await), @r"
    InvalidArgument INVALID_REQUEST
    replies: has 0 replies; 1 to 50 are taken
    - replies: has 0 replies; 1 to 50 are taken
    ");
    insta::assert_snapshot!(told(split(&agent, &old, &[&anis], draft("")).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - ticket.requester: is that of the replies' ticket; leave it empty
    - ticket.body: is the text of the replies; leave it empty
    ");
    let fields = fields([("product", "web")]);
    insta::assert_snapshot!(told(split(&agent, &old, &[&anis], Ticket { fields, ..titled("") }).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - ticket.subject: is required: 1 to 500 characters
    - ticket.fields.order: is required for this ticket and has no value
    ");
    assert_eq!(desk.head().await, head);
}

#[tokio::test]
async fn of_a_ticket_two_hundred_replies_are_split_off_and_no_more() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let old = ani.create(own("Printer")).await.unwrap().name;
    let replies = join_all((0..201).map(|number| {
        let (ani, old) = (ani.clone(), old.clone());
        async move { ani.reply(&old, &format!("And {number}")).await.unwrap().name }
    }))
    .await;
    let replies: Vec<&str> = replies.iter().map(String::as_str).collect();
    for some in [&replies[..50], &replies[50..100], &replies[100..150], &replies[150..199]] {
        let new = split(&agent, &old, some, titled("More")).await.unwrap();
        // Taking links off makes no room.
        unlink(&agent, &old, LinkKind::Related, &new.name).await.unwrap();
    }
    insta::assert_snapshot!(told(split(&agent, &old, &replies[199..], titled("More")).await), @r"
    FailedPrecondition SPLIT_REFUSED
    helpdesks/desk/tickets/1 cannot be split so: helpdesks/desk/tickets/1 has had 199 replies split off; with these there would be more than 200
    - helpdesks/desk/tickets/1 has had 199 replies split off; with these there would be more than 200
    ");
    split(&agent, &old, &replies[200..], titled("More")).await.unwrap();
    assert_eq!(agent.get(&old).await.unwrap().splits.len(), 200);
    assert_eq!(reason(split(&agent, &old, &replies[199..200], titled("More")).await), ErrorReason::SplitRefused);
}

#[tokio::test]
async fn a_reply_that_many_split_off_at_once_is_split_off_once() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let ani = desk.requester(ANI).await;
    let old = ani.create(own("Printer")).await.unwrap().name;
    let reply = ani.reply(&old, "And the fax").await.unwrap().name;
    let replies = [reply.as_str()];
    let results = join_all((0..16).map(|_| split(&agent, &old, &replies, titled("Fax")))).await;
    let (done, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    let reasons: BTreeSet<_> = refused.into_iter().map(|result| reason(result).as_reason()).collect();
    assert_eq!(reasons, BTreeSet::from(["SPLIT_REFUSED"]));
    assert_eq!(agent.list("").await.unwrap().len(), 2);
}
