//! Who may do what, and who sees what.

use loket::v1::{
    Agent, AssignTicketRequest, Change, ClaimNextTicketRequest, CreateAgentRequest, CreateHelpdeskRequest,
    CreateReplyRequest, ErrorReason, EscalateTicketRequest, ExplainTransitionsRequest, ExternalRef, GetAgentRequest,
    GetHelpdeskRequest, GetQueueRequest, GetRequesterRequest, GetUploadRequest, Helpdesk, LinkKind, LinkTicketsRequest,
    ListAccessKeysRequest, ListAgentsRequest, ListHelpdesksRequest, ListQueuesRequest, ListRequestersRequest,
    LookupTicketRequest, MarkTicketReadRequest, MergeTicketsRequest, Reply, ReplyKind, RevokeAccessKeyRequest, Role,
    SplitReplyRequest, Ticket, TransferTicketRequest, TransitionTicketRequest, UnlinkTicketsRequest,
    UpdateAgentRequest, UpdateHelpdeskRequest,
};
use loket_client::Error;
use prost_types::FieldMask;

use super::database;
use super::keys::{ROLES, key};
use crate::support::{Caller, Desk, RICH, SIMPLE, draft, fields, own, reason, told};

async fn desk() -> Desk {
    Desk::of(database(), RICH).await
}

async fn everybody(desk: &Desk) -> Vec<(Role, Caller)> {
    let mut callers = Vec::new();
    for role in ROLES {
        callers.push((role, desk.caller(role, "ani@example.com", &["desk"]).await));
    }
    callers
}

/// `Ok`, or the reason of the refusal.
fn outcome<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => reason::<T>(Err(error)).as_reason().to_owned(),
    }
}

