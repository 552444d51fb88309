//! Every unary call, by name: mutations get a request id before the first try, so that each may be repeated.

use std::time::Duration;

use loket::v1;
use uuid::Uuid;

use crate::client::Client;
use crate::error::Result;

/// One line for each call: whether it needs a request id, its name and messages, and the service it belongs to.
macro_rules! calls {
    ($($(#[$doc:meta])* $kind:ident $name:ident($request:ident) -> $answer:ident in $service:ident;)*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// See the service; transient errors only after the time for retries is up.
                pub async fn $name(&self, request: v1::$request) -> Result<v1::$answer> {
                    let request = calls!(@prepare $kind request);
                    let id = calls!(@id $kind request);
                    self.retry(request, |client, request| async move { client.$service().$name(request).await })
                        .await
                        .map_err(|error| error.of_request(id))
                }
            )*
        }
    };
    (@id change $request:ident) => { Some($request.request_id.clone()) };
    (@id $kind:ident $request:ident) => { None };
    (@prepare read $request:ident) => { $request };
    (@prepare change $request:ident) => {{
        let mut request = $request;
        fill(&mut request.request_id);
        request
    }};
    (@prepare import $request:ident) => {{
        let mut request = $request;
        request.histories.iter_mut().for_each(|history| fill(&mut history.request_id));
        request
    }};
    (@prepare batch $request:ident) => {{
        let mut request = $request;
        request.requests.iter_mut().for_each(|item| fill(&mut item.request_id));
        request
    }};
}

