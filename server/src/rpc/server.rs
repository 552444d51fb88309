//! The services, each a table of contents.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use loket::v1 as proto;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tonic::{Request, Response, Status, Streaming};

use super::encoded::EncodedTicket;
use super::grpc::access_service_server::{self, AccessService, AccessServiceServer};
use super::grpc::agent_service_server::{self, AgentService, AgentServiceServer};
use super::grpc::attachment_service_server::{self, AttachmentService, AttachmentServiceServer};
use super::grpc::feedback_service_server::{self, FeedbackService, FeedbackServiceServer};
use super::grpc::helpdesk_service_server::{self, HelpdeskService, HelpdeskServiceServer};
use super::grpc::queue_service_server::{self, QueueService, QueueServiceServer};
use super::grpc::requester_service_server::{self, RequesterService, RequesterServiceServer};
use super::grpc::ticket_service_server::{self, TicketService, TicketServiceServer};
use super::identity::Keys;
use super::{access, agents, attachments, feedback, helpdesks, queues, requesters, tickets};
use crate::domain::survey::SurveyKey;
use crate::engine::Engine;

/// As reflection and the health service call them.
pub const SERVICE_NAMES: [&str; 8] = [
    ticket_service_server::SERVICE_NAME,
    queue_service_server::SERVICE_NAME,
    helpdesk_service_server::SERVICE_NAME,
    requester_service_server::SERVICE_NAME,
    feedback_service_server::SERVICE_NAME,
    agent_service_server::SERVICE_NAME,
    access_service_server::SERVICE_NAME,
    attachment_service_server::SERVICE_NAME,
];

/// What one server admits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest request, in bytes.
    pub message_bytes: usize,
    /// Streams open at once.
    pub streams: usize,
    /// Calls at once that wait for a revision.
    pub waits: usize,
    /// Claims at once that wait for a ticket.
    pub claims: usize,
    /// Uploads at once: each holds a call as well.
    pub uploads: usize,
    /// How long nothing may move on an upload or a download.
    pub idle: Duration,
}

/// What the methods work with.
pub struct Server {
    pub(super) engine: Arc<Engine>,
    pub(super) keys: Arc<Keys>,
    pub(super) survey_key: SurveyKey,
    pub(super) limits: Limits,
    /// A permit for each open stream.
    pub(super) streams: Arc<Semaphore>,
    pub(super) views: queues::Views,
    /// A permit for each call that waits for a revision.
    pub(super) waits: Semaphore,
    /// A permit for each upload that comes in.
    pub(super) uploads: Semaphore,
    /// Cancelled when the server begins to stop: streams say so and end.
    pub(super) closing: CancellationToken,
}

impl Server {
    pub fn new(
        engine: Arc<Engine>,
        keys: Arc<Keys>,
        survey_key: SurveyKey,
        limits: Limits,
        closing: CancellationToken,
    ) -> Arc<Self> {
        let streams = Arc::new(Semaphore::new(limits.streams));
        let waits = Semaphore::new(limits.waits);
        let uploads = Semaphore::new(limits.uploads);
        let views = queues::Views::default();
        Arc::new(Self { engine, keys, survey_key, limits, streams, views, waits, uploads, closing })
    }
}

/// The services of package `loket.v1`.
pub fn services(server: &Arc<Server>) -> Routes {
    let most = server.limits.message_bytes;
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(TicketServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most))
        .add_service(QueueServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most))
        .add_service(HelpdeskServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most))
        .add_service(AgentServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most))
        .add_service(AttachmentServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most))
        .add_service(RequesterServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most))
        .add_service(FeedbackServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most))
        .add_service(AccessServiceServer::from_arc(Arc::clone(server)).max_decoding_message_size(most));
    routes.routes()
}

type Answer<T> = Result<Response<T>, Status>;

/// Methods of a service: their messages, and the function that does each. It is what these traits have as `async fn`, but that
/// the future is that of the function, and not another around it with room for the request.
macro_rules! methods {
    ($($method:ident($request:ty) -> $answer:ty: $($does:ident)::+;)*) => { $(
        fn $method<'s, 'f>(
            &'s self,
            request: Request<$request>,
        ) -> Pin<Box<dyn Future<Output = Answer<$answer>> + Send + 'f>>
        where
            's: 'f,
            Self: 'f,
        {
            Box::pin($($does)::+(self, request))
        }
    )* };
}

impl TicketService for Server {
    type WatchTicketsStream = tickets::WatchStream;

