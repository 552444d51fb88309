//! The services, each a table of contents.

use std::sync::Arc;
use std::time::Duration;

use loket::v1 as proto;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tonic::{Request, Response, Status, Streaming};

use super::attachments::upload::places::Places;
use super::grpc::access_service_server::{AccessService, AccessServiceServer};
use super::grpc::agent_service_server::{AgentService, AgentServiceServer};
use super::grpc::attachment_service_server::{AttachmentService, AttachmentServiceServer};
use super::grpc::feedback_service_server::{FeedbackService, FeedbackServiceServer};
use super::grpc::helpdesk_service_server::{HelpdeskService, HelpdeskServiceServer};
use super::grpc::queue_service_server::{QueueService, QueueServiceServer};
use super::grpc::requester_service_server::{RequesterService, RequesterServiceServer};
use super::grpc::ticket_service_server::{TicketService, TicketServiceServer};
use super::identity::Keys;
use super::{access, agents, attachments, feedback, helpdesks, queues, requesters, tickets};
use crate::domain::survey::SurveyKey;
use crate::engine::Engine;

/// What one server admits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest request, in bytes.
    pub message_bytes: usize,
    /// Streams open at once.
    pub streams: usize,
    /// Calls at once that wait for a revision.
    pub waits: usize,
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
    /// The same for each caller.
    pub(super) uploaders: Places,
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
        let uploaders = Places::of(limits.uploads);
        let views = queues::Views::default();
        Arc::new(Self { engine, keys, survey_key, limits, streams, views, waits, uploads, uploaders, closing })
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

#[tonic::async_trait]
impl TicketService for Server {
    type WatchTicketsStream = tickets::WatchStream;

    async fn create_ticket(&self, request: Request<proto::CreateTicketRequest>) -> Answer<proto::Ticket> {
        tickets::create::create(self, request).await
    }

    async fn batch_create_tickets(
        &self,
        request: Request<proto::BatchCreateTicketsRequest>,
    ) -> Answer<proto::BatchCreateTicketsResponse> {
        tickets::batch_create::batch_create(self, request).await
    }

    async fn import_tickets(
        &self,
        request: Request<proto::ImportTicketsRequest>,
    ) -> Answer<proto::ImportTicketsResponse> {
        tickets::import::import(self, request).await
    }

    async fn get_ticket(&self, request: Request<proto::GetTicketRequest>) -> Answer<proto::Ticket> {
        tickets::get::get(self, request).await
    }

    async fn lookup_ticket(&self, request: Request<proto::LookupTicketRequest>) -> Answer<proto::Ticket> {
        tickets::get::lookup(self, request).await
    }

    async fn list_tickets(&self, request: Request<proto::ListTicketsRequest>) -> Answer<proto::ListTicketsResponse> {
        tickets::list::list(self, request).await
    }

    async fn update_ticket(&self, request: Request<proto::UpdateTicketRequest>) -> Answer<proto::Ticket> {
        tickets::update::update(self, request).await
    }

    async fn transition_ticket(&self, request: Request<proto::TransitionTicketRequest>) -> Answer<proto::Ticket> {
        tickets::transition::transition(self, request).await
    }

    async fn explain_transitions(
        &self,
        request: Request<proto::ExplainTransitionsRequest>,
    ) -> Answer<proto::ExplainTransitionsResponse> {
        tickets::explain::explain(self, request).await
    }

    async fn claim_ticket(&self, request: Request<proto::ClaimTicketRequest>) -> Answer<proto::Ticket> {
        tickets::claim::claim(self, request).await
    }

    async fn release_ticket(&self, request: Request<proto::ReleaseTicketRequest>) -> Answer<proto::Ticket> {
        tickets::claim::release(self, request).await
    }

    async fn assign_ticket(&self, request: Request<proto::AssignTicketRequest>) -> Answer<proto::Ticket> {
        tickets::assign::assign(self, request).await
    }

    async fn transfer_ticket(&self, request: Request<proto::TransferTicketRequest>) -> Answer<proto::Ticket> {
        tickets::assign::transfer(self, request).await
    }

    async fn escalate_ticket(
        &self,
        request: Request<proto::EscalateTicketRequest>,
    ) -> Answer<proto::EscalateTicketResponse> {
        tickets::escalate::escalate(self, request).await
    }

    async fn mark_ticket_read(&self, request: Request<proto::MarkTicketReadRequest>) -> Answer<proto::Ticket> {
        tickets::mark_read::mark_read(self, request).await
    }

    async fn create_reply(&self, request: Request<proto::CreateReplyRequest>) -> Answer<proto::Reply> {
        tickets::reply::create(self, request).await
    }

    async fn link_tickets(&self, request: Request<proto::LinkTicketsRequest>) -> Answer<proto::Ticket> {
        tickets::link::link(self, request).await
    }

    async fn unlink_tickets(&self, request: Request<proto::UnlinkTicketsRequest>) -> Answer<proto::Ticket> {
        tickets::link::unlink(self, request).await
    }

    async fn merge_tickets(&self, request: Request<proto::MergeTicketsRequest>) -> Answer<proto::Ticket> {
        tickets::merge::merge(self, request).await
    }

    async fn split_reply(&self, request: Request<proto::SplitReplyRequest>) -> Answer<proto::Ticket> {
        tickets::split::split(self, request).await
    }

    async fn list_replies(&self, request: Request<proto::ListRepliesRequest>) -> Answer<proto::ListRepliesResponse> {
        tickets::reply::list(self, request).await
    }

