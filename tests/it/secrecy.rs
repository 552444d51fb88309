//! What requesters do not learn, whichever way they ask.

use loket::v1::{
    ClaimNextTicketRequest, CreateReplyRequest, CreateTicketRequest, ErrorReason, ExplainTransitionsRequest,
    GetHelpdeskRequest, ListChangesRequest, ListHelpdesksRequest, ListTicketsRequest, RegisterRequesterRequest, Reply,
    ReplyKind, Requester, Ticket, UpdateTicketRequest,
};
use uuid::Uuid;

use super::database;
use crate::support::tail::{Tail, behind, narrow, snapshot};
use crate::support::{Caller, Desk, RICH, SIMPLE, fields, own, reason};

/// Nobody can tell any more for whom the values of a field were that is gone.
#[tokio::test]
async fn a_field_that_was_for_the_staff_stays_hidden_when_the_definition_has_forgotten_it() {
    let desk = Desk::of(database(), RICH).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Mine")).await.unwrap();
    let mut tail = Tail::open(narrow(&ani, 1 << 20).await, snapshot(&ani, "")).await.unwrap();
    tail.snapshot().await;
    let token = tail.seen.token.clone();
    drop(tail);
    let set = |risk: &str, amount: &str| Ticket {
        name: ticket.name.clone(),
        fields: fields([("risk", risk), ("amount", amount)]),
        ..Ticket::default()
    };
    agent.update(set("A secret", "7"), &["fields.risk", "fields.amount"]).await.unwrap();
    agent.update(set("", "8"), &["fields.risk", "fields.amount"]).await.unwrap();
    desk.redefine(|helpdesk| helpdesk.fields.retain(|field| field.id != "risk")).await.unwrap();
    agent.update(set("", "9"), &["fields.amount"]).await.unwrap();

    let history = format!("{:?}", ani.changes(&ticket.name).await.unwrap());
    assert!(history.contains("fields.amount"));
    assert!(!history.contains("secret") && !history.contains("risk"), "{history}");
    assert!(format!("{:?}", agent.changes(&ticket.name).await.unwrap()).contains("A secret"));
    // Nor after a resume from before.
    let mut tail = Tail::open(narrow(&ani, 1 << 20).await, behind(&ani, "", &token)).await.unwrap();
    tail.until(desk.head().await).await;
    let events = format!("{:?}", tail.seen.events);
    assert!(events.contains("fields.amount"));
    assert!(!events.contains("secret") && !events.contains("risk"), "{events}");
}

#[tokio::test]
async fn nothing_tells_that_there_are_fields_for_the_staff() {
    // A field that only the staff know is required where a requester leads, and is named in expressions.
    let yaml = RICH
        .replace(
            "{id: risk, type: FIELD_TYPE_TEXT, staff_only: true}",
            "{id: risk, type: FIELD_TYPE_TEXT, staff_only: true, required_when: ticket.status == 'closed'}",
        )
        .replace("- {when: ticket.channel == 'phone', priority: high}", "- {when: ticket.fields.risk != '', queue: pay}")
        .replace(
            "roles: [ROLE_REQUESTER, ROLE_SUPERVISOR]}",
            "roles: [ROLE_REQUESTER, ROLE_SUPERVISOR], guards: [{expression: ticket.fields.risk != 'high', message: Not this one.}]}",
        );
    let desk = Desk::of(database(), &yaml).await;
    let ani = desk.requester("ani@example.com").await;
    let ticket = ani.create(own("Mine")).await.unwrap();

    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    let seen = ani.get_helpdesk(get.clone()).await.unwrap();
    let listed = ani.list_helpdesks(ListHelpdesksRequest::default()).await.unwrap().helpdesks;
    assert_eq!(listed.as_slice(), std::slice::from_ref(&seen));
    assert_eq!((seen.fields.len(), seen.routing.len()), (8, 2));
    let guard = &seen.transitions.iter().find(|transition| transition.id == "give_up").unwrap().guards[0];
    assert_eq!((guard.expression.as_str(), guard.message.as_str()), ("", "Not this one."));
    let staffs = desk.agent("budi").await.get_helpdesk(get).await.unwrap();
    assert_eq!((staffs.fields.len(), staffs.routing.len()), (9, 3));

    let explain = ExplainTransitionsRequest { name: ticket.name.clone(), ..ExplainTransitionsRequest::default() };
    let explained = ani.explain_transitions(explain).await.unwrap();
    let give_up = explained.transitions.iter().find(|transition| transition.transition == "give_up").unwrap();
    assert!(!give_up.allowed && give_up.missing_fields.is_empty(), "{give_up:?}");
    let refused = ani.transition(&ticket.name, "give_up").await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::TransitionRefused));
    assert!(!refused.violations().is_empty());
    for told in [format!("{refused:?}"), format!("{explained:?}"), format!("{seen:?}")] {
        assert!(!told.contains("risk"), "{told}");
    }
    // The staff are told what is missing.
    let staffs = desk.supervisor("citra").await.transition(&ticket.name, "give_up").await.unwrap_err();
    assert!(format!("{staffs:?}").contains("fields.risk"), "{staffs:?}");
}

