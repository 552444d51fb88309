//! `loket feedback submit`

use clap::Args;
use loket_client::v1::{Feedback, SubmitFeedbackRequest};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Answer the survey of a closed ticket: as its requester, or with the token of a survey link.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    ticket: String,

    /// From 1, not satisfied at all, to 5, fully satisfied
    #[arg(long)]
    rating: i32,

    /// In own words; `-` reads them from standard input
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: String,

    /// The token of a survey link, for who is not the requester
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    survey_token: String,

    #[command(flatten)]
    change: args::Change,
}

impl Submit {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let feedback = Feedback { rating: self.rating, comment: args::text(self.comment)?, ..Feedback::default() };
        let request = SubmitFeedbackRequest {
            name: self.ticket,
            feedback: Some(feedback),
            token: self.survey_token,
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let feedback = context.client().await?.submit_feedback(request).await?;
        context.output.one("Feedback", &feedback, show::feedback::whole)
    }
}
