//! `loket agent update`

use clap::Args;
use loket_client::v1::{Agent, UpdateAgentRequest};
use prost_types::FieldMask;

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Change an agent: what is given replaces what was.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// `smmpanel/rina` or `helpdesks/smmpanel/agents/rina`
    #[arg(value_name = "AGENT", value_parser = args::agent)]
    name: String,

    /// What people call them
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,

    /// A queue that they work, `order` or `smmpanel/order`; may be given several times
    #[arg(long = "queue", value_name = "QUEUE", conflicts_with = "all_queues")]
    queues: Vec<String>,

    /// They work all queues
    #[arg(long)]
    all_queues: bool,

    /// A choice that they are dedicated to; may be given several times
    #[arg(long = "skill", value_name = "VALUE", conflicts_with = "all_skills")]
    skills: Vec<String>,

    /// They take tickets of every kind
    #[arg(long)]
    all_skills: bool,

    /// Whether they take tickets now: `true` or `false`
    #[arg(long, value_name = "BOOLEAN")]
    active: Option<bool>,

    #[command(flatten)]
    etag: args::Etag,

    #[command(flatten)]
    change: args::Change,
}

impl Update {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let given = [
            ("display_name", self.display_name.is_some()),
            ("queues", self.all_queues || !self.queues.is_empty()),
            ("skills", self.all_skills || !self.skills.is_empty()),
            ("active", self.active.is_some()),
        ];
        let paths: Vec<_> = given.into_iter().filter(|(_, given)| *given).map(|(path, _)| path.to_owned()).collect();
        if paths.is_empty() {
            return Err(Failure::Usage("nothing to change: see --help for what can be".to_owned()));
        }
        let agent = Agent {
            queues: args::queues_of(&self.name, "--queue", &self.queues)?,
            name: self.name,
            display_name: self.display_name.unwrap_or_default(),
            skills: self.skills,
            active: self.active.unwrap_or_default(),
            etag: self.etag.etag,
            ..Agent::default()
        };
        let request = UpdateAgentRequest {
            agent: Some(agent),
            update_mask: Some(FieldMask { paths }),
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let agent = context.client().await?.update_agent(request).await?;
        context.output.one("Agent", &agent, show::agent::whole)
    }
}
