//! Calls that are repeated: every method with a request id, found by the descriptor.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use loket::v1::{
    AccessKey, Agent, AssignTicketRequest, BatchCreateTicketsRequest, ClaimNextTicketRequest, ClaimTicketRequest,
    CreateAccessKeyRequest, CreateAgentRequest, CreateHelpdeskRequest, CreateReplyRequest, CreateTicketRequest,
    CreateUploadRequest, ErrorReason, EscalateTicketRequest, Feedback, Helpdesk, ImportTicketsRequest, LinkKind,
    LinkTicketsRequest, ListAccessKeysRequest, ListHelpdesksRequest, ListTicketsRequest, MarkTicketReadRequest,
    MergeTicketsRequest, RegisterRequesterRequest, ReleaseTicketRequest, Reply, ReplyKind, Requester,
    RevokeAccessKeyRequest, Role, SplitReplyRequest, SubmitFeedbackRequest, Ticket, TransferTicketRequest,
    TransitionTicketRequest, UnlinkTicketsRequest, UpdateAgentRequest, UpdateHelpdeskRequest, UpdateTicketRequest,
    Upload, VerifyRequesterRequest, batch_create_tickets_result,
};
use loket_client::Error;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, ReflectMessage as _, Value};
use prost_types::FieldMask;
use tonic::{Code, Status};
use uuid::Uuid;

use super::database;
use crate::support::history::{at, comes_to, history, says};
use crate::support::{Caller, Desk, RICH, SIMPLE, ServerProcess, draft, fields, raw, reason, told};

/// A request of each method that takes a request id, and the same request with other content.
///
/// Each has what it acts on for itself, so that they can be called in any order.
struct Samples {
    admin: Caller,
    requester: Caller,
    other: Caller,
}

impl Samples {
    async fn ticket(&self) -> String {
        self.admin.create(draft("Printer on fire")).await.unwrap().name
    }

    /// One that takes no tickets: whoever is not registered may still take any, but not be assigned one by others.
    async fn agent(&self) -> String {
        let request = CreateAgentRequest {
            parent: "helpdesks/desk".to_owned(),
            agent_id: "gita".to_owned(),
            agent: Some(Agent { subject: "budi".to_owned(), active: true, ..Agent::default() }),
            ..CreateAgentRequest::default()
        };
        self.admin.create_agent(request).await.unwrap().name
    }

