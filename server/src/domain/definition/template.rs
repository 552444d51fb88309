//! Texts with places that are filled in: `Tiket {number}`.

use std::borrow::Cow;

/// A text with places for values, `{{` and `}}` standing for braces.
#[derive(Debug)]
pub struct Template<P> {
    parts: Vec<Part<P>>,
}

#[derive(Debug)]
enum Part<P> {
    Text(String),
    Value(P),
}

impl<P> Template<P> {
    /// Reads a text; `place` knows what may stand between braces.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each with what would be right.
    pub fn parse(text: &str, mut place: impl FnMut(&str) -> Result<P, String>) -> Result<Self, Vec<String>> {
        let mut parts = Vec::new();
        let mut wrong = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, behind) = rest[at..].split_at(1);
            if let Some(behind) = behind.strip_prefix(brace) {
                plain.push_str(brace);
                rest = behind;
                continue;
            }
            rest = behind;
            let Some((name, behind)) = behind.split_once('}').filter(|_| brace == "{") else {
                wrong.push(format!("has a `{brace}` that stands alone: write `{brace}{brace}` for a brace"));
                continue;
            };
            rest = behind;
            parts.push(Part::Text(std::mem::take(&mut plain)));
            match place(name) {
                Ok(value) => parts.push(Part::Value(value)),
                Err(why) => wrong.push(why),
            }
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        if wrong.is_empty() { Ok(Self { parts }) } else { Err(wrong) }
    }

    /// The places, in their order.
    pub fn places(&self) -> impl Iterator<Item = &P> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value(place) => Some(place),
        })
    }

    /// The text with every place filled in.
    pub fn write<'v>(&self, value: impl Fn(&P) -> Cow<'v, str>) -> String {
        self.parts.iter().fold(String::new(), |mut written, part| {
            match part {
                Part::Text(text) => written.push_str(text),
                Part::Value(place) => written.push_str(&value(place)),
            }
            written
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Template<String>, Vec<String>> {
        Template::parse(text, |name| if name == "number" { Ok(name.to_owned()) } else { Err(format!("no `{name}`")) })
    }

    #[test]
    fn places_are_filled_in_and_doubled_braces_are_braces() {
        for (text, written) in [
            ("Tiket {number}: {{selesai}}", "Tiket 7: {selesai}"),
            ("{number}{number}", "77"),
            ("{{{number}}}", "{7}"),
            ("", ""),
        ] {
            assert_eq!(read(text).unwrap().write(|_| "7".into()), written, "{text}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        assert_eq!(read("{nmuber} and {} and } and {").unwrap_err().len(), 4);
    }
}
