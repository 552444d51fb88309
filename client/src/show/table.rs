//! Tables: with lines and laid out for the terminal, or plain aligned columns.

use std::fmt::Write as _;
use std::iter::repeat;

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Width};
use console::{measure_text_width, truncate_str};

use super::clean;
use super::layout::{LINES, Layout, PADDING, Span};

/// Texts that wrap are at least this wide, unless all of them are shorter.
const LEAST_TEXT: usize = 20;

/// The same for texts of which one line is shown.
const LEAST_LINE: usize = 60;

/// What a column is called, by what it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// One name, number or time each: they are copied, so they are never broken.
    Whole(&'static str),
    /// Lists of names, or names with words about them, which are broken only between them.
    Names(&'static str),
    /// Texts for reading: they wrap, and long ones are shortened.
    Text(&'static str),
}

impl Column {
    fn header(self) -> &'static str {
        match self {
            Self::Whole(header) | Self::Names(header) | Self::Text(header) => header,
        }
    }

    /// Between which widths it may be with these cells.
    fn span<'a>(self, cells: impl Iterator<Item = &'a str> + Clone) -> Span {
        let widest = |parts: &mut dyn Iterator<Item = &'a str>| parts.map(measure_text_width).max().unwrap_or_default();
        let header = measure_text_width(self.header());
        let most = widest(&mut cells.clone()).max(header);
        let text = |least: usize| least.max(header).min(most);
        let (least, unwrapped) = match self {
            Self::Whole(_) => (most, most),
            Self::Names(_) => (widest(&mut cells.flat_map(str::split_whitespace)).max(header), most),
            Self::Text(_) => (text(LEAST_TEXT), text(LEAST_LINE)),
        };
        Span { least: least + PADDING, unwrapped: unwrapped + PADDING, most: most + PADDING }
    }

    /// The most lines that a cell takes: as many as there are names where they are, for they are all shown.
    fn lines(self, cell: &str) -> usize {
        match self {
            Self::Whole(_) => 1,
            Self::Names(_) => cell.split_whitespace().count(),
            Self::Text(_) => LINES,
        }
    }
}

/// A header and rows of text.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let one_line = |cell: String| clean(&cell).replace(['\n', '\t'], " ");
        let rows = rows.into_iter().map(|row| row.into_iter().map(one_line).collect());
        Self { columns: columns.to_vec(), rows: rows.collect() }
    }

    /// Laid out for the terminal's width, or with every row on one line.
    pub(crate) fn render(&self, terminal_width: Option<u16>) -> String {
        let lines = terminal_width.map_or_else(|| self.plain(), |width| self.ruled(width.into()));
        lines.into_iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        })
    }

    /// The header and each row on one line that is no longer than the screen is wide; the last columns are left out if they
    /// do not fit.
    pub(crate) fn on_screen(&self, width: u16) -> Vec<String> {
        let width = usize::from(width);
        let lines = self.laid_out(&Layout::of_screen(&self.spans(), width));
        let lines = lines.into_iter().filter(|line| !is_rule(line));
        lines.map(|line| truncate_str(&line, width, "…").into_owned()).collect()
    }

    fn plain(&self) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(self.header());
        table.add_rows(&self.rows);
        lines(&table)
    }

    /// The rules are no longer than the terminal is wide, whatever the rows are. Where there is too little room, the columns that say
    /// nothing make some.
    fn ruled(&self, width: usize) -> Vec<String> {
        let layout = Layout::of_terminal(&self.spans(), width);
        if !layout.wraps
            && let Some(told) = self.without_empty()
        {
            return told.ruled(width);
        }
        let lines = self.laid_out(&layout);
        let within = |line: String| if is_rule(&line) { line.chars().take(width).collect() } else { line };
        lines.into_iter().map(within).collect()
    }

    /// The table without the columns that are empty in every row, if there are any.
    fn without_empty(&self) -> Option<Self> {
        let says = |index: usize| self.rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()));
        let kept: Vec<_> = (0..self.columns.len()).filter(|index| says(*index)).collect();
        if kept.is_empty() || kept.len() == self.columns.len() {
            return None;
        }
        let cells = |row: &Vec<String>| kept.iter().filter_map(|index| row.get(*index).cloned()).collect();
        Some(Self {
            columns: kept.iter().filter_map(|index| self.columns.get(*index).copied()).collect(),
            rows: self.rows.iter().map(cells).collect(),
        })
    }

    fn laid_out(&self, layout: &Layout) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table
            .load_style(UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_truncation_indicator("…")
            .set_header(self.header());
        for cells in &self.rows {
            let mut row = Row::from(cells);
            row.max_height(if layout.wraps { self.height(cells) } else { 1 });
            table.add_row(row);
        }
        let widths = layout.widths.iter().map(|width| exactly(width - 1)).chain(repeat(ColumnConstraint::Hidden));
        for (column, width) in table.column_iter_mut().zip(widths) {
            // The style has a space of its own after each but the last.
            column.set_padding((1, 0)).set_constraint(width);
        }
        lines(&table)
    }

    fn header(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.header())
    }

    fn spans(&self) -> Vec<Span> {
        let cells = |index: usize| self.rows.iter().filter_map(move |row| row.get(index)).map(String::as_str);
        self.columns.iter().enumerate().map(|(index, column)| column.span(cells(index))).collect()
    }

    /// The most lines that a row takes where it wraps.
    fn height(&self, cells: &[String]) -> usize {
        self.columns.iter().zip(cells).map(|(column, cell)| column.lines(cell)).max().unwrap_or(1)
    }
}

