//! Whether the rows of each case stand together. Looked at before anything is written: a case that goes on further down would be
//! imported without its end.

use std::collections::HashMap;

use super::super::source::Source;

/// So many places are told.
const SHOWN: usize = 3;

/// What is wrong with the order of a file, if anything is.
pub(in super::super) fn check(mut source: Source, id_column: usize) -> Result<(), String> {
    let mut begun: HashMap<Box<str>, u64> = HashMap::new();
    let mut current: Option<Box<str>> = None;
    let (mut wrong, mut count) = (Vec::new(), 0_u64);
    while let Some(row) = source.next_row()? {
        let id = row.cells.get(id_column).unwrap_or_default();
        if current.as_deref() == Some(id) {
            continue;
        }
        current = Some(id.into());
        if let Some(line) = begun.get(id) {
            count += 1;
            if wrong.len() < SHOWN {
                wrong.push(format!(
                    "{}:{}: the case `{id}` began in line {line} and goes on here",
                    source.name, row.line
                ));
            }
        } else {
            begun.insert(id.into(), row.line);
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let name = &source.name;
    wrong.push(format!(
        "{name}: in {count} places a case goes on behind others; the rows of a case must stand together, in order of time: \
         sort the file by its id and its time"
    ));
    Err(wrong.join("\n"))
}
