//! What became of the rows, counted and told.

use std::time::Instant;

use serde::Serialize;

use super::batches::Refused;
use super::rejects::Rejects;
use super::upload::Answer;
use crate::failure::Failure;
use crate::output::Output;

/// So many rows of the rejects are shown, where there is a file with all.
const SHOWN_REFUSALS: u64 = 5;

/// What became of the rows.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) helpdesk: String,
    pub(super) dry_run: bool,
    created: u64,
    already_there: u64,
    /// Of those already there, the ones of which an earlier import has made another ticket than the rows now say.
    there_otherwise: u64,
    refused: u64,
    /// Later rows of cases already taken.
    skipped_rows: u64,
    /// Of histories only.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Happened>,
    seconds: f64,
    /// Tickets per second, those already there included.
    rate: f64,
    /// The files with the refused rows.
    pub(super) rejects: Vec<String>,
    /// Of a dry run, which writes no such file: why each row would be refused or left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

/// What became of what happened.
#[derive(Debug, Default, Serialize)]
pub(super) struct Happened {
    /// Now part of a ticket's history, besides its filing.
    events: u64,
    /// What the helpdesk's definition refuses: left out, or with its whole case.
    refused_events: u64,
    /// Rows of imported cases that were left out.
    left_out_rows: u64,
    /// Cases that were refused whole.
    refused_cases: u64,
}

