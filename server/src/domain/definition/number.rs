//! What a ticket's human number looks like.

/// A text around one decimal number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberFormat {
    before: String,
    /// Padded with zeros to so many digits; 0: not padded.
    width: usize,
    after: String,
}

impl NumberFormat {
    const MAX_CHARS: usize = 64;
    const WIDTHS: std::ops::RangeInclusive<usize> = 2..=12;

    /// Reads `{number}` or `{number:08}` with text around it; the empty text means `{number}`.
    ///
    /// # Errors
    ///
    /// With what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let read = || {
            let (before, rest) = text.split_once('{')?;
            let (inside, after) = rest.split_once('}')?;
            let width = match inside.strip_prefix("number")? {
                "" => 0,
                padding => padding.strip_prefix(":0")?.parse().ok().filter(|width| Self::WIDTHS.contains(width))?,
            };
            let plain = |part: &str| !part.contains(['{', '}']) && !part.contains(char::is_control);
            let fits = text.chars().count() <= Self::MAX_CHARS && plain(before) && plain(after);
            fits.then(|| Self { before: before.to_owned(), width, after: after.to_owned() })
        };
        read().ok_or_else(|| {
            format!(
                "`{}` is no format of a number: write at most {} printable characters with exactly one `{{number}}` or, \
                 padded with zeros to a width of {} to {}, `{{number:08}}`",
                text.escape_default(),
                Self::MAX_CHARS,
                Self::WIDTHS.start(),
                Self::WIDTHS.end(),
            )
        })
    }

    pub fn write(&self, n: i64) -> String {
        let Self { before, width, after } = self;
        format!("{before}{n:0width$}{after}")
    }
}