/// One column for each role, one line for each call.
// It is a table, and long.
#[allow(clippy::too_many_lines)]
#[tokio::test]
async fn each_role_may_do_what_the_contract_says() {
    let desk = desk().await;
    let mut table = format!(
        "{:28}{}\n",
        "",
        ["requester", "agent", "supervisor", "service", "admin"].map(|role| format!("{role:>11}")).concat()
    );
    let callers = everybody(&desk).await;
    let admin = desk.admin();
    for what in [
        "CreateTicket",
        "ImportTickets",
        "GetTicket",
        "ListTickets",
        "LookupTicket",
        "UpdateTicket cc",
        "UpdateTicket subject",
        "UpdateTicket fields",
        "TransitionTicket",
        "ExplainTransitions",
        "CreateReply",
        "CreateReply note",
        "CreateReply with transition",
        "ListReplies",
        "ListChanges",
        "ClaimTicket",
        "ReleaseTicket",
        "LinkTickets",
        "UnlinkTickets",
        "MergeTickets",
        "SplitReply",
        "AssignTicket",
        "TransferTicket",
        "EscalateTicket",
        "CreateAgent",
        "GetAgent",
        "ListAgents",
        "UpdateAgent",
        "CreateUpload",
        "GetUpload",
        "UploadAttachment",
        "DownloadAttachment",
        "ListAttachments",
        "GetQueue",
        "ListQueues",
        "MarkTicketRead",
        "ClaimNextTicket",
        "GetHelpdesk",
        "ListHelpdesks",
        "CreateHelpdesk",
        "UpdateHelpdesk",
        "RegisterRequester",
        "VerifyRequester",
        "GetRequester",
        "ListRequesters",
        "SubmitFeedback",
        "SubmitFeedback with token",
        "GetSurveyLink",
        "CreateAccessKey",
        "ListAccessKeys",
        "RevokeAccessKey",
    ] {
        let mut line = format!("{what:28}");
        for (role, caller) in &callers {
            let ticket =
                admin.create(Ticket { requester: "ani@example.com".to_owned(), ..draft("Printer") }).await.unwrap();
            let outcome = attempt(&desk, caller, *role, what, ticket).await;
            let word = match outcome.as_str() {
                "ok" => "yes",
                "ROLE_NOT_ALLOWED" => "no",
                "TRANSITION_REFUSED" => "refused",
                "RESOURCE_NOT_FOUND" => "unseen",
                other => panic!("{what} by {role:?}: {other}"),
            };
            line.push_str(&format!("{word:>11}"));
        }
        table.push_str(&line);
        table.push('\n');
    }
    insta::assert_snapshot!(table, @r"
                                  requester      agent supervisor    service      admin
    CreateTicket                        yes        yes        yes        yes        yes
    ImportTickets                        no         no         no        yes        yes
    GetTicket                           yes        yes        yes        yes        yes
    ListTickets                         yes        yes        yes        yes        yes
    LookupTicket                        yes        yes        yes        yes        yes
    UpdateTicket cc                     yes        yes        yes        yes        yes
    UpdateTicket subject                 no        yes        yes        yes        yes
    UpdateTicket fields                 yes        yes        yes        yes        yes
    TransitionTicket                refused        yes        yes        yes        yes
    ExplainTransitions                  yes        yes        yes        yes        yes
    CreateReply                         yes        yes        yes        yes        yes
    CreateReply note                     no        yes        yes        yes        yes
    CreateReply with transition          no        yes        yes        yes        yes
    ListReplies                         yes        yes        yes        yes        yes
    ListChanges                         yes        yes        yes        yes        yes
    ClaimTicket                          no        yes        yes        yes        yes
    ReleaseTicket                        no        yes        yes        yes        yes
    LinkTickets                          no        yes        yes        yes        yes
    UnlinkTickets                        no        yes        yes        yes        yes
    MergeTickets                         no        yes        yes        yes        yes
    SplitReply                           no        yes        yes        yes        yes
    AssignTicket                         no         no        yes        yes        yes
    TransferTicket                       no        yes        yes        yes        yes
    EscalateTicket                       no        yes        yes        yes        yes
    CreateAgent                          no         no        yes         no        yes
    GetAgent                             no        yes        yes        yes        yes
    ListAgents                           no        yes        yes        yes        yes
    UpdateAgent                          no         no        yes         no        yes
    CreateUpload                        yes        yes        yes        yes        yes
    GetUpload                           yes        yes        yes        yes        yes
    UploadAttachment                    yes        yes        yes        yes        yes
    DownloadAttachment                  yes        yes        yes        yes        yes
    ListAttachments                     yes        yes        yes        yes        yes
    GetQueue                             no        yes        yes        yes        yes
    ListQueues                           no        yes        yes        yes        yes
    MarkTicketRead                       no        yes        yes        yes        yes
    ClaimNextTicket                      no        yes        yes        yes        yes
    GetHelpdesk                         yes        yes        yes        yes        yes
    ListHelpdesks                       yes        yes        yes        yes        yes
    CreateHelpdesk                       no         no         no         no         no
    UpdateHelpdesk                       no         no         no         no        yes
    RegisterRequester                   yes        yes        yes        yes        yes
    VerifyRequester                     yes        yes        yes        yes        yes
    GetRequester                        yes        yes        yes        yes        yes
    ListRequesters                      yes        yes        yes        yes        yes
    SubmitFeedback                      yes         no         no         no         no
    SubmitFeedback with token           yes        yes        yes        yes        yes
    GetSurveyLink                        no        yes        yes        yes        yes
    CreateAccessKey                      no         no         no         no        yes
    ListAccessKeys                       no         no         no         no        yes
    RevokeAccessKey                      no         no         no         no        yes
    ");
}

fn agent(parent: &str, id: &str) -> CreateAgentRequest {
    let agent = Some(Agent { subject: id.to_owned(), ..Agent::default() });
    CreateAgentRequest { parent: parent.to_owned(), agent_id: id.to_owned(), agent, ..CreateAgentRequest::default() }
}

async fn attempt_with_people(desk: &Desk, caller: &Caller, what: &str, ticket: Ticket) -> String {
    let parent = "helpdesks/desk".to_owned();
    let name = ticket.name.clone();
    match what {
        "AssignTicket" => outcome(
            caller
                .assign_ticket(AssignTicketRequest {
                    name,
                    assignee: "dewi".to_owned(),
                    ..AssignTicketRequest::default()
                })
                .await,
        ),
        "TransferTicket" => outcome(
            caller
                .transfer_ticket(TransferTicketRequest {
                    name,
                    queue: "web".to_owned(),
                    reason: "It is theirs".to_owned(),
                    ..TransferTicketRequest::default()
                })
                .await,
        ),
        "EscalateTicket" => outcome(
            caller
                .escalate_ticket(EscalateTicketRequest {
                    name,
                    escalation: "upstairs".to_owned(),
                    reason: "It is hard".to_owned(),
                    ..EscalateTicketRequest::default()
                })
                .await,
        ),
        "CreateAgent" => {
            let id = format!("agent-{}", ticket.number.to_lowercase());
            outcome(caller.create_agent(agent(&parent, &id)).await)
        }
        "GetAgent" | "ListAgents" | "UpdateAgent" => {
            let id = format!("other-{}", ticket.number.to_lowercase());
            let agent = desk.admin().create_agent(agent(&parent, &id)).await.unwrap();
            match what {
                "GetAgent" => {
                    outcome(caller.get_agent(GetAgentRequest { name: agent.name, ..GetAgentRequest::default() }).await)
                }
                "ListAgents" => {
                    outcome(caller.list_agents(ListAgentsRequest { parent, ..ListAgentsRequest::default() }).await)
                }
                _ => outcome(
                    caller
                        .update_agent(UpdateAgentRequest {
                            agent: Some(Agent { display_name: "Dewi".to_owned(), ..agent }),
                            update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
                            ..UpdateAgentRequest::default()
                        })
                        .await,
                ),
            }
        }
        other => panic!("{other} is not known here"),
    }
}

// A table: one entry for each call.
#[allow(clippy::too_many_lines)]
async fn attempt(desk: &Desk, caller: &Caller, role: Role, what: &str, ticket: Ticket) -> String {
    let parent = "helpdesks/desk".to_owned();
    let name = ticket.name.clone();
    match what {
        "CreateTicket" => {
            outcome(caller.create(Ticket { requester: "ani@example.com".to_owned(), ..draft("Mine") }).await)
        }
        "ImportTickets" => outcome(caller.import(crate::support::history::history("Old", Vec::new())).await),
        "GetTicket" => outcome(caller.get(&name).await),
        "ListTickets" => outcome(caller.list("").await),
        "LookupTicket" => outcome(
            caller
                .lookup_ticket(LookupTicketRequest { parent, number: ticket.number, ..LookupTicketRequest::default() })
                .await,
        ),
        "UpdateTicket cc" => outcome(
            caller.update(Ticket { name, cc: vec!["b@example.com".to_owned()], ..Ticket::default() }, &["cc"]).await,
        ),
        "UpdateTicket subject" => {
            outcome(caller.update(Ticket { name, subject: "New".to_owned(), ..Ticket::default() }, &["subject"]).await)
        }
        "UpdateTicket fields" => outcome(
            caller
                .update(Ticket { name, fields: fields([("amount", "7")]), ..Ticket::default() }, &["fields.amount"])
                .await,
        ),
        "TransitionTicket" => outcome(caller.transition(&name, "start").await),
        "ExplainTransitions" => outcome(
            caller
                .explain_transitions(ExplainTransitionsRequest { name, ..ExplainTransitionsRequest::default() })
                .await,
        ),
        "CreateReply" => outcome(caller.reply(&name, "Hello").await),
        "CreateReply note" => outcome(caller.note(&name, "Psst").await),
        "CreateReply with transition" => outcome(
            caller
                .create_reply(CreateReplyRequest {
                    parent: name,
                    reply: Some(Reply { body: "Hello".to_owned(), ..Reply::default() }),
                    transition: "start".to_owned(),
                    ..CreateReplyRequest::default()
                })
                .await,
        ),
        "AssignTicket" | "TransferTicket" | "EscalateTicket" | "CreateAgent" | "GetAgent" | "ListAgents"
        | "UpdateAgent" => attempt_with_people(desk, caller, what, ticket).await,
        "ListReplies" => outcome(caller.replies(&name).await),
        "ListChanges" => outcome(caller.changes(&name).await),
        "ClaimTicket" => outcome(caller.claim(&name).await),
        "ReleaseTicket" => outcome(caller.release(&name).await),
        "LinkTickets" => {
            let request = LinkTicketsRequest {
                name,
                other_ticket: another(desk).await,
                kind: LinkKind::Related.into(),
                ..LinkTicketsRequest::default()
            };
            outcome(caller.link_tickets(request).await)
        }
        "UnlinkTickets" => {
            let request =
                UnlinkTicketsRequest { name, other_ticket: another(desk).await, ..UnlinkTicketsRequest::default() };
            outcome(caller.unlink_tickets(request).await)
        }
        "MergeTickets" => {
            let duplicates = vec![another(desk).await];
            outcome(
                caller.merge_tickets(MergeTicketsRequest { name, duplicates, ..MergeTicketsRequest::default() }).await,
            )
        }
        "SplitReply" => {
            let requester = desk.requester("ani@example.com").await;
            let request = SplitReplyRequest {
                replies: vec![requester.reply(&name, "Another matter").await.unwrap().name],
                parent: name,
                ticket: Some(Ticket { subject: "Another".to_owned(), ..Ticket::default() }),
                ..SplitReplyRequest::default()
            };
            outcome(caller.split_reply(request).await)
        }
        "CreateUpload" => outcome(caller.begin_upload("a.txt", b"text").await),
        "GetUpload" => {
            let name = caller.begin_upload("a.txt", b"text").await.unwrap().name;
            outcome(caller.get_upload(GetUploadRequest { name }).await)
        }
        "UploadAttachment" => outcome(caller.upload_bytes("a.txt", b"text").await),
        "DownloadAttachment" => {
            let upload = desk.admin().upload_bytes("a.txt", b"text").await.unwrap().name;
            let attachment = desk.admin().reply_with(&name, ReplyKind::Public, &[&upload]).await.unwrap().attachments;
            outcome(caller.fetch(&attachment[0].name).await)
        }
        "ListAttachments" => outcome(caller.attached_to(&name).await),
        "MarkTicketRead" => {
            outcome(caller.mark_ticket_read(MarkTicketReadRequest { name, ..MarkTicketReadRequest::default() }).await)
        }
        "GetQueue" => outcome(
            caller
                .get_queue(GetQueueRequest { name: format!("{parent}/queues/first"), ..GetQueueRequest::default() })
                .await,
        ),
        "ListQueues" => outcome(caller.list_queues(ListQueuesRequest { parent, ..ListQueuesRequest::default() }).await),
        "ClaimNextTicket" => outcome(
            caller
                .claim_next_ticket(ClaimNextTicketRequest {
                    name: format!("{parent}/queues/first"),
                    ..ClaimNextTicketRequest::default()
                })
                .await,
        ),
        "GetHelpdesk" => outcome(caller.get_helpdesk(GetHelpdeskRequest { name: parent }).await),
        "ListHelpdesks" => outcome(caller.list_helpdesks(ListHelpdesksRequest::default()).await),
        "CreateHelpdesk" => outcome(
            caller
                .create_helpdesk(CreateHelpdeskRequest {
                    helpdesk_id: format!("of-{}", role.as_str_name().to_lowercase().replace('_', "-")),
                    helpdesk: Some(loket::json::helpdesk_from_yaml(SIMPLE).unwrap()),
                    ..CreateHelpdeskRequest::default()
                })
                .await,
        ),
        "UpdateHelpdesk" => outcome(
            caller
                .update_helpdesk(UpdateHelpdeskRequest {
                    helpdesk: Some(Helpdesk { name: parent, display_name: "New".to_owned(), ..Helpdesk::default() }),
                    update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
                    ..UpdateHelpdeskRequest::default()
                })
                .await,
        ),
        "CreateAccessKey" => outcome(caller.create_access_key(key(Role::Agent, "x", &["desk"])).await),
        "ListAccessKeys" => outcome(caller.list_access_keys(ListAccessKeysRequest::default()).await),
        "RevokeAccessKey" => {
            let name = desk.admin().key(Role::Agent, "x", &["desk"]).await.name;
            outcome(
                caller.revoke_access_key(RevokeAccessKeyRequest { name, ..RevokeAccessKeyRequest::default() }).await,
            )
        }
        other => attempt_contact(desk, caller, other, ticket).await,
    }
}

/// What concerns requesters and the survey.
async fn attempt_contact(desk: &Desk, caller: &Caller, what: &str, ticket: Ticket) -> String {
    let (parent, name) = ("helpdesks/desk".to_owned(), ticket.name);
    match what {
        "RegisterRequester" => outcome(caller.register("ani@example.com").await),
        "VerifyRequester" => {
            let registered = desk.admin().register("ani@example.com").await.unwrap();
            // Once it is verified, any code will do.
            let code = if registered.code.is_empty() { "none" } else { &registered.code };
            outcome(caller.verify(&registered.name, code).await)
        }
        "GetRequester" => {
            let name = desk.admin().register("ani@example.com").await.unwrap().name;
            outcome(caller.get_requester(GetRequesterRequest { name, ..GetRequesterRequest::default() }).await)
        }
        "ListRequesters" => {
            let list = ListRequestersRequest { parent, ..ListRequestersRequest::default() };
            outcome(caller.list_requesters(list).await)
        }
        "SubmitFeedback" => {
            desk.admin().transition(&name, "give_up").await.unwrap();
            outcome(caller.rate(&name, 3, "").await)
        }
        "SubmitFeedback with token" => {
            desk.admin().transition(&name, "give_up").await.unwrap();
            let token = desk.admin().survey_link(&name).await.unwrap().token;
            outcome(caller.rate(&name, 3, &token).await)
        }
        "GetSurveyLink" => {
            desk.admin().transition(&name, "give_up").await.unwrap();
            outcome(caller.survey_link(&name).await)
        }
        other => panic!("{other}"),
    }
}

/// A ticket of the same requester.
async fn another(desk: &Desk) -> String {
    let ticket = Ticket { requester: "ani@example.com".to_owned(), ..draft("Printer again") };
    desk.admin().create(ticket).await.unwrap().name
}

#[tokio::test]
async fn a_requester_sees_own_tickets_only() {
    let desk = desk().await;
    let ani = desk.requester("Ani@Example.com").await;
    let bela = desk.requester("bela@example.com").await;
    let ticket = ani.create(own("Mine")).await.unwrap();
    assert_eq!(ticket.requester, "ani@example.com");
    let name = ticket.name.as_str();
    let unseen = ErrorReason::ResourceNotFound;
    assert_eq!(reason(bela.get(name).await), unseen);
    let number =
        LookupTicketRequest { parent: bela.parent.clone(), number: ticket.number, ..LookupTicketRequest::default() };
    assert_eq!(reason(bela.lookup_ticket(number.clone()).await), unseen);
    assert_eq!(reason(bela.changes(name).await), unseen);
    assert_eq!(reason(bela.replies(name).await), unseen);
    let explain = ExplainTransitionsRequest { name: name.to_owned(), ..ExplainTransitionsRequest::default() };
    assert_eq!(reason(bela.explain_transitions(explain).await), unseen);
    assert_eq!(reason(bela.reply(name, "Hi").await), unseen);
    assert_eq!(reason(bela.claim(name).await), unseen);
    assert_eq!(reason(bela.transition(name, "give_up").await), unseen);
    assert_eq!(reason(bela.update(Ticket { name: name.to_owned(), ..Ticket::default() }, &["cc"]).await), unseen);
    // Word for word what is told of a ticket that there is not.
    assert_eq!(
        bela.get(name).await.unwrap_err().message().replace(name, "?"),
        bela.get("helpdesks/desk/tickets/99").await.unwrap_err().message().replace("helpdesks/desk/tickets/99", "?"),
    );
    for filter in [
        "",
        "requester = \"ani@example.com\"",
        "requester != \"bela@example.com\"",
        "NOT requester:*",
        "status = new OR status = open",
    ] {
        assert_eq!(bela.list(filter).await.unwrap(), [], "{filter}");
    }
    assert_eq!(ani.list("").await.unwrap().len(), 1);
    assert_eq!(ani.lookup_ticket(number).await.unwrap().name, name);
    assert_eq!(desk.head().await, 1);
}

#[tokio::test]
async fn a_requester_files_for_itself_only() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    insta::assert_snapshot!(told(ani.create(draft("Not mine")).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.requester: "customer@example.com" is not the address of this key, which files for ani@example.com
    - ticket.requester: "customer@example.com" is not the address of this key, which files for ani@example.com
    "#);
    let staffs = Ticket {
        tags: vec!["vip".to_owned()],
        external_refs: vec![ExternalRef { source: "crm".to_owned(), id: "1".to_owned() }],
        solution: "Done".to_owned(),
        fields: fields([("cause", "heat"), ("risk", "high")]),
        ..own("Mine")
    };
    insta::assert_snapshot!(told(ani.create(staffs).await), @r#"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 5
    - ticket.tags: is for the staff to give; leave it empty
    - ticket.external_refs: is for the staff to give; leave it empty
    - ticket.solution: is for the staff to give; leave it empty
    - ticket.fields.cause: the role requester may not set it; agent, supervisor may
    - ticket.fields.risk: there is no field "risk"; there are product, area, order, amount, gift, due, seen, cause
    "#);
    assert_eq!(desk.head().await, 0);
}

/// `product` at filing, and later by whose the ticket is; `amount` after the staff have looked; `due` once there is a solution.
fn timed() -> String {
    RICH.replace(
        "indexed: true}\n- {id: area",
        "indexed: true, set_when: ticket.status == '' && ticket.receive_time == '' && !has(ticket.state) || ticket.assignee == actor.subject}\n- {id: area",
    )
    .replace("{id: amount, type: FIELD_TYPE_INTEGER}", "{id: amount, type: FIELD_TYPE_INTEGER, set_when: ticket.fields.risk != ''}")
    .replace("{id: due, type: FIELD_TYPE_DATE}", "{id: due, type: FIELD_TYPE_DATE, set_when: ticket.solution != ''}")
}

#[tokio::test]
async fn a_field_is_set_while_its_condition_holds() {
    let desk = Desk::of(database(), &timed()).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let early = Ticket { fields: fields([("product", "app"), ("due", "2026-03-31")]), ..own("Mine") };
    insta::assert_snapshot!(told(ani.create(early).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields.due: may not be set now: it may while ticket.solution != ''
    - ticket.fields.due: may not be set now: it may while ticket.solution != ''
    ");
    let ticket = ani.create(Ticket { fields: fields([("product", "app")]), ..own("Mine") }).await.unwrap();
    let set = async |caller: &Caller, id: &str, value: &str| {
        let ticket = Ticket { name: ticket.name.clone(), fields: fields([(id, value)]), ..Ticket::default() };
        caller.update(ticket, &[&format!("fields.{id}")]).await
    };
    for value in ["web", ""] {
        for caller in [&ani, &agent] {
            assert_eq!(reason(set(caller, "product", value).await), ErrorReason::InvalidRequest, "{value}");
        }
    }
    // What stays as it is is not set.
    set(&ani, "product", "app").await.unwrap();
    agent.claim(&ticket.name).await.unwrap();
    assert_eq!(reason(set(&ani, "product", "").await), ErrorReason::InvalidRequest);
    set(&agent, "product", "").await.unwrap();

    // What counts is how the ticket was: what comes with the command comes too late.
    let solving = Ticket {
        name: ticket.name.clone(),
        solution: "Replaced".to_owned(),
        fields: fields([("due", "2026-03-31")]),
        ..Ticket::default()
    };
    let together = agent.update(solving.clone(), &["solution", "fields.due"]).await;
    assert_eq!(reason(together), ErrorReason::InvalidRequest);
    let moved = TransitionTicketRequest {
        name: ticket.name.clone(),
        transition: "start".to_owned(),
        fields: fields([("due", "2026-03-31")]),
        solution: "Replaced".to_owned(),
        ..TransitionTicketRequest::default()
    };
    insta::assert_snapshot!(told(agent.transition_ticket(moved).await), @r"
    InvalidArgument INVALID_REQUEST
    fields.due: may not be set now: it may while ticket.solution != ''
    - fields.due: may not be set now: it may while ticket.solution != ''
    ");
    let replied = CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply { body: "On its way".to_owned(), ..Reply::default() }),
        fields: fields([("due", "2026-03-31")]),
        ..CreateReplyRequest::default()
    };
    insta::assert_snapshot!(told(agent.create_reply(replied.clone()).await), @r"
    InvalidArgument INVALID_REQUEST
    fields.due: may not be set now: it may while ticket.solution != ''
    - fields.due: may not be set now: it may while ticket.solution != ''
    ");
    agent.update(solving, &["solution"]).await.unwrap();
    agent.create_reply(replied).await.unwrap();

    // A condition on what only the staff see is told to the staff alone.
    insta::assert_snapshot!(told(set(&ani, "amount", "7").await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields.amount: may not be set now
    - ticket.fields.amount: may not be set now
    ");
    insta::assert_snapshot!(told(set(&agent, "amount", "7").await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.fields.amount: may not be set now: it may while ticket.fields.risk != ''
    - ticket.fields.amount: may not be set now: it may while ticket.fields.risk != ''
    ");
    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    let when = async |caller: &Caller| {
        let fields = caller.get_helpdesk(get.clone()).await.unwrap().fields;
        ["amount", "due"].map(|id| fields.iter().find(|field| field.id == id).unwrap().set_when.clone())
    };
    assert_eq!(when(&ani).await, ["", "ticket.solution != ''"]);
    assert_eq!(when(&agent).await, ["ticket.fields.risk != ''", "ticket.solution != ''"]);
    // Admins always may.
    set(desk.admin(), "amount", "7").await.unwrap();
}

#[tokio::test]
async fn who_gives_tickets_a_priority_is_for_the_definition_to_say() {
    let yaml = RICH.replace("default_priority: normal", "default_priority: normal\npriority_set_by: [ROLE_SUPERVISOR]");
    let desk = Desk::of(database(), &yaml).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let supervisor = desk.supervisor("citra").await;
    let high = |ticket: Ticket| Ticket { priority: "high".to_owned(), ..ticket };
    insta::assert_snapshot!(told(ani.create(high(own("Mine"))).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.priority: the role requester may not set it; supervisor may
    - ticket.priority: the role requester may not set it; supervisor may
    ");
    assert_eq!(reason(agent.create(high(draft("Theirs"))).await), ErrorReason::InvalidRequest);
    // What the definition itself gives is not held to it.
    let phone = ani.create(Ticket { channel: "phone".to_owned(), ..own("Mine") }).await.unwrap();
    assert_eq!(phone.priority, "high");
    let set = |priority: &str| Ticket { name: phone.name.clone(), priority: priority.to_owned(), ..Ticket::default() };
    insta::assert_snapshot!(told(agent.update(set("low"), &["priority"]).await), @r"
    InvalidArgument INVALID_REQUEST
    ticket.priority: the role agent may not set it; supervisor may
    - ticket.priority: the role agent may not set it; supervisor may
    ");
    agent.update(set("high"), &["priority"]).await.unwrap();
    for caller in [&supervisor, desk.admin()] {
        caller.create(high(draft("Theirs"))).await.unwrap();
    }
    assert_eq!(supervisor.update(set("low"), &["priority"]).await.unwrap().priority, "low");
}

#[tokio::test]
async fn notes_and_staff_only_fields_are_hidden_everywhere() {
    let desk = desk().await;
    let ani = desk.requester("ani@example.com").await;
    let agent = desk.agent("budi").await;
    let ticket = ani.create(Ticket { fields: fields([("amount", "7")]), ..own("Mine") }).await.unwrap();
    let name = ticket.name.as_str();
    agent.note(name, "A secret note").await.unwrap();
    agent
        .update(
            Ticket { name: name.to_owned(), fields: fields([("risk", "secret")]), ..Ticket::default() },
            &["fields.risk"],
        )
        .await
        .unwrap();
    let moved = TransitionTicketRequest {
        name: name.to_owned(),
        transition: "start".to_owned(),
        comment: "A secret comment".to_owned(),
        ..TransitionTicketRequest::default()
    };
    agent.transition_ticket(moved).await.unwrap();
    agent.reply(name, "In public").await.unwrap();

    let seen = ani.get(name).await.unwrap();
    assert_eq!((seen.reply_count, seen.note_count), (1, 0));
    assert_eq!(seen.fields, fields([("amount", "7")]));
    let staffs = agent.get(name).await.unwrap();
    assert_eq!((staffs.reply_count, staffs.note_count), (2, 1));
    assert_eq!(staffs.fields, fields([("amount", "7"), ("risk", "secret")]));
    assert_eq!(ani.list("").await.unwrap()[0].fields, seen.fields);
    let bodies = |replies: Vec<Reply>| replies.into_iter().map(|reply| reply.body).collect::<Vec<_>>();
    assert_eq!(bodies(ani.replies(name).await.unwrap()), ["In public"]);
    assert_eq!(bodies(agent.replies(name).await.unwrap()), ["A secret note", "In public"]);

    // Nothing of it in the history either, not even that something happened.
    let history: Vec<Change> = ani.changes(name).await.unwrap();
    let commands: Vec<_> = history.iter().map(|change| change.command.as_str()).collect();
    assert_eq!(commands, ["CreateTicket", "TransitionTicket", "CreateReply"]);
    let all = format!("{history:?}{seen:?}");
    assert!(!all.contains("secret") && !all.contains("risk"), "{all}");
    assert!(history.iter().all(|change| change.request_id.is_empty()));
    assert_eq!(agent.changes(name).await.unwrap().len(), 5);

    // It cannot be asked for, guessed by a filter, set, or learnt from an error.
    assert_eq!(reason(ani.list("fields.risk = secret").await), ErrorReason::InvalidFilter);
    let own_fields = Ticket { name: name.to_owned(), fields: fields([("risk", "low")]), ..Ticket::default() };
    insta::assert_snapshot!(told(ani.update(own_fields.clone(), &["fields.risk"]).await), @r#"
    InvalidArgument INVALID_REQUEST
    ticket.fields.risk: there is no field "risk"; there are product, area, order, amount, gift, due, seen, cause
    - ticket.fields.risk: there is no field "risk"; there are product, area, order, amount, gift, due, seen, cause
    "#);
    // All that it sees is replaced; what it does not see stays.
    let replaced = Ticket { fields: fields([("gift", "true")]), ..own_fields };
    assert_eq!(ani.update(replaced, &["fields"]).await.unwrap().fields, fields([("gift", "true")]));
    assert_eq!(agent.get(name).await.unwrap().fields, fields([("gift", "true"), ("risk", "secret")]));
}

#[tokio::test]
async fn services_and_admins_act_for_somebody_and_it_is_kept() {
    let desk = desk().await;
    for (role, caller) in everybody(&desk).await {
        let acting = caller.for_somebody("citra@example.com").await;
        let created = acting.create(Ticket { requester: "ani@example.com".to_owned(), ..draft("For somebody") }).await;
        if [Role::Service, Role::Admin].contains(&role) {
            let name = created.unwrap().name;
            acting.reply(&name, "On it").await.unwrap();
            for change in caller.changes(&name).await.unwrap() {
                assert_eq!(
                    (change.actor.as_str(), change.on_behalf_of.as_str()),
                    ("ani@example.com", "citra@example.com")
                );
                assert_eq!(change.actor_role(), role);
            }
        } else {
            assert_eq!(reason(created), ErrorReason::RoleNotAllowed, "{role:?}");
            assert_eq!(reason(acting.list("").await), ErrorReason::RoleNotAllowed, "{role:?}");
        }
    }
    assert_eq!(desk.head().await, 4);
}

#[tokio::test]
async fn a_services_reply_is_no_staff_reply() {
    let desk = desk().await;
    let service = desk.service("mail").await;
    let ticket = service.create(draft("Printer")).await.unwrap();
    service.reply(&ticket.name, "We have got your mail.").await.unwrap();
    let after = service.get(&ticket.name).await.unwrap();
    assert_eq!((after.status.as_str(), after.first_reply_time), ("new", None));
    desk.supervisor("citra").await.reply(&ticket.name, "Hello").await.unwrap();
    let after = service.get(&ticket.name).await.unwrap();
    assert_eq!((after.status.as_str(), after.first_reply_time), ("waiting", Some(desk.clock.timestamp())));
}
