//! `loket attachment get`

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use loket_client::v1::DownloadAttachmentRequest;

use crate::args;
use crate::commands::progress::Progress;
use crate::context::Context;
use crate::failure::Failure;
use crate::show;

/// Fetch a file of a ticket, or a part of it.
///
/// A connection that breaks is made anew, and the file goes on where it was. Nothing that is there is written over: the exit code
/// is then 1.
///
/// With `-o json` it is the `Attachment`, without its bytes; with `--to -` nothing but the bytes is written.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// `smmpanel/1/…`, as `attachment list` shows it, or `helpdesks/smmpanel/tickets/1/attachments/…`
    #[arg(value_name = "ATTACHMENT", value_parser = args::attachment)]
    name: String,

    /// Where to write it; `-` is the standard output [default: under its own name, in this folder]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,

    /// The first byte to fetch
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    offset: i64,

    /// How many bytes to fetch at most; 0: all the rest
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    length: i64,
}

impl Get {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.client().await?;
        let is_standard = self.to.as_deref() == Some(Path::new("-"));
        let request = DownloadAttachmentRequest { name: self.name, offset: self.offset, length: self.length };
        let (mut target, mut progress, mut done) = (None::<Target>, None, 0_u64);
        let output = context.output;
        let fetched = client
            .download(request, |attachment, bytes| {
                let target = match &mut target {
                    Some(target) => target,
                    none => none.insert(Target::open(is_standard, self.to.as_deref(), &attachment.filename)?),
                };
                target.file.write_all(bytes)?;
                done += bytes.len() as u64;
                let progress = progress.get_or_insert_with(|| Progress::new(Some(attachment.size_bytes as u64)));
                progress.show(output, done, || format!("{done} of {} bytes", attachment.size_bytes));
                Ok(())
            })
            .await;
        drop(progress);
        let Some(mut target) = target else { return Err(fetched.err().map_or_else(nothing, Failure::from)) };
        let attachment = match fetched {
            Ok(attachment) => attachment,
            Err(error) => {
                target.give_up();
                return Err(error.into());
            }
        };
        target.file.flush()?;
        if is_standard {
            return Ok(());
        }
        output.note(&format!("Wrote {}.", target.path.display()));
        output.one("Attachment", &attachment, show::attachment::whole)
    }
}

fn nothing() -> Failure {
    Failure::Other("the server sent nothing".to_owned())
}

/// What a file was called where it came from may lead anywhere, be an option to some program or a file that one reads by itself,
/// or look like another: its last part is taken, without dots and dashes before it and without what steers a terminal.
fn own_name(filename: &str) -> PathBuf {
    let last = Path::new(filename).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = show::clean(last.trim_start_matches(['.', '-'])).replace(['\u{FFFD}', '\n', '\t'], "_");
    if name.is_empty() { "attachment".into() } else { name.into() }
}

struct Target {
    file: Box<dyn Write>,
    path: PathBuf,
}

impl Target {
    fn open(is_standard: bool, to: Option<&Path>, filename: &str) -> io::Result<Self> {
        if is_standard {
            return Ok(Self { file: Box::new(io::stdout()), path: PathBuf::new() });
        }
        let path = to.map_or_else(|| own_name(filename), Path::to_owned);
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| {
            let hint = if error.kind() == io::ErrorKind::AlreadyExists { "; name another with --to" } else { "" };
            io::Error::new(error.kind(), format!("{}: {error}{hint}", path.display()))
        })?;
        Ok(Self { file: Box::new(file), path })
    }

    /// Half a file is of no use. That it could not be removed is not what went wrong.
    fn give_up(&self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_leads_nowhere_and_is_nothing_else() {
        for (given, name) in [
            ("invoice 1.pdf", "invoice 1.pdf"),
            ("../../etc/passwd", "passwd"),
            (".envrc", "envrc"),
            ("-rf", "rf"),
            ("..", "attachment"),
            ("invoice\u{202e}fdp.sh", "invoice_fdp.sh"),
            ("a\nb", "a_b"),
        ] {
            assert_eq!(own_name(given), Path::new(name), "{given}");
        }
    }
}