    // A table: one entry for each method.
    #[allow(clippy::too_many_lines)]
    async fn of(&self, method: &str) -> (Vec<u8>, Vec<u8>) {
        match method {
            "CreateTicket" => pair(
                CreateTicketRequest {
                    parent: "helpdesks/desk".to_owned(),
                    ticket: Some(Ticket { fields: fields([("product", "app"), ("amount", "7")]), ..draft("Printer") }),
                    ..CreateTicketRequest::default()
                },
                |request| request.ticket.as_mut().unwrap().subject.push('!'),
            ),
            "BatchCreateTickets" => {
                let ticket = Some(draft("One of a batch"));
                let requests = vec![CreateTicketRequest { ticket, ..CreateTicketRequest::default() }];
                pair(BatchCreateTicketsRequest { parent: "helpdesks/desk".to_owned(), requests }, |request| {
                    request.requests[0].ticket.as_mut().unwrap().subject.push('!');
                })
            }
            "ImportTickets" => {
                let events = vec![comes_to(10, "budi", "open"), says(20, "budi", ReplyKind::Public, "Is it hot?")];
                let histories = vec![history("Once upon a time", events)];
                pair(ImportTicketsRequest { parent: "helpdesks/desk".to_owned(), histories }, |request| {
                    request.histories[0].events[0].event_time = Some(at(11));
                })
            }
            "UpdateTicket" => pair(
                UpdateTicketRequest {
                    ticket: Some(Ticket {
                        name: self.ticket().await,
                        tags: vec!["hot".to_owned()],
                        ..Ticket::default()
                    }),
                    update_mask: Some(FieldMask { paths: vec!["tags".to_owned()] }),
                    ..UpdateTicketRequest::default()
                },
                |request| request.reason.push('!'),
            ),
            "TransitionTicket" => pair(
                TransitionTicketRequest {
                    name: self.ticket().await,
                    transition: "start".to_owned(),
                    fields: fields([("cause", "heat")]),
                    ..TransitionTicketRequest::default()
                },
                |request| request.comment.push('!'),
            ),
            "CreateReply" => pair(
                CreateReplyRequest {
                    parent: self.ticket().await,
                    reply: Some(Reply { body: "Water is on its way.".to_owned(), ..Reply::default() }),
                    ..CreateReplyRequest::default()
                },
                |request| request.reply.as_mut().unwrap().body.push('!'),
            ),
            "ClaimTicket" => {
                pair(ClaimTicketRequest { name: self.ticket().await, ..ClaimTicketRequest::default() }, |request| {
                    request.etag.push('!');
                })
            }
            "ReleaseTicket" => {
                let name = self.ticket().await;
                self.admin.claim(&name).await.unwrap();
                pair(ReleaseTicketRequest { name, ..ReleaseTicketRequest::default() }, |request| {
                    request.reason.push('!');
                })
            }
            "LinkTickets" => pair(
                LinkTicketsRequest {
                    name: self.ticket().await,
                    other_ticket: self.ticket().await,
                    kind: LinkKind::Parent.into(),
                    ..LinkTicketsRequest::default()
                },
                |request| request.reason.push('!'),
            ),
            "UnlinkTickets" => {
                let link = LinkTicketsRequest {
                    name: self.ticket().await,
                    other_ticket: self.ticket().await,
                    kind: LinkKind::Related.into(),
                    ..LinkTicketsRequest::default()
                };
                let linked = self.admin.link_tickets(link).await.unwrap();
                pair(
                    UnlinkTicketsRequest {
                        name: linked.name,
                        other_ticket: linked.links[0].ticket.clone(),
                        ..UnlinkTicketsRequest::default()
                    },
                    |request| request.reason.push('!'),
                )
            }
            "MergeTickets" => pair(
                MergeTicketsRequest {
                    name: self.ticket().await,
                    duplicates: vec![self.ticket().await],
                    ..MergeTicketsRequest::default()
                },
                |request| request.reason.push('!'),
            ),
            "SplitReply" => {
                let ticket = self.ticket().await;
                let reply = self.requester.reply(&ticket, "And the fax is wet.").await.unwrap();
                pair(
                    SplitReplyRequest {
                        parent: ticket,
                        replies: vec![reply.name],
                        ticket: Some(Ticket { subject: "Fax".to_owned(), ..Ticket::default() }),
                        ..SplitReplyRequest::default()
                    },
                    |request| request.ticket.as_mut().unwrap().subject.push('!'),
                )
            }
            "MarkTicketRead" => pair(
                MarkTicketReadRequest { name: self.ticket().await, ..MarkTicketReadRequest::default() },
                |request| request.etag.push('!'),
            ),
            "ClaimNextTicket" => {
                self.ticket().await;
                pair(
                    ClaimNextTicketRequest {
                        name: "helpdesks/desk/queues/first".to_owned(),
                        ..ClaimNextTicketRequest::default()
                    },
                    |request| "helpdesks/desk/queues/web".clone_into(&mut request.name),
                )
            }
            "AssignTicket" => pair(
                AssignTicketRequest {
                    name: self.ticket().await,
                    assignee: "budi".to_owned(),
                    ..AssignTicketRequest::default()
                },
                |request| request.reason.push('!'),
            ),
            "TransferTicket" => pair(
                TransferTicketRequest {
                    name: self.ticket().await,
                    queue: "web".to_owned(),
                    reason: "It is theirs".to_owned(),
                    ..TransferTicketRequest::default()
                },
                |request| request.reason.push('!'),
            ),
            "EscalateTicket" => pair(
                EscalateTicketRequest {
                    name: self.ticket().await,
                    escalation: "upstairs".to_owned(),
                    reason: "It is hard".to_owned(),
                    ..EscalateTicketRequest::default()
                },
                |request| request.reason.push('!'),
            ),
            "CreateAgent" => pair(
                CreateAgentRequest {
                    parent: "helpdesks/desk".to_owned(),
                    agent_id: "fitri".to_owned(),
                    agent: Some(Agent { subject: "fitri".to_owned(), ..Agent::default() }),
                    ..CreateAgentRequest::default()
                },
                |request| request.agent.as_mut().unwrap().display_name.push('!'),
            ),
            "UpdateAgent" => pair(
                UpdateAgentRequest {
                    agent: Some(Agent {
                        name: self.agent().await,
                        display_name: "Gita".to_owned(),
                        ..Agent::default()
                    }),
                    update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
                    ..UpdateAgentRequest::default()
                },
                |request| request.agent.as_mut().unwrap().display_name.push('!'),
            ),
            "CreateHelpdesk" => pair(
                CreateHelpdeskRequest {
                    helpdesk_id: "another".to_owned(),
                    helpdesk: Some(loket::json::helpdesk_from_yaml(SIMPLE).unwrap()),
                    ..CreateHelpdeskRequest::default()
                },
                |request| request.helpdesk_id.push('2'),
            ),
            "UpdateHelpdesk" => pair(
                UpdateHelpdeskRequest {
                    helpdesk: Some(Helpdesk {
                        name: "helpdesks/desk".to_owned(),
                        display_name: "Renamed".to_owned(),
                        ..Helpdesk::default()
                    }),
                    update_mask: Some(FieldMask { paths: vec!["display_name".to_owned()] }),
                    ..UpdateHelpdeskRequest::default()
                },
                |request| request.helpdesk.as_mut().unwrap().display_name.push('!'),
            ),
            "CreateAccessKey" => pair(
                CreateAccessKeyRequest {
                    access_key: Some(AccessKey {
                        role: Role::Agent.into(),
                        subject: "citra".to_owned(),
                        helpdesks: vec!["helpdesks/desk".to_owned()],
                        ..AccessKey::default()
                    }),
                    ..CreateAccessKeyRequest::default()
                },
                |request| request.access_key.as_mut().unwrap().display_name.push('!'),
            ),
            "RegisterRequester" => pair(
                RegisterRequesterRequest {
                    parent: "helpdesks/desk".to_owned(),
                    requester: Some(Requester { email: "fajar@example.com".to_owned(), ..Requester::default() }),
                    ..RegisterRequesterRequest::default()
                },
                |request| request.requester.as_mut().unwrap().email.insert(0, 'x'),
            ),
            "VerifyRequester" => {
                let Requester { name, code, .. } = self.admin.register("gita@example.com").await.unwrap();
                pair(VerifyRequesterRequest { name, code, ..VerifyRequesterRequest::default() }, |request| {
                    request.code.push('0');
                })
            }
            "SubmitFeedback" => {
                let name = self.ticket().await;
                self.admin.transition(&name, "give_up").await.unwrap();
                let token = self.admin.survey_link(&name).await.unwrap().token;
                let feedback = Some(Feedback { rating: 4, ..Feedback::default() });
                pair(SubmitFeedbackRequest { name, feedback, token, ..SubmitFeedbackRequest::default() }, |request| {
                    request.feedback.as_mut().unwrap().rating = 5;
                })
            }
            "RevokeAccessKey" => {
                let names = [
                    self.admin.key(Role::Agent, "dewi", &["desk"]).await.name,
                    self.admin.key(Role::Agent, "eka", &["desk"]).await.name,
                ];
                let [name, another] = names;
                pair(RevokeAccessKeyRequest { name, ..RevokeAccessKeyRequest::default() }, |request| {
                    request.name = another;
                })
            }
            "CreateUpload" => pair(
                CreateUploadRequest {
                    parent: "helpdesks/desk".to_owned(),
                    upload: Some(Upload { filename: "a.png".to_owned(), size_bytes: 7, ..Upload::default() }),
                    ..CreateUploadRequest::default()
                },
                |request| request.upload.as_mut().unwrap().filename.push('!'),
            ),
            method => panic!("{method} takes a request id and has no sample here: add one"),
        }
    }

