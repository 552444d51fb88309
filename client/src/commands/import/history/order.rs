//! Whether the rows of each case stand together, and can be held together. Looked at before anything is written: a case that goes
//! on further down would be imported without its end. What is held of all cases is what they are called.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::source::Source;
use super::mapping::Mapping;

/// So many places are told.
const SHOWN: usize = 3;

/// What the rows of a case may take, which are held until its end; and those of a batch.
pub(super) const MOST_HELD: usize = 32 << 20;

/// The cases of all files, each with where it began.
#[derive(Default)]
pub(in super::super) struct Begun(HashMap<Box<str>, (Arc<str>, u64)>);

impl Begun {
    /// What is wrong with the order of a further file, if anything is.
    pub(in super::super) fn check(&mut self, mut source: Source, mapping: &Mapping) -> Result<(), String> {
        let name: Arc<str> = Arc::from(source.name.as_str());
        let mut current: Option<(Box<str>, u64)> = None;
        let mut held = 0;
        let (mut wrong, mut count) = (Vec::new(), 0_u64);
        while let Some(row) = source.next_row()? {
            let id = mapping.id(&row.cells);
            // A row of no case is refused by itself, and ends the case before it.
            if id.is_empty() {
                current = None;
                continue;
            }
            if let Some((_, begun)) = current.as_ref().filter(|(current, _)| **current == *id) {
                held += row.held();
                if held > MOST_HELD {
                    return Err(too_large(id, &format!("{name}:{begun}"), mapping.id_column()));
                }
                continue;
            }
            current = Some((id.into(), row.line));
            held = row.held();
            if held > MOST_HELD {
                return Err(too_large(id, &format!("{name}:{}", row.line), mapping.id_column()));
            }
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

/// What is wrong with a case of too many rows, or too long ones.
pub(super) fn too_large(id: &str, begun: &str, id_column: &str) -> String {
    format!(
        "{begun}: the rows of the case `{id}`, which begins here, are held until its end, and are more than {} MiB: is \
         `{id_column}` the column that tells the cases apart? If so, give its later rows an id of their own, such as `{id}-2`, or \
         take columns out that are not mapped",
        MOST_HELD >> 20
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};
    use std::path::Path;

    use super::super::super::columns::Columns;
    use super::super::{File, Rules};
    use super::*;

    const MAPPING: &str = "
id_column: case
source: old-desk
empty: ['?']
ticket: {requester: '{case}@example.com', subject: 'S'}
events: {time: '{time}', actor: 'budi'}
";

    fn check(log: impl std::io::Read + Send + 'static) -> Result<(), String> {
        let source = Source::of(Path::new("log.csv"), Box::new(log), b',', &Arc::default())?;
        let columns = Columns::new(&source.name, &source.header);
        let mapping = Mapping::new(&File::parse(MAPPING)?, columns, &Rules::default())?;
        Begun::default().check(source, &mapping)
    }

    #[test]
    fn what_counts_as_empty_is_no_case() {
        assert_eq!(check(Cursor::new("case,time\n?,1\nC1,1\n ,1\nC2,1\n?,1\nC3,1\n")), Ok(()));
        for none in ["?", "", " "] {
            let apart = check(Cursor::new(format!("case,time\nC1,1\n{none},1\nC1,1\n"))).unwrap_err();
            assert!(
                apart.starts_with("log.csv:4: the case `C1` began in line 2 and goes on here\n"),
                "{none}: {apart}"
            );
        }
    }

    #[test]
    fn a_case_without_end_is_not_held() {
        let row = b"C1,2016-02-29T12:00:00Z\n";
        let endless = std::iter::repeat_n(row, MOST_HELD / 250).flatten().copied().collect::<Vec<u8>>();
        let wrong = check(b"case,time\n".chain(Cursor::new(endless.clone()))).unwrap_err();
        let expected = "log.csv:2: the rows of the case `C1`, which begins here, are held until its end, and are more than 32 MiB: \
                        is `case` the column that tells the cases apart? If so, give its later rows an id of their own, such as \
                        `C1-2`, or take columns out that are not mapped";
        assert_eq!(wrong, expected);
        let cell = "x".repeat(MOST_HELD);
        assert_eq!(check(Cursor::new(format!("case,time\nC1,{cell}\n"))).unwrap_err(), expected);
        assert_eq!(check(b"case,time\n".chain(Cursor::new(endless[..endless.len() / 2].to_vec()))), Ok(()));
    }
}
