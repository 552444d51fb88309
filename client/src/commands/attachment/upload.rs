//! `loket attachment upload`, and the files that other commands attach.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::Args;
use loket_client::files::{FileUpload, Source};
use loket_client::v1::{self, GetUploadRequest};
use loket_client::{Client, Error};

use super::types::mime_type;
use crate::args;
use crate::commands::progress::Progress;
use crate::commands::readable;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::show;

/// Upload a file, or go on with one, to be attached with --upload.
///
/// It is attached with `loket ticket create --upload NAME` or `loket ticket reply --upload NAME`, within an hour. With `-o json`
/// it is the `Upload`, whose `name` is that NAME.
#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// The file; standard input is not taken, as what breaks off is sent again
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk, required_unless_present = "resume", conflicts_with = "resume")]
    helpdesk: Option<String>,

    /// What it is, such as `image/png` [default: by the ending of its name]
    #[arg(long, value_name = "TYPE")]
    mime_type: Option<String>,

    /// Go on with this upload: `helpdesks/smmpanel/uploads/…`
    #[arg(long, value_name = "UPLOAD", value_parser = args::upload)]
    resume: Option<String>,
}

impl Upload {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        readable::check(&self.file)?;
        let client = context.client().await?;
        let upload = match (self.resume, self.helpdesk) {
            (Some(name), _) => {
                let upload = client.get_upload(GetUploadRequest { name }).await?;
                let source = Source::from(self.file.as_path());
                client.resume_upload(upload, source, shown(context.output)).await?
            }
            (None, parent) => {
                upload(&client, context.output, &parent.unwrap_or_default(), &self.file, self.mime_type).await?
            }
        };
        context.output.one("Upload", &upload, show::attachment::upload)
    }
}

/// Uploads the files that a command attaches, one after the other, and returns the names of the uploads. `parent` is the helpdesk,
/// or a ticket of it.
///
/// `check` asks for the same without them and writes nothing: what would be refused anyhow leaves no uploads behind. Where that is
/// all that is wanted, nothing is uploaded.
pub(crate) async fn attach<T>(
    client: &Client,
    output: Output,
    parent: &str,
    files: &[PathBuf],
    validate_only: bool,
    check: impl Future<Output = Result<T, Error>>,
) -> Result<Vec<String>, Failure> {
    files.iter().try_for_each(|file| readable::check(file))?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if validate_only {
        output.note("The files were not uploaded: they are here and can be read, and more of them was not looked at.");
        return Ok(Vec::new());
    }
    check.await?;
    let helpdesk = parent.split('/').take(2).collect::<Vec<_>>().join("/");
    let mut names = Vec::new();
    for file in files {
        names.push(upload(client, output, &helpdesk, file, None).await?.name);
    }
    Ok(names)
}

async fn upload(
    client: &Client,
    output: Output,
    parent: &str,
    file: &Path,
    given: Option<String>,
) -> Result<v1::Upload, Failure> {
    let Some(filename) = file.file_name().and_then(|name| name.to_str()) else {
        return Err(Failure::Usage(format!("{} has no name that can be sent", file.display())));
    };
    let upload = FileUpload {
        parent: parent.to_owned(),
        filename: filename.to_owned(),
        mime_type: given.unwrap_or_else(|| mime_type(file).to_owned()),
        source: file.into(),
    };
    let sent = client.upload(upload, shown(output)).await;
    sent.map_err(|error| Failure::About(file.display().to_string(), Box::new(error.into())))
}

/// Shows how far it has come.
fn shown(output: Output) -> impl Fn(u64, u64) + Send + Sync + 'static {
    let progress = Mutex::new(None);
    move |sent, size| {
        if let Ok(mut progress) = progress.lock() {
            let progress = progress.get_or_insert_with(|| Progress::new(Some(size)));
            progress.show(output, sent, || format!("{sent} of {size} bytes"));
        }
    }
}