    /// Everything that a mutation could have changed.
    async fn state(&self) -> (i64, usize, usize) {
        let desk = ListTicketsRequest { parent: "helpdesks/desk".to_owned(), ..ListTicketsRequest::default() };
        let head = self.admin.list_tickets(desk).await.unwrap().revision;
        let keys = ListAccessKeysRequest::default();
        let keys: Vec<_> = self.admin.all_access_keys(keys).try_collect().await.unwrap();
        let helpdesks: Vec<_> = self.admin.all_helpdesks(ListHelpdesksRequest::default()).try_collect().await.unwrap();
        (head, keys.len(), helpdesks.len())
    }
}

fn pair<M: prost::Message>(mut message: M, change: impl FnOnce(&mut M)) -> (Vec<u8>, Vec<u8>) {
    let content = message.encode_to_vec();
    change(&mut message);
    (content, message.encode_to_vec())
}

/// The methods whose requests have a field.
fn methods_with(field: &str) -> Vec<MethodDescriptor> {
    let services = loket::json::POOL.services().filter(|service| service.full_name().starts_with("loket.v1."));
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let has = |message: &MessageDescriptor| message.get_field_by_name(field).is_some();
    let found: Vec<_> =
        methods.filter(|method| has(&method.input()) || items(&method.input(), field).is_some()).collect();
    assert!(found.len() > 10, "the descriptor has lost its methods");
    found
}

