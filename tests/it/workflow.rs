//! How tickets move, and how their rules change.

use std::collections::BTreeMap;
use std::time::Duration;

use insta::assert_snapshot;
use loket::v1::{
    AssignTicketRequest, CreateReplyRequest, ErrorReason, ExplainTransitionsRequest, FieldChoice, GetQueueRequest,
    Helpdesk, ListTicketsRequest, LookupTicketRequest, OrderingKey, Reply, ReplyKind, State, Ticket,
    TransferTicketRequest, TransitionTicketRequest, UpdateHelpdeskRequest, WaitsOn,
};
use loket_client::Error;
use proptest::prelude::*;
use prost_types::FieldMask;

use super::database;
use crate::support::{Caller, Desk, RICH, draft, fields, own, reason, told};

async fn desk() -> Desk {
    Desk::of(database(), RICH).await
}

async fn say(caller: &Caller, ticket: &str, transition: &str, solution: &str) -> Result<Reply, Error> {
    caller
        .create_reply(CreateReplyRequest {
            parent: ticket.to_owned(),
            reply: Some(Reply { body: "Done".to_owned(), solution: solution.to_owned(), ..Reply::default() }),
            transition: transition.to_owned(),
            ..CreateReplyRequest::default()
        })
        .await
}

async fn depth(desk: &Desk, queue: &str) -> i64 {
    let name = format!("helpdesks/desk/queues/{queue}");
    desk.admin().get_queue(GetQueueRequest { name, ..GetQueueRequest::default() }).await.unwrap().depth
}

/// The subjects of those that wait in a queue, in the order in which it is worked.
async fn line(caller: &Caller, queue: &str) -> Vec<String> {
    let request = ListTicketsRequest {
        parent: caller.parent.clone(),
        filter: format!("queue = {queue}"),
        order_by: "queue_order".to_owned(),
        ..ListTicketsRequest::default()
    };
    let page = caller.list_tickets(request).await.unwrap();
    page.tickets.into_iter().map(|ticket| ticket.subject).collect()
}

