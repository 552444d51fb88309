//! The commands: one file each, found here.

mod agent;
mod attachment;
mod batch;
mod bench;
mod completions;
mod feedback;
mod helpdesk;
mod import;
mod key;
mod outages;
mod progress;
mod queue;
mod readable;
mod report;
mod requester;
mod stop;
mod ticket;

use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::context::{Context, Globals};
use crate::failure::{Asked, EXIT_CODES, Failure};

/// The client of Loket, a helpdesk ticket engine.
///
/// It finds the server at `http://127.0.0.1:50051` and the key in `./loket-data`, where a server that was started without
/// further ado puts them.
#[derive(Debug, Parser)]
#[command(name = "loket", version, after_long_help = EXIT_CODES, after_help = "See --help for the exit codes.")]
#[command(arg_required_else_help = true, infer_long_args = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: Globals,

    #[command(subcommand)]
    command: Command,

    /// Whether --validate-only is among its flags.
    #[arg(skip)]
    validates_only: bool,

    /// Whether the same command with a request id asks for the same once more.
    #[arg(skip)]
    is_repeatable: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Helpdesks and their definitions
    #[command(subcommand)]
    Helpdesk(helpdesk::Command),
    /// File, read, move and watch tickets
    #[command(subcommand)]
    Ticket(ticket::Command),
    /// Read and work the queues
    #[command(subcommand)]
    Queue(queue::Command),
    /// Who works the queues
    #[command(subcommand)]
    Agent(agent::Command),
    /// Files on tickets
    #[command(subcommand)]
    Attachment(attachment::Command),
    /// Register those who file tickets, and verify their addresses
    #[command(subcommand)]
    Requester(requester::Command),
    /// Answer the survey of a closed ticket
    #[command(subcommand)]
    Feedback(feedback::Command),
    /// Access keys; admins only
    #[command(subcommand)]
    Key(key::Command),
    Import(import::Import),
    #[command(subcommand)]
    Bench(bench::Command),
    Completions(completions::Completions),
}

impl Cli {
    /// Reads the command line; what is wrong with it ends the program.
    pub(crate) fn read() -> Self {
        let matches = Self::command().get_matches();
        let mut cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let command = innermost(&matches);
        cli.validates_only = is_set(command, "validate_only");
        let takes_id = matches!(command.try_get_one::<String>("request_id"), Ok(Some(_)));
        // With files to attach it would upload them again, which is something else; and an id is for one definition.
        let files = |name| command.try_get_many::<PathBuf>(name).ok().flatten().map_or(0, Iterator::count);
        cli.is_repeatable = takes_id && !cli.validates_only && files("attach") == 0 && files("files") <= 1;
        cli
    }

    /// What a failure is told by.
    pub(crate) fn asked(&self) -> Asked {
        Asked { key: self.globals.key(), is_repeatable: self.is_repeatable }
    }

    /// Does what was asked for.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let context = Context::new(self.globals);
        let done = match self.command {
            Command::Helpdesk(command) => command.run(&context).await,
            Command::Ticket(command) => command.run(&context).await,
            Command::Queue(command) => command.run(&context).await,
            Command::Agent(command) => command.run(&context).await,
            Command::Attachment(command) => command.run(&context).await,
            Command::Requester(command) => command.run(&context).await,
            Command::Feedback(command) => command.run(&context).await,
            Command::Key(command) => command.run(&context).await,
            Command::Import(command) => command.run(&context).await,
            Command::Bench(command) => command.run(&context).await,
            Command::Completions(command) => command.run(),
        };
        if done.is_ok() && self.validates_only {
            context.output.note("Valid; nothing was written.");
        }
        done
    }
}

/// The arguments of the command itself, whichever it is.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, matches)| innermost(matches))
}

fn is_set(matches: &ArgMatches, flag: &str) -> bool {
    matches.try_get_one::<bool>(flag).ok().flatten().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_examples_of_the_documentation_are_understood() {
        for example in [
            "ticket create --helpdesk smmpanel --requester customer@example.com --subject S --body B --field type=order \
             --field order_id=454837 --field action=speedup",
            "queue watch helpdesks/smmpanel/queues/order",
            "ticket reply helpdesks/smmpanel/tickets/1 --body B --transition t --solution s",
            "ticket reply helpdesks/smmpanel/tickets/1 --body B --note --transition t",
            "ticket reply smmpanel/1 --canned closing --field promised_time=2026-12-01T00:00:00Z",
            "helpdesk canned smmpanel",
            "requester register --helpdesk smmpanel --email ani@example.com",
            "requester verify smmpanel/r1 --code 01234-56789",
            "requester list --helpdesk smmpanel --email ani@example.com",
            "requester get smmpanel/r1",
            "feedback submit smmpanel/1 --rating 5 --comment C --survey-token t",
            "feedback link smmpanel/1",
            "ticket history helpdesks/smmpanel/tickets/1 -o json",
            "ticket list --helpdesk smmpanel --filter status=waiting --order-by create_time",
            "ticket watch --helpdesk helpdesks/smmpanel --filter queue=order --start snapshot",
            "ticket transfer smmpanel/1 --to order --reason R",
            "ticket assign smmpanel/1 --to rina@example.com",
            "ticket assign smmpanel/1 --nobody --reason R",
            "ticket escalate iduhelp/1 rooster --reason R --body B",
            "agent create smmpanel/rina --subject rina@example.com --queue order --skill order",
            "agent update smmpanel/rina --active false --all-queues",
            "agent list --helpdesk smmpanel",
            "queue next smmpanel/order --wait 2m",
            "ticket create --helpdesk ovo --subject S --body B --attach a.png --upload ovo/018f",
            "ticket reply ovo/1 --body B --upload helpdesks/ovo/uploads/018f",
            "ticket split oriflame/1 3 oriflame/1/replies/4 --subject S",
            "attachment get ovo/1/018f --to - --offset 1 --length 2",
            "attachment upload a.png --resume helpdesks/ovo/uploads/018f",
            "key create --role agent --subject budi --helpdesk smmpanel",
            "import a.csv.gz b.csv --helpdesk ovo --id-column number --source uci --first --map a=fields.b --set requester={c}",
            "bench create --helpdesk bench --connections 1 --in-flight 1 --duration 3s -o json",
            "bench watch --idle 100 --server-pid 1",
            "bench create --one --commit-baseline loket-data --request-ids v7",
            "bench create --one --commit-baseline loket-data --commit-bytes 72000",
            "bench etcd --etcd-endpoint http://127.0.0.1:2379 --duration 20s -o json",
            "helpdesk explain smmpanel --format mermaid",
            "completions bash",
        ] {
            let words = std::iter::once("loket").chain(example.split_whitespace());
            assert!(Cli::try_parse_from(words).is_ok(), "{example}");
        }
    }

    #[test]
    fn a_bare_commit_has_a_directory_and_a_size_that_there_can_be() {
        for wrong in [
            "bench create --one --commit-bytes 512",
            "bench create --commit-baseline loket-data",
            "bench create --one --commit-baseline loket-data --commit-bytes 0",
            "bench create --one --commit-baseline loket-data --commit-bytes 1048577",
        ] {
            let words = std::iter::once("loket").chain(wrong.split_whitespace());
            assert!(Cli::try_parse_from(words).is_err(), "{wrong}");
        }
    }
}