impl Summary {
    pub(super) fn new(helpdesk: &str, dry_run: bool, history: bool) -> Self {
        Self {
            helpdesk: helpdesk.to_owned(),
            dry_run,
            created: 0,
            already_there: 0,
            there_otherwise: 0,
            refused: 0,
            skipped_rows: 0,
            history: history.then(Happened::default),
            seconds: 0.0,
            rate: 0.0,
            rejects: Vec::new(),
            reasons: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, answer: &Answer, rejects: &Rejects, output: Output) -> Result<(), Failure> {
        self.created += answer.created;
        self.already_there += answer.already_there;
        self.skipped_rows += answer.skipped;
        if let Some(happened) = &mut self.history {
            happened.events += answer.events;
            happened.refused_events += answer.refused_events;
            happened.refused_cases += answer.refused_cases;
        }
        for place in &answer.otherwise {
            self.there_otherwise += 1;
            if self.there_otherwise <= SHOWN_REFUSALS {
                output.note(&format!("{place}: its case is there already with other content, and stays as it is"));
            }
        }
        for refused in &answer.refused {
            self.refused += 1;
            self.show(refused, output);
        }
        for left_out in &answer.left_out {
            if let Some(happened) = &mut self.history {
                happened.left_out_rows += 1;
            }
            self.show(left_out, output);
        }
        let written = if self.dry_run { Ok(()) } else { rejects.write(&answer.refused) };
        for kept in rejects.kept() {
            output.note(&kept);
        }
        written.map_err(Failure::Other)
    }

    /// Shows a row that is counted already if it is one of the first; in a dry run, which has no file with all, every one.
    fn show(&mut self, row: &Refused, output: Output) {
        if self.dry_run && output.is_json() {
            self.reasons.push(row.to_string());
        } else if self.dry_run || self.refused + self.left_out() <= SHOWN_REFUSALS {
            output.note(&row.to_string());
        }
    }

    fn left_out(&self) -> u64 {
        self.history.as_ref().map_or(0, |happened| happened.left_out_rows)
    }

    pub(super) fn time(&mut self, begin: Instant) {
        self.seconds = begin.elapsed().as_secs_f64();
        let refused = self.history.as_ref().map_or(self.refused, |happened| happened.refused_cases);
        self.rate = (self.created + self.already_there + refused) as f64 / self.seconds.max(1e-6);
    }

    pub(super) fn line(&self) -> String {
        let Self { created, already_there, refused, rate, .. } = self;
        let created_word = self.created_word();
        format!("{created} {created_word}, {already_there} already there, {refused} refused, {rate:.0}/s")
    }

    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let rate = ("rate", format!("{:.0} tickets/s over {:.1} s", self.rate, self.seconds));
        let mut lines =
            vec![(self.created_word(), self.created.to_string()), ("already there", self.already_there.to_string())];
        if self.there_otherwise > 0 {
            lines.push(("with other content", self.there_otherwise.to_string()));
        }
        match &self.history {
            None => lines.extend([
                ("refused", self.refused.to_string()),
                ("later rows passed over", self.skipped_rows.to_string()),
            ]),
            Some(Happened { events, refused_events, left_out_rows, refused_cases }) => lines.extend([
                ("refused cases", refused_cases.to_string()),
                ("refused rows", self.refused.to_string()),
                ("events", events.to_string()),
                ("refused events", refused_events.to_string()),
                ("rows left out", left_out_rows.to_string()),
            ]),
        }
        lines.push(rate);
        lines
    }

    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.refused == 0 {
            return Ok(());
        }
        if self.dry_run {
            return Err(Failure::Other(format!("{}{}", self.in_rejects(), self.too_late())));
        }
        let which = if self.left_out() == 0 { "them" } else { "those refused" };
        Err(Failure::Other(format!("{}: correct {which} and import that file{}", self.in_rejects(), self.too_late())))
    }

    /// What the rejects have, and where they are.
    fn in_rejects(&self) -> String {
        let (refused, left_out) = (self.refused, self.left_out());
        let were = |count| match (self.dry_run, count) {
            (true, 1) => "row would be",
            (true, _) => "rows would be",
            (false, 1) => "row was",
            (false, _) => "rows were",
        };
        let what = match (refused, left_out) {
            (_, 0) => format!("{refused} {} refused", were(refused)),
            (0, _) => format!("{left_out} {} left out", were(left_out)),
            (_, 1) => format!("{refused} {} refused, 1 row left out", were(refused)),
            _ => format!("{refused} {} refused, {left_out} rows left out", were(refused)),
        };
        if self.dry_run {
            return format!("{what}; nothing was written");
        }
        format!("{what}, with the reasons in {}", self.rejects.join(" and "))
    }

    /// A case that is there takes no further rows.
    fn too_late(&self) -> &'static str {
        match (self.left_out(), self.dry_run) {
            (0, _) => "",
            (_, true) => "; no later import could add what would be left out",
            (_, false) => {
                "; the cases of the rows left out are imported, and take no more rows: a later import finds them already there"
            }
        }
    }

    /// Where the rows are that were not shown; and those left out, of which no verdict speaks when nothing is refused.
    pub(super) fn note_rejects(&self, output: Output) {
        let more = (self.refused + self.left_out()).saturating_sub(SHOWN_REFUSALS);
        if more > 0 && !self.dry_run {
            output.note(&format!("and {more} more in {}", self.rejects.join(" and ")));
        }
        if self.refused == 0 && self.left_out() > 0 {
            output.note(&format!("{}{}", self.in_rejects(), self.too_late()));
        }
    }

    fn created_word(&self) -> &'static str {
        if self.dry_run { "would be new" } else { "new" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(dry_run: bool, refused: u64, left_out_rows: u64) -> Summary {
        let mut summary = Summary::new("helpdesks/h", dry_run, true);
        summary.refused = refused;
        summary.history = Some(Happened { left_out_rows, ..Happened::default() });
        summary.rejects = vec!["a.rej.csv".to_owned()];
        summary
    }

    fn verdict(summary: &Summary) -> String {
        match summary.verdict() {
            Err(Failure::Other(said)) => said,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_end_says_what_can_still_be_done() {
        let said = verdict(&summary(false, 2, 0));
        assert_eq!(said, "2 rows were refused, with the reasons in a.rej.csv: correct them and import that file");
        let said = verdict(&summary(false, 2, 1));
        assert_eq!(
            said,
            "2 rows were refused, 1 row left out, with the reasons in a.rej.csv: correct those refused and import that file; \
             the cases of the rows left out are imported, and take no more rows: a later import finds them already there"
        );
        assert_eq!(verdict(&summary(true, 1, 0)), "1 row would be refused; nothing was written");
        assert_eq!(
            verdict(&summary(true, 1, 1)),
            "1 row would be refused, 1 row left out; nothing was written; no later import could add what would be left out"
        );
        assert_eq!(verdict(&summary(false, 0, 1)), "Ok(())");
    }
}
