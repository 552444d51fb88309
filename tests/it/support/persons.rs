//! Requesters, their surveys, and canned replies.

use loket::v1::{
    CreateReplyRequest, Feedback, GetSurveyLinkRequest, RegisterRequesterRequest, Reply, Requester,
    SubmitFeedbackRequest, SurveyLink, VerifyRequesterRequest,
};
use loket_client::Error;

use super::{Caller, fields};

type Result<T> = std::result::Result<T, Error>;

impl Caller {
    /// Registers an address.
    pub(crate) async fn register(&self, email: &str) -> Result<Requester> {
        let requester = Requester { email: email.to_owned(), ..Requester::default() };
        self.register_requester(RegisterRequesterRequest {
            parent: self.parent.clone(),
            requester: Some(requester),
            ..RegisterRequesterRequest::default()
        })
        .await
    }

    /// Tries a code.
    pub(crate) async fn verify(&self, requester: &str, code: &str) -> Result<Requester> {
        self.verify_requester(VerifyRequesterRequest {
            name: requester.to_owned(),
            code: code.to_owned(),
            ..VerifyRequesterRequest::default()
        })
        .await
    }

    /// Registers an address and verifies it, as a service does with what the person types.
    pub(crate) async fn verified(&self, email: &str) -> Requester {
        let registered = self.register(email).await.unwrap();
        self.verify(&registered.name, &registered.code).await.unwrap()
    }

    /// Replies with a canned response, further words, fields and a transition.
    pub(crate) async fn reply_canned<const N: usize>(
        &self,
        ticket: &str,
        canned: &str,
        body: &str,
        given: [(&str, &str); N],
        transition: &str,
    ) -> Result<Reply> {
        let reply = Reply { body: body.to_owned(), canned_response: canned.to_owned(), ..Reply::default() };
        self.create_reply(CreateReplyRequest {
            parent: ticket.to_owned(),
            reply: Some(reply),
            fields: fields(given),
            transition: transition.to_owned(),
            ..CreateReplyRequest::default()
        })
        .await
    }

    /// Answers the survey of a ticket; the token is empty without a link.
    pub(crate) async fn rate(&self, ticket: &str, rating: i32, token: &str) -> Result<Feedback> {
        let feedback = Feedback { rating, comment: "Terima kasih".to_owned(), ..Feedback::default() };
        self.submit_feedback(SubmitFeedbackRequest {
            name: ticket.to_owned(),
            feedback: Some(feedback),
            token: token.to_owned(),
            ..SubmitFeedbackRequest::default()
        })
        .await
    }

    pub(crate) async fn survey_link(&self, ticket: &str) -> Result<SurveyLink> {
        let name = format!("{ticket}/surveyLink");
        self.get_survey_link(GetSurveyLinkRequest { name, ..GetSurveyLinkRequest::default() }).await
    }
}
