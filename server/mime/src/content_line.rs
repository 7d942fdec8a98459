//! Content lines of vCard and iCalendar (RFC 5545 3.1, RFC 6350 3.2, vCard 2.1), read leniently.

use crate::{ConvertError, charset, transfer};

/// Lines of a file.
const LINES_MAX: usize = 500_000;
/// Components nest this deep.
const DEPTH_MAX: usize = 8;
/// Parameters of a line.
const PARAMETERS_MAX: usize = 64;

/// One property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// In upper case, without a group.
    pub name: String,
    /// Names in upper case.
    pub parameters: Vec<(String, String)>,
    /// As it stands, with its escapes; quoted-printable is decoded.
    pub value: String,
}

/// What stands between `BEGIN` and `END`.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// In upper case.
    pub name: String,
    pub lines: Vec<Line>,
    pub children: Vec<Component>,
}

/// The outermost components of a file.
pub fn components(data: &[u8]) -> Result<Vec<Component>, ConvertError> {
    let text = charset::decode(data, None);
    // A component around all others collects them.
    let mut open = vec![Component::default()];
    for (index, line) in unfold(&text).enumerate() {
        if index == LINES_MAX {
            return Err(ConvertError::TooMany);
        }
        let Some(line) = Line::parse(&line) else {
            continue;
        };
        match line.name.as_str() {
            "BEGIN" if open.len() <= DEPTH_MAX => open.push(Component {
                name: line.value.trim().to_ascii_uppercase(),
                ..Component::default()
            }),
            "BEGIN" => {}
            "END" => {
                let name = line.value.trim().to_ascii_uppercase();
                // An END without its BEGIN is ignored; one that comes early closes what is in it.
                if open.iter().skip(1).any(|component| component.name == name) {
                    while close(&mut open).is_some_and(|closed| closed != name) {}
                }
            }
            _ => {
                if let Some(component) = open.last_mut() {
                    component.lines.push(line);
                }
            }
        }
    }
    while close(&mut open).is_some() {}
    Ok(open.pop().map(|all| all.children).unwrap_or_default())
}

/// Closes the innermost component and tells its name; `None` if only the outermost is open.
fn close(open: &mut Vec<Component>) -> Option<String> {
    if open.len() < 2 {
        return None;
    }
    let closed = open.pop()?;
    let name = closed.name.clone();
    open.last_mut()?.children.push(closed);
    Some(name)
}

/// Whole lines: folded ones joined, and those of quoted-printable values.
fn unfold(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut lines = text
        .split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .peekable();
    std::iter::from_fn(move || {
        let mut line = lines.next()?.to_owned();
        let head = line.split(':').next().unwrap_or("").to_ascii_uppercase();
        let quoted = head.contains("QUOTED-PRINTABLE");
        loop {
            let next = lines.peek();
            if let Some(more) = next.and_then(|next| next.strip_prefix([' ', '\t'])) {
                line.push_str(more);
            } else if quoted && line.ends_with('=') && next.is_some() {
                line.pop();
                line.push_str(next.copied().unwrap_or(""));
            } else {
                return Some(line);
            }
            lines.next();
        }
    })
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let (head, value) = split_outside_quotes(text, ':')?;
        let mut pieces = Pieces {
            rest: Some(head),
            separator: ';',
        };
        let name = pieces.next()?;
        let name = name.rsplit('.').next().unwrap_or(name).trim();
        if name.is_empty() {
            return None;
        }
        let mut line = Self {
            name: name.to_ascii_uppercase(),
            parameters: Vec::new(),
            value: value.to_owned(),
        };
        for piece in pieces.take(PARAMETERS_MAX) {
            let (name, value) = match piece.split_once('=') {
                Some((name, value)) => (name.to_ascii_uppercase(), value),
                // vCard 2.1 leaves out TYPE= and ENCODING=.
                None if is_encoding(piece) => ("ENCODING".to_owned(), piece),
                None => ("TYPE".to_owned(), piece),
            };
            let value = value.trim_matches('"').to_owned();
            line.parameters.push((name.trim().to_owned(), value));
        }
        if line
            .parameter("ENCODING")
            .is_some_and(|value| value.eq_ignore_ascii_case("QUOTED-PRINTABLE"))
        {
            let bytes = transfer::quoted_printable(line.value.as_bytes());
            line.value = charset::decode(&bytes, line.parameter("CHARSET"));
        }
        Some(line)
    }

    /// The first parameter with this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(its, _)| its == name);
        found.map(|(_, value)| value.as_str())
    }

    /// True if a TYPE parameter has this among its values.
    pub fn has_type(&self, ty: &str) -> bool {
        let types = self.parameters.iter().filter(|(name, _)| name == "TYPE");
        types
            .flat_map(|(_, value)| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(ty))
    }

    /// The value without escapes.
    pub fn text(&self) -> String {
        unescape(&self.value)
    }

    /// The components of a structured value, without escapes.
    pub fn fields(&self) -> Vec<String> {
        split_escaped(&self.value, ';')
            .into_iter()
            .map(|field| unescape(&field))
            .collect()
    }

    /// The elements of a list, without escapes.
    pub fn list(&self) -> Vec<String> {
        split_escaped(&self.value, ',')
            .into_iter()
            .map(|field| unescape(&field))
            .collect()
    }
}