/// Watches begin under one definition and go on under the next.
#[tokio::test]
async fn a_field_that_becomes_the_staffs_is_hidden_from_then_on() {
    let desk = Desk::of(database(), RICH).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(Ticket { fields: fields([("amount", "7")]), ..own("Mine") }).await.unwrap();
    desk.redefine(|helpdesk| {
        helpdesk.fields.iter_mut().find(|field| field.id == "amount").unwrap().staff_only = true;
    })
    .await
    .unwrap();
    let mut set = Ticket { name: ticket.name.clone(), ..Ticket::default() };
    set.fields = fields([("amount", "1234567")]);
    agent.update(set, &["fields.amount"]).await.unwrap();
    assert!(ani.get(&ticket.name).await.unwrap().fields.is_empty());
    assert!(ani.list("").await.unwrap()[0].fields.is_empty());
    assert!(!format!("{:?}", ani.changes(&ticket.name).await.unwrap()).contains("amount"));
    assert_eq!(reason(ani.list("fields.amount = 1234567").await), ErrorReason::InvalidFilter);
}

/// Neither empty places in pages nor tokens tell of what is not shown.
#[tokio::test]
async fn pages_tell_nothing_of_what_is_left_out() {
    let desk = Desk::of(database(), RICH).await;
    for id in ["alpha", "omega"] {
        desk.admin().open(id, SIMPLE).await;
    }
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let listed =
        ani.list_helpdesks(ListHelpdesksRequest { page_size: 1, ..ListHelpdesksRequest::default() }).await.unwrap();
    let names: Vec<_> = listed.helpdesks.iter().map(|helpdesk| helpdesk.name.as_str()).collect();
    assert_eq!((names.as_slice(), listed.next_page_token.as_str()), (["helpdesks/desk"].as_slice(), ""));
    let listed = desk.admin().list_helpdesks(ListHelpdesksRequest { page_size: 2, ..ListHelpdesksRequest::default() });
    assert_ne!(listed.await.unwrap().next_page_token, "");

    let ticket = ani.create(own("Mine")).await.unwrap();
    for _ in 0..60 {
        agent.note(&ticket.name, "Not for Ani").await.unwrap();
    }
    ani.reply(&ticket.name, "Hello?").await.unwrap();
    agent.note(&ticket.name, "Not for Ani").await.unwrap();
    let request = ListChangesRequest { parent: ticket.name.clone(), page_size: 1, ..ListChangesRequest::default() };
    let first = ani.list_changes(request.clone()).await.unwrap();
    assert_eq!(first.changes[0].command, "CreateTicket");
    let second = ListChangesRequest { page_token: first.next_page_token, ..request };
    let second = ani.list_changes(second).await.unwrap();
    assert_eq!((second.changes[0].command.as_str(), second.next_page_token.as_str()), ("CreateReply", ""));
}

