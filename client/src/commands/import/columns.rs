//! The header of one file, and what its cells mean.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

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

    /// The place of a column. Of those that share a name, `Comment#2` is the second.
    pub(super) fn index(&self, name: &str) -> Result<usize, String> {
        let places = |name: &str| -> Vec<usize> {
            let named = self.names.iter().enumerate().filter(|(_, known)| *known == name);
            named.map(|(index, _)| index).collect()
        };
        let found = places(name);
        match found[..] {
            [index] => return Ok(index),
            [] => {}
            _ => {
                return Err(format!(
                    "{} has {} columns `{name}`: say which, as `{name}#1` or `{name}#{}`",
                    self.file,
                    found.len(),
                    found.len()
                ));
            }
        }
        let numbered = name.rsplit_once('#').and_then(|(name, number)| Some((name, number.parse::<usize>().ok()?)));
        let index = numbered.and_then(|(name, number)| places(name).get(number.checked_sub(1)?).copied());
        index.ok_or_else(|| self.unknown(name))
    }

    pub(super) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    fn unknown(&self, name: &str) -> String {
        let mut wrong = format!("{} has no column `{name}`; it has: {}", self.file, self.names.join(", "));
        // A whole line that is one name was cut at something that does not stand in it.
        if let [only] = &self.names[..]
            && let Some(other) = [';', '\t', '|', ','].into_iter().find(|other| only.contains(*other))
        {
            let other = if other == '\t' { "tab".to_owned() } else { format!("'{other}'") };
            write!(wrong, ". Is --delimiter {other} meant?").ok();
        }
        wrong
    }

    /// What cells of a column are read as.
    pub(super) fn replacements(&self, index: usize) -> impl Iterator<Item = &String> {
        self.replaced.get(&index).into_iter().flat_map(HashMap::values)
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
    fn columns_of_one_name_are_told_apart() {
        let columns = |names: &[&str]| Columns::new("calls.csv", &StringRecord::from(names.to_vec()));
        let twice = columns(&["Comment", "number", "Comment", "Row#2"]);
        let index = |name| twice.index(name);
        assert_eq!(
            (index("Comment#1"), index("Comment#2"), index("number#1"), index("Row#2")),
            (Ok(0), Ok(2), Ok(1), Ok(3))
        );
        assert_eq!(
            index("Comment"),
            Err("calls.csv has 2 columns `Comment`: say which, as `Comment#1` or `Comment#2`".to_owned())
        );
        for name in ["Comment#0", "Comment#3", "Comment#x"] {
            assert!(index(name).unwrap_err().contains("has no column"), "{name}");
        }
        let whole = columns(&["number;mail"]).index("mail").unwrap_err();
        assert_eq!(whole, "calls.csv has no column `mail`; it has: number;mail. Is --delimiter ';' meant?");
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
