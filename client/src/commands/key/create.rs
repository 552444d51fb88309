//! `loket key create`

use clap::{Args, ValueEnum};
use loket_client::v1::{self, AccessKey, CreateAccessKeyRequest};

use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Make a key; its secret is shown this once.
///
/// It is never shown again; with `-o json` it is the `secret` of the `AccessKey`.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What its holder may do
    #[arg(long, value_enum)]
    role: Role,

    /// Who its holder is; for a requester an e-mail address
    #[arg(long)]
    subject: String,

    /// A helpdesk that it opens; may be given several times. Only an admin's key opens all without it
    #[arg(long = "helpdesk", value_name = "HELPDESK", value_parser = args::helpdesk)]
    helpdesks: Vec<String>,

    /// A note for people
    #[arg(long, value_name = "NOTE", default_value = "", hide_default_value = true)]
    display_name: String,

    #[command(flatten)]
    change: args::Change,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Files and follows own tickets
    Requester,
    /// Works tickets
    Agent,
    /// Works tickets and corrects agents
    Supervisor,
    /// Another system; may act for others
    Service,
    /// May do everything
    Admin,
}

impl Create {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let access_key = AccessKey {
            role: v1::Role::from(self.role).into(),
            subject: self.subject,
            helpdesks: self.helpdesks,
            display_name: self.display_name,
            ..AccessKey::default()
        };
        let request = CreateAccessKeyRequest {
            access_key: Some(access_key),
            request_id: self.change.request_id,
            validate_only: self.change.validate_only,
        };
        let key = context.client().await?.create_access_key(request).await?;
        context.output.one("AccessKey", &key, show::key::whole)?;
        if key.secret.is_empty() && !self.change.validate_only {
            let name = key.name;
            return Err(Failure::Other(format!(
                "the key was made by an earlier call with this request id, and its secret is not told again: revoke it \
                 with `loket key revoke {name}` and make another"
            )));
        }
        Ok(())
    }
}

impl From<Role> for v1::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Requester => Self::Requester,
            Role::Agent => Self::Agent,
            Role::Supervisor => Self::Supervisor,
            Role::Service => Self::Service,
            Role::Admin => Self::Admin,
        }
    }
}
