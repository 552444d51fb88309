//! How wide the columns of a table are on a terminal.

/// What is around the content of a column.
pub(super) const PADDING: usize = 2;

/// The most lines that texts take in a row that fits into the terminal.
pub(super) const LINES: usize = 8;

/// How wide a column may be, with what is around its content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Where it may wrap: what would break if it were less.
    pub(super) least: usize,
    /// The same where each row is one line.
    pub(super) unwrapped: usize,
    /// What its longest content needs.
    pub(super) most: usize,
}

/// The widths of the columns, and whether their content wraps in them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) widths: Vec<usize>,
    pub(super) wraps: bool,
}

impl Layout {
    /// Where the columns cannot be made to fit the terminal, each row is one line, over as many of the terminal's as it must.
    pub(super) fn of_terminal(spans: &[Span], terminal: usize) -> Self {
        let terminal = terminal.max(1);
        if length(spans.iter().map(|span| span.least)) <= terminal {
            return Self { widths: shared(spans, |span| span.least, terminal), wraps: true };
        }
        let lines = length(spans.iter().map(|span| span.unwrapped)).div_ceil(terminal);
        Self { widths: shared(spans, |span| span.unwrapped, lines * terminal), wraps: false }
    }

    /// For a screen with one line for each row: the first column, and as many of the others as fit.
    pub(super) fn of_screen(spans: &[Span], width: usize) -> Self {
        let fits = |&count: &usize| length(spans.iter().take(count).map(|span| span.least)) <= width;
        let count = (2..=spans.len()).rev().find(fits).unwrap_or(1);
        let spans = spans.get(..count).unwrap_or(spans);
        Self { widths: shared(spans, |span| span.least, width), wraps: false }
    }
}

/// Every column has its least; of what is left the narrowest are given first, until all that can grow are as wide.
fn shared(spans: &[Span], least: impl Fn(&Span) -> usize, room: usize) -> Vec<usize> {
    let widths = |level: usize| spans.iter().map(|span| level.clamp(least(span), span.most)).collect::<Vec<_>>();
    let level = (0..=room).rev().find(|&level| length(widths(level)) <= room);
    widths(level.unwrap_or_default())
}

/// How long a line of columns is: there is no space after the last.
fn length(widths: impl IntoIterator<Item = usize>) -> usize {
    widths.into_iter().sum::<usize>().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name, a text, a list of names and a longer text.
    const SPANS: [Span; 4] = [
        Span { least: 10, unwrapped: 10, most: 10 },
        Span { least: 20, unwrapped: 40, most: 60 },
        Span { least: 5, unwrapped: 12, most: 12 },
        Span { least: 20, unwrapped: 50, most: 80 },
    ];

    #[test]
    fn what_is_left_goes_to_the_narrowest_first() {
        let of = |terminal| Layout::of_terminal(&SPANS, terminal);
        assert_eq!(of(54), Layout { widths: vec![10, 20, 5, 20], wraps: true });
        assert_eq!(of(80), Layout { widths: vec![10, 29, 12, 29], wraps: true });
        assert_eq!(of(140), Layout { widths: vec![10, 59, 12, 59], wraps: true });
        assert_eq!(of(200), Layout { widths: vec![10, 60, 12, 80], wraps: true });
    }

    #[test]
    fn what_does_not_fit_is_one_line_over_several_of_the_terminal() {
        let of = |terminal| Layout::of_terminal(&SPANS, terminal);
        assert_eq!(of(53), Layout { widths: vec![10, 60, 12, 78], wraps: false });
        assert_eq!(of(20), Layout { widths: vec![10, 49, 12, 50], wraps: false });
        assert_eq!(of(0), Layout { widths: vec![10, 40, 12, 50], wraps: false });
        assert_eq!(Layout::of_terminal(&[], 20), Layout { widths: vec![], wraps: true });
    }

    #[test]
    fn a_screen_has_the_first_columns() {
        let of = |width| Layout::of_screen(&SPANS, width);
        assert_eq!(of(5), Layout { widths: vec![10], wraps: false });
        assert_eq!(of(20), Layout { widths: vec![10], wraps: false });
        assert_eq!(of(50), Layout { widths: vec![10, 29, 12], wraps: false });
        assert_eq!(of(80), Layout { widths: vec![10, 29, 12, 29], wraps: false });
        assert_eq!(of(140), Layout { widths: vec![10, 59, 12, 59], wraps: false });
    }
}
