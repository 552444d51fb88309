//! `loket import`: the rows of CSV files become tickets.

mod batches;
mod columns;
mod mapping;
mod rejects;
mod source;
mod template;
mod upload;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::StreamExt as _;
use loket::v1::ListTicketsRequest;
use loket_client::Client;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use self::batches::{Batch, Input, Plan};
use self::columns::Columns;
use self::mapping::{Mapping, MappingArgs};
use self::rejects::Rejects;
use self::source::Source;
use self::upload::{Answer, Upload};
use super::progress::Progress;
use super::report::report;
use crate::args;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;

/// Make tickets of the rows of CSV files.
///
/// Each row, or each case of an event log, becomes one new ticket. The import may be stopped and repeated: what is there
/// already is counted and left as it is. Refused rows are written to a CSV file of their own, with the reason, to be
/// corrected and imported.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Import {
    /// CSV files with a header line, plain or gzip; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The helpdesk: `smmpanel` or `helpdesks/smmpanel`
    #[arg(long, value_parser = args::helpdesk)]
    helpdesk: String,

    #[command(flatten)]
    mapping: MappingArgs,

    /// The first row of each id becomes the ticket and its later rows are passed over, as in a log of events. Otherwise
    /// they are refused.
    #[arg(long)]
    first: bool,

    /// What separates the cells.
    #[arg(long, default_value_t = ',', value_parser = delimiter)]
    delimiter: char,

    /// Tickets in a call: 1 to 500.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=500))]
    batch: u16,

    /// Calls at the same time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,

    /// Where the refused rows go [default: FILE.rej.csv beside each file].
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,

    /// Stop after so many tickets.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,

    /// Let the server check every ticket, and write none.
    #[arg(long)]
    dry_run: bool,
}

const EXAMPLE: &str = "\
Example:
  loket import calls.csv --helpdesk ovo --id-column number --source calls \\
    --map email=requester --set subject='{category}: {summary}' --map details=body --map product=fields.product";

/// So many refusals are shown; all are in the rejects.
const SHOWN_REFUSALS: u64 = 5;

/// What became of the rows.
#[derive(Debug, Serialize)]
struct Summary {
    helpdesk: String,
    dry_run: bool,
    created: u64,
    already_there: u64,
    refused: u64,
    /// Later rows of cases already taken.
    skipped_rows: u64,
    seconds: f64,
    /// Tickets per second, those already there included.
    rate: f64,
    /// The files with the refused rows.
    rejects: Vec<String>,
}

impl Import {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let read = Arc::new(AtomicU64::new(0));
        let inputs = self.open(&read)?;
        let mut rejects = self.rejects(&inputs)?;
        let client = context.client().await?;
        let upload = Upload { head: head(&client, &self.helpdesk).await?, client, helpdesk: self.helpdesk.clone() };

        let in_flight = usize::from(self.in_flight);
        let (sender, batches) = mpsc::channel(in_flight);
        let plan = self.plan();
        let reader = tokio::task::spawn_blocking(move || batches::read(inputs, &plan, &sender));
        let mut answers = ReceiverStream::new(batches)
            .map(|batch: Result<Batch, String>| {
                let upload = upload.clone();
                async move { Ok::<_, Failure>(upload.send(batch.map_err(|error| invalid(&error))?).await?) }
            })
            .buffer_unordered(in_flight);

        let output = context.output;
        let mut summary = Summary::new(&self);
        let mut progress = Progress::new(size(&self.files));
        let begin = Instant::now();
        let mut end = Ok(());
        while let Some(answer) = answers.next().await {
            // After a failure the calls under way are waited for, so that the summary is true.
            match answer {
                Ok(answer) => summary.add(&answer, &mut rejects, output)?,
                Err(failure) if end.is_ok() => {
                    end = Err(failure);
                    answers.get_mut().get_mut().close();
                }
                Err(_) => {}
            }
            summary.time(begin);
            progress.show(output, read.load(Ordering::Relaxed), || summary.line());
        }
        drop((progress, answers));
        reader.await.map_err(|error| Failure::Other(format!("the reader of the files failed: {error}")))?;

