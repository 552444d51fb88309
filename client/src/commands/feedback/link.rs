//! `loket feedback link`

use clap::Args;
use loket_client::v1::GetSurveyLinkRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Show the link at which a survey is answered; staff only.
///
/// It is that of a closed ticket, to send to its requester.
#[derive(Debug, Args)]
pub(crate) struct Link {
    /// `smmpanel/1` or `helpdesks/smmpanel/tickets/1`
    #[arg(value_name = "TICKET", value_parser = args::ticket)]
    ticket: String,
}

impl Link {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let name = format!("{}/surveyLink", self.ticket);
        let request = GetSurveyLinkRequest { name, ..GetSurveyLinkRequest::default() };
        let link = context.client().await?.get_survey_link(request).await?;
        context.output.one("SurveyLink", &link, show::feedback::link)
    }
}
