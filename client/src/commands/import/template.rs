//! Texts made of columns: `Incident {number}: {category|slug}`.

use csv::StringRecord;

use super::columns::Columns;

/// A text whose `{column}` are replaced by the cells of a row. `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Cell(usize, Form),
}

/// What is made of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    AsIs,
    Lower,
    /// Lower case, and every run of other characters than letters and digits one `-`: `Self service` is `self-service`.
    Slug,
    /// Every run of white space, line breaks included, one space, and none at the ends.
    Squeeze,
}

impl Template {
    /// The template that is one column.
    pub(super) fn column(name: &str, columns: &Columns) -> Result<Self, String> {
        Ok(Self(vec![Part::Cell(columns.index(name)?, Form::AsIs)]))
    }

    pub(super) fn parse(text: &str, columns: &Columns) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let behind = &rest[at + 1..];
            if let Some(behind) = behind.strip_prefix(brace) {
                plain.push_str(brace);
                rest = behind;
                continue;
            }
            let inner = behind.split_once('}').filter(|_| brace == "{");
            let Some((inner, behind)) = inner else {
                return Err(format!(
                    "`{text}` has a lone `{brace}`: a column is {{column}}, and a brace itself is written twice"
                ));
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(cell(inner, columns)?);
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The text, where it has no columns.
    pub(super) fn constant(&self) -> Option<String> {
        let texts = self.0.iter().map(|part| match part {
            Part::Text(plain) => Some(plain.as_str()),
            Part::Cell(..) => None,
        });
        texts.collect()
    }

    /// The column, where the text is one and nothing else.
    pub(super) fn only_column(&self) -> Option<usize> {
        match &self.0[..] {
            [Part::Cell(index, Form::AsIs)] => Some(*index),
            _ => None,
        }
    }

    pub(super) fn render(&self, row: &StringRecord, columns: &Columns) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Cell(index, form) => form.push(columns.cell(row, *index), &mut text),
            }
        }
        text
    }
}

fn cell(inner: &str, columns: &Columns) -> Result<Part, String> {
    let (name, form) = match inner.rsplit_once('|') {
        None => (inner, Form::AsIs),
        Some((name, "lower")) => (name, Form::Lower),
        Some((name, "slug")) => (name, Form::Slug),
        Some((name, "squeeze")) => (name, Form::Squeeze),
        Some((_, other)) => {
            return Err(format!("`{{{inner}}}` asks for the form `{other}`: there are `lower`, `slug` and `squeeze`"));
        }
    };
    Ok(Part::Cell(columns.index(name)?, form))
}

impl Form {
    fn push(self, cell: &str, text: &mut String) {
        match self {
            Self::AsIs => text.push_str(cell),
            Self::Lower => text.extend(cell.chars().flat_map(char::to_lowercase)),
            Self::Slug => {
                let words = cell.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
                for (place, word) in words.enumerate() {
                    if place > 0 {
                        text.push('-');
                    }
                    text.extend(word.chars().flat_map(char::to_lowercase));
                }
            }
            Self::Squeeze => {
                for (place, word) in cell.split_whitespace().enumerate() {
                    if place > 0 {
                        text.push(' ');
                    }
                    text.push_str(word);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Columns {
        Columns::new("calls.csv", &StringRecord::from(vec!["number", "contact type"]))
    }

    fn render(text: &str) -> Result<String, String> {
        let row = StringRecord::from(vec!["INC1", "Self  service!"]);
        Template::parse(text, &columns()).map(|template| template.render(&row, &columns()))
    }

    #[test]
    fn puts_cells_in_their_places() {
        assert_eq!(render("Incident {number}: {{{contact type}}}"), Ok("Incident INC1: {Self  service!}".to_owned()));
        assert_eq!(render("{number|lower}/{contact type|slug}"), Ok("inc1/self-service".to_owned()));
        assert_eq!(render("{contact type|squeeze}!"), Ok("Self service!!".to_owned()));
    }

    #[test]
    fn says_what_would_be_right() {
        assert_eq!(
            render("a {nmber}"),
            Err("calls.csv has no column `nmber`; it has: number, contact type".to_owned())
        );
        assert_eq!(
            render("50 } off"),
            Err("`50 } off` has a lone `}`: a column is {column}, and a brace itself is written twice".to_owned())
        );
        assert_eq!(
            render("{number|upper}"),
            Err("`{number|upper}` asks for the form `upper`: there are `lower`, `slug` and `squeeze`".to_owned())
        );
    }
}
