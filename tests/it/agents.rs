//! Who works the queues: agents, their queues and their skills (O5).

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use loket::v1::{
    Agent, AssignTicketRequest, ClaimNextTicketRequest, CreateAgentRequest, CreateReplyRequest, ErrorReason,
    GetAgentRequest, Helpdesk, ListAgentsRequest, ListTicketsRequest, Reply, Ticket, TransitionTicketRequest,
    UpdateAgentRequest, UpdateHelpdeskRequest,
};
use loket_client::Error;
use prost_types::FieldMask;
use uuid::Uuid;

use super::database;
use crate::support::{Caller, Desk, draft, fields, reason, told};

/// One queue whose tickets need skills, of a tree, and one whose tickets need none.
const SKILLED: &str = "
display_name: Skilled
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: close, from: [new], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
- {id: reopen, from: [closed], to: new, trigger: TRANSITION_TRIGGER_MANUAL}
fields:
- {id: category, type: FIELD_TYPE_TREE, choices: [{value: pay}, {value: pay/card}, {value: ship}, {value: web}]}
priorities: [{id: high}, {id: normal}]
default_priority: normal
queues:
- {id: main, ordering: [ORDERING_KEY_PRIORITY, ORDERING_KEY_QUEUE_TIME], skill_field: category}
- {id: other}
default_queue: main
";

pub(super) async fn register(
    caller: &Caller,
    id: &str,
    queues: &[&str],
    skills: &[&str],
    active: bool,
) -> Result<Agent, Error> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let agent =
        Agent { subject: id.to_owned(), queues: texts(queues), skills: texts(skills), active, ..Agent::default() };
    let request = CreateAgentRequest {
        parent: caller.parent.clone(),
        agent_id: id.to_owned(),
        agent: Some(agent),
        ..CreateAgentRequest::default()
    };
    caller.create_agent(request).await
}

async fn change(caller: &Caller, agent: Agent, paths: &[&str]) -> Result<Agent, Error> {
    let mask = FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
    let request = UpdateAgentRequest { agent: Some(agent), update_mask: Some(mask), ..UpdateAgentRequest::default() };
    caller.update_agent(request).await
}

fn about(subject: &str, category: &str) -> Ticket {
    let fields = if category.is_empty() { fields([]) } else { fields([("category", category)]) };
    Ticket { fields, ..draft(subject) }
}

async fn next(caller: &Caller) -> Option<String> {
    caller.claim_next("main").await.unwrap().map(|ticket| ticket.subject)
}