/// The list of a message whose items have a field: each is a request for itself.
fn items(message: &MessageDescriptor, field: &str) -> Option<FieldDescriptor> {
    let has = |items: &FieldDescriptor| {
        items.is_list() && items.kind().as_message().is_some_and(|item| item.get_field_by_name(field).is_some())
    };
    message.fields().find(has)
}

fn set(message: &[u8], descriptor: MessageDescriptor, field: &str, value: Value) -> Vec<u8> {
    let list = items(&descriptor, field);
    let mut message = DynamicMessage::decode(descriptor, message).unwrap();
    match list {
        None => message.set_field_by_name(field, value),
        Some(list) => {
            for item in message.get_field_mut(&list).as_list_mut().unwrap() {
                item.as_message_mut().unwrap().set_field_by_name(field, value.clone());
            }
        }
    }
    message.encode_to_vec()
}

fn with_id(message: &[u8], method: &MethodDescriptor, id: &str) -> Vec<u8> {
    set(message, method.input(), "request_id", Value::String(id.to_owned()))
}

async fn call(caller: &Caller, method: &MethodDescriptor, message: Vec<u8>) -> Result<DynamicMessage, Error> {
    let path = format!("{}/{}", method.parent_service().full_name(), method.name());
    let answer = raw::call(caller, &path, message).await?;
    let answer = DynamicMessage::decode(method.output(), answer.as_slice()).unwrap();
    // What became of the only item is what became of the call.
    if let Some(results) = answer.get_field_by_name("results") {
        let result = results.as_list().unwrap()[0].as_message().unwrap();
        if result.has_field_by_name("status") {
            let status = result.get_field_by_name("status").unwrap().as_message().unwrap().encode_to_vec();
            let pb = tonic_types::pb::Status::decode(status.as_slice()).unwrap();
            return Err(Status::with_details(Code::from(pb.code), pb.message, status.into()).into());
        }
    }
    Ok(answer)
}

/// The secret of a key, and the code of a requester, are in the first answer only.
fn without_secret(mut answer: DynamicMessage) -> DynamicMessage {
    for secret in ["secret", "code"] {
        if answer.descriptor().get_field_by_name(secret).is_some() {
            answer.clear_field_by_name(secret);
        }
    }
    answer
}

async fn samples(server: &ServerProcess) -> Samples {
    let admin = server.admin().await;
    admin.open("desk", RICH).await;
    let requester = server.caller(Role::Requester, "customer@example.com", &["desk"]).await;
    Samples { admin, requester, other: server.caller(Role::Admin, "another admin", &["desk", "desk"]).await }
}

