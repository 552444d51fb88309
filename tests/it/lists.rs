//! Lists: pages, tokens, orders and filters.

use std::collections::BTreeSet;
use std::time::Duration;

use loket::v1::{
    ErrorReason, ListChangesRequest, ListHelpdesksRequest, ListQueuesRequest, ListRepliesRequest, ListTicketsRequest,
    ListTicketsResponse, Ticket, TicketView,
};

use super::database;
use crate::support::{Caller, Desk, RICH, SIMPLE, draft, fields, reason};

fn request(filter: &str, order_by: &str) -> ListTicketsRequest {
    ListTicketsRequest {
        parent: "helpdesks/desk".to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        ..ListTicketsRequest::default()
    }
}

/// Pages until there is no more, with the sizes of the pages.
async fn pages(caller: &Caller, mut request: ListTicketsRequest) -> (Vec<Ticket>, Vec<usize>) {
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let ListTicketsResponse { tickets, next_page_token, .. } = caller.list_tickets(request.clone()).await.unwrap();
        sizes.push(tickets.len());
        all.extend(tickets);
        if next_page_token.is_empty() {
            return (all, sizes);
        }
        request.page_token = next_page_token;
    }
}

/// Sixty tickets of every sort.
async fn sixty(desk: &Desk) -> (Caller, Vec<Ticket>) {
    let agent = desk.agent("budi").await;
    for n in 0..60_u64 {
        let mut all = fields([("amount", &(n % 7).to_string())]);
        for (id, value, on) in [
            ("product", "app", n % 4 == 1),
            ("area", ["pay", "pay/card", "ship"][n as usize % 3], n % 5 > 1),
            ("due", &format!("2026-03-{:02}", n % 28 + 1), n % 2 == 0),
            ("gift", "true", n % 6 == 0),
            ("risk", "low \"and\" high", n % 10 == 0),
        ] {
            if on {
                all.insert(id.to_owned(), value.to_owned());
            }
        }
        let ticket = Ticket {
            requester: format!("r{}@example.com", n % 5),
            priority: ["", "high", "low"][n as usize % 3].to_owned(),
            fields: all,
            tags: (0..n % 3).map(|tag| format!("tag{tag}")).collect(),
            ..draft(&format!("Printer {n} {}", ["on fire", "100%_off", "Überhitzt"][n as usize % 3]))
        };
        let name = agent.create(ticket).await.unwrap().name;
        match n % 8 {
            1 => drop(agent.claim(&name).await.unwrap()),
            2 => drop(agent.reply(&name, "How hot?").await.unwrap()),
            3 => drop(desk.admin().transition(&name, "start").await.unwrap()),
            _ => {}
        }
        desk.clock.advance(Duration::from_secs(n % 3));
    }
    let all = agent.list("").await.unwrap();
    assert_eq!(all.len(), 60);
    (agent, all)
}

fn field(ticket: &Ticket, id: &str) -> String {
    ticket.fields.get(id).cloned().unwrap_or_default()
}

fn number(ticket: &Ticket) -> i64 {
    field(ticket, "amount").parse().unwrap()
}

fn names(tickets: &[Ticket]) -> Vec<&str> {
    tickets.iter().map(|ticket| ticket.name.as_str()).collect()
}

#[tokio::test]
async fn the_pages_of_every_order_are_the_whole() {
    let desk = Desk::of(database(), RICH).await;
    let (agent, all) = sixty(&desk).await;
    let waiting =
        |ticket: &&Ticket| ticket.queue == "first" && ticket.assignee.is_empty() && ticket.status != "waiting";
    let mut line: Vec<_> = all.iter().filter(waiting).cloned().collect();
    line.sort_by_key(|ticket| {
        let time = ticket.queue_time.unwrap();
        (["high", "normal", "low"].iter().position(|id| *id == ticket.priority), time.seconds, time.nanos)
    });
    let mut reverse = all.clone();
    reverse.reverse();
    for (order, filter, expected) in [
        ("", "", &all),
        ("create_time", "", &all),
        ("create_time desc", "", &reverse),
        ("queue_order", "queue = first", &line),
    ] {
        for page_size in [1, 7, 20, 60, 0, 5_000] {
            let (listed, sizes) = pages(&agent, ListTicketsRequest { page_size, ..request(filter, order) }).await;
            assert_eq!(names(&listed), names(expected), "{order:?} by {page_size}");
            let most = if page_size == 0 { 50 } else { page_size as usize };
            assert!(sizes.iter().all(|size| *size <= most), "{order:?} by {page_size}: {sizes:?}");
            assert!(sizes.len() <= expected.len() / most + 1, "{order:?} by {page_size}: {sizes:?}");
        }
    }
}