#[tokio::test]
async fn replies_move_a_ticket_to_and_fro_and_a_note_does_not() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    let agent = desk.agent("budi").await;
    let ticket = ani.create(own("Printer")).await.unwrap().name;
    let status = async || agent.get(&ticket).await.unwrap().status;
    agent.note(&ticket, "Looks hot").await.unwrap();
    assert_eq!(status().await, "new");
    // The requester's own reply sets nothing off in this status.
    ani.reply(&ticket, "Hello?").await.unwrap();
    assert_eq!(status().await, "new");
    agent.reply(&ticket, "How hot?").await.unwrap();
    assert_eq!(status().await, "waiting");
    ani.reply(&ticket, "Very").await.unwrap();
    assert_eq!(status().await, "open");
    let taken: Vec<_> = agent.changes(&ticket).await.unwrap().into_iter().map(|change| change.transition).collect();
    assert_eq!(taken, ["", "", "", "answer", "answered_back"]);
    let ids: Vec<_> = agent.replies(&ticket).await.unwrap().into_iter().map(|reply| reply.name).collect();
    assert_eq!(ids, (1..=4).map(|id| format!("{ticket}/replies/{id}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_status_warns_a_requester_or_refuses_its_reply() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    let supervisor = desk.supervisor("citra").await;
    let ticket = ani.create(Ticket { ..own("Printer") }).await.unwrap().name;
    supervisor
        .update(
            Ticket { name: ticket.clone(), fields: fields([("cause", "heat")]), ..Ticket::default() },
            &["fields.cause"],
        )
        .await
        .unwrap();
    supervisor.transition(&ticket, "start").await.unwrap();
    say(&supervisor, &ticket, "solve", "Water").await.unwrap();
    let warned = ani.reply(&ticket, "It burns again").await.unwrap();
    assert_eq!(warned.warning, "It is solved; a reply opens it again.");
    assert_eq!(ani.get(&ticket).await.unwrap().state(), State::Active);

    say(&supervisor, &ticket, "solve", "More water").await.unwrap();
    supervisor.transition(&ticket, "close").await.unwrap();
    let before = desk.head().await;
    let refused = ani.reply(&ticket, "And again").await.unwrap_err();
    assert_eq!(refused.metadata()["status"], "closed");
    assert_snapshot!(told::<()>(Err(refused)), @r"
    FailedPrecondition REPLY_REFUSED
    helpdesks/desk/tickets/1 takes no reply in the status closed: It is closed; file a new ticket.
    ");
    assert_eq!(desk.head().await, before);
    // The policy is for requesters.
    assert_eq!(supervisor.reply(&ticket, "Bye").await.unwrap().warning, "");
}

#[tokio::test]
async fn a_reply_with_a_solution_and_a_transition_is_one_commit() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(Ticket { fields: fields([("cause", "heat")]), ..draft("Printer") }).await.unwrap().name;
    agent.transition(&ticket, "start").await.unwrap();
    let before = desk.head().await;
    // The reply itself is what the guard asks for.
    let reply = say(&agent, &ticket, "solve", "Water").await.unwrap();
    let after = agent.get(&ticket).await.unwrap();
    assert_eq!((after.status.as_str(), after.solution.as_str()), ("solved", "Water"));
    assert_eq!((reply.revision, after.revision, desk.head().await), (before + 1, before + 1, before + 1));
    let change = agent.changes(&ticket).await.unwrap().pop().unwrap();
    assert_eq!((change.command.as_str(), change.transition.as_str()), ("CreateReply", "solve"));
    assert_eq!(change.reply.unwrap().body, "Done");
}

#[tokio::test]
async fn a_transition_sets_its_fields_before_its_guards_are_looked_at() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap().name;
    agent.reply(&ticket, "How hot?").await.unwrap();
    let solve = TransitionTicketRequest {
        name: ticket.clone(),
        transition: "solve".to_owned(),
        fields: fields([("cause", "heat"), ("amount", "3")]),
        solution: "Water".to_owned(),
        comment: "Told by phone".to_owned(),
        ..TransitionTicketRequest::default()
    };
    let solved = agent.transition_ticket(solve).await.unwrap();
    assert_eq!(
        (solved.state(), solved.fields["cause"].as_str(), solved.solution.as_str()),
        (State::Solved, "heat", "Water")
    );
    let change = agent.changes(&ticket).await.unwrap().pop().unwrap();
    assert_eq!(change.reason, "Told by phone");
}

#[tokio::test]
async fn closing_and_reopening_set_the_close_time() {
    let desk = desk().await;
    let supervisor = desk.supervisor("citra").await;
    let ticket = supervisor.create(draft("Printer")).await.unwrap().name;
    desk.clock.advance(Duration::from_mins(1));
    let closed = supervisor.transition(&ticket, "give_up").await.unwrap();
    assert_eq!(closed.close_time, Some(desk.clock.timestamp()));
    assert_eq!(reason(supervisor.claim(&ticket).await), ErrorReason::TicketNotReady);
    assert_eq!(depth(&desk, "first").await, 0);
    desk.clock.advance(Duration::from_mins(1));
    let reopened = supervisor.transition(&ticket, "reopen").await.unwrap();
    assert_eq!(reopened.close_time, None);
    // It waits anew, behind those that waited already.
    assert_eq!(reopened.queue_time, Some(desk.clock.timestamp()));
    assert_eq!(reopened.receive_time, closed.receive_time);
    assert_eq!(depth(&desk, "first").await, 1);
}

#[tokio::test]
async fn explaining_tells_each_role_what_leads_on_and_why_not() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    let agent = desk.agent("budi").await;
    let ticket = ani.create(own("Printer")).await.unwrap().name;
    agent.transition(&ticket, "start").await.unwrap();
    let mut table = String::new();
    for (who, caller) in [("requester", &ani), ("agent", &agent)] {
        let request = ExplainTransitionsRequest { name: ticket.clone(), ..ExplainTransitionsRequest::default() };
        for explained in caller.explain_transitions(request).await.unwrap().transitions {
            let guards: Vec<_> = explained.guards.iter().map(|guard| (&*guard.message, guard.passed)).collect();
            table.push_str(&format!(
                "{who}: {} -> {} by {}: allowed {}, role {}, guards {guards:?}, missing {:?}\n",
                explained.transition,
                explained.to,
                explained.trigger,
                explained.allowed,
                explained.role_allowed,
                explained.missing_fields,
            ));
        }
    }
    assert_snapshot!(table, @r#"
    requester: answer -> waiting by AGENT_REPLY: allowed false, role false, guards [], missing []
    requester: solve -> solved by MANUAL: allowed false, role false, guards [("Give the solution first.", false), ("Answer the requester first.", false)], missing ["cause"]
    requester: give_up -> closed by MANUAL: allowed true, role true, guards [], missing []
    agent: answer -> waiting by AGENT_REPLY: allowed true, role true, guards [], missing []
    agent: solve -> solved by MANUAL: allowed false, role true, guards [("Give the solution first.", false), ("Answer the requester first.", false)], missing ["cause"]
    agent: give_up -> closed by MANUAL: allowed false, role false, guards [], missing []
    "#);
}

#[tokio::test]
async fn numbers_are_given_in_order_and_found() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    for n in 1..=3 {
        let ticket = agent.create(draft("Printer")).await.unwrap();
        assert_eq!(ticket.number, format!("T-{n:05}"));
        let lookup = LookupTicketRequest {
            parent: "helpdesks/desk".to_owned(),
            number: ticket.number,
            ..LookupTicketRequest::default()
        };
        assert_eq!(agent.lookup_ticket(lookup).await.unwrap().name, ticket.name);
        // A refused ticket takes none.
        assert_eq!(reason(agent.create(draft("")).await), ErrorReason::InvalidRequest);
    }
}

