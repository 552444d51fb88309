//! The header of one file, and what its cells mean.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;

use super::rejects;

/// The columns of a file by name.
#[derive(Debug)]
pub(super) struct Columns {
    file: String,
    names: Vec<String>,
    empty: HashSet<String>,
    replaced: HashMap<usize, HashMap<String, String>>,
}

impl Columns {
    pub(super) fn new(file: &str, header: &StringRecord) -> Self {
        let names = header.iter().map(|name| name.trim().to_owned()).collect();
        Self { file: file.to_owned(), names, empty: HashSet::new(), replaced: HashMap::new() }
    }

    /// Takes `text` in any cell for an empty cell.
    pub(super) fn take_as_empty(&mut self, text: &str) {
        self.empty.insert(text.to_owned());
    }

    /// Reads `from` in a column as `to`.
    pub(super) fn replace(&mut self, column: &str, from: &str, to: &str) -> Result<(), String> {
        let index = self.index(column)?;
        self.replaced.entry(index).or_default().insert(from.to_owned(), to.to_owned());
        Ok(())
    }

    pub(super) fn index(&self, name: &str) -> Result<usize, String> {
        self.names
            .iter()
            .position(|known| known == name)
            .ok_or_else(|| format!("{} has no column `{name}`; it has: {}", self.file, self.names.join(", ")))
    }

    pub(super) fn cell<'a>(&'a self, row: &'a StringRecord, index: usize) -> &'a str {
        let raw = row.get(index).unwrap_or_default();
        match self.replaced.get(&index).and_then(|values| values.get(raw)) {
            Some(value) => value,
            None if self.empty.contains(raw) => "",
            None => raw,
        }
    }

    /// Every column that is not empty, a line each; without what an earlier import said of the row, which is not the case's.
    pub(super) fn listing(&self, row: &StringRecord) -> String {
        let mut text = String::new();
        for (index, name) in self.names.iter().enumerate().filter(|(_, name)| *name != rejects::ERROR) {
            let cell = self.cell(row, index);
            if !cell.is_empty() {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(name);
                text.push_str(": ");
                text.push_str(cell);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_importer_added_is_not_listed() {
        let columns = Columns::new("calls.rej.csv", &StringRecord::from(vec!["number", "error", "loket_error"]));
        let row = StringRecord::from(vec!["C7", "E42", "calls.csv:2: wrong"]);
        assert_eq!(columns.listing(&row), "number: C7\nerror: E42");
        // Who asks for it by its name has it.
        assert_eq!(columns.index("loket_error"), Ok(2));
    }

    #[test]
    fn empty_and_replaced_cells() {
        let mut columns = Columns::new("calls.csv", &StringRecord::from(vec!["priority", "vendor"]));
        columns.take_as_empty("?");
        assert_eq!(columns.replace("priority", "1", "urgent"), Ok(()));
        let row = StringRecord::from(vec!["1", "?"]);
        assert_eq!(columns.cell(&row, 0), "urgent");
        assert_eq!(columns.cell(&row, 1), "");
        // What is named is not empty.
        assert_eq!(columns.replace("vendor", "?", "none"), Ok(()));
        assert_eq!(columns.listing(&row), "priority: urgent\nvendor: none");
        let row = StringRecord::from(vec!["1", ""]);
        assert_eq!(columns.listing(&row), "priority: urgent");
        assert_eq!(
            columns.replace("urgency", "1", "high"),
            Err("calls.csv has no column `urgency`; it has: priority, vendor".to_owned())
        );
    }
}
