//! `loket helpdesk apply`

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;
use loket::json::{ParseError, ParseErrors, to_json};
use loket_client::v1::{CreateHelpdeskRequest, GetHelpdeskRequest, Helpdesk, UpdateHelpdeskRequest};
use loket_client::{Client, Error};
use serde_json::Value;
use tonic::Code;

use crate::args::{Change, Etag};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;
use crate::show;

/// Create helpdesks from definitions, or update them.
///
/// All files are read before any is applied. A definition is replaced as a whole, or not at all when something is wrong with it.
/// An etag in a file must still be the current one, unless the file says what is in force.
///
/// With `-o json` it is the `Helpdesk`, or of several files an array of those that were applied. Of several that fail, the first
/// decides the exit code.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// YAML or JSON files, each with one definition; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The helpdesk's id, instead of the `name` in the file; for one file only
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    #[command(flatten)]
    etag: Etag,

    #[command(flatten)]
    change: Change,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let one = self.id.is_some() || !self.etag.etag.is_empty() || !self.change.request_id.is_empty();
        if one && self.files.len() > 1 {
            return Err(Failure::Usage("--id, --etag and --request-id are for one file".to_owned()));
        }
        if self.files.iter().filter(|path| is_stdin(path)).count() > 1 {
            return Err(Failure::Usage("standard input is there once, and `-` is given twice".to_owned()));
        }
        let definitions = self.read()?;
        let client = context.client().await?;

        let (mut applied, mut failed) = (Vec::new(), Vec::new());
        for (path, definition) in self.files.iter().zip(definitions) {
            match self.apply(&client, definition.clone()).await {
                Ok((after, fate)) => {
                    let lost = lost(&definition, &after);
                    if !lost.is_empty() {
                        let done = if self.change.validate_only { "would be applied" } else { "was applied" };
                        failed.push(Failure::Invalid(vec![format!(
                            "error: {}: it {done} without {}, which the server has not kept, as one that is older than this command",
                            shown(path),
                            lost.join(", ")
                        )]));
                    }
                    applied.push((after, fate));
                }
                Err(error) => failed.push(Failure::About(shown(path), Box::new(error.into()))),
            }
        }
        let told = Self::answer(context, &applied);
        // What failed decides, though nobody may read what did not.
        if failed.is_empty() { told } else { Err(Failure::Several(failed)) }
    }

    /// Every file, or everything that is wrong with any of them.
    fn read(&self) -> Result<Vec<Helpdesk>, Failure> {
        let (mut definitions, mut wrong) = (Vec::new(), Vec::new());
        for path in &self.files {
            match self.read_one(path) {
                Ok(definition) => definitions.push(definition),
                Err(failure) => wrong.push(failure),
            }
        }
        if wrong.is_empty() { Ok(definitions) } else { Err(Failure::Several(wrong)) }
    }

    fn read_one(&self, path: &Path) -> Result<Helpdesk, Failure> {
        let text = if is_stdin(path) { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
        let shown = shown(path);
        let text = text.map_err(|error| Failure::Other(format!("{shown}: {error}")))?;
        self.parse(&shown, &text).map_err(Failure::Invalid)
    }

    fn parse(&self, shown: &str, text: &str) -> Result<Helpdesk, Vec<String>> {
        let line = |error: &ParseError| match error.position {
            Some(_) => format!("{shown}:{error}"),
            None => format!("{shown}: {error}"),
        };
        let read = loket::json::helpdesk_from_yaml(text);
        let mut helpdesk = read.map_err(|ParseErrors(wrong)| wrong.iter().map(line).collect::<Vec<_>>())?;
        if let Some(id) = &self.id {
            helpdesk.name = crate::args::helpdesk(id).map_err(|wrong| vec![wrong])?;
        }
        if !self.etag.etag.is_empty() {
            helpdesk.etag.clone_from(&self.etag.etag);
        }
        if id(&helpdesk).is_empty() {
            let line = format!("{shown}: name: say which helpdesk it is: `name: helpdesks/…` in the file, or --id");
            return Err(vec![line]);
        }
        Ok(helpdesk)
    }

    async fn apply(&self, client: &Client, helpdesk: Helpdesk) -> Result<(Helpdesk, Fate), Error> {
        let Change { request_id, validate_only } = &self.change;
        let (request_id, validate_only) = (request_id.clone(), *validate_only);
        match client.get_helpdesk(GetHelpdeskRequest { name: helpdesk.name.clone() }).await {
            // Such as a file that was applied before: its etag is of then.
            Ok(before) if is_in_force(&helpdesk, &before) && self.etag.etag.is_empty() => Ok((before, Fate::Same)),
            Ok(before) => {
                let request =
                    UpdateHelpdeskRequest { helpdesk: Some(helpdesk), update_mask: None, request_id, validate_only };
                let after = client.update_helpdesk(request).await?;
                let is_changed = after.definition_version != before.definition_version;
                Ok((after, if is_changed { Fate::Changed } else { Fate::Same }))
            }
            Err(error) if error.code() == Code::NotFound => {
                let helpdesk_id = id(&helpdesk).to_owned();
                let request =
                    CreateHelpdeskRequest { helpdesk_id, helpdesk: Some(helpdesk), request_id, validate_only };
                Ok((client.create_helpdesk(request).await?, Fate::Created))
            }
            Err(error) => Err(error),
        }
    }

    fn answer(context: &Context, applied: &[(Helpdesk, Fate)]) -> Result<(), Failure> {
        if context.output.is_json() {
            let helpdesks: Vec<_> = applied.iter().map(|(helpdesk, _)| helpdesk.clone()).collect();
            return match &helpdesks[..] {
                [] => Ok(()),
                [helpdesk] => context.output.one("Helpdesk", helpdesk, |_| String::new()),
                helpdesks => context.output.list("Helpdesk", helpdesks, show::helpdesk::list),
            };
        }
        let line = |(helpdesk, fate): &(Helpdesk, Fate)| show::helpdesk::line(helpdesk, fate.word());
        output::lines(&applied.iter().map(line).collect::<String>())
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// What messages call a file.
fn shown(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// What a server has not kept of a definition, as an older one does with what it does not know. One of this version keeps it letter
/// for letter.
fn lost(sent: &Helpdesk, kept: &Helpdesk) -> Vec<String> {
    let mut lost = Vec::new();
    if !is_in_force(sent, kept)
        && let (Ok(sent), Ok(kept)) = (to_json("Helpdesk", &bare(sent)), to_json("Helpdesk", &bare(kept)))
    {
        differences(&sent, &kept, "", &mut lost);
    }
    lost
}

/// Where one value has what the other has not.
fn differences(sent: &Value, kept: &Value, path: &str, found: &mut Vec<String>) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            for (key, value) in sent {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match kept.get(key) {
                    Some(kept) => differences(value, kept, &path, found),
                    None => found.push(path),
                }
            }
        }
        (Value::Array(sent), Value::Array(kept)) if sent.len() == kept.len() => {
            for (place, (sent, kept)) in sent.iter().zip(kept).enumerate() {
                differences(sent, kept, &format!("{path}[{place}]"), found);
            }
        }
        _ if sent == kept => {}
        _ => found.push(path.to_owned()),
    }
}