/// A requester who orders by a queue's places is shown its own tickets, and no token has a place of another's.
#[tokio::test]
async fn a_queue_in_its_order_holds_a_requesters_own_tickets() {
    let desk = Desk::of(database(), RICH).await;
    let (ani, bela) = (desk.requester("ani@example.com").await, desk.requester("bela@example.com").await);
    let mut mine = Vec::new();
    for number in 0..3 {
        bela.create(own(&format!("Bela's {number}"))).await.unwrap();
        mine.push(ani.create(own(&format!("Ani's {number}"))).await.unwrap().name);
    }
    let queue = ani.get(&mine[0]).await.unwrap().queue;
    let mut request = ListTicketsRequest {
        parent: "helpdesks/desk".to_owned(),
        filter: format!("queue = {queue}"),
        order_by: "queue_order".to_owned(),
        page_size: 2,
        ..ListTicketsRequest::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = ani.list_tickets(request.clone()).await.unwrap();
        listed.extend(page.tickets.into_iter().map(|ticket| ticket.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, mine);
}

/// One subject may have keys of several roles: what it did in one is not told again in another.
#[tokio::test]
async fn a_request_id_of_another_role_tells_nothing() {
    const BOTH: &str = "both@example.com";
    let desk = Desk::of(database(), RICH).await;
    let (agent, requester) = (desk.agent(BOTH).await, desk.requester(BOTH).await);
    let id = || Uuid::new_v4().to_string();
    let parent = "helpdesks/desk".to_owned();

    let ticket = Some(Ticket { requester: "ani@example.com".to_owned(), ..own("Hers") });
    let create =
        CreateTicketRequest { parent: parent.clone(), ticket, request_id: id(), ..CreateTicketRequest::default() };
    let hers = agent.create_ticket(create.clone()).await.unwrap();
    assert_eq!(reason(requester.create_ticket(create).await), ErrorReason::InvalidRequest);

    let name = format!("helpdesks/desk/queues/{}", hers.queue);
    let claim = ClaimNextTicketRequest { name, request_id: id(), ..ClaimNextTicketRequest::default() };
    agent.claim_next_ticket(claim.clone()).await.unwrap();
    assert_eq!(reason(requester.claim_next_ticket(claim).await), ErrorReason::RoleNotAllowed);

    let mine = requester.create(own("Mine")).await.unwrap();
    let note = Reply { kind: ReplyKind::Note.into(), body: "For the staff".to_owned(), ..Reply::default() };
    let note = CreateReplyRequest {
        parent: mine.name.clone(),
        reply: Some(note),
        request_id: id(),
        ..CreateReplyRequest::default()
    };
    agent.create_reply(note.clone()).await.unwrap();
    assert_eq!(reason(requester.create_reply(note).await), ErrorReason::RoleNotAllowed);

    let hers = Some(Requester { email: "ani@example.com".to_owned(), ..Requester::default() });
    let register =
        RegisterRequesterRequest { parent, requester: hers, request_id: id(), ..RegisterRequesterRequest::default() };
    agent.register_requester(register.clone()).await.unwrap();
    assert_eq!(reason(requester.register_requester(register).await), ErrorReason::InvalidRequest);

    // What it sees in both is told in both.
    let update = UpdateTicketRequest {
        ticket: Some(Ticket { name: mine.name, tags: vec!["late".to_owned()], ..Ticket::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["tags".to_owned()] }),
        reason: "She is always late".to_owned(),
        request_id: id(),
        ..UpdateTicketRequest::default()
    };
    let done = agent.update_ticket(update.clone()).await.unwrap();
    assert_eq!(requester.update_ticket(update).await.unwrap().revision, done.revision);
    // And why the staff did it is not.
    let history = format!("{:?}", requester.changes(&done.name).await.unwrap());
    assert!(history.contains("tags") && !history.contains("always late"), "{history}");
}

#[tokio::test]
async fn what_only_the_staff_see_is_not_explained_to_a_requester_who_may_not_do_it() {
    let yaml = RICH.replace(
        "roles: [ROLE_REQUESTER, ROLE_SUPERVISOR]}",
        "roles: [ROLE_SUPERVISOR], guards: [{expression: ticket.fields.risk == 'high', message: Only the risky ones.}]}",
    );
    let desk = Desk::of(database(), &yaml).await;
    let (ani, supervisor) = (desk.requester("ani@example.com").await, desk.supervisor("citra").await);
    let ticket = ani.create(own("Mine")).await.unwrap();
    let explain = ExplainTransitionsRequest { name: ticket.name.clone(), ..ExplainTransitionsRequest::default() };
    for (caller, guards) in [(&ani, 0), (&supervisor, 1)] {
        let explained = caller.explain_transitions(explain.clone()).await.unwrap().transitions;
        let give_up = explained.iter().find(|transition| transition.transition == "give_up").unwrap();
        assert_eq!((give_up.allowed, give_up.guards.len()), (false, guards), "{give_up:?}");
    }
    let refused = ani.transition(&ticket.name, "give_up").await.unwrap_err();
    assert!(!format!("{refused:?}").contains("risky"), "{refused:?}");
}

#[tokio::test]
async fn what_is_required_does_not_tell_a_requester_what_only_the_staff_see() {
    // One field that all see is required for what the staff write down, and one that they do not see by what they do.
    let yaml = RICH.replace("roles: [ROLE_REQUESTER, ROLE_SUPERVISOR]}", "roles: [ROLE_SUPERVISOR]}").replace(
        "{id: risk, type: FIELD_TYPE_TEXT, staff_only: true}",
        "{id: risk, type: FIELD_TYPE_TEXT, staff_only: true}
- {id: proof, type: FIELD_TYPE_TEXT, required_when: ticket.status == 'closed' && ticket.fields.risk == 'high'}
- {id: check, type: FIELD_TYPE_TEXT, staff_only: true, required_when: ticket.status == 'closed' && ticket.channel == ''}
- {id: reason, type: FIELD_TYPE_TEXT, required_when: ticket.status == 'closed'}",
    );
    let desk = Desk::of(database(), &yaml).await;
    let (ani, supervisor) = (desk.requester("ani@example.com").await, desk.supervisor("citra").await);
    let ticket = ani.create(own("Mine")).await.unwrap();
    let explain = ExplainTransitionsRequest { name: ticket.name.clone(), ..ExplainTransitionsRequest::default() };
    let explained = async |caller: &Caller| {
        let explained = caller.explain_transitions(explain.clone()).await.unwrap().transitions;
        explained.into_iter().find(|transition| transition.transition == "give_up").unwrap()
    };
    let (before, refused) = (explained(&ani).await, ani.transition(&ticket.name, "give_up").await.unwrap_err());
    assert_eq!(before.missing_fields, ["reason"]);
    let told = Ticket {
        name: ticket.name.clone(),
        fields: fields([("risk", "high"), ("check", "done")]),
        ..Ticket::default()
    };
    supervisor.update(told, &["fields.risk", "fields.check"]).await.unwrap();
    assert_eq!(explained(&supervisor).await.missing_fields, ["proof", "reason"]);
    assert_eq!(explained(&ani).await, before);
    let refused_then = ani.transition(&ticket.name, "give_up").await.unwrap_err();
    assert_eq!(refused_then.violations(), refused.violations());
}
