//! Tables: with lines and as wide as the terminal, or plain aligned columns.

use std::fmt::Write as _;

use comfy_table::ContentArrangement;
use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};

use super::clean;

/// A header and rows of text.
#[derive(Debug)]
pub(crate) struct Table {
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: &'static [&'static str], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        Self { header, rows: rows.into_iter().collect() }
    }

    /// Wrapped into the terminal's width, or with every row on one line.
    pub(crate) fn render(&self, terminal_width: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        table.set_header(self.header);
        if let Some(width) = terminal_width {
            table
                .load_style(UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        } else {
            table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        }
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| clean(cell).replace(['\n', '\t'], " ")));
        }
        table.lines().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{}", line.trim_end());
            text
        })
    }
}

/// Names and values, one on each line; what is empty is left out.
pub(crate) fn card(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        let value = clean(value).replace('\n', &format!("\n{:width$}  ", ""));
        let _ = writeln!(text, "{name:width$}  {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_columns_are_aligned_and_one_line_each() {
        let table = Table::new(&["A", "B"], [vec!["long value".into(), "x\ny".into()], vec!["b".into(), "c".into()]]);
        assert_eq!(table.render(None), " A           B\n long value  x y\n b           c\n");
    }

    #[test]
    fn a_terminal_gets_lines_that_fit() {
        let table = Table::new(&["TICKET", "SUBJECT"], [vec!["h/1".into(), "word ".repeat(20)]]);
        let text = table.render(Some(40));
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.lines().count() > 4 && !text.contains('\x1b'), "{text}");
    }

    #[test]
    fn a_card_leaves_out_what_is_empty() {
        let text = card(&[("name", "a\nb".into()), ("x", String::new()), ("y", "c".into())]);
        assert_eq!(text, "name  a\n      b\ny     c\n");
    }
}