/// Whether a definition is letter for letter what is in force, whatever the server says of that besides.
fn is_in_force(helpdesk: &Helpdesk, current: &Helpdesk) -> bool {
    bare(helpdesk) == bare(current)
}

/// A definition without what the server says of it.
fn bare(helpdesk: &Helpdesk) -> Helpdesk {
    Helpdesk {
        etag: String::new(),
        revision: 0,
        definition_version: 0,
        create_time: None,
        update_time: None,
        contradictions: Vec::new(),
        ..helpdesk.clone()
    }
}

/// What became of a helpdesk, or would become of it.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Created,
    Changed,
    /// Its definition was so already.
    Same,
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Same => "as it was",
        }
    }
}

fn id(helpdesk: &Helpdesk) -> &str {
    helpdesk.name.strip_prefix("helpdesks/").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use loket_client::v1::{DuplicateComparison, DuplicatePolicy, FieldDefinition};

    use super::*;

    #[test]
    fn what_an_older_server_has_not_kept_is_named() {
        let field = |id: &str, set_when: &str| FieldDefinition {
            id: id.to_owned(),
            set_when: set_when.to_owned(),
            ..FieldDefinition::default()
        };
        let policy = DuplicatePolicy { compare: DuplicateComparison::Body.into(), ..DuplicatePolicy::default() };
        let sent = Helpdesk {
            fields: vec![field("one", ""), field("two", "ticket.status == ''")],
            duplicate_policy: Some(policy),
            etag: "7".to_owned(),
            ..Helpdesk::default()
        };
        let kept = Helpdesk {
            fields: vec![field("one", ""), field("two", "")],
            duplicate_policy: Some(DuplicatePolicy::default()),
            etag: "8".to_owned(),
            ..Helpdesk::default()
        };
        assert_eq!(lost(&sent, &kept), ["duplicate_policy.compare", "fields[1].set_when"]);
        assert!(lost(&sent, &sent).is_empty());
    }
}
