//! `loket import`: the rows of CSV files become tickets.

mod batches;
mod columns;
mod history;
mod mapping;
mod quotes;
mod rejects;
mod source;
mod summary;
mod template;
mod upload;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::StreamExt as _;
use loket::v1::ListTicketsRequest;
use loket_client::Client;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use self::batches::{Batch, Input, Plan};
use self::columns::Columns;
use self::history::Rules;
use self::mapping::{Mapping, MappingArgs};
use self::rejects::Rejects;
use self::source::Source;
use self::summary::Summary;
use self::upload::{Answer, Upload};
use super::progress::Progress;
use super::report::report;
use super::stop::Stop;
use crate::args;
use crate::context::Context;
use crate::failure::Failure;

/// Make tickets of the rows of CSV files.
///
/// Each row, or each case of an event log, becomes one new ticket. The import may be stopped and repeated: what is there
/// already is counted and left as it is. Refused rows are written to a CSV file of their own, the rejects file, with the
/// reason, to be corrected and imported.
///
/// Counted as new is what was not there when the import began, also where another import has brought it meanwhile. A case that
/// is there already stays as it is; where its rows say something else than those that were imported within a week before, that
/// is told.
///
/// With --history every row is something that happened to a case, at its own time: the tickets come with their histories, as
/// the helpdesk's definition has them.
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

    /// Import each case with all that its rows say happened to it: a mapping in YAML. The rows of a case stand together, in order
    /// of time, and take 32 MiB of memory at most. Files are read twice, so that a pipe is not taken. Services and admins only.
    #[arg(long, value_name = "MAPPING", conflicts_with_all = ["map", "set", "value", "empty", "id_column", "source", "first"])]
    history: Option<PathBuf>,

    /// Leave out the rows of which the helpdesk's definition refuses something, and import the rest; otherwise their case is
    /// refused. What is left out is written to the rejects file, but cannot be added later: its case is then already there. Such
    /// a case is tried first, and filed behind the others of its call.
    #[arg(long, requires = "history")]
    skip_refused_events: bool,

    /// What separates the cells.
    #[arg(long, default_value_t = ',', value_parser = delimiter)]
    delimiter: char,

    /// Tickets in a call: 1 to 500; with --history at most 100.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=500))]
    batch: u16,

    /// Calls at the same time. With more than one, tickets are filed in another order than that of the file, and with it go
    /// their numbers and their places in the queues.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    in_flight: u16,

    /// The rejects file, where the refused rows go; otherwise beside each file, to `old-desk.rej.csv` for `old-desk.csv`. A file that an earlier
    /// import left there is kept, as `old-desk.rej.1.csv`.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,

    /// Stop after so many tickets.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,

    /// Let the server check every ticket, and write none; the refused rows are only told.
    #[arg(long)]
    dry_run: bool,
}

/// Lines as narrow as the narrowest terminal, for one that is wrapped cannot be pasted.
const EXAMPLE: &str = "\
Example:
  loket import calls.csv --helpdesk ovo \\
    --id-column number --source calls \\
    --map email=requester --map details=body \\
    --set subject='{category}: {summary}' \\
    --map kind=fields.category

A mapping for --history:
  id_column: case
  source: calls
  ticket:
    requester: '{email}'
    subject: 'Case {case}'
    role: requester
  events:
    time: '{time}'
    actor: '{agent}'
    role:
      text: '{agent}'
      values: {robot: service}
      other: agent
    status:
      text: '{state}/{detail}'
      values:
        Open/New: new
        Open/Taken: open
        Done/Closed: closed
    queue: '{group|slug}'
    fields.product: '{product}'

In `ticket` are the targets of --map, and the `time`, `actor` and `role` of its
filing (otherwise those of the first row); in `events` also assignee, priority,
solution, reason, reply, note, and `reply_kind`, public or note, for replies of
which a column says who may read them:
    reply_kind: {text: '{is_private}', values: {'1': note}, other: public}

Times are RFC 3339 with an offset. `time_format: '%d/%m/%Y %H:%M'` where they
are written otherwise, as in strftime, %s for seconds since 1970, `unix_ms` for
milliseconds; and where they have no offset `time_zone: Asia/Jakarta`, or
`+07:00`.