#[tokio::test]
async fn every_repeated_call_is_answered_the_same_and_done_once_also_after_a_kill() {
    let mut server = ServerProcess::start(database()).await;
    let samples = samples(&server).await;
    let mut done = BTreeMap::new();
    for method in methods_with("request_id") {
        let name = method.full_name().to_owned();
        let (content, other_content) = samples.of(method.name()).await;
        let id = Uuid::new_v4().to_string();
        let message = with_id(&content, &method, &id);

        let first =
            call(&samples.admin, &method, message.clone()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let state = samples.state().await;
        let again = call(&samples.admin, &method, message.clone())
            .await
            .unwrap_or_else(|error| panic!("{name}, again: {error}"));
        assert_eq!(again, without_secret(first), "{name} is answered the same");
        assert_eq!(samples.state().await, state, "{name} is done once");
        // A UUID is the same in capitals.
        let capitals = call(&samples.admin, &method, with_id(&content, &method, &id.to_uppercase())).await.unwrap();
        assert_eq!(capitals, again, "{name}");

        let reused = call(&samples.admin, &method, with_id(&other_content, &method, &id)).await;
        assert_eq!(reason(reused), ErrorReason::RequestIdReused, "{name} with other content");
        assert_eq!(samples.state().await, state, "{name} with other content changes nothing");

        // The same id of another subject is another id.
        if let Err(error) = call(&samples.other, &method, with_id(&other_content, &method, &id)).await {
            assert_ne!(error.reason(), Some(ErrorReason::RequestIdReused), "{name} by another caller");
        }
        done.insert(name, (method, message, again));
    }
    server.kill();
    server.restart().await;
    let state = samples.state().await;
    for (name, (method, message, before)) in done {
        let after = call(&samples.admin, &method, message).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(after, before, "{name} is answered the same after a kill");
    }
    assert_eq!(samples.state().await, state);
}

#[tokio::test]
async fn validating_only_answers_and_changes_nothing_and_is_not_remembered() {
    let server = ServerProcess::start(database()).await;
    let samples = samples(&server).await;
    for method in methods_with("validate_only") {
        let name = method.full_name().to_owned();
        let (content, _) = samples.of(method.name()).await;
        let message = with_id(&content, &method, &Uuid::new_v4().to_string());
        let validating = set(&message, method.input(), "validate_only", Value::Bool(true));
        let before = samples.state().await;
        let validated =
            call(&samples.admin, &method, validating).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(samples.state().await, before, "{name} changes nothing");
        if let Some(secret) = validated.get_field_by_name("secret") {
            assert_eq!(secret.as_str(), Some(""), "{name}: there is no key that this would be the secret of");
        }
        // Not remembered: the real call is done, and not answered by what was validated.
        call(&samples.admin, &method, message).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_ne!(samples.state().await, before, "{name} is done");
    }
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let desk = Desk::of(database(), RICH).await;
    let agent = desk.agent("budi").await;
    let id = Uuid::new_v4().to_string();
    let request = |subject: &str| CreateTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        ticket: Some(draft(subject)),
        request_id: id.clone(),
        ..CreateTicketRequest::default()
    };
    assert_eq!(reason(agent.create_ticket(request("")).await), ErrorReason::InvalidRequest);
    let created = agent.create_ticket(request("Printer")).await.unwrap();

    let id = Uuid::new_v4().to_string();
    let solve = |solution: &str| TransitionTicketRequest {
        name: created.name.clone(),
        transition: "solve".to_owned(),
        solution: solution.to_owned(),
        fields: fields([("cause", "heat")]),
        request_id: id.clone(),
        ..TransitionTicketRequest::default()
    };
    agent.reply(&created.name, "Is it hot?").await.unwrap();
    assert_eq!(reason(agent.transition_ticket(solve("")).await), ErrorReason::TransitionRefused);
    assert_eq!(agent.transition_ticket(solve("Water")).await.unwrap().status, "solved");
}

#[tokio::test]
async fn an_empty_claim_is_not_remembered() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let request = ClaimNextTicketRequest {
        name: "helpdesks/desk/queues/main".to_owned(),
        request_id: Uuid::new_v4().to_string(),
        ..ClaimNextTicketRequest::default()
    };
    assert_eq!(agent.claim_next_ticket(request.clone()).await.unwrap().ticket, None);
    let ticket = agent.create(draft("Printer")).await.unwrap();
    for _ in 0..2 {
        let claimed = agent.claim_next_ticket(request.clone()).await.unwrap().ticket.unwrap();
        assert_eq!((claimed.name.as_str(), claimed.assignee.as_str()), (ticket.name.as_str(), "budi"));
    }
}