fn lines(table: &comfy_table::Table) -> Vec<String> {
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn exactly(width: usize) -> ColumnConstraint {
    ColumnConstraint::Absolute(Width::Fixed(width.try_into().unwrap_or(u16::MAX)))
}

/// Cells have a space before them.
fn is_rule(line: &str) -> bool {
    line.starts_with(['─', '═'])
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
    use super::Column::{Names, Text, Whole};
    use super::*;

    fn keys() -> Table {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        Table::new(
            &[Whole("KEY"), Names("HELPDESKS"), Text("NOTE"), Whole("CREATED")],
            [
                row([
                    "accessKeys/k1a22c7dd04c773d8",
                    "helpdesks/smmpanel, helpdesks/ovo",
                    "Agus, who moved to the office in Surabaya in November, and his colleagues",
                    "2026-11-30 12:46:12Z",
                ]),
                row(["accessKeys/admin", "all", "我的订单已经三天没有到账了请尽快处理谢谢", "2026-11-30 12:44:21Z"]),
            ],
        )
    }

    #[test]
    fn plain_columns_are_aligned_and_one_line_each() {
        let rows = [vec!["long value".into(), "x\ny".into()], vec!["b".into(), "c".into()]];
        let table = Table::new(&[Whole("A"), Text("B")], rows);
        assert_eq!(table.render(None), " A           B\n long value  x y\n b           c\n");
    }

    #[test]
    fn a_terminal_gets_lines_that_fit() {
        let table = Table::new(&[Whole("TICKET"), Text("SUBJECT")], [vec!["h/1".into(), "word ".repeat(20)]]);
        let text = table.render(Some(40));
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(text.lines().count() > 4 && !text.contains('\x1b'), "{text}");
    }

    #[test]
    fn texts_and_lists_wrap_around_what_is_whole() {
        let rule = |c: &str| c.repeat(99);
        let expected = [
            &rule("─"),
            " KEY                           HELPDESKS               NOTE                    CREATED",
            &rule("═"),
            " accessKeys/k1a22c7dd04c773d8  helpdesks/smmpanel,     Agus, who moved to the  2026-11-30 12:46:12Z",
            "                               helpdesks/ovo           office in Surabaya in",
            "                                                       November, and his",
            "                                                       colleagues",
            &rule("─"),
            " accessKeys/admin              all                     我的订单已经三天没有到  2026-11-30 12:44:21Z",
            "                                                       账了请尽快处理谢谢",
            &rule("─"),
        ];
        assert_eq!(keys().render(Some(100)).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nothing_but_texts_is_broken_or_shortened_at_any_width() {
        for width in [1, 20, 80, 100, 140, 300] {
            let text = keys().render(Some(width));
            for whole in ["accessKeys/k1a22c7dd04c773d8 ", " HELPDESKS ", " NOTE ", " CREATED", "12:46:12Z"] {
                assert!(text.contains(whole), "{whole} at {width}:\n{text}");
            }
            assert!(text.contains("helpdesks/smmpanel,") && text.contains("helpdesks/ovo"), "{width}:\n{text}");
            assert!(text.lines().filter(|line| is_rule(line)).all(|line| measure_text_width(line) <= width.into()));
        }
    }

    #[test]
    fn what_cannot_fit_is_one_line_for_each_row() {
        let rows = |width| keys().render(Some(width)).lines().skip(3).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let expected = [
            " accessKeys/k1a22c7dd04c773d8  helpdesks/smmpanel, helpdesks/ovo  Agus, who moved to the office in Surabaya in November, and his…           2026-11-30 12:46:12Z",
            " accessKeys/admin              all                                我的订单已经三天没有到账了请尽快处理谢谢                                  2026-11-30 12:44:21Z",
        ];
        // Two lines of the terminal, and eight.
        assert_eq!(rows(80), expected);
        assert_eq!(rows(20), expected);
    }

    #[test]
    fn what_says_nothing_is_left_out_where_there_is_too_little_room() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let columns = [Whole("TICKET"), Whole("ASSIGNEE"), Whole("REQUESTER")];
        let table = Table::new(&columns, [row(["h/1", "", "ani@example.com"]), row(["h/2", "", "budi@example.com"])]);
        let header = |width| table.render(Some(width)).lines().nth(1).map(str::to_owned);
        assert_eq!(header(80).as_deref(), Some(" TICKET  ASSIGNEE  REQUESTER"));
        assert_eq!(header(30).as_deref(), Some(" TICKET  REQUESTER"));
        let none = Table::new(&columns, []);
        assert!(none.render(Some(5)).contains("TICKET"));
    }

    #[test]
    fn a_long_text_is_shortened() {
        let table = Table::new(&[Whole("TICKET"), Text("SUBJECT")], [vec!["h/1".into(), "word ".repeat(200)]]);
        let text = table.render(Some(40));
        assert_eq!(text.lines().filter(|line| line.contains("word")).count(), LINES, "{text}");
        assert!(text.contains("word…"), "{text}");
    }

    #[test]
    fn all_the_names_of_a_list_are_shown() {
        let names: Vec<_> = (10..40).map(|n| format!("queue-{n}")).collect();
        let table = Table::new(&[Names("QUEUES")], [vec![names.join(", ")]]);
        let text = table.render(Some(10));
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
        let text = table.render(Some(20));
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
    }

    #[test]
    fn a_screen_has_one_line_for_each_row() {
        let lines = |width| keys().on_screen(width);
        assert_eq!(
            lines(100),
            [
                " KEY                           HELPDESKS               NOTE                    CREATED",
                " accessKeys/k1a22c7dd04c773d8  helpdesks/smmpanel,…    Agus, who moved to th…  2026-11-30 12:46:12Z",
                " accessKeys/admin              all                     我的订单已经三天没有…   2026-11-30 12:44:21Z",
            ]
        );
        let expected = [
            " KEY                           HELPDESKS                NOTE",
            " accessKeys/k1a22c7dd04c773d8  helpdesks/smmpanel,…     Agus, who moved to the…",
            " accessKeys/admin              all                      我的订单已经三天没有到…",
        ];
        assert_eq!(lines(80), expected);
        assert_eq!(lines(20), [" KEY", " accessKeys/k1a22c7…", " accessKeys/admin"]);
    }

    #[test]
    fn a_card_leaves_out_what_is_empty() {
        let text = card(&[("name", "a\nb".into()), ("x", String::new()), ("y", "c".into())]);
        assert_eq!(text, "name  a\n      b\ny     c\n");
    }
}