#[tokio::test]
async fn agents_are_registered_listed_and_changed() {
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    let budi = register(&supervisor, "budi", &["other", "main", "main"], &["ship"], true).await.unwrap();
    assert_eq!((budi.name.as_str(), budi.revision), ("helpdesks/desk/agents/budi", 1));
    assert_eq!(budi.queues, ["main", "other"]);
    register(&supervisor, "ani", &[], &[], false).await.unwrap();
    let get = |name: &str| GetAgentRequest { name: name.to_owned(), ..GetAgentRequest::default() };
    assert_eq!(supervisor.get_agent(get(&budi.name)).await.unwrap(), budi);
    assert_eq!(reason(supervisor.get_agent(get("helpdesks/desk/agents/eka")).await), ErrorReason::ResourceNotFound);
    for page_size in [0, 1] {
        let list = ListAgentsRequest { parent: supervisor.parent.clone(), page_size, ..ListAgentsRequest::default() };
        let listed: Vec<_> = supervisor.all_agents(list).try_collect().await.unwrap();
        assert_eq!(listed.iter().map(|agent| agent.subject.as_str()).collect::<Vec<_>>(), ["ani", "budi"]);
    }
    // Its id is taken, and its subject.
    insta::assert_snapshot!(told(register(&supervisor, "budi", &[], &[], true).await), @r"
    AlreadyExists RESOURCE_EXISTS
    helpdesks/desk/agents/budi is there already
    ");
    let second = CreateAgentRequest {
        parent: supervisor.parent.clone(),
        agent_id: "second".to_owned(),
        agent: Some(Agent { subject: "budi".to_owned(), ..Agent::default() }),
        ..CreateAgentRequest::default()
    };
    insta::assert_snapshot!(told(supervisor.create_agent(second).await), @r#"
    AlreadyExists RESOURCE_EXISTS
    helpdesks/desk/agents/budi is registered for the subject "budi" already: update it instead
    "#);

    let stale = Agent { etag: "\"a0\"".to_owned(), ..budi.clone() };
    assert_eq!(reason(change(&supervisor, stale, &["active"]).await), ErrorReason::EtagMismatch);
    let away = Agent { active: false, queues: vec!["other".to_owned()], ..budi.clone() };
    let away = change(&supervisor, away, &["active", "queues"]).await.unwrap();
    assert_eq!((away.active, away.queues.as_slice(), away.revision), (false, &["other".to_owned()][..], 3));
    assert_eq!(change(&supervisor, away.clone(), &["active"]).await.unwrap(), away);
    assert_eq!(desk.head().await, 3);
}

#[tokio::test]
async fn everything_that_is_wrong_with_an_agent_is_told() {
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    insta::assert_snapshot!(told(register(&supervisor, "Budi!", &["west"], &["magic"], true).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 3
    - agent_id: "Budi!" is not an id; write 1 to 63 of a-z, 0-9 and -, a letter first
    - agent.queues[0]: there is no queue "west"; there are main, other
    - agent.skills[0]: there is no skill "magic"; there are pay, pay/card, ship, web
    "#);
    let agent = register(&supervisor, "budi", &[], &[], true).await.unwrap();
    assert_eq!(reason(change(&supervisor, agent.clone(), &["subject"]).await), ErrorReason::InvalidRequest);
    assert_eq!(reason(change(&supervisor, agent.clone(), &[]).await), ErrorReason::InvalidRequest);
    assert_eq!(reason(change(&desk.agent("dewi").await, agent, &["active"]).await), ErrorReason::RoleNotAllowed);
}

#[tokio::test]
async fn an_agent_gets_what_it_has_the_skill_for_in_the_order_of_the_queue() {
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    for (subject, category) in
        [("A", "ship"), ("B", "pay/card"), ("C", ""), ("D", "pay"), ("E", "web"), ("F", "ship"), ("G", "pay/card")]
    {
        supervisor.create(about(subject, category)).await.unwrap();
        desk.clock.advance(Duration::from_secs(1));
    }
    let urgent = Ticket { priority: "high".to_owned(), ..about("H", "pay") };
    supervisor.create(urgent).await.unwrap();
    for (id, skills) in [("pay", &["pay"][..]), ("card", &["pay/card"]), ("both", &["ship", "web"]), ("any", &[])] {
        register(&supervisor, id, &["main"], skills, true).await.unwrap();
    }
    let (pay, card) = (desk.agent("pay").await, desk.agent("card").await);
    let (both, any) = (desk.agent("both").await, desk.agent("any").await);
    // By priority first; then what is below its node, and what needs no skill, by time.
    assert_eq!(next(&pay).await.unwrap(), "H");
    assert_eq!(next(&pay).await.unwrap(), "B");
    assert_eq!(next(&card).await.unwrap(), "C");
    assert_eq!(next(&card).await.unwrap(), "G");
    assert_eq!(next(&card).await, None);
    assert_eq!(next(&both).await.unwrap(), "A");
    assert_eq!(next(&any).await.unwrap(), "D");
    assert_eq!(next(&both).await.unwrap(), "E");
    assert_eq!(next(&pay).await, None);
    assert_eq!(next(&desk.agent("unknown").await).await.unwrap(), "F");
}

/// The queue is not empty, and yet nothing was given: the same call is to find what comes.
#[tokio::test]
async fn a_claim_that_lacks_the_skill_is_not_remembered() {
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    register(&supervisor, "ship", &[], &["ship"], true).await.unwrap();
    let agent = desk.agent("ship").await;
    supervisor.create(about("Payment", "pay")).await.unwrap();
    let request = ClaimNextTicketRequest {
        name: "helpdesks/desk/queues/main".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..ClaimNextTicketRequest::default()
    };
    assert_eq!(agent.claim_next_ticket(request.clone()).await.unwrap().ticket, None);
    let ticket = supervisor.create(about("Parcel", "ship")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(agent.claim_next_ticket(request.clone()).await.unwrap().ticket.unwrap().name, ticket.name);
    }
}

#[tokio::test]
async fn what_a_ticket_needs_follows_its_fields_its_queue_and_the_definition() {
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    register(&supervisor, "ship", &[], &["ship"], true).await.unwrap();
    let agent = desk.agent("ship").await;
    let ticket = supervisor.create(about("Wrong category", "pay")).await.unwrap();
    assert_eq!(next(&agent).await, None);
    let corrected = Ticket { name: ticket.name.clone(), ..about("", "ship") };
    supervisor.update(corrected, &["fields.category"]).await.unwrap();
    assert_eq!(next(&agent).await.unwrap(), "Wrong category");
    agent.release(&ticket.name).await.unwrap();
    supervisor.transition(&ticket.name, "close").await.unwrap();
    assert_eq!(next(&agent).await, None);
    supervisor.transition(&ticket.name, "reopen").await.unwrap();
    assert_eq!(next(&agent).await.unwrap(), "Wrong category");

    // Tickets that wait are given their skills, and freed of them, by a new definition.
    supervisor.create(about("Pay", "pay")).await.unwrap();
    let apply = async |yaml: &str| {
        let helpdesk = loket::json::helpdesk_from_yaml(yaml).unwrap();
        let helpdesk = Some(Helpdesk { name: "helpdesks/desk".to_owned(), ..helpdesk });
        desk.admin().update_helpdesk(UpdateHelpdeskRequest { helpdesk, ..Default::default() }).await.unwrap();
    };
    apply(&SKILLED.replace(", skill_field: category", "")).await;
    apply(&SKILLED.replace("FIELD_TYPE_TREE", "FIELD_TYPE_CHOICE")).await;
    assert_eq!(next(&agent).await, None);
    apply(&SKILLED.replace(", skill_field: category", "")).await;
    assert_eq!(next(&agent).await.unwrap(), "Pay");
}

#[tokio::test]
async fn queues_and_activity_bind_an_agent_also_by_name() {
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    register(&supervisor, "elsewhere", &["other"], &[], true).await.unwrap();
    register(&supervisor, "away", &["other"], &[], false).await.unwrap();
    register(&supervisor, "ship", &[], &["ship"], true).await.unwrap();
    let ticket = supervisor.create(about("Pay", "pay")).await.unwrap();
    insta::assert_snapshot!(told(desk.agent("away").await.claim_next("main").await), @r#"
    FailedPrecondition AGENT_NOT_ELIGIBLE
    the ticket is not for "away": the agent `away` is not active, and takes no tickets; the agent `away` works the queues other; not `main`
    - away: the agent `away` is not active, and takes no tickets
    - away: the agent `away` works the queues other; not `main`
    "#);
    for subject in ["elsewhere", "away", "ship"] {
        let agent = desk.agent(subject).await;
        assert_eq!(reason(agent.claim(&ticket.name).await), ErrorReason::AgentNotEligible, "{subject}");
    }
    // Who assigns knows why; but only to agents, and only to active ones.
    let assign = async |assignee: &str| {
        let name = ticket.name.clone();
        let assignee = assignee.to_owned();
        supervisor.assign_ticket(AssignTicketRequest { name, assignee, ..AssignTicketRequest::default() }).await
    };
    assert_eq!(reason(assign("away").await), ErrorReason::AgentNotEligible);
    assert_eq!(reason(assign("stranger").await), ErrorReason::AgentNotEligible);
    assert_eq!(assign("ship").await.unwrap().assignee, "ship");
}

/// Whoever assigns a ticket to itself claims it.
#[tokio::test]
async fn nobody_assigns_to_itself_what_it_may_not_claim() {
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    register(&supervisor, "elsewhere", &["other"], &[], true).await.unwrap();
    register(&supervisor, "ship", &[], &["ship"], true).await.unwrap();
    register(&supervisor, "citra", &["other"], &[], true).await.unwrap();
    register(&supervisor, "pay", &[], &["pay"], true).await.unwrap();
    let ticket = supervisor.create(about("Pay", "pay")).await.unwrap().name;
    let assign = async |caller: &Caller, assignee: &str| {
        let (name, assignee) = (ticket.clone(), assignee.to_owned());
        caller.assign_ticket(AssignTicketRequest { name, assignee, ..AssignTicketRequest::default() }).await
    };
    for subject in ["elsewhere", "ship"] {
        let agent = desk.agent(subject).await;
        assert_eq!(reason(assign(&agent, subject).await), ErrorReason::AgentNotEligible, "{subject}");
    }
    assert_eq!(reason(assign(&supervisor, "citra").await), ErrorReason::AgentNotEligible);
    assert_eq!(assign(&desk.agent("pay").await, "pay").await.unwrap().assignee, "pay");
}

/// Many at once, mixed: nobody gets what is not its own, nothing is claimed twice, and nothing is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_with_different_skills_empty_a_queue_and_none_gets_anothers() {
    const TICKETS: usize = 400;
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    let kinds = ["pay", "pay/card", "ship", "web", ""];
    supervisor.fill((0..TICKETS).map(|n| about(&format!("Ticket {n}"), kinds[n % kinds.len()]))).await;
    let skills: [&[&str]; 4] = [&["pay"], &["ship"], &["ship", "web"], &[]];
    let mut claimers = tokio::task::JoinSet::new();
    for number in 0..16 {
        let (id, skills) = (format!("agent-{number}"), skills[number % skills.len()]);
        register(&supervisor, &id, &[], skills, true).await.unwrap();
        let caller = desk.agent(&id).await;
        claimers.spawn(async move {
            let mut claimed = Vec::new();
            while let Some(ticket) = caller.claim_next("main").await.unwrap() {
                let kind = ticket.fields.get("category").cloned().unwrap_or_default();
                let fits = skills.iter().any(|skill| kind == *skill || kind.starts_with(&format!("{skill}/")));
                assert!(fits || kind.is_empty() || skills.is_empty(), "{id} got {kind}");
                claimed.push(ticket.name);
            }
            claimed
        });
    }
    let claimed: Vec<String> = claimers.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), TICKETS);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>().len(), TICKETS);
}

/// More wait than are in memory at once, and most of them move: to before where that is, and to behind it.
#[tokio::test]
async fn a_new_order_holds_for_however_many_wait_and_for_each_skill() {
    const TICKETS: usize = 1_100;
    let desk = Desk::of(database(), SKILLED).await;
    let supervisor = desk.supervisor("citra").await;
    let (priorities, kinds) = (["high", "normal"], ["pay", "ship"]);
    let ticket = |number: usize| Ticket {
        priority: priorities[number % 2].to_owned(),
        ..about(&format!("Ticket {number}"), kinds[number / 2 % 2])
    };
    let mut numbers: Vec<_> = (0..TICKETS).collect();
    supervisor.fill(numbers.iter().copied().map(ticket)).await;
    register(&supervisor, "ship", &[], &["ship"], true).await.unwrap();
    let agent = desk.agent("ship").await;
    let orders = [
        ("{id: high}, {id: normal}", "ORDERING_KEY_PRIORITY, ORDERING_KEY_QUEUE_TIME"),
        ("{id: normal}, {id: high}", "ORDERING_KEY_PRIORITY, ORDERING_KEY_QUEUE_TIME"),
        ("{id: normal}, {id: high}", "ORDERING_KEY_RECEIVE_TIME"),
        ("{id: normal}, {id: high}", "ORDERING_KEY_PRIORITY"),
    ];
    for (ranks, ordering) in orders {
        let yaml = SKILLED
            .replace("{id: high}, {id: normal}", ranks)
            .replace("ORDERING_KEY_PRIORITY, ORDERING_KEY_QUEUE_TIME", ordering);
        let helpdesk = loket::json::helpdesk_from_yaml(&yaml).unwrap();
        let helpdesk = Some(Helpdesk { name: "helpdesks/desk".to_owned(), ..helpdesk });
        desk.admin().update_helpdesk(UpdateHelpdeskRequest { helpdesk, ..Default::default() }).await.unwrap();
        let request = ListTicketsRequest {
            parent: supervisor.parent.clone(),
            filter: "queue = main".to_owned(),
            order_by: "queue_order".to_owned(),
            page_size: 1_000,
            ..ListTicketsRequest::default()
        };
        let listed: Vec<_> = desk.admin().all_tickets(request).try_collect().await.unwrap();
        let mut sorted = numbers.clone();
        if ordering.starts_with("ORDERING_KEY_PRIORITY") {
            sorted.sort_by_key(|number| (ranks.find(priorities[number % 2]), *number));
        }
        let expected: Vec<_> = sorted.iter().map(|number| format!("Ticket {number}")).collect();
        assert!(listed.iter().map(|ticket| &ticket.subject).eq(&expected), "{ranks} {ordering}");
        let first = *sorted.iter().find(|number| *number / 2 % 2 == 1).unwrap();
        let claimed = next(&agent).await.unwrap();
        assert_eq!(claimed, format!("Ticket {first}"), "{ranks} {ordering}");
        numbers.retain(|number| *number != first);
    }
}

/// Two fields that name somebody: `pic` and, at filing too, `author`.
const NAMED: &str = "
display_name: Named
statuses:
- {id: new, state: STATE_NEW, waits_on: WAITS_ON_STAFF}
- {id: closed, state: STATE_CLOSED, waits_on: WAITS_ON_NOBODY}
initial_status: new
transitions:
- {id: close, from: [new], to: closed, trigger: TRANSITION_TRIGGER_MANUAL}
fields:
- {id: pic, type: FIELD_TYPE_AGENT, indexed: true}
- {id: author, type: FIELD_TYPE_AGENT}
queues: [{id: main}]
default_queue: main
";

#[tokio::test]
async fn a_field_names_an_active_agent() {
    let desk = Desk::of(database(), NAMED).await;
    let supervisor = desk.supervisor("citra").await;
    let eka = register(&supervisor, "eka", &[], &[], true).await.unwrap();
    register(&supervisor, "dewi", &[], &[], false).await.unwrap();
    let named = |author: &str| Ticket { fields: fields([("pic", "eka"), ("author", author)]), ..draft("Printer") };
    insta::assert_snapshot!(told(supervisor.create(named("fitri")).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.fields.author: "fitri" is not an active agent of this helpdesk: name one, by the subject that it is registered with
    - ticket.fields.author: "fitri" is not an active agent of this helpdesk: name one, by the subject that it is registered with
    "#);
    let ticket = supervisor.create(named("eka")).await.unwrap();
    let refused = [("dewi", "pic"), ("Eka", "pic"), ("a\0b", "author")];
    for (subject, id) in refused {
        let given = fields([(id, subject)]);
        let update = Ticket { name: ticket.name.clone(), fields: given.clone(), ..Ticket::default() };
        let updated = supervisor.update(update, &[&format!("fields.{id}")]).await;
        assert_eq!(reason(updated), ErrorReason::InvalidRequest, "{subject}");
        let (name, transition, fields) = (ticket.name.clone(), "close".to_owned(), given.clone());
        let close = TransitionTicketRequest { name, transition, fields, ..TransitionTicketRequest::default() };
        assert_eq!(reason(supervisor.transition_ticket(close).await), ErrorReason::InvalidRequest, "{subject}");
        let (parent, fields) = (ticket.name.clone(), given);
        let reply = Some(Reply { body: "Here".to_owned(), ..Reply::default() });
        let reply = CreateReplyRequest { parent, reply, fields, ..CreateReplyRequest::default() };
        assert_eq!(reason(supervisor.create_reply(reply).await), ErrorReason::InvalidRequest, "{subject}");
    }
    // Who leaves stays where it was named, and is named nowhere any more.
    change(&supervisor, Agent { active: false, ..eka }, &["active"]).await.unwrap();
    let (name, pics) = (ticket.name.clone(), fields([("pic", "eka"), ("author", "")]));
    let update = Ticket { name, fields: pics, subject: "Old".to_owned(), ..Ticket::default() };
    let kept = supervisor.update(update, &["subject", "fields"]).await.unwrap();
    assert_eq!(kept.fields, fields([("pic", "eka")]));
    assert_eq!(supervisor.list("fields.pic = eka").await.unwrap().len(), 1);
    assert_eq!(reason(supervisor.create(named("")).await), ErrorReason::InvalidRequest);
}