#[tokio::test]
async fn routing_takes_the_first_rule_and_looks_again_when_its_fields_change() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let phone = Ticket {
        channel: "phone".to_owned(),
        fields: fields([("area", "pay/card"), ("product", "web"), ("order", "1")]),
        ..draft("Phone")
    };
    let ticket = agent.create(phone).await.unwrap();
    assert_eq!((ticket.queue.as_str(), ticket.priority.as_str()), ("pay", "high"));
    desk.clock.advance(Duration::from_mins(1));
    let update =
        |value: &str| Ticket { name: ticket.name.clone(), fields: fields([("area", value)]), ..Ticket::default() };
    let moved = agent.update(update("ship"), &["fields.area"]).await.unwrap();
    assert_eq!((moved.queue.as_str(), moved.queue_time), ("web", Some(desk.clock.timestamp())));
    assert_eq!((depth(&desk, "pay").await, depth(&desk, "web").await), (0, 1));
    // What no rule looks at leaves it where it stands, and the time it has waited too.
    let waited = moved.queue_time;
    desk.clock.advance(Duration::from_mins(1));
    let kept = Ticket { name: ticket.name.clone(), fields: fields([("amount", "2")]), ..Ticket::default() };
    assert_eq!(agent.update(kept, &["fields.amount"]).await.unwrap().queue_time, waited);
    // A closed ticket is not routed.
    desk.supervisor("citra").await.transition(&ticket.name, "give_up").await.unwrap();
    assert_eq!(agent.update(update("pay"), &["fields.area"]).await.unwrap().queue, "web");
}

#[tokio::test]
async fn a_claim_takes_a_ticket_out_of_its_queue_and_a_release_puts_it_at_the_end() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    for subject in ["One", "Two", "Three"] {
        agent.create(draft(subject)).await.unwrap();
        desk.clock.advance(Duration::from_secs(1));
    }
    agent.create(Ticket { priority: "high".to_owned(), ..draft("Urgent") }).await.unwrap();
    assert_eq!(line(&agent, "first").await, ["Urgent", "One", "Two", "Three"]);
    let urgent = agent.claim_next("first").await.unwrap().unwrap();
    assert_eq!((urgent.subject.as_str(), urgent.assignee.as_str(), urgent.status.as_str()), ("Urgent", "budi", "open"));
    let one = agent.claim_next("first").await.unwrap().unwrap();
    assert_eq!(line(&agent, "first").await, ["Two", "Three"]);
    desk.clock.advance(Duration::from_secs(1));
    let released = agent.release(&one.name).await.unwrap();
    assert_eq!((released.assignee.as_str(), released.queue_time), ("", Some(desk.clock.timestamp())));
    assert_eq!(line(&agent, "first").await, ["Two", "Three", "One"]);
    assert_eq!(depth(&desk, "first").await, 3);
    // Twice is as good as once.
    assert_eq!(agent.release(&one.name).await.unwrap().revision, released.revision);
    desk.supervisor("citra").await.release(&urgent.name).await.unwrap();
    assert_eq!(line(&agent, "first").await, ["Urgent", "Two", "Three", "One"]);
}

