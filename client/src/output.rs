//! Standard output: the only place that writes to it.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;
use console::Term;
use prost::Message;
#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::failure::Failure;
use crate::show::{Table, clean};

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables for people; plain columns when it is not a terminal that reads them
    Table,
    /// The protobuf JSON mapping
    Json,
}

/// Standard output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    terminal: bool,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, terminal: io::stdout().is_terminal() }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Whether it can be redrawn.
    pub(crate) fn is_live(self) -> bool {
        self.terminal && self.format == Format::Table
    }

    /// One message of the package: as JSON, or as it is shown.
    pub(crate) fn one<M: Message>(
        self,
        name: &str,
        message: &M,
        show: impl FnOnce(&M) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.json(&to_json(name, message)?),
            Format::Table => lines(&show(message)),
        }
    }

    /// One message that is edited when it is JSON: indented, whoever reads it.
    pub(crate) fn document<M: Message>(
        self,
        name: &str,
        message: &M,
        show: impl FnOnce(&M) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => write(&format!("{:#}\n", to_json(name, message)?)),
            Format::Table => lines(&show(message)),
        }
    }

    /// A list: as a JSON array, or as a table.
    pub(crate) fn list<M: Message>(
        self,
        name: &str,
        items: &[M],
        table: impl FnOnce(&[M]) -> Table,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => {
                let values = items.iter().map(|item| to_json(name, item)).collect::<Result<_, _>>()?;
                self.json(&Value::Array(values))
            }
            Format::Table if items.is_empty() => {
                self.note("None.");
                Ok(())
            }
            Format::Table => lines(&self.table(&table(items))),
        }
    }

    /// A message of a stream: as JSON on a line of its own, or as the lines it is shown in.
    pub(crate) fn item<M: Message>(
        self,
        name: &str,
        message: &M,
        show: impl FnOnce(&M) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => lines(&to_json(name, message)?.to_string()),
            Format::Table => lines(&show(message)),
        }
    }

    /// A JSON value, indented for reading on a terminal.
    pub(crate) fn json(self, value: &Value) -> Result<(), Failure> {
        if self.terminal { write(&format!("{value:#}\n")) } else { write(&format!("{value}\n")) }
    }

    /// A table laid out for the terminal, or in plain columns.
    pub(crate) fn table(self, table: &Table) -> String {
        table.render(self.width())
    }

    /// How wide the terminal is that reads it, if one does.
    pub(crate) fn width(self) -> Option<u16> {
        self.terminal.then(|| Term::stdout().size().1)
    }

    /// Something for people only; it goes to standard error so that it is not in the way of programs. Nobody's work ends
    /// because nobody reads it.
    pub(crate) fn note(self, text: &str) {
        if self.format == Format::Table {
            let _ = writeln!(io::stderr().lock(), "{}", clean(text));
        }
    }
}

/// What whoever reads the output should know of it, on standard error.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "warning: {}", clean(text));
}

/// Lines of text, ended by a line end; nothing when there are none.
pub(crate) fn lines(text: &str) -> Result<(), Failure> {
    match text.trim_end_matches('\n') {
        "" => Ok(()),
        text => write(&format!("{text}\n")),
    }
}

/// The lines and columns of the terminal that can be drawn on: the cursor keeps the last line.
pub(crate) fn screen() -> (u16, u16) {
    let (rows, columns) = Term::stdout().size();
    (rows.saturating_sub(1).max(1), columns)
}

/// Draws over what was drawn before. Each line is emptied before it is written: what ends a line in a terminal's last
/// column would be taken off by emptying the rest.
pub(crate) fn redraw(lines: &[String]) -> Result<(), Failure> {
    write(&format!("\x1b[H\x1b[K{}\n\x1b[J", lines.join("\n\x1b[K")))
}

/// Fails when nobody reads the output any more, such as a pipe whose reader has seen enough. What is never written to would not
/// notice.
#[cfg(unix)]
pub(crate) fn look() -> Result<(), Failure> {
    let stdout = io::stdout();
    let mut looked = [PollFd::new(&stdout, PollFlags::empty())];
    // It is asked for nothing but what is always told. Where the system cannot say, the next write finds out.
    let _ = poll(&mut looked, Some(&Timespec::default()));
    if looked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
        return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
    }
    Ok(())
}

/// Elsewhere the next write finds out.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps)]
pub(crate) fn look() -> Result<(), Failure> {
    Ok(())
}

/// Text as it is: what comes from others must have been cleaned.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

fn to_json<M: Message>(name: &str, message: &M) -> Result<Value, Failure> {
    loket::json::to_json(name, message).map_err(|error| Failure::Other(format!("cannot write {name} as JSON: {error}")))
}