type Side = Box<dyn Fn(&Ticket) -> bool>;

#[tokio::test]
async fn a_filter_means_the_same_as_on_this_side() {
    let desk = Desk::of(database(), RICH).await;
    let (agent, all) = sixty(&desk).await;
    let middle = all[30].create_time.unwrap();
    let later = move |time: prost_types::Timestamp| (time.seconds, time.nanos) > (middle.seconds, middle.nanos);
    let same: Vec<(String, Side)> = vec![
        ("status = new".into(), Box::new(|ticket| ticket.status == "new")),
        ("status != new".into(), Box::new(|ticket| ticket.status != "new")),
        ("state = STATE_ACTIVE OR state = WAITING".into(), Box::new(|ticket| [2, 3].contains(&ticket.state))),
        ("priority = \"\"".into(), Box::new(|ticket| ticket.priority.is_empty())),
        (
            "priority = high AND status = new".into(),
            Box::new(|ticket| ticket.priority == "high" && ticket.status == "new"),
        ),
        (
            "NOT (priority = high OR status = new)".into(),
            Box::new(|ticket| ticket.priority != "high" && ticket.status != "new"),
        ),
        ("assignee:*".into(), Box::new(|ticket| !ticket.assignee.is_empty())),
        ("-assignee:*".into(), Box::new(|ticket| ticket.assignee.is_empty())),
        ("assignee = budi".into(), Box::new(|ticket| ticket.assignee == "budi")),
        ("requester = r1@example.com".into(), Box::new(|ticket| ticket.requester == "r1@example.com")),
        (
            "requester = r1@example.com AND priority = low".into(),
            Box::new(|ticket| ticket.requester == "r1@example.com" && ticket.priority == "low"),
        ),
        // As in AIP-160, OR binds tighter than AND.
        (
            "requester = r1@example.com OR requester = r2@example.com AND status = new".into(),
            Box::new(|ticket| {
                ["r1@example.com", "r2@example.com"].contains(&&*ticket.requester) && ticket.status == "new"
            }),
        ),
        ("number = T-00007".into(), Box::new(|ticket| ticket.number == "T-00007")),
        ("subject:\"100%_off\"".into(), Box::new(|ticket| ticket.subject.contains("100%_off"))),
        ("subject:\"_\"".into(), Box::new(|ticket| ticket.subject.contains('_'))),
        ("subject:\"überhitzt\"".into(), Box::new(|ticket| ticket.subject.contains("überhitzt"))),
        ("subject:Überhitzt".into(), Box::new(|ticket| ticket.subject.contains("Überhitzt"))),
        ("tags:tag1".into(), Box::new(|ticket| ticket.tags.iter().any(|tag| tag == "tag1"))),
        ("NOT tags:*".into(), Box::new(|ticket| ticket.tags.is_empty())),
        ("fields.product = app".into(), Box::new(move |ticket| field(ticket, "product") == "app")),
        ("fields.product != app".into(), Box::new(move |ticket| field(ticket, "product") != "app")),
        ("fields.product = \"\"".into(), Box::new(move |ticket| field(ticket, "product").is_empty())),
        ("fields.area:pay".into(), Box::new(move |ticket| field(ticket, "area").starts_with("pay"))),
        ("fields.area = pay".into(), Box::new(move |ticket| field(ticket, "area") == "pay")),
        ("fields.amount >= 5".into(), Box::new(move |ticket| number(ticket) >= 5)),
        ("fields.amount < 10 AND fields.amount != 3".into(), Box::new(move |ticket| number(ticket) != 3)),
        ("fields.due > \"2026-03-14\"".into(), Box::new(move |ticket| field(ticket, "due").as_str() > "2026-03-14")),
        ("fields.gift = true".into(), Box::new(move |ticket| field(ticket, "gift") == "true")),
        (
            "fields.risk = \"low \\\"and\\\" high\"".into(),
            Box::new(move |ticket| field(ticket, "risk").contains("and")),
        ),
        ("fields.risk:\"and\"".into(), Box::new(move |ticket| field(ticket, "risk").contains("and"))),
        (format!("create_time > \"{middle}\""), Box::new(move |ticket| later(ticket.create_time.unwrap()))),
        (
            format!("first_reply_time <= \"{middle}\""),
            Box::new(move |ticket| ticket.first_reply_time.is_some_and(|time| !later(time))),
        ),
        (
            format!("NOT first_reply_time > \"{middle}\""),
            Box::new(move |ticket| !ticket.first_reply_time.is_some_and(later)),
        ),
        ("first_reply_time:*".into(), Box::new(|ticket| ticket.first_reply_time.is_some())),
    ];
    for (filter, holds) in same {
        let expected: Vec<_> = all.iter().filter(|ticket| holds(ticket)).map(|ticket| ticket.name.as_str()).collect();
        assert_eq!(names(&agent.list(&filter).await.unwrap()), expected, "{filter}");
        // Paged, and from the end, it is the same.
        let (paged, _) =
            pages(&agent, ListTicketsRequest { page_size: 3, ..request(&filter, "create_time desc") }).await;
        assert_eq!(names(&paged).into_iter().rev().collect::<Vec<_>>(), expected, "{filter}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_the_request_it_came_from() {
    let desk = Desk::of(database(), RICH).await;
    desk.admin().open("other", SIMPLE).await;
    let (agent, all) = sixty(&desk).await;
    let first = ListTicketsRequest { page_size: 5, ..request("status = new", "") };
    let page_token = agent.list_tickets(first.clone()).await.unwrap().next_page_token;
    let with = |change: fn(&mut ListTicketsRequest)| {
        let mut request = ListTicketsRequest { page_token: page_token.clone(), ..first.clone() };
        change(&mut request);
        request
    };
    let bad = ErrorReason::InvalidPageToken;
    assert_eq!(reason(agent.list_tickets(with(|request| request.filter = "status = open".to_owned())).await), bad);
    assert_eq!(reason(agent.list_tickets(with(|request| request.filter.clear())).await), bad);
    assert_eq!(reason(agent.list_tickets(with(|request| request.order_by = "create_time desc".to_owned())).await), bad);
    assert_eq!(
        reason(desk.admin().list_tickets(with(|request| request.parent = "helpdesks/other".to_owned())).await),
        bad
    );
    assert_eq!(reason(desk.admin().list_tickets(with(|_| ())).await), bad, "another caller");
    assert_eq!(reason(agent.list_tickets(with(|request| request.page_token.push('0'))).await), bad);
    let queues = ListQueuesRequest {
        parent: agent.parent.clone(),
        page_token: page_token.clone(),
        ..ListQueuesRequest::default()
    };
    assert_eq!(reason(agent.list_queues(queues).await), bad);
    let replies = ListRepliesRequest {
        parent: all[0].name.clone(),
        page_token: page_token.clone(),
        ..ListRepliesRequest::default()
    };
    assert_eq!(reason(agent.list_replies(replies).await), bad);
    let changes = ListChangesRequest {
        parent: all[0].name.clone(),
        page_token: page_token.clone(),
        ..ListChangesRequest::default()
    };
    assert_eq!(reason(agent.list_changes(changes).await), bad);
    let helpdesks = ListHelpdesksRequest { page_token: page_token.clone(), ..ListHelpdesksRequest::default() };
    assert_eq!(reason(agent.list_helpdesks(helpdesks).await), bad);
    // The size of the page and the view may change.
    agent.list_tickets(with(|request| request.page_size = 9)).await.unwrap();
    agent.list_tickets(with(|request| request.view = TicketView::Full.into())).await.unwrap();
}

#[tokio::test]
async fn the_body_is_in_the_full_view_only() {
    let desk = Desk::open(database()).await;
    desk.admin().create(draft("Printer")).await.unwrap();
    for (view, body) in [(TicketView::Unspecified, ""), (TicketView::Basic, ""), (TicketView::Full, "The whole story.")]
    {
        let listed =
            desk.admin().list_tickets(ListTicketsRequest { view: view.into(), ..request("", "") }).await.unwrap();
        assert_eq!(listed.tickets[0].body, body, "{view:?}");
    }
}

#[tokio::test]
async fn the_other_lists_page_too() {
    let desk = Desk::of(database(), RICH).await;
    for id in ["b", "c", "d"] {
        desk.admin().open(id, SIMPLE).await;
    }
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap().name;
    for body in ["One", "Two", "Three"] {
        agent.note(&ticket, body).await.unwrap();
    }
    macro_rules! paged {
        ($caller:expr, $call:ident, $request:expr, $items:ident, $item:expr) => {{
            let mut request = $request;
            request.page_size = 2;
            let (mut all, mut pages) = (Vec::new(), 0);
            loop {
                let page = $caller.$call(request.clone()).await.unwrap();
                all.extend(page.$items.into_iter().map($item));
                pages += 1;
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            assert!(pages >= 2);
            all
        }};
    }
    let replies = ListRepliesRequest { parent: ticket.clone(), ..ListRepliesRequest::default() };
    assert_eq!(paged!(agent, list_replies, replies, replies, |reply| reply.body), ["One", "Two", "Three"]);
    let changes = ListChangesRequest { parent: ticket, ..ListChangesRequest::default() };
    assert_eq!(paged!(agent, list_changes, changes, changes, |change| change.revision), [1, 2, 3, 4]);
    let queues = ListQueuesRequest { parent: agent.parent.clone(), ..ListQueuesRequest::default() };
    let listed: Vec<String> = paged!(agent, list_queues, queues, queues, |queue| queue.name);
    assert_eq!(listed, ["first", "web", "pay"].map(|id| format!("helpdesks/desk/queues/{id}")));
    let helpdesks = ListHelpdesksRequest::default();
    let listed: Vec<String> = paged!(desk.admin(), list_helpdesks, helpdesks, helpdesks, |helpdesk| helpdesk.name);
    assert_eq!(listed, ["b", "c", "d", "desk"].map(|id| format!("helpdesks/{id}")));
}

#[tokio::test]
async fn a_page_examines_so_many_and_goes_on_behind_them() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let subject = |n: usize| if n == 10_100 { "The needle".to_owned() } else { format!("Hay {n}") };
    agent.fill((0..10_200).map(|n| draft(&subject(n)))).await;
    for (filter, order, sizes) in [
        ("subject = \"The needle\"", "", vec![0, 1]),
        ("subject = \"The needle\"", "create_time desc", vec![1, 0]),
        ("queue = first AND subject = \"The needle\"", "queue_order", vec![0, 1]),
        ("subject = \"None\"", "", vec![0, 0]),
    ] {
        let (found, pages) = pages(&agent, request(filter, order)).await;
        assert_eq!(found.len(), sizes.iter().sum::<usize>(), "{filter} {order}");
        assert_eq!(pages, sizes, "{filter} {order}");
    }
    // What an index leads to is found at once.
    let (found, sizes) = pages(&agent, request("number = T-10101", "")).await;
    assert_eq!((found[0].subject.as_str(), sizes), ("The needle", vec![1]));
    // Each once, over all pages.
    let (all, _) = pages(&agent, ListTicketsRequest { page_size: 1_000, ..request("", "create_time desc") }).await;
    assert_eq!(all.iter().map(|ticket| &ticket.name).collect::<BTreeSet<_>>().len(), 10_200);
}

#[tokio::test]
async fn a_read_of_ones_own_write_waits_for_it() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let waiting = tokio::spawn({
        let agent = agent.clone();
        async move { agent.list_tickets(ListTicketsRequest { min_revision: 2, ..request("", "") }).await }
    });
    for subject in ["One", "Two"] {
        agent.create(draft(subject)).await.unwrap();
    }
    let listed = waiting.await.unwrap().unwrap();
    assert!(listed.revision >= 2);
    assert_eq!(listed.tickets.len(), 2);
}
