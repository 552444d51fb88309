//! Whether the rows of each case stand together. Looked at before anything is written: a case that goes on further down would be
//! imported without its end.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::source::Source;

/// So many places are told.
const SHOWN: usize = 3;

/// The cases of all files, each with where it began.
#[derive(Default)]
pub(in super::super) struct Begun(HashMap<Box<str>, (Arc<str>, u64)>);

impl Begun {
    /// What is wrong with the order of a further file, if anything is.
    pub(in super::super) fn check(&mut self, mut source: Source, id_column: usize) -> Result<(), String> {
        let name: Arc<str> = Arc::from(source.name.as_str());
        let mut current: Option<Box<str>> = None;
        let (mut wrong, mut count) = (Vec::new(), 0_u64);
        while let Some(row) = source.next_row()? {
            let id = row.cells.get(id_column).unwrap_or_default().trim();
            // A row of no case is refused by itself, and ends the case before it.
            if id.is_empty() {
                current = None;
                continue;
            }
            if current.as_deref() == Some(id) {
                continue;
            }
            current = Some(id.into());
            let Some((file, line)) = self.0.get(id) else {
                self.0.insert(id.into(), (Arc::clone(&name), row.line));
                continue;
            };
            count += 1;
            if wrong.len() < SHOWN {
                let place = if *file == name { String::new() } else { format!(" of {file}") };
                wrong
                    .push(format!("{name}:{}: the case `{id}` began in line {line}{place} and goes on here", row.line));
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let places = if count == 1 { "1 place".to_owned() } else { format!("{count} places") };
        wrong.push(format!(
            "{name}: in {places} a case goes on behind others or in another file; the rows of a case must stand together, in \
             order of time: put them into one file, sorted by its id and its time"
        ));
        Err(wrong.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(rows: &str) -> Result<(), String> {
        let bytes = Box::new(std::io::Cursor::new(rows.to_owned()));
        Begun::default().check(Source::of(Path::new("log.csv"), bytes, b',', &Arc::default())?, 0)
    }

    #[test]
    fn a_row_without_an_id_ends_the_case_before_it() {
        assert_eq!(check("case,text\nC1,a\nC1,b\n,c\nC2,d\n"), Ok(()));
        let wrong = check("case,text\nC1,a\n ,b\nC1,c\n").unwrap_err();
        assert!(wrong.starts_with("log.csv:4: the case `C1` began in line 2 and goes on here"), "{wrong}");
    }
}