    methods! {
        create_ticket(proto::CreateTicketRequest) -> EncodedTicket: tickets::create::create;
        batch_create_tickets(proto::BatchCreateTicketsRequest) -> proto::BatchCreateTicketsResponse:
            tickets::batch_create::batch_create;
        import_tickets(proto::ImportTicketsRequest) -> proto::ImportTicketsResponse: tickets::import::import;
        get_ticket(proto::GetTicketRequest) -> EncodedTicket: tickets::get::get;
        lookup_ticket(proto::LookupTicketRequest) -> EncodedTicket: tickets::get::lookup;
        list_tickets(proto::ListTicketsRequest) -> proto::ListTicketsResponse: tickets::list::list;
        update_ticket(proto::UpdateTicketRequest) -> EncodedTicket: tickets::update::update;
        transition_ticket(proto::TransitionTicketRequest) -> EncodedTicket: tickets::transition::transition;
        explain_transitions(proto::ExplainTransitionsRequest) -> proto::ExplainTransitionsResponse:
            tickets::explain::explain;
        claim_ticket(proto::ClaimTicketRequest) -> EncodedTicket: tickets::claim::claim;
        release_ticket(proto::ReleaseTicketRequest) -> EncodedTicket: tickets::claim::release;
        assign_ticket(proto::AssignTicketRequest) -> EncodedTicket: tickets::assign::assign;
        transfer_ticket(proto::TransferTicketRequest) -> EncodedTicket: tickets::assign::transfer;
        escalate_ticket(proto::EscalateTicketRequest) -> proto::EscalateTicketResponse: tickets::escalate::escalate;
        mark_ticket_read(proto::MarkTicketReadRequest) -> EncodedTicket: tickets::mark_read::mark_read;
        create_reply(proto::CreateReplyRequest) -> proto::Reply: tickets::reply::create;
        link_tickets(proto::LinkTicketsRequest) -> EncodedTicket: tickets::link::link;
        unlink_tickets(proto::UnlinkTicketsRequest) -> EncodedTicket: tickets::link::unlink;
        merge_tickets(proto::MergeTicketsRequest) -> EncodedTicket: tickets::merge::merge;
        split_reply(proto::SplitReplyRequest) -> EncodedTicket: tickets::split::split;
        list_replies(proto::ListRepliesRequest) -> proto::ListRepliesResponse: tickets::reply::list;
        list_changes(proto::ListChangesRequest) -> proto::ListChangesResponse: tickets::changes::list;
        watch_tickets(proto::WatchTicketsRequest) -> Self::WatchTicketsStream: tickets::watch::watch;
    }
}

impl QueueService for Server {
    type WatchQueueStream = queues::WatchStream;

    methods! {
        get_queue(proto::GetQueueRequest) -> proto::Queue: queues::get::get;
        list_queues(proto::ListQueuesRequest) -> proto::ListQueuesResponse: queues::get::list;
        claim_next_ticket(proto::ClaimNextTicketRequest) -> proto::ClaimNextTicketResponse:
            queues::claim_next::claim_next;
        watch_queue(proto::WatchQueueRequest) -> Self::WatchQueueStream: queues::watch::watch;
    }
}

impl HelpdeskService for Server {
    methods! {
        create_helpdesk(proto::CreateHelpdeskRequest) -> proto::Helpdesk: helpdesks::create;
        get_helpdesk(proto::GetHelpdeskRequest) -> proto::Helpdesk: helpdesks::get;
        list_helpdesks(proto::ListHelpdesksRequest) -> proto::ListHelpdesksResponse: helpdesks::list;
        update_helpdesk(proto::UpdateHelpdeskRequest) -> proto::Helpdesk: helpdesks::update;
    }
}

impl AgentService for Server {
    methods! {
        create_agent(proto::CreateAgentRequest) -> proto::Agent: agents::create;
        get_agent(proto::GetAgentRequest) -> proto::Agent: agents::get;
        list_agents(proto::ListAgentsRequest) -> proto::ListAgentsResponse: agents::list;
        update_agent(proto::UpdateAgentRequest) -> proto::Agent: agents::update;
    }
}

impl AttachmentService for Server {
    type DownloadAttachmentStream = attachments::download::DownloadStream;

    methods! {
        create_upload(proto::CreateUploadRequest) -> proto::Upload: attachments::create_upload::create_upload;
        get_upload(proto::GetUploadRequest) -> proto::Upload: attachments::get_upload::get_upload;
        upload_attachment(Streaming<proto::UploadAttachmentRequest>) -> proto::UploadAttachmentResponse:
            attachments::upload::upload;
        download_attachment(proto::DownloadAttachmentRequest) -> Self::DownloadAttachmentStream:
            attachments::download::download;
        list_attachments(proto::ListAttachmentsRequest) -> proto::ListAttachmentsResponse: attachments::list::list;
    }
}

impl RequesterService for Server {
    methods! {
        register_requester(proto::RegisterRequesterRequest) -> proto::Requester: requesters::register;
        verify_requester(proto::VerifyRequesterRequest) -> proto::Requester: requesters::verify;
        get_requester(proto::GetRequesterRequest) -> proto::Requester: requesters::get;
        list_requesters(proto::ListRequestersRequest) -> proto::ListRequestersResponse: requesters::list;
    }
}

impl FeedbackService for Server {
    methods! {
        submit_feedback(proto::SubmitFeedbackRequest) -> proto::Feedback: feedback::submit;
        get_survey_link(proto::GetSurveyLinkRequest) -> proto::SurveyLink: feedback::survey_link;
    }
}

impl AccessService for Server {
    methods! {
        create_access_key(proto::CreateAccessKeyRequest) -> proto::AccessKey: access::create;
        list_access_keys(proto::ListAccessKeysRequest) -> proto::ListAccessKeysResponse: access::list;
        revoke_access_key(proto::RevokeAccessKeyRequest) -> proto::AccessKey: access::revoke;
    }
}