calls! {
    /// Files a ticket.
    change create_ticket(CreateTicketRequest) -> Ticket in tickets;
    /// Files up to 500 tickets, each for itself: look at every result.
    batch batch_create_tickets(BatchCreateTicketsRequest) -> BatchCreateTicketsResponse in tickets;
    /// Imports up to 100 cases with what happened to them, each for itself: look at every result.
    import import_tickets(ImportTicketsRequest) -> ImportTicketsResponse in tickets;

    /// Returns a ticket.
    read get_ticket(GetTicketRequest) -> Ticket in tickets;
    /// Returns the ticket with a human number.
    read lookup_ticket(LookupTicketRequest) -> Ticket in tickets;
    /// Lists one page of tickets; [`Client::all_tickets`] lists them all.
    read list_tickets(ListTicketsRequest) -> ListTicketsResponse in tickets;
    /// Changes the fields of a ticket that the mask names.
    change update_ticket(UpdateTicketRequest) -> Ticket in tickets;
    /// Takes a transition.
    change transition_ticket(TransitionTicketRequest) -> Ticket in tickets;
    /// Says which transitions lead on from where a ticket stands, and why not.
    read explain_transitions(ExplainTransitionsRequest) -> ExplainTransitionsResponse in tickets;
    /// Takes a ticket that waits.
    change claim_ticket(ClaimTicketRequest) -> Ticket in tickets;
    /// Gives a ticket back to its queue.
    change release_ticket(ReleaseTicketRequest) -> Ticket in tickets;
    /// Gives a ticket to a member of the staff, or back to its queue.
    change assign_ticket(AssignTicketRequest) -> Ticket in tickets;
    /// Sends a ticket to another queue.
    change transfer_ticket(TransferTicketRequest) -> Ticket in tickets;
    /// Takes an escalation.
    change escalate_ticket(EscalateTicketRequest) -> EscalateTicketResponse in tickets;
    /// Notes that the staff have read a ticket.
    change mark_ticket_read(MarkTicketReadRequest) -> Ticket in tickets;
    /// Adds a reply or a note.
    change create_reply(CreateReplyRequest) -> Reply in tickets;
    /// Links a ticket to another.
    change link_tickets(LinkTicketsRequest) -> Ticket in tickets;
    /// Takes a link off two tickets.
    change unlink_tickets(UnlinkTicketsRequest) -> Ticket in tickets;
    /// Merges tickets into the one that was received first.
    change merge_tickets(MergeTicketsRequest) -> Ticket in tickets;
    /// Makes a new ticket of replies that begin an unrelated matter.
    change split_reply(SplitReplyRequest) -> Ticket in tickets;
    /// Lists one page of replies; [`Client::all_replies`] lists them all.
    read list_replies(ListRepliesRequest) -> ListRepliesResponse in tickets;
    /// Lists one page of a ticket's history; [`Client::all_changes`] lists it all.
    read list_changes(ListChangesRequest) -> ListChangesResponse in tickets;

    /// Returns a queue as it stands now.
    read get_queue(GetQueueRequest) -> Queue in queues;
    /// Lists one page of queues; [`Client::all_queues`] lists them all.
    read list_queues(ListQueuesRequest) -> ListQueuesResponse in queues;

    /// Registers an agent.
    change create_agent(CreateAgentRequest) -> Agent in agents;
    /// Returns an agent.
    read get_agent(GetAgentRequest) -> Agent in agents;
    /// Lists one page of agents; [`Client::all_agents`] lists them all.
    read list_agents(ListAgentsRequest) -> ListAgentsResponse in agents;
    /// Changes the fields of an agent that the mask names.
    change update_agent(UpdateAgentRequest) -> Agent in agents;

    /// Begins an upload; [`Client::upload`] does all of it.
    change create_upload(CreateUploadRequest) -> Upload in attachments;
    /// Returns an upload, with how much of it is on disk.
    read get_upload(GetUploadRequest) -> Upload in attachments;
    /// Lists one page of attachments; [`Client::all_attachments`] lists them all.
    read list_attachments(ListAttachmentsRequest) -> ListAttachmentsResponse in attachments;

    /// Creates a helpdesk.
    change create_helpdesk(CreateHelpdeskRequest) -> Helpdesk in helpdesks;
    /// Returns a helpdesk with its definition.
    read get_helpdesk(GetHelpdeskRequest) -> Helpdesk in helpdesks;
    /// Lists one page of helpdesks; [`Client::all_helpdesks`] lists them all.
    read list_helpdesks(ListHelpdesksRequest) -> ListHelpdesksResponse in helpdesks;
    /// Applies a new version of a helpdesk's definition.
    change update_helpdesk(UpdateHelpdeskRequest) -> Helpdesk in helpdesks;

    /// Registers who files tickets. When the first answer was lost and the call repeated, its code is empty: register again
    /// for another.
    change register_requester(RegisterRequesterRequest) -> Requester in requesters;
    /// Verifies an address by the code that was mailed to it.
    change verify_requester(VerifyRequesterRequest) -> Requester in requesters;
    /// Returns a requester.
    read get_requester(GetRequesterRequest) -> Requester in requesters;
    /// Lists one page of requesters; [`Client::all_requesters`] lists them all.
    read list_requesters(ListRequestersRequest) -> ListRequestersResponse in requesters;

    /// Answers the survey of a closed ticket.
    change submit_feedback(SubmitFeedbackRequest) -> Feedback in feedback;
    /// Returns the link at which the survey of a closed ticket is answered.
    read get_survey_link(GetSurveyLinkRequest) -> SurveyLink in feedback;

    /// Makes an access key. When the first answer was lost and the call repeated, its secret is empty: revoke the key and
    /// make another.
    change create_access_key(CreateAccessKeyRequest) -> AccessKey in access;
    /// Lists one page of access keys; [`Client::all_access_keys`] lists them all.
    read list_access_keys(ListAccessKeysRequest) -> ListAccessKeysResponse in access;
    /// Takes an access key back.
    change revoke_access_key(RevokeAccessKeyRequest) -> AccessKey in access;
}

impl Client {
    /// Claims the first ticket that waits in a queue. What it may wait for one comes on top of the time for the call; a server
    /// may end a wait sooner, without a ticket.
    ///
    /// # Errors
    ///
    /// See the service; transient errors only after the time for retries is up.
    pub async fn claim_next_ticket(
        &self,
        mut request: v1::ClaimNextTicketRequest,
    ) -> Result<v1::ClaimNextTicketResponse> {
        fill(&mut request.request_id);
        // What is no duration is for the server to refuse.
        let prost_types::Duration { seconds, nanos } = request.max_wait.unwrap_or_default();
        let part = u32::try_from(nanos).unwrap_or_default();
        let wait = Duration::new(u64::try_from(seconds).unwrap_or_default(), part);
        let client = self.with_timeout(self.timeout().saturating_add(wait.min(LONGEST_WAIT)));
        let id = request.request_id.clone();
        client
            .retry(request, |client, request| async move { client.queues().claim_next_ticket(request).await })
            .await
            .map_err(|error| error.of_request(Some(id)))
    }
}

/// No server waits longer.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

fn fill(request_id: &mut String) {
    if request_id.is_empty() {
        *request_id = Uuid::now_v7().to_string();
    }
}
