//! The rows of a CSV file, plain or gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, StringRecord};
use flate2::bufread::MultiGzDecoder;

use super::quotes::Quotes;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZIP: &[u8] = b"PK\x03\x04";

/// A file as it is.
pub(super) type Bytes = Box<dyn Read + Send>;

/// Opens a file, or the standard input for `-`.
pub(super) fn bytes(path: &Path) -> Result<Bytes, String> {
    if is_stdin(path) {
        return Ok(Box::new(io::stdin()));
    }
    let name = display_name(path);
    let unreadable = |error: io::Error| format!("{name} cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(format!("{name} is a directory: give the CSV files in it"));
    }
    Ok(Box::new(file))
}

/// A file that is read row by row.
pub(super) struct Source {
    /// What messages call it.
    pub(super) name: String,
    pub(super) header: StringRecord,
    reader: csv::Reader<Quotes<BufReader<Box<dyn Read + Send>>>>,
}

/// A row and where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) cells: StringRecord,
    /// Its bytes, where they are not UTF-8.
    pub(super) raw: Option<ByteRecord>,
    /// Why it cannot be read, if it cannot; the cells are then as near as they come.
    pub(super) fault: Option<String>,
}

impl Row {
    /// The memory that it takes, roughly.
    pub(super) fn held(&self) -> usize {
        const ROW: usize = 256;
        let raw = self.raw.as_ref().map_or(0, |raw| raw.as_slice().len());
        self.cells.as_slice().len() + raw + self.cells.len() * size_of::<usize>() + ROW
    }
}

impl Source {
    /// Begins with the bytes of a file. What is read of them, before decompression, is added to `read`.
    pub(super) fn of(path: &Path, raw: Bytes, delimiter: u8, read: &Arc<AtomicU64>) -> Result<Self, String> {
        Self::from_reader(display_name(path), Counted { raw, read: Arc::clone(read) }, delimiter)
    }

    fn from_reader(name: String, raw: impl Read + Send + 'static, delimiter: u8) -> Result<Self, String> {
        let unreadable = |error: &dyn std::fmt::Display| format!("{name} cannot be read: {error}");
        let mut raw = BufReader::with_capacity(1 << 16, raw);
        let packed = raw.fill_buf().map_err(|error| unreadable(&error))?.starts_with(GZIP);
        let plain: Box<dyn Read + Send> = if packed { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
        let mut plain = BufReader::new(plain);
        if let Some(wrong) = no_text(plain.fill_buf().map_err(|error| unreadable(&error))?) {
            return Err(format!("{name} {wrong}"));
        }
        let plain = Quotes::new(plain, delimiter);
        let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(plain);
        let header = match reader.headers() {
            Ok(header) => header.clone(),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                return Err(format!("{name}: the names of the columns are not UTF-8; {}", convert("WINDOWS-1252")));
            }
            Err(error) => return Err(unreadable(&error)),
        };
        if header.iter().all(|column| column.trim().is_empty()) {
            return Err(format!("{name} is empty: its first line must name the columns"));
        }
        if let Some(separator) = header.get(0).and_then(|first| first.strip_prefix("sep=")) {
            let separator = if separator.is_empty() { char::from(delimiter).to_string() } else { separator.to_owned() };
            return Err(format!(
                "{name} begins with `sep={separator}`, which only spreadsheets understand: take that line out, and give \
                 --delimiter '{separator}'"
            ));
        }
        Ok(Self { name, header, reader })
    }

    /// The next row; none at the end. An error means that nothing more can be read of the file.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, String> {
        let mut bytes = ByteRecord::new();
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut bytes) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => {
                return Err(format!(
                    "{}:{line}: cannot be read further: {error}; is the file complete? Repeat the import with the whole \
                     file: what is there already stays",
                    self.name
                ));
            }
        }
        let line = bytes.position().map_or(line, csv::Position::line);
        let (cells, raw, fault) = match StringRecord::from_byte_record(bytes) {
            Ok(cells) => {
                let fault = self.count_fault(&cells);
                (cells, None, fault)
            }
            Err(error) => {
                let column = self.header.get(error.utf8_error().field()).unwrap_or("?").to_owned();
                let fault = format!("the column `{column}` is not UTF-8; {}", convert("WINDOWS-1252"));
                let raw = error.into_byte_record();
                (StringRecord::from_byte_record_lossy(raw.clone()), Some(raw), Some(fault))
            }
        };
        Ok(Some(Row { line, cells, raw, fault }))
    }

    fn count_fault(&self, cells: &StringRecord) -> Option<String> {
        let (has, needs) = (cells.len(), self.header.len());
        (has != needs).then(|| {
            format!(
                "the row has {has} cells and the header {needs}: a cell with a separator or a line break in it must be \
                 in double quotes, and each quote within it doubled"
            )
        })
    }
}