#[tokio::test]
async fn a_new_definition_needs_the_current_etag_and_a_mask_confines_it() {
    let desk = desk().await;
    let first = desk.redefine(|_| ()).await.unwrap();
    assert_eq!((first.definition_version, desk.head().await), (1, 0));
    let second = desk.redefine(|helpdesk| helpdesk.display_name = "Second".to_owned()).await.unwrap();
    assert_eq!((second.definition_version, second.revision, desk.head().await), (2, 1, 1));
    assert_ne!(first.etag, second.etag);
    assert_eq!(
        reason(desk.redefine(|helpdesk| helpdesk.etag.clone_from(&first.etag)).await),
        ErrorReason::EtagMismatch
    );
    // The mask takes the priorities only; the rest of the message does not matter.
    let masked = UpdateHelpdeskRequest {
        helpdesk: Some(Helpdesk {
            name: "helpdesks/desk".to_owned(),
            display_name: "Not taken".to_owned(),
            priorities: second.priorities[..2].to_vec(),
            ..Helpdesk::default()
        }),
        update_mask: Some(FieldMask { paths: vec!["priorities".to_owned()] }),
        ..UpdateHelpdeskRequest::default()
    };
    let third = desk.admin().update_helpdesk(masked).await.unwrap();
    assert_eq!((third.display_name.as_str(), third.priorities.len(), third.statuses.len()), ("Second", 2, 5));
    let ticket = desk.admin().create(draft("Printer")).await.unwrap();
    let change = desk.admin().changes(&ticket.name).await.unwrap().pop().unwrap();
    assert_eq!(change.definition_version, 3);
}