impl Component {
    /// The first line with this name.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// All lines with this name.
    pub fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// The text of the first line with this name, if it is not empty.
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.line(name)?.text();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

fn is_encoding(text: &str) -> bool {
    ["QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT"]
        .iter()
        .any(|name| text.eq_ignore_ascii_case(name))
}

struct Pieces<'a> {
    rest: Option<&'a str>,
    separator: char,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        match split_outside_quotes(text, self.separator) {
            Some((piece, rest)) => {
                self.rest = Some(rest);
                Some(piece)
            }
            None => {
                self.rest = None;
                Some(text)
            }
        }
    }
}

fn split_outside_quotes(text: &str, separator: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        !quoted && *c == separator
    });
    // A quote that does not end hides nothing.
    let (at, _) = match at {
        None if quoted => text.char_indices().find(|(_, c)| *c == separator)?,
        at => at?,
    };
    let rest = text.get(at + separator.len_utf8()..)?;
    Some((text.get(..at)?, rest))
}

fn split_escaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == separator && !escaped {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    parts
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(c @ ('\\' | ';' | ',' | ':')) => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_unfolded_and_taken_apart() {
        let text = "BEGIN:VCARD\r\nitem1.EMAIL;TYPE=work,pref;X=\"a;b:c\":x@y\r\n  z\r\n\
                    NOTE:one\\, two\\nthree\\;\r\nN:Doe;Jane\\;;;\r\nTEL;HOME;VOICE:1\r\nEND:VCARD";
        let cards = components(text.as_bytes()).unwrap();
        let [card] = &cards[..] else {
            panic!("{cards:?}")
        };
        let email = card.line("EMAIL").unwrap();
        assert_eq!(email.value, "x@y z");
        assert_eq!(email.parameter("X"), Some("a;b:c"));
        assert!(email.has_type("PREF") && !email.has_type("home"));
        assert_eq!(card.text("NOTE").as_deref(), Some("one, two\nthree;"));
        assert_eq!(card.line("N").unwrap().fields(), ["Doe", "Jane;", "", ""]);
        assert!(card.line("TEL").unwrap().has_type("home"));
    }

    #[test]
    fn quoted_printable_of_old_cards_is_decoded() {
        let text =
            "BEGIN:VCARD\nFN;CHARSET=KOI8-R;ENCODING=QUOTED-PRINTABLE:=F2=D5=\n=D3=D8\nEND:VCARD\n";
        let cards = components(text.as_bytes()).unwrap();
        assert_eq!(cards[0].text("FN").as_deref(), Some("Русь"));
    }

    #[test]
    fn components_close_with_what_they_are_in() {
        let text = "END:X\nBEGIN:A\nBEGIN:B\nX:1\nEND:A\nBEGIN:C\n\u{FEFF}\n:\nx";
        let found = components(text.as_bytes()).unwrap();
        let names: Vec<&str> = found
            .iter()
            .map(|component| component.name.as_str())
            .collect();
        assert_eq!(names, ["A", "C"]);
        assert_eq!(found[0].children[0].line("X").unwrap().value, "1");
        let deep = "BEGIN:X\n".repeat(100_000);
        assert_eq!(components(deep.as_bytes()).unwrap().len(), 1);
    }
}