What is empty in a row is not said there, and stays as it is. Texts that stand
for nobody, or for no value, are named, and `''` may be among them:
    assignee: {text: '{agent}', removed: ['Unassigned', '']}";

const GOES_ON: &str = "stopped before the end; the same command goes on where it was";

impl Import {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let read = Arc::new(AtomicU64::new(0));
        if let Some(path) = &self.history {
            let mapping = history::file(path)?;
            return self.histories(context, &read, &mapping).await;
        }
        let inputs = self.open(&read)?;
        let rejects = self.rejects(inputs.iter().map(|input| &input.source))?;
        let client = context.client().await?;
        let rules = Rules::of(&client, &self.helpdesk).await?;
        let mut unknown: Vec<String> = inputs.iter().flat_map(|input| input.mapping.unknown(&rules)).collect();
        unknown.dedup();
        if !unknown.is_empty() {
            return Err(invalid(&unknown.join("\n")));
        }
        let upload = Upload { head: head(&client, &self.helpdesk).await?, client, helpdesk: self.helpdesk.clone() };
        let plan = self.plan();
        let send = move |batch: Batch| upload.clone().send(batch);
        self.transfer(context, &read, &rejects, move |sender| batches::read(inputs, &plan, sender), send).await
    }

    async fn histories(&self, context: &Context, read: &Arc<AtomicU64>, file: &history::File) -> Result<(), Failure> {
        let once: Vec<String> = self
            .files
            .iter()
            .filter(|path| source::is_read_once(path))
            .map(|path| source::display_name(path))
            .collect();
        if !once.is_empty() {
            let wrong = once.iter().map(|name| {
                format!("{name} can be read once, and with --history a file is read twice: write it to a file first")
            });
            return Err(invalid(&wrong.collect::<Vec<_>>().join("\n")));
        }
        let client = context.client().await?;
        let rules = Rules::of(&client, &self.helpdesk).await?;
        let inputs = self
            .sources(read, |source| history::Mapping::new(file, Columns::new(&source.name, &source.header), &rules))?;
        let rejects = Arc::new(self.rejects(inputs.iter().map(|(source, _)| source))?);
        let (sources, mappings) = inputs.into_iter().unzip();
        let reading = Arc::new(history::Reading { mappings, rules });
        self.check_order(&reading).await?;
        let upload = history::Upload {
            reading: Arc::clone(&reading),
            head: head(&client, &self.helpdesk).await?,
            client,
            helpdesk: self.helpdesk.clone(),
            skip: self.skip_refused_events,
            rejects: (!self.dry_run).then(|| Arc::clone(&rejects)),
        };
        let plan = history::Plan {
            helpdesk: self.helpdesk.clone(),
            source: file.source.clone(),
            reading,
            batch: usize::from(self.batch).min(history::MOST_IN_A_CALL),
            limit: self.limit.unwrap_or(u64::MAX),
            validate_only: self.dry_run,
            skip: self.skip_refused_events,
        };
        let send = move |batch| upload.clone().send(batch);
        self.transfer(context, read, &rejects, move |sender| history::read(sources, &plan, sender), send).await
    }

    /// Reads the files once before anything is written of them.
    async fn check_order(&self, reading: &Arc<history::Reading>) -> Result<(), Failure> {
        let again = self.sources(&Arc::default(), |_| Ok(()))?;
        let reading = Arc::clone(reading);
        let checked = tokio::task::spawn_blocking(move || {
            let mut begun = history::Begun::default();
            let sources = again.into_iter().map(|(source, ())| source).zip(&reading.mappings);
            let wrong = sources.filter_map(|(source, mapping)| begun.check(source, mapping).err());
            wrong.collect::<Vec<_>>().join("\n")
        });
        let wrong =
            checked.await.map_err(|error| Failure::Other(format!("the reader of the files failed: {error}")))?;
        if wrong.is_empty() { Ok(()) } else { Err(invalid(&wrong)) }
    }

    /// Sends what a reader makes of the files, and tells what became of it.
    async fn transfer<B, F>(
        &self,
        context: &Context,
        read: &Arc<AtomicU64>,
        rejects: &Rejects,
        reader: impl FnOnce(&mpsc::Sender<Result<B, String>>) + Send + 'static,
        send: impl Fn(B) -> F,
    ) -> Result<(), Failure>
    where
        B: Send + 'static,
        F: Future<Output = (Answer, Result<(), Failure>)>,
    {
        let in_flight = usize::from(self.in_flight);
        let (sender, batches) = mpsc::channel(in_flight);
        let reader = tokio::task::spawn_blocking(move || reader(&sender));
        let send = &send;
        let mut answers = ReceiverStream::new(batches)
            .map(|batch: Result<B, String>| async move {
                match batch {
                    Ok(batch) => send(batch).await,
                    Err(error) => (Answer::default(), Err(invalid(&error))),
                }
            })
            .buffer_unordered(in_flight);

        let output = context.output;
        let mut summary = Summary::new(&self.helpdesk, self.dry_run, self.history.is_some());
        let mut progress = Progress::new(size(&self.files));
        let begin = Instant::now();
        let mut end = Ok(());
        let stop = Stop::on_interrupt();
        loop {
            let (answer, ended) = tokio::select! {
                answer = answers.next() => match answer {
                    Some(answer) => answer,
                    None => break,
                },
                () = stop.wait(), if end.is_ok() => (Answer::default(), Err(Failure::Interrupted(GOES_ON))),
            };
            // After a failure the calls under way are waited for, so that the summary is true.
            let added = summary.add(&answer, rejects, output);
            if end.is_ok() {
                end = ended.and(added);
                if end.is_err() {
                    answers.get_mut().get_mut().close();
                }
            }
            summary.time(begin);
            progress.show(output, read.load(Ordering::Relaxed), || summary.line());
        }
        drop((progress, answers));
        // After Ctrl-C it may wait for an input that does not come.
        if !matches!(end, Err(Failure::Interrupted(_))) {
            reader.await.map_err(|error| Failure::Other(format!("the reader of the files failed: {error}")))?;
        }

        summary.time(begin);
        summary.rejects = rejects.written();
        summary.note_rejects(output);
        // What became of the rows decides, though nobody may read it.
        let told = report(output, &summary, Summary::lines);
        end.and_then(|()| summary.verdict()).and(told)
    }

    fn open(&self, read: &Arc<AtomicU64>) -> Result<Vec<Input>, Failure> {
        let mapping = |source: &Source| Mapping::new(&self.mapping, Columns::new(&source.name, &source.header));
        let inputs = self.sources(read, mapping)?;
        Ok(inputs.into_iter().map(|(source, mapping)| Input { source, mapping }).collect())
    }

    /// Opens every file and finds its columns, so that nothing is written when something is wrong with any of them.
    fn sources<T>(
        &self,
        read: &Arc<AtomicU64>,
        look: impl Fn(&Source) -> Result<T, String>,
    ) -> Result<Vec<(Source, T)>, Failure> {
        let mut inputs = Vec::new();
        let mut wrong = Vec::new();
        for path in &self.files {
            let input = source::bytes(path).map_err(Failure::Other).and_then(|bytes| {
                let source = Source::of(path, bytes, self.delimiter as u8, read).map_err(|error| invalid(&error))?;
                let found = look(&source).map_err(|error| invalid(&error))?;
                Ok((source, found))
            });
            match input {
                Ok(input) => inputs.push(input),
                Err(failure) => wrong.push(failure),
            }
        }
        if wrong.is_empty() { Ok(inputs) } else { Err(Failure::Several(wrong)) }
    }

    fn rejects<'s>(&self, sources: impl Iterator<Item = &'s Source>) -> Result<Rejects, Failure> {
        let path = |file: &PathBuf| self.rejects.clone().unwrap_or_else(|| source::default_rejects(file));
        let headers = sources.map(|source| source.header.clone());
        let rejects = Rejects::new(&self.files, self.files.iter().map(path).zip(headers).collect());
        let rejects = rejects.map_err(Failure::Usage)?;
        // A dry run writes none.
        if !self.dry_run {
            rejects.check().map_err(Failure::Other)?;
        }
        Ok(rejects)
    }

    fn plan(&self) -> Plan {
        Plan {
            helpdesk: self.helpdesk.clone(),
            source: self.mapping.source.clone().unwrap_or_default(),
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