#[tokio::test]
async fn what_tickets_use_is_not_taken_away_and_told_with_counts() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    for _ in 0..2 {
        let used = fields([("product", "web"), ("order", "1"), ("amount", "7")]);
        agent.create(Ticket { fields: used, priority: "low".to_owned(), ..draft("Printer") }).await.unwrap();
    }
    let removed = desk
        .redefine(|helpdesk| {
            helpdesk.statuses.retain(|status| status.id != "waiting");
            helpdesk.statuses[0].state = State::Active.into();
            helpdesk.statuses[0].waits_on = WaitsOn::Requester.into();
            helpdesk.transitions.retain(|transition| transition.to != "waiting");
            helpdesk.transitions.iter_mut().for_each(|transition| transition.from.retain(|from| from != "waiting"));
            helpdesk.fields.retain(|field| field.id != "amount");
            helpdesk.fields[0].choices.retain(|choice| choice.value != "web");
            helpdesk.fields[0].choices.push(FieldChoice { value: "tv".to_owned(), ..FieldChoice::default() });
            helpdesk.fields[2].required_when.clear();
            helpdesk.priorities.retain(|priority| priority.id != "low");
            helpdesk.queues.retain(|queue| queue.id != "web");
            helpdesk.routing.retain(|rule| rule.queue != "web");
        })
        .await;
    assert_snapshot!(told(removed), @r"
    FailedPrecondition DEFINITION_IN_USE
    the definition takes away what tickets use: the state of `new` changes from new to active while tickets stand there: retire it and add another status (2 tickets); whose turn it is in `new` changes from staff to requester while tickets stand there: retire it and add another status (2 tickets); the priority `low` is removed while tickets use it: mark it `retired` instead (2 tickets); the queue `web` is removed while tickets use it: mark it `retired` instead (2 tickets); the choice `web` is removed while tickets use it: mark it `retired` instead (2 tickets); the field `amount` is removed while tickets use it: mark it `retired` instead (2 tickets)
    - statuses[0].state: the state of `new` changes from new to active while tickets stand there: retire it and add another status (2 tickets)
    - statuses[0].waits_on: whose turn it is in `new` changes from staff to requester while tickets stand there: retire it and add another status (2 tickets)
    - priorities: the priority `low` is removed while tickets use it: mark it `retired` instead (2 tickets)
    - queues: the queue `web` is removed while tickets use it: mark it `retired` instead (2 tickets)
    - fields[0].choices: the choice `web` is removed while tickets use it: mark it `retired` instead (2 tickets)
    - fields: the field `amount` is removed while tickets use it: mark it `retired` instead (2 tickets)
    ");
    assert_eq!(desk.head().await, 2);
    // Nobody stands in `solved`: it can go.
    desk.redefine(|helpdesk| {
        helpdesk.statuses.retain(|status| status.id != "solved");
        helpdesk.fields.last_mut().unwrap().required_when.clear();
        helpdesk.transitions.retain(|transition| transition.to != "solved");
        helpdesk.transitions.iter_mut().for_each(|transition| transition.from.retain(|from| from != "solved"));
        helpdesk.transitions.retain(|transition| !transition.from.is_empty());
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn what_is_retired_stays_and_takes_nothing_new() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let old = fields([("product", "app"), ("amount", "7")]);
    let ticket = agent.create(Ticket { fields: old, priority: "low".to_owned(), ..draft("Printer") }).await.unwrap();
    agent.reply(&ticket.name, "How hot?").await.unwrap();
    desk.redefine(|helpdesk| {
        helpdesk.statuses.iter_mut().find(|status| status.id == "waiting").unwrap().retired = true;
        helpdesk.transitions.retain(|transition| transition.to != "waiting");
        helpdesk.fields[0].choices[0].retired = true;
        helpdesk.fields.iter_mut().find(|field| field.id == "amount").unwrap().retired = true;
        helpdesk.priorities[2].retired = true;
    })
    .await
    .unwrap();
    let kept = agent
        .update(
            Ticket { name: ticket.name.clone(), subject: "Still here".to_owned(), ..Ticket::default() },
            &["subject"],
        )
        .await
        .unwrap();
    assert_eq!((kept.priority.as_str(), kept.fields["product"].as_str()), ("low", "app"));
    let again = Ticket {
        fields: fields([("product", "app"), ("amount", "7")]),
        priority: "low".to_owned(),
        ..draft("Printer")
    };
    assert_snapshot!(told(agent.create(again).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - ticket.priority: the priority `low` is retired; there are: high, normal
    - ticket.fields.amount: the field `amount` is retired and takes no new values: leave it out
    - ticket.fields.product: "app" is retired: valid is `web`
    "#);
    assert_eq!(agent.transition(&ticket.name, "start").await.unwrap().status, "open");
}

#[tokio::test]
async fn a_new_order_of_a_queue_holds_for_those_that_wait_already() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    for (subject, priority) in [("One", "low"), ("Two", "high"), ("Three", "normal")] {
        agent.create(Ticket { priority: priority.to_owned(), ..draft(subject) }).await.unwrap();
        desk.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(line(&agent, "first").await, ["Two", "Three", "One"]);
    desk.redefine(|helpdesk| helpdesk.priorities.reverse()).await.unwrap();
    assert_eq!(line(&agent, "first").await, ["One", "Three", "Two"]);
    let by_time = vec![OrderingKey::ReceiveTime.into()];
    desk.redefine(|helpdesk| helpdesk.queues[0].ordering = by_time).await.unwrap();
    assert_eq!(line(&agent, "first").await, ["One", "Two", "Three"]);
    assert_eq!(depth(&desk, "first").await, 3);
    let name = "helpdesks/desk/queues/first".to_owned();
    let queue = desk.admin().get_queue(GetQueueRequest { name, ..GetQueueRequest::default() }).await.unwrap();
    assert_eq!(queue.oldest_wait_time, agent.get("helpdesks/desk/tickets/1").await.unwrap().receive_time);
}

#[tokio::test]
async fn whose_turn_it_is_does_not_change_under_tickets() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap().name;
    agent.reply(&ticket, "How hot?").await.unwrap();
    let change = |turn: WaitsOn| move |helpdesk: &mut Helpdesk| helpdesk.statuses[2].waits_on = turn.into();
    assert_snapshot!(told(desk.redefine(change(WaitsOn::Staff)).await), @r"
    FailedPrecondition DEFINITION_IN_USE
    the definition takes away what tickets use: whose turn it is in `waiting` changes from requester to staff while tickets stand there: retire it and add another status (1 ticket)
    - statuses[2].waits_on: whose turn it is in `waiting` changes from requester to staff while tickets stand there: retire it and add another status (1 ticket)
    ");
    assert_eq!(depth(&desk, "first").await, 0);
    agent.transition(&ticket, "start").await.unwrap();
    desk.redefine(change(WaitsOn::Staff)).await.unwrap();
    agent.reply(&ticket, "How hot?").await.unwrap();
    // Nobody has claimed it, and now it is the staff's turn.
    assert_eq!((line(&agent, "first").await.len(), depth(&desk, "first").await), (1, 1));
}

#[tokio::test]
async fn a_field_that_becomes_indexed_finds_the_old_tickets_too() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let with = |value: &str| Ticket { fields: fields([("amount", value)]), ..draft("Printer") };
    agent.create(with("7")).await.unwrap();
    let changed = agent.create(with("7")).await.unwrap();
    let indexed = |indexed: bool| {
        move |helpdesk: &mut Helpdesk| {
            helpdesk.fields.iter_mut().find(|field| field.id == "amount").unwrap().indexed = indexed;
        }
    };
    desk.redefine(indexed(true)).await.unwrap();
    agent.create(with("7")).await.unwrap();
    assert_eq!(agent.list("fields.amount = 7").await.unwrap().len(), 3);
    // While it is not, changes leave no trace; afterwards the index is right again.
    desk.redefine(indexed(false)).await.unwrap();
    agent.update(Ticket { name: changed.name, ..with("8") }, &["fields.amount"]).await.unwrap();
    desk.redefine(indexed(true)).await.unwrap();
    assert_eq!(agent.list("fields.amount = 7").await.unwrap().len(), 2);
    assert_eq!(agent.list("fields.amount = 8").await.unwrap().len(), 1);
}

#[tokio::test]
async fn time_never_runs_back() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let first = agent.create(draft("One")).await.unwrap();
    desk.clock.set(desk.clock.micros() - 3_600_000_000);
    let second = agent.create(draft("Two")).await.unwrap();
    assert_eq!(second.create_time, first.create_time);
}

/// What happens in the property below; `usize` chooses a ticket.
#[derive(Debug, Clone)]
enum Step {
    Create {
        requester: bool,
        fields: Vec<(&'static str, &'static str)>,
        priority: &'static str,
    },
    Update {
        who: usize,
        ticket: usize,
        fields: Vec<(&'static str, &'static str)>,
        tags: Vec<&'static str>,
        priority: &'static str,
    },
    Transition {
        who: usize,
        ticket: usize,
        transition: &'static str,
    },
    Reply {
        who: usize,
        ticket: usize,
        note: bool,
        solution: &'static str,
    },
    Claim {
        who: usize,
        ticket: usize,
    },
    ClaimNext {
        who: usize,
        queue: &'static str,
    },
    Release {
        who: usize,
        ticket: usize,
    },
    Transfer {
        who: usize,
        ticket: usize,
        queue: &'static str,
    },
    Assign {
        who: usize,
        ticket: usize,
        assignee: &'static str,
    },
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let field = prop::sample::select(vec![
        ("product", "app"),
        ("product", "web"),
        ("order", "1"),
        ("order", ""),
        ("area", "pay/card"),
        ("area", "ship"),
        ("area", ""),
        ("risk", "low"),
        ("cause", "heat"),
        ("seen", "2026-03-02T08:00:00+07:00"),
    ]);
    let fields = prop::collection::vec(field, 0..3);
    let priority = prop::sample::select(vec!["", "high", "low"]);
    let transition = prop::sample::select(vec!["start", "solve", "close", "reopen", "give_up"]);
    let tags = prop::collection::vec(prop::sample::select(vec!["a", "b", "\"quoted\""]), 0..3);
    let (who, ticket) = (0..3_usize, 0..4_usize);
    prop_oneof![
        2 => (any::<bool>(), fields.clone(), priority.clone())
            .prop_map(|(requester, fields, priority)| Step::Create { requester, fields, priority }),
        3 => (who.clone(), ticket.clone(), fields, tags, priority)
            .prop_map(|(who, ticket, fields, tags, priority)| Step::Update { who, ticket, fields, tags, priority }),
        4 => (who.clone(), ticket.clone(), transition)
            .prop_map(|(who, ticket, transition)| Step::Transition { who, ticket, transition }),
        3 => (who.clone(), ticket.clone(), any::<bool>(), prop::sample::select(vec!["", "Water"]))
            .prop_map(|(who, ticket, note, solution)| Step::Reply { who, ticket, note, solution }),
        2 => (who.clone(), ticket.clone()).prop_map(|(who, ticket)| Step::Claim { who, ticket }),
        1 => (who.clone(), prop::sample::select(vec!["first", "web", "pay"]))
            .prop_map(|(who, queue)| Step::ClaimNext { who, queue }),
        2 => (who.clone(), ticket.clone()).prop_map(|(who, ticket)| Step::Release { who, ticket }),
        2 => (who.clone(), ticket.clone(), prop::sample::select(vec!["first", "web", "pay", "moon"]))
            .prop_map(|(who, ticket, queue)| Step::Transfer { who, ticket, queue }),
        2 => (who, ticket, prop::sample::select(vec!["budi", "citra", "dewi", ""]))
            .prop_map(|(who, ticket, assignee)| Step::Assign { who, ticket, assignee }),
        1 => Just(Step::Wait),
    ]
}

/// Whether it is refused does not matter here: what is refused must leave no trace either.
async fn take(desk: &Desk, callers: &[Caller; 3], step: Step) {
    let name = |ticket: usize| format!("helpdesks/desk/tickets/{}", ticket + 1);
    let map =
        |fields: Vec<(&str, &str)>| fields.into_iter().map(|(id, value)| (id.to_owned(), value.to_owned())).collect();
    match step {
        Step::Create { requester, fields, priority } => {
            let ticket = Ticket {
                fields: map(fields),
                priority: priority.to_owned(),
                requester: "ani@example.com".to_owned(),
                ..draft("Printer")
            };
            drop(callers[usize::from(!requester)].create(ticket).await);
        }
        Step::Update { who, ticket, fields, tags, priority } => {
            let paths: Vec<_> = fields.iter().map(|(id, _)| format!("fields.{id}")).collect();
            let paths: Vec<_> = paths.iter().map(String::as_str).chain(["tags", "priority"]).collect();
            let update = Ticket {
                name: name(ticket),
                fields: map(fields.clone()),
                tags: tags.into_iter().map(str::to_owned).collect(),
                priority: priority.to_owned(),
                ..Ticket::default()
            };
            drop(callers[who].update(update, &paths).await);
        }
        Step::Transition { who, ticket, transition } => drop(callers[who].transition(&name(ticket), transition).await),
        Step::Reply { who, ticket, note, solution } => {
            let (kind, solution) = if note { (ReplyKind::Note, "") } else { (ReplyKind::Public, solution) };
            let reply = Reply {
                body: "Hello".to_owned(),
                kind: kind.into(),
                solution: solution.to_owned(),
                ..Reply::default()
            };
            let request =
                CreateReplyRequest { parent: name(ticket), reply: Some(reply), ..CreateReplyRequest::default() };
            drop(callers[who].create_reply(request).await);
        }
        Step::Claim { who, ticket } => drop(callers[who].claim(&name(ticket)).await),
        Step::ClaimNext { who, queue } => drop(callers[who].claim_next(queue).await),
        Step::Release { who, ticket } => drop(callers[who].release(&name(ticket)).await),
        Step::Transfer { who, ticket, queue } => {
            let request = TransferTicketRequest {
                name: name(ticket),
                queue: queue.to_owned(),
                reason: "Not ours".to_owned(),
                ..TransferTicketRequest::default()
            };
            drop(callers[who].transfer_ticket(request).await);
        }
        Step::Assign { who, ticket, assignee } => {
            let assignee = assignee.to_owned();
            let request = AssignTicketRequest { name: name(ticket), assignee, ..AssignTicketRequest::default() };
            drop(callers[who].assign_ticket(request).await);
        }
        Step::Wait => desk.clock.advance(Duration::from_secs(1)),
    }
}

/// A ticket as the history writes it: by path, without what is empty.
fn written(ticket: &Ticket) -> BTreeMap<String, String> {
    let time =
        |time: Option<prost_types::Timestamp>| time.map(|time| time.to_string().replace('Z', "")).unwrap_or_default();
    let list = |list: &[String]| if list.is_empty() { String::new() } else { serde_json::json!(list).to_string() };
    let mut all: BTreeMap<String, String> = [
        ("number", ticket.number.clone()),
        ("requester", ticket.requester.clone()),
        ("subject", ticket.subject.clone()),
        ("channel", ticket.channel.clone()),
        ("tags", list(&ticket.tags)),
        ("cc", list(&ticket.cc)),
        ("priority", ticket.priority.clone()),
        ("status", ticket.status.clone()),
        ("state", ticket.state().as_str_name().trim_start_matches("STATE_").to_lowercase()),
        ("queue", ticket.queue.clone()),
        ("assignee", ticket.assignee.clone()),
        ("solution", ticket.solution.clone()),
        ("queue_time", time(ticket.queue_time)),
        ("first_reply_time", time(ticket.first_reply_time)),
        ("close_time", time(ticket.close_time)),
        ("hand_placed", if ticket.hand_placed { "true".to_owned() } else { String::new() }),
    ]
    .into_iter()
    .map(|(path, value)| (path.to_owned(), value))
    .collect();
    all.extend(ticket.fields.iter().map(|(id, value)| (format!("fields.{id}"), value.clone())));
    all.retain(|_, value| !value.is_empty());
    all
}

/// A history from its beginning folds to the row, and every step of it to the ticket that it carries.
async fn assert_folds(caller: &Caller, row: &Ticket) {
    let mut folded = BTreeMap::new();
    let mut last = 0;
    let mut replies = (0, 0);
    let changes = caller.changes(&row.name).await.unwrap();
    for change in &changes {
        assert!(change.revision > last, "in order");
        last = change.revision;
        for field in &change.field_changes {
            let plain = |value: &str| {
                if field.field.ends_with("_time") { value.replace(".000000Z", "") } else { value.to_owned() }
            };
            let old: Option<String> = folded.remove(&field.field);
            assert_eq!(old.unwrap_or_default(), plain(&field.old_value), "{} before {change:?}", field.field);
            assert_ne!(field.old_value, field.new_value, "{change:?}");
            if !field.new_value.is_empty() {
                folded.insert(field.field.clone(), plain(&field.new_value));
            }
        }
        replies.0 += i32::from(change.reply.is_some());
        replies.1 += i32::from(change.reply.as_ref().is_some_and(|reply| reply.kind() == ReplyKind::Note));
        let after = change.ticket_after.as_ref().unwrap();
        assert_eq!(written(after), folded, "after {change:?}");
        assert_eq!((after.revision, after.update_time), (change.revision, change.commit_time));
    }
    assert_eq!(written(row), folded);
    assert_eq!((row.reply_count, row.note_count), replies);
    let after = changes.last().unwrap().ticket_after.as_ref().unwrap();
    // Only who asks for one ticket is told its place.
    assert_eq!(&Ticket { body: row.body.clone(), tickets_ahead: row.tickets_ahead, ..after.clone() }, row);
}

#[test]
fn every_history_folds_to_its_row_and_every_queue_holds_those_that_wait() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config =
        ProptestConfig { cases: 16, failure_persistence: None, max_shrink_iters: 64, ..ProptestConfig::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 1..50))| {
        runtime.block_on(async {
            let desk = desk().await;
            let callers = [desk.requester("ani@example.com").await, desk.agent("budi").await, desk.supervisor("citra").await];
            for step in steps {
                take(&desk, &callers, step).await;
            }
            let tickets = callers[1].list("").await.unwrap();
            let mut revisions = Vec::new();
            for ticket in &tickets {
                let row = callers[1].get(&ticket.name).await.unwrap();
                assert_folds(&callers[1], &row).await;
                revisions.extend(callers[1].changes(&ticket.name).await.unwrap().into_iter().map(|change| change.revision));
                // A requester's own history folds as well, to what it sees.
                let seen = callers[0].get(&ticket.name).await.unwrap();
                let history = callers[0].changes(&ticket.name).await.unwrap();
                let mut folded = BTreeMap::new();
                for field in history.iter().flat_map(|change| &change.field_changes) {
                    folded.insert(field.field.clone(), field.new_value.replace(".000000Z", ""));
                }
                folded.retain(|_, value| !value.is_empty());
                let mut expected = written(&seen);
                expected.retain(|path, _| path != "fields.seen");
                folded.retain(|path, _| path != "fields.seen");
                assert_eq!(folded, expected);
            }
            revisions.sort_unstable();
            assert_eq!(revisions, (1..=desk.head().await).collect::<Vec<_>>(), "without gaps");
            for queue in ["first", "web", "pay"] {
                let mut waiting: Vec<_> = tickets
                    .iter()
                    .filter(|ticket| ticket.queue == queue && ticket.assignee.is_empty() && ["new", "open"].contains(&&*ticket.status))
                    .collect();
                let rank = |ticket: &Ticket| ["high", "normal", "low", ""].iter().position(|id| *id == ticket.priority);
                let micros = |time: Option<prost_types::Timestamp>| time.map(|time| (time.seconds, time.nanos));
                waiting.sort_by_key(|ticket| match queue {
                    "first" => (rank(ticket), micros(ticket.queue_time), ticket.name.clone()),
                    "web" => (None, micros(ticket.receive_time), ticket.name.clone()),
                    _ => (None, micros(ticket.queue_time), ticket.name.clone()),
                });
                assert_eq!(depth(&desk, queue).await, i64::try_from(waiting.len()).unwrap());
                for (ahead, ticket) in (0..).zip(&waiting) {
                    assert_eq!(callers[1].get(&ticket.name).await.unwrap().tickets_ahead, Some(ahead));
                }
                let request = ListTicketsRequest {
                    parent: "helpdesks/desk".to_owned(),
                    filter: format!("queue = {queue}"),
                    order_by: "queue_order".to_owned(),
                    ..ListTicketsRequest::default()
                };
                let listed = callers[1].list_tickets(request).await.unwrap().tickets;
                assert_eq!(listed.iter().map(|ticket| &ticket.name).collect::<Vec<_>>(), waiting.iter().map(|ticket| &ticket.name).collect::<Vec<_>>());
            }
        });
    });
}

#[tokio::test]
async fn the_first_reply_stays_the_first() {
    let desk = desk().await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    desk.clock.advance(Duration::from_mins(1));
    agent.reply(&ticket.name, "How hot?").await.unwrap();
    let first = desk.clock.timestamp();
    desk.clock.advance(Duration::from_mins(1));
    agent.reply(&ticket.name, "Still there?").await.unwrap();
    assert_eq!(agent.get(&ticket.name).await.unwrap().first_reply_time, Some(first));
}