#[tokio::test]
async fn what_was_already_so_is_remembered_like_what_was_done() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let claimed = agent.claim(&ticket.name).await.unwrap();
    let request = ClaimTicketRequest {
        name: ticket.name.clone(),
        request_id: Uuid::new_v4().to_string(),
        ..ClaimTicketRequest::default()
    };
    let again = agent.claim_ticket(request.clone()).await.unwrap();
    assert_eq!(again, claimed);
    agent.release(&ticket.name).await.unwrap();
    // Repeated, it is the old answer, and not a new claim.
    assert_eq!(agent.claim_ticket(request).await.unwrap(), again);
    assert_eq!(agent.get(&ticket.name).await.unwrap().assignee, "");

    let helpdesk = loket::json::helpdesk_from_yaml(SIMPLE).unwrap();
    let request = UpdateHelpdeskRequest {
        helpdesk: Some(Helpdesk { name: "helpdesks/desk".to_owned(), ..helpdesk }),
        request_id: Uuid::new_v4().to_string(),
        ..UpdateHelpdeskRequest::default()
    };
    let same = desk.admin().update_helpdesk(request.clone()).await.unwrap();
    assert_eq!(same.definition_version, 1);
    let renamed = Helpdesk { display_name: "Renamed".to_owned(), ..request.helpdesk.clone().unwrap() };
    let rename = UpdateHelpdeskRequest { helpdesk: Some(renamed), ..UpdateHelpdeskRequest::default() };
    assert_eq!(desk.admin().update_helpdesk(rename).await.unwrap().definition_version, 2);
    assert_eq!(desk.admin().update_helpdesk(request).await.unwrap(), same);
}

#[tokio::test]
async fn an_id_belongs_to_one_method_and_one_helpdesk() {
    let desk = Desk::open(database()).await;
    desk.admin().open("other", SIMPLE).await;
    let agent = desk.server.caller(Role::Agent, "budi", &["desk", "other"]).await;
    let id = Uuid::new_v4().to_string();
    let request = |parent: &str| CreateTicketRequest {
        parent: parent.to_owned(),
        ticket: Some(draft("Printer")),
        request_id: id.clone(),
        ..CreateTicketRequest::default()
    };
    let ticket = agent.create_ticket(request("helpdesks/desk")).await.unwrap();
    let other = agent.create_ticket(request("helpdesks/other")).await.unwrap();
    assert_ne!(ticket.uid, other.uid);
    let claim = ClaimTicketRequest { name: ticket.name, request_id: id, ..ClaimTicketRequest::default() };
    assert_eq!(reason(agent.claim_ticket(claim).await), ErrorReason::RequestIdReused);
}

#[tokio::test]
async fn an_id_is_looked_up_after_visibility_and_before_the_etag() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let ticket = agent.create(draft("Printer")).await.unwrap();
    let request = TransitionTicketRequest {
        name: ticket.name.clone(),
        transition: "start".to_owned(),
        etag: ticket.etag.clone(),
        request_id: Uuid::new_v4().to_string(),
        ..TransitionTicketRequest::default()
    };
    let moved = agent.transition_ticket(request.clone()).await.unwrap();
    // Its etag is stale now, and the transition leads no more: the repeated call is still the one that was done.
    assert_eq!(agent.transition_ticket(request.clone()).await.unwrap(), moved);
    let stranger = desk.requester("stranger@example.com").await;
    assert_eq!(reason(stranger.transition_ticket(request).await), ErrorReason::ResourceNotFound);
}

#[tokio::test]
async fn the_same_call_many_times_at_once_is_done_once() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let request = CreateTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        ticket: Some(draft("Printer")),
        request_id: Uuid::new_v4().to_string(),
        ..CreateTicketRequest::default()
    };
    let answers = join_all((0..32).map(|_| agent.create_ticket(request.clone()))).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(desk.head().await, 1);
}

