//! `loket helpdesk explain`

use clap::{Args, ValueEnum};
use loket_client::v1::GetHelpdeskRequest;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Explain how a helpdesk works, as text or as a diagram.
///
/// It tells where a ticket can stand, what moves it on, who may, and where it waits. The diagram is a Mermaid one of the
/// statuses, which GitHub, GitLab and many editors draw. With `-o json` it is the definition itself, whatever --format is.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// `smmpanel` or `helpdesks/smmpanel`
    #[arg(value_name = "HELPDESK", value_parser = args::helpdesk)]
    name: String,

    /// What to print
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
}

/// What is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// The rules, in words
    Text,
    /// A Mermaid state diagram
    Mermaid,
}

impl Explain {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let helpdesk = context.client().await?.get_helpdesk(GetHelpdeskRequest { name: self.name }).await?;
        context.output.document("Helpdesk", &helpdesk, |helpdesk| match self.format {
            Format::Text => show::workflow::text(helpdesk),
            Format::Mermaid => show::diagram::mermaid(helpdesk),
        })
    }
}