    async fn list_changes(&self, request: Request<proto::ListChangesRequest>) -> Answer<proto::ListChangesResponse> {
        tickets::changes::list(self, request).await
    }

    async fn watch_tickets(&self, request: Request<proto::WatchTicketsRequest>) -> Answer<Self::WatchTicketsStream> {
        tickets::watch::watch(self, request).await
    }
}

#[tonic::async_trait]
impl QueueService for Server {
    type WatchQueueStream = queues::WatchStream;

    async fn get_queue(&self, request: Request<proto::GetQueueRequest>) -> Answer<proto::Queue> {
        queues::get::get(self, request).await
    }

    async fn list_queues(&self, request: Request<proto::ListQueuesRequest>) -> Answer<proto::ListQueuesResponse> {
        queues::get::list(self, request).await
    }

    async fn claim_next_ticket(
        &self,
        request: Request<proto::ClaimNextTicketRequest>,
    ) -> Answer<proto::ClaimNextTicketResponse> {
        queues::claim_next::claim_next(self, request).await
    }

    async fn watch_queue(&self, request: Request<proto::WatchQueueRequest>) -> Answer<Self::WatchQueueStream> {
        queues::watch::watch(self, request).await
    }
}

#[tonic::async_trait]
impl HelpdeskService for Server {
    async fn create_helpdesk(&self, request: Request<proto::CreateHelpdeskRequest>) -> Answer<proto::Helpdesk> {
        helpdesks::create(self, request).await
    }

    async fn get_helpdesk(&self, request: Request<proto::GetHelpdeskRequest>) -> Answer<proto::Helpdesk> {
        helpdesks::get(self, request).await
    }

    async fn list_helpdesks(
        &self,
        request: Request<proto::ListHelpdesksRequest>,
    ) -> Answer<proto::ListHelpdesksResponse> {
        helpdesks::list(self, request).await
    }

    async fn update_helpdesk(&self, request: Request<proto::UpdateHelpdeskRequest>) -> Answer<proto::Helpdesk> {
        helpdesks::update(self, request).await
    }
}

#[tonic::async_trait]
impl AgentService for Server {
    async fn create_agent(&self, request: Request<proto::CreateAgentRequest>) -> Answer<proto::Agent> {
        agents::create(self, request).await
    }

    async fn get_agent(&self, request: Request<proto::GetAgentRequest>) -> Answer<proto::Agent> {
        agents::get(self, request).await
    }

    async fn list_agents(&self, request: Request<proto::ListAgentsRequest>) -> Answer<proto::ListAgentsResponse> {
        agents::list(self, request).await
    }

    async fn update_agent(&self, request: Request<proto::UpdateAgentRequest>) -> Answer<proto::Agent> {
        agents::update(self, request).await
    }
}

#[tonic::async_trait]
impl AttachmentService for Server {
    type DownloadAttachmentStream = attachments::download::DownloadStream;

    async fn create_upload(&self, request: Request<proto::CreateUploadRequest>) -> Answer<proto::Upload> {
        attachments::create_upload::create_upload(self, request).await
    }

    async fn get_upload(&self, request: Request<proto::GetUploadRequest>) -> Answer<proto::Upload> {
        attachments::get_upload::get_upload(self, request).await
    }

    async fn upload_attachment(
        &self,
        request: Request<Streaming<proto::UploadAttachmentRequest>>,
    ) -> Answer<proto::UploadAttachmentResponse> {
        attachments::upload::upload(self, request).await
    }

    async fn download_attachment(
        &self,
        request: Request<proto::DownloadAttachmentRequest>,
    ) -> Answer<Self::DownloadAttachmentStream> {
        attachments::download::download(self, request).await
    }

    async fn list_attachments(
        &self,
        request: Request<proto::ListAttachmentsRequest>,
    ) -> Answer<proto::ListAttachmentsResponse> {
        attachments::list::list(self, request).await
    }
}

#[tonic::async_trait]
impl RequesterService for Server {
    async fn register_requester(&self, request: Request<proto::RegisterRequesterRequest>) -> Answer<proto::Requester> {
        requesters::register(self, request).await
    }

    async fn verify_requester(&self, request: Request<proto::VerifyRequesterRequest>) -> Answer<proto::Requester> {
        requesters::verify(self, request).await
    }

    async fn get_requester(&self, request: Request<proto::GetRequesterRequest>) -> Answer<proto::Requester> {
        requesters::get(self, request).await
    }

    async fn list_requesters(
        &self,
        request: Request<proto::ListRequestersRequest>,
    ) -> Answer<proto::ListRequestersResponse> {
        requesters::list(self, request).await
    }
}

#[tonic::async_trait]
impl FeedbackService for Server {
    async fn submit_feedback(&self, request: Request<proto::SubmitFeedbackRequest>) -> Answer<proto::Feedback> {
        feedback::submit(self, request).await
    }

    async fn get_survey_link(&self, request: Request<proto::GetSurveyLinkRequest>) -> Answer<proto::SurveyLink> {
        feedback::survey_link(self, request).await
    }
}

#[tonic::async_trait]
impl AccessService for Server {
    async fn create_access_key(&self, request: Request<proto::CreateAccessKeyRequest>) -> Answer<proto::AccessKey> {
        access::create(self, request).await
    }

    async fn list_access_keys(
        &self,
        request: Request<proto::ListAccessKeysRequest>,
    ) -> Answer<proto::ListAccessKeysResponse> {
        access::list(self, request).await
    }

    async fn revoke_access_key(&self, request: Request<proto::RevokeAccessKeyRequest>) -> Answer<proto::AccessKey> {
        access::revoke(self, request).await
    }
}
