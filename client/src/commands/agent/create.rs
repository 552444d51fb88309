//! `loket agent create`

use clap::Args;
use loket_client::v1::{Agent, CreateAgentRequest};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Register an agent: which queues and skills a subject works.
///
/// The subject needs an access key besides.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// `smmpanel/rina` or `helpdesks/smmpanel/agents/rina`
    #[arg(value_name = "AGENT", value_parser = args::agent)]
    name: String,

    /// The subject of their access keys
    #[arg(long)]
    subject: String,

    /// What people call them
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    display_name: String,

    /// A queue that they work, `order` or `smmpanel/order`; may be given several times. Without it, all
    #[arg(long = "queue", value_name = "QUEUE")]
    queues: Vec<String>,

    /// A choice that they are dedicated to; may be given several times. Without it, all
    #[arg(long = "skill", value_name = "VALUE")]
    skills: Vec<String>,

    /// They take no tickets yet
    #[arg(long)]
    inactive: bool,

    #[command(flatten)]
    change: args::Change,
}

impl Create {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let (parent, id) = self.name.split_once("/agents/").unwrap_or_default();
        let agent = Agent {
            subject: self.subject,
            display_name: self.display_name,
            queues: args::queues_of(&self.name, "--queue", &self.queues)?,
            skills: self.skills,
            active: !self.inactive,
            ..Agent::default()
        };
        let request = CreateAgentRequest {
            parent: parent.to_owned(),
            agent_id: id.to_owned(),
            agent: Some(agent),
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let agent = context.client().await?.create_agent(request).await?;
        context.output.one("Agent", &agent, show::agent::whole)
    }
}
