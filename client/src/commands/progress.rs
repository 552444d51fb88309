//! How far long work has come: a bar on a terminal, otherwise a line now and then.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Output;

/// Between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shown on the standard error, and gone from a terminal when it is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total: Option<u64>,
    last_line: Instant,
}

impl Progress {
    /// `total` is the amount of work, in any unit, if it is known.
    pub(crate) fn new(total: Option<u64>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let (bar, template) = match total {
                Some(total) => (ProgressBar::new(total), "{bar:30} {percent:>3}% {msg}  {elapsed}, {eta} to go"),
                None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
            };
            bar.enable_steady_tick(Duration::from_millis(200));
            // The templates are constants; the default bar would do as well.
            ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
        });
        Self { bar, total, last_line: Instant::now() }
    }

    /// `done` is in the unit of the total.
    pub(crate) fn show(&mut self, output: Output, done: u64, message: impl FnOnce() -> String) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(done);
                bar.set_message(message());
            }
            None if self.last_line.elapsed() >= BETWEEN_LINES => {
                self.last_line = Instant::now();
                let percent = self.total.map(|total| format!("{:>3}% ", done * 100 / total.max(1))).unwrap_or_default();
                output.note(&format!("{percent}{}", message()));
            }
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
