//! Whether a file ends within a quoted cell. The reader of CSV then takes all rows behind the quote for a part of that cell, and
//! does not tell.

use std::io::{self, Read};

const QUOTE: u8 = b'"';

/// A cell is read whole: a stray quote that none follows would have the rest of the file held as one.
const MOST_QUOTED: u64 = 32 << 20;

/// The reader of CSV passes over it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in a row a byte stands, as the reader of CSV sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a cell: only here a quote opens.
    Start,
    /// In a cell without quotes, or behind the quoted part of one.
    Bare,
    Quoted,
    /// Behind a quote within quotes: the cell is over, unless another quote follows.
    AfterQuote,
}

/// Passes a file on, and makes an error of its end when that is within quotes.
pub(super) struct Quotes<R> {
    raw: R,
    delimiter: u8,
    has_begun: bool,
    place: Place,
    line: u64,
    /// The line of the last quote that opened a cell.
    opened: u64,
    /// The bytes since.
    quoted: u64,
}

impl<R> Quotes<R> {
    pub(super) fn new(raw: R, delimiter: u8) -> Self {
        Self { raw, delimiter, has_begun: false, place: Place::Start, line: 1, opened: 1, quoted: 0 }
    }

    fn pass(&mut self, byte: u8) {
        if self.place == Place::Start && byte == QUOTE {
            (self.opened, self.quoted) = (self.line, 0);
        }
        self.quoted += 1;
        self.line += u64::from(byte == b'\n');
        self.place = match (self.place, byte) {
            (Place::Quoted, QUOTE) => Place::AfterQuote,
            (Place::Start | Place::AfterQuote, QUOTE) | (Place::Quoted, _) => Place::Quoted,
            (_, b'\n' | b'\r') => Place::Start,
            _ if byte == self.delimiter => Place::Start,
            _ => Place::Bare,
        };
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.raw.read(buffer)?;
        if length == 0 && !buffer.is_empty() && self.place == Place::Quoted {
            let wrong = format!("the quote opened in line {} is never closed", self.opened);
            return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
        }
        let mut bytes = &buffer[..length];
        if !self.has_begun {
            self.has_begun = true;
            bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        }
        for byte in bytes {
            self.pass(*byte);
        }
        if self.place == Place::Quoted && self.quoted > MOST_QUOTED {
            let most = MOST_QUOTED >> 20;
            let wrong = format!("the quote opened in line {} is not closed within {most} MiB", self.opened);
            return Err(io::Error::new(io::ErrorKind::InvalidData, wrong));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str, delimiter: u8) -> Option<String> {
        let mut quotes = Quotes::new(text.as_bytes(), delimiter);
        io::copy(&mut quotes, &mut io::sink()).err().map(|error| error.to_string())
    }

    /// Whether the reader of CSV takes a row behind the text for a part of its last cell.
    fn swallows(text: &str) -> bool {
        let text = format!("{text}\nend\n");
        let reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
        let last = reader.into_records().filter_map(Result::ok).last();
        !last.is_some_and(|last| last.iter().eq(["end"]))
    }

    #[test]
    fn tells_the_line_of_the_quote() {
        let line = |line| Some(format!("the quote opened in line {line} is never closed"));
        for (text, delimiter, expected) in [
            ("a,b\n1,\"two\nlines\"\n2,\"x\n3,y\n", b',', line(4)),
            ("a,b\n1,\"x\"\"\n", b',', line(2)),
            ("a,b\n1,\"x\"\"\"", b',', None),
            ("a,b\n1,six \"feet\n", b',', None),
            ("a;b\n1,\"x;2\n", b';', None),
            ("a;b\n1;\"x,2\n", b';', line(2)),
            ("\u{feff}\"a\",b\n", b',', None),
            ("\u{feff}\"a,b\n", b',', line(1)),
            ("", b',', None),
        ] {
            assert_eq!(wrong(text, delimiter), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cell_without_end_is_not_read_on() {
        let mut quotes = Quotes::new(b"a,b\n1,\"".chain(io::repeat(b'x')), b',');
        let wrong = io::copy(&mut quotes, &mut io::sink()).unwrap_err();
        assert_eq!(wrong.to_string(), "the quote opened in line 2 is not closed within 32 MiB");
    }

    #[test]
    fn sees_what_the_reader_of_csv_sees() {
        let bytes = ['x', '"', ',', '\n', '\r'];
        // Every text of five of them.
        for number in 0..5_usize.pow(5) {
            let text: String = (0..5).map(|place| bytes[number / 5_usize.pow(place) % 5]).collect();
            assert_eq!(wrong(&text, b',').is_some(), swallows(&text), "{text:?}");
        }
    }
}