        summary.time(begin);
        summary.rejects = rejects.written();
        // What became of the rows decides, though nobody may read it.
        let told = report(output, &summary, Summary::lines);
        end.and_then(|()| summary.verdict()).and(told)
    }

    /// Opens every file and finds its columns, so that nothing is written when something is wrong with any of them.
    fn open(&self, read: &Arc<AtomicU64>) -> Result<Vec<Input>, Failure> {
        let mut inputs = Vec::new();
        let mut wrong = Vec::new();
        for path in &self.files {
            let input = Source::open(path, self.delimiter as u8, read).and_then(|source| {
                let mapping = Mapping::new(&self.mapping, Columns::new(&source.name, &source.header))?;
                Ok(Input { source, mapping })
            });
            match input {
                Ok(input) => inputs.push(input),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(inputs) } else { Err(invalid(&wrong.join("\n"))) }
    }

    fn rejects(&self, inputs: &[Input]) -> Result<Rejects, Failure> {
        let path = |file: &PathBuf| self.rejects.clone().unwrap_or_else(|| source::default_rejects(file));
        let headers = inputs.iter().map(|input| input.source.header.clone());
        Rejects::new(&self.files, self.files.iter().map(path).zip(headers).collect()).map_err(Failure::Usage)
    }

    fn plan(&self) -> Plan {
        Plan {
            helpdesk: self.helpdesk.clone(),
            source: self.mapping.source.clone(),
            first: self.first,
            batch: self.batch.into(),
            limit: self.limit.unwrap_or(u64::MAX),
            validate_only: self.dry_run,
        }
    }
}

/// What is wrong with a file: a line for each thing.
fn invalid(lines: &str) -> Failure {
    Failure::Invalid(lines.lines().map(|line| format!("error: {line}")).collect())
}

/// The helpdesk's revision now; an error when there is no such helpdesk.
async fn head(client: &Client, parent: &str) -> Result<i64, Failure> {
    let request = ListTicketsRequest { parent: parent.to_owned(), page_size: 1, ..ListTicketsRequest::default() };
    Ok(client.list_tickets(request).await?.revision)
}

/// The bytes to read, where all files know their size.
fn size(files: &[PathBuf]) -> Option<u64> {
    files.iter().map(|file| file.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len())).sum()
}

fn delimiter(text: &str) -> Result<char, String> {
    match text {
        "tab" | "\\t" => Ok('\t'),
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii() && *byte != b'"' => Ok(char::from(*byte)),
            _ => Err("give one ASCII character such as `;`, or `tab`".to_owned()),
        },
    }
}

impl Summary {
    fn new(args: &Import) -> Self {
        Self {
            helpdesk: args.helpdesk.clone(),
            dry_run: args.dry_run,
            created: 0,
            already_there: 0,
            refused: 0,
            skipped_rows: 0,
            seconds: 0.0,
            rate: 0.0,
            rejects: Vec::new(),
        }
    }

    fn add(&mut self, answer: &Answer, rejects: &mut Rejects, output: Output) -> Result<(), Failure> {
        self.created += answer.created;
        self.already_there += answer.already_there;
        self.skipped_rows += answer.skipped;
        for refused in &answer.refused {
            self.refused += 1;
            if self.refused <= SHOWN_REFUSALS {
                output.note(&refused.to_string());
            }
            rejects.write(refused).map_err(Failure::Other)?;
        }
        rejects.flush().map_err(Failure::Other)
    }

    fn time(&mut self, begin: Instant) {
        self.seconds = begin.elapsed().as_secs_f64();
        self.rate = (self.created + self.already_there + self.refused) as f64 / self.seconds.max(1e-6);
    }

    fn line(&self) -> String {
        let Self { created, already_there, refused, rate, .. } = self;
        let created_word = self.created_word();
        format!("{created} {created_word}, {already_there} already there, {refused} refused, {rate:.0}/s")
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            (self.created_word(), self.created.to_string()),
            ("already there", self.already_there.to_string()),
            ("refused", self.refused.to_string()),
            ("later rows passed over", self.skipped_rows.to_string()),
            ("rate", format!("{:.0} tickets/s over {:.1} s", self.rate, self.seconds)),
        ]
    }

    fn verdict(&self) -> Result<(), Failure> {
        if self.refused == 0 {
            return Ok(());
        }
        let rows = if self.refused == 1 { "row was" } else { "rows were" };
        Err(Failure::Other(format!(
            "{} {rows} refused, with the reasons in {}: correct them and import that file",
            self.refused,
            self.rejects.join(" and ")
        )))
    }

    fn created_word(&self) -> &'static str {
        if self.dry_run { "would be created" } else { "created" }
    }
}