/// What a file is that begins so and is no text in UTF-8.
fn no_text(begin: &[u8]) -> Option<String> {
    if begin.starts_with(ZIP) {
        return Some("is a ZIP archive or a workbook: unpack it, or save the sheet as CSV in UTF-8".to_owned());
    }
    let is_utf_16 = begin.starts_with(&[0xff, 0xfe])
        || begin.starts_with(&[0xfe, 0xff])
        || begin.iter().take(4).any(|byte| *byte == 0);
    is_utf_16.then(|| format!("is not UTF-8, but perhaps UTF-16; {}", convert("UTF-16")))
}

fn convert(encoding: &str) -> String {
    format!("convert the whole file, with its true encoding, as in: iconv -f {encoding} -t UTF-8 old.csv > new.csv")
}

/// Whether it can be read a second time, as far as that is known: what is not there is told otherwise.
pub(super) fn is_read_once(path: &Path) -> bool {
    is_stdin(path) || path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir())
}

pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

pub(super) fn display_name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Where the refused rows of a file go unless it is said: `calls.csv.gz` has `calls.rej.csv` beside it.
pub(super) fn default_rejects(path: &Path) -> PathBuf {
    if is_stdin(path) {
        return PathBuf::from("stdin.rej.csv");
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = stem.strip_suffix(".csv").unwrap_or(stem);
    path.with_file_name(format!("{stem}.rej.csv"))
}

/// Counts what passes, for the progress bar.
struct Counted<R> {
    raw: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.raw.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn rows(bytes: &[u8]) -> Result<Vec<Row>, String> {
        let mut source = Source::from_reader("calls.csv".to_owned(), io::Cursor::new(bytes.to_vec()), b',')?;
        let mut rows = Vec::new();
        while let Some(row) = source.next_row()? {
            rows.push(row);
        }
        Ok(rows)
    }

    #[test]
    fn plain_and_gzip_are_the_same() -> Result<(), String> {
        let text = "number,note\n1,\"two\nlines\"\n2,b\n";
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
        let gzip = encoder.finish().map_err(|error| error.to_string())?;
        let row = |line, cells: Vec<&str>| Row { line, cells: StringRecord::from(cells), raw: None, fault: None };
        let expected = [row(2, vec!["1", "two\nlines"]), row(4, vec!["2", "b"])];
        assert_eq!(rows(text.as_bytes())?, expected);
        assert_eq!(rows(&gzip)?, expected);
        let cut = rows(&gzip[..gzip.len() - 12]).unwrap_err();
        assert!(cut.contains("is the file complete?"), "{cut}");
        Ok(())
    }

    #[test]
    fn a_bad_line_is_told_and_the_next_is_read() -> Result<(), String> {
        let rows = rows(b"number,note\n1,a,b\n2,\xff\n3,c\n")?;
        let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 3, 4]);
        let faults: Vec<_> = rows.iter().map(|row| row.fault.as_deref().unwrap_or_default()).collect();
        assert!(faults[0].starts_with("the row has 3 cells and the header 2"), "{}", faults[0]);
        assert!(faults[1].starts_with("the column `note` is not UTF-8"), "{}", faults[1]);
        assert_eq!(faults[2], "");
        Ok(())
    }

    #[test]
    fn a_file_that_is_no_csv_in_utf8_is_called_by_its_name() {
        let utf_16: Vec<u8> = "\u{feff}number,note".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, expected) in [
            (&b"PK\x03\x04rest"[..], "calls.csv is a ZIP archive or a workbook: unpack it"),
            (&utf_16, "calls.csv is not UTF-8, but perhaps UTF-16; convert"),
            (b"number,caf\xe9\n1,a\n", "calls.csv: the names of the columns are not UTF-8; convert"),
            (
                b"sep=;\nnumber;note\n1;a\n",
                "calls.csv begins with `sep=;`, which only spreadsheets understand: take that",
            ),
            (b"sep=,\nnumber,note\n1,a\n", "calls.csv begins with `sep=,`"),
        ] {
            let wrong = rows(bytes).unwrap_err();
            assert!(wrong.starts_with(expected), "{wrong}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_swallows_nothing() -> Result<(), String> {
        let text = b"number,note\n1,a\n2,\"hello\n3,c\n".to_vec();
        let mut source = Source::from_reader("calls.csv".to_owned(), io::Cursor::new(text), b',')?;
        assert_eq!(source.next_row()?.map(|row| row.line), Some(2));
        let wrong = source.next_row().unwrap_err();
        let expected = "calls.csv:3: cannot be read further: the quote opened in line 3 is never closed; is the file";
        assert!(wrong.starts_with(expected), "{wrong}");
        let wrong = rows(b"number,\"note\n1,a\n").unwrap_err();
        assert_eq!(wrong, "calls.csv cannot be read: the quote opened in line 1 is never closed");
        Ok(())
    }

    #[test]
    fn rejects_lie_beside_the_file() {
        assert_eq!(default_rejects(Path::new("in/calls.csv.gz")), Path::new("in/calls.rej.csv"));
        assert_eq!(default_rejects(Path::new("calls.txt")), Path::new("calls.txt.rej.csv"));
        assert_eq!(default_rejects(Path::new("-")), Path::new("stdin.rej.csv"));
    }
}