#[tokio::test]
async fn each_item_of_a_batch_has_an_id_of_its_own() {
    let desk = Desk::open(database()).await;
    let agent = desk.agent("budi").await;
    let item = |subject: &str| CreateTicketRequest {
        ticket: Some(draft(subject)),
        request_id: Uuid::new_v4().to_string(),
        ..CreateTicketRequest::default()
    };
    let batch = BatchCreateTicketsRequest {
        parent: "helpdesks/desk".to_owned(),
        requests: vec![item("One"), item(""), item("Three")],
    };
    let first = agent.batch_create_tickets(batch.clone()).await.unwrap();
    let kinds: Vec<_> = first
        .results
        .iter()
        .map(|result| matches!(result.result, Some(batch_create_tickets_result::Result::Ticket(_))))
        .collect();
    assert_eq!(kinds, [true, false, true]);
    assert_eq!(agent.batch_create_tickets(batch.clone()).await.unwrap(), first);
    // The item by itself is the same call.
    let alone = CreateTicketRequest { parent: "helpdesks/desk".to_owned(), ..batch.requests[2].clone() };
    let alone = agent.create_ticket(alone).await.unwrap();
    assert_eq!(first.results[2].result, Some(batch_create_tickets_result::Result::Ticket(alone)));
    assert_eq!(desk.head().await, 2);
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_refused() {
    let desk = Desk::open(database()).await;
    let request = CreateTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        ticket: Some(draft("Printer")),
        request_id: "again".to_owned(),
        ..CreateTicketRequest::default()
    };
    insta::assert_snapshot!(told(desk.admin().create_ticket(request).await), @r#"
    InvalidArgument INVALID_REQUEST
    request_id: "again" is not a UUID, such as 3f0c1e5a-9f0b-4c58-a3d1-5b8f0e6a2f10
    - request_id: "again" is not a UUID, such as 3f0c1e5a-9f0b-4c58-a3d1-5b8f0e6a2f10
    "#);
}

#[tokio::test]
async fn an_id_is_forgotten_after_seven_days() {
    let desk = Desk::open(database()).await;
    let request = CreateTicketRequest {
        parent: "helpdesks/desk".to_owned(),
        ticket: Some(draft("Printer")),
        request_id: Uuid::new_v4().to_string(),
        ..CreateTicketRequest::default()
    };
    let first = desk.admin().create_ticket(request.clone()).await.unwrap();
    desk.clock.advance(Duration::from_hours(25));
    let younger = CreateTicketRequest { request_id: Uuid::new_v4().to_string(), ..request.clone() };
    let second = desk.admin().create_ticket(younger.clone()).await.unwrap();
    desk.clock.advance(Duration::from_hours(119));
    assert_eq!(desk.admin().create_ticket(request.clone()).await.unwrap(), first);
    desk.clock.advance(Duration::from_hours(48));
    desk.admin().create(draft("Time goes on")).await.unwrap();
    // What is old is cleared away when the server starts, among other times.
    let server = desk.server.again().await;
    let later = crate::support::eventually("the id is forgotten", async || {
        let ticket = server.admin().create_ticket(request.clone()).await.unwrap();
        (ticket.uid != first.uid).then_some(ticket)
    })
    .await;
    assert_eq!(later.name, "helpdesks/desk/tickets/4");
    // The other, looked at with it, is an hour short of seven days.
    assert_eq!(server.admin().create_ticket(younger).await.unwrap(), second);
}

/// They are looked at a thousand at a time.
#[tokio::test]
async fn of_many_old_ids_the_last_is_forgotten_too() {
    let desk = Desk::open(database()).await;
    desk.admin().fill((0..1_000).map(|number| draft(&format!("Ticket {number}")))).await;
    let request = CreateTicketRequest {
        parent: desk.admin().parent.clone(),
        ticket: Some(draft("Printer")),
        request_id: Uuid::now_v7().to_string(),
        ..CreateTicketRequest::default()
    };
    let first = desk.admin().create_ticket(request.clone()).await.unwrap();
    desk.clock.advance(Duration::from_hours(169));
    desk.admin().create(draft("Time goes on")).await.unwrap();
    let server = desk.server.again().await;
    crate::support::eventually("the id is forgotten", async || {
        let ticket = server.admin().create_ticket(request.clone()).await.unwrap();
        (ticket.uid != first.uid).then_some(())
    })
    .await;
}
