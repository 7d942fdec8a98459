//! HTML to plain text, as somebody would type what a page shows.

use super::{
    entity::{self, Entity, entity},
    token::{Tag, Token, tokens},
};
use crate::{Converted, out::Out};

/// Levels of lists, tables and quotations that are told apart; deeper ones look like the last.
const LEVELS_MAX: usize = 32;
/// Line breaks in a row.
const BREAKS_MAX: u16 = 1000;
const RULE: &str = "________________________________";

/// HTML to plain text as UTF-16LE, at most `max` bytes of it, with CRLF between lines.
///
/// Links are followed by their address if the text is another one; quotations begin with `> `,
/// cells of a table are set apart by tabs; what a page does not show is not there.
pub fn html_to_text(html: &str, max: usize) -> Converted {
    let mut writer = Writer {
        out: Out::new(max, html.len()),
        breaks: 0,
        space: false,
        pre: 0,
        quotes: 0,
        lists: Levels::default(),
        cells: Levels::default(),
        marker: None,
        cell_starts: false,
        dense: false,
        link: None,
    };
    for token in tokens(html) {
        if writer.out.is_full() {
            break;
        }
        match token {
            Token::Text(text) => writer.text(text),
            Token::Tag(tag) => writer.tag(&tag),
            Token::Raw(_) | Token::Other(_) => {}
        }
    }
    writer.out.finish()
}

/// A stack that stops growing, but not counting.
#[derive(Default)]
struct Levels<T> {
    levels: Vec<T>,
    beyond: usize,
}

impl<T> Levels<T> {
    fn push(&mut self, level: T) {
        if self.levels.len() < LEVELS_MAX {
            self.levels.push(level);
        } else {
            self.beyond += 1;
        }
    }

    fn pop(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
        } else {
            self.levels.pop();
        }
    }
}

struct Writer<'a> {
    out: Out,
    /// Line breaks before the next character.
    breaks: u16,
    /// Whether a space goes before it.
    space: bool,
    /// Open `pre` elements.
    pre: u32,
    /// Open `blockquote` elements.
    quotes: usize,
    /// The number of the last item, in a list that is numbered.
    lists: Levels<Option<u32>>,
    /// Cells in the row of a table, and how much there was before the row.
    cells: Levels<(u32, usize)>,
    /// What the next item begins with.
    marker: Option<Option<u32>>,
    /// Whether nothing was shown yet of a cell that is not the first of its row.
    cell_starts: bool,
    /// Whether the last paragraph is one without empty lines around it.
    dense: bool,
    /// Where the text of a link begins, and its address.
    link: Option<(usize, &'a str)>,
}

impl<'a> Writer<'a> {
    fn text(&mut self, mut text: &'a str) {
        while !text.is_empty() && !self.out.is_full() {
            let plain = plain_len(text.as_bytes());
            if plain > 0 {
                let (run, rest) = text.split_at_checked(plain).unwrap_or((text, ""));
                self.before_character();
                self.out.text(run);
                text = rest;
                continue;
            }
            let len = match entity(text) {
                Some((Entity::Chars(first, second), len)) => {
                    [Some(first), second]
                        .into_iter()
                        .flatten()
                        .for_each(|char| self.char(char));
                    len
                }
                Some((Entity::Unit(unit), len)) => {
                    self.before_character();
                    self.out.unit(unit);
                    len
                }
                None => self.first_char(text),
            };
            text = text.get(len..).unwrap_or_default();
        }
    }

    fn first_char(&mut self, text: &str) -> usize {
        let Some(char) = text.chars().next() else {
            return 0;
        };
        if !char.is_ascii_whitespace() {
            self.char(char);
        } else if self.pre == 0 {
            self.space = true;
        } else if char == '\n' {
            self.add_break();
        } else if char == '\r' {
            if !text.starts_with("\r\n") {
                self.add_break();
            }
        } else {
            self.before_character();
            self.out.text(char.encode_utf8(&mut [0; 4]));
        }
        char.len_utf8()
    }

    fn char(&mut self, char: char) {
        self.before_character();
        let char = match char {
            // It keeps words together, which plain text cannot; it is seen as a space.
            '\u{A0}' => ' ',
            // The store's text ends at it.
            '\0' => char::REPLACEMENT_CHARACTER,
            char => char,
        };
        self.out.text(char.encode_utf8(&mut [0; 4]));
    }

    /// Writes what is to come before the next character.
    fn before_character(&mut self) {
        self.cell_starts = false;
        let at_start = self.out.as_bytes().is_empty();
        if self.breaks > 0 || at_start {
            self.space = false;
            let breaks = if at_start { 0 } else { self.breaks };
            self.breaks = 0;
            if breaks == 0 {
                self.line_start();
            }
            for _ in 0..breaks {
                self.out.text("\r\n");
                self.line_start();
            }
            let depth = self.lists.levels.len().saturating_sub(1);
            if self.marker.is_some() {
                (0..depth).for_each(|_| self.out.text("  "));
            }
        }
        if self.space {
            self.out.text(" ");
            self.space = false;
        }
        if let Some(marker) = self.marker.take() {
            match marker {
                None => self.out.text("* "),
                Some(number) => self.out.text(&format!("{number}. ")),
            }
        }
    }

    fn line_start(&mut self) {
        for _ in 0..self.quotes.min(LEVELS_MAX) {
            self.out.text("> ");
        }
    }

    fn add_break(&mut self) {
        if self.out.as_bytes().is_empty() {
            // Nothing was shown yet that a line could be left empty after.
            return;
        }
        self.breaks = (self.breaks + 1).min(BREAKS_MAX);
        self.space = false;
    }

    /// What comes next is on a line of its own, or after an empty one.
    fn block(&mut self, breaks: u16) {
        self.space = false;
        if !self.cell_starts {
            self.breaks = self.breaks.max(breaks);
        }
    }

    fn tag(&mut self, tag: &Tag<'a>) {
        let name = tag.name();
        let closes = tag.closes;
        match name.as_str() {
            "br" => self.add_break(),
            "p" => {
                if !closes {
                    self.dense = has_no_margin(tag);
                }
                let in_cell = self
                    .cells
                    .levels
                    .last()
                    .is_some_and(|(cells, _)| *cells > 0);
                self.block(if self.dense || in_cell { 1 } else { 2 });
            }
            "div" | "section" | "article" | "header" | "footer" | "address" | "center" | "form"
            | "fieldset" | "figure" | "figcaption" | "dl" | "dt" | "dd" | "caption" | "main"
            | "nav" | "aside" | "body" | "option" | "summary" | "details" => self.block(1),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.block(2),
            "hr" if !closes => {
                self.block(1);
                self.before_character();
                self.out.text(RULE);
                self.block(1);
            }
            "pre" | "listing" | "textarea" => {
                self.block(1);
                self.pre = if closes {
                    self.pre.saturating_sub(1)
                } else {
                    self.pre.saturating_add(1)
                };
            }
            "blockquote" => {
                self.block(1);
                self.quotes = if closes {
                    self.quotes.saturating_sub(1)
                } else {
                    self.quotes.saturating_add(1)
                };
            }
            "ul" | "ol" | "menu" | "dir" => self.list(tag, name.as_str()),
            "li" => {
                self.block(1);
                self.marker = None;
                if !closes {
                    self.item();
                }
            }
            "table" => {
                self.cell_starts &= !closes;
                self.block(1);
                if closes {
                    self.cells.pop();
                } else {
                    self.cells.push((0, 0));
                }
            }
            "tr" => {
                self.cell_starts = false;
                self.block(1);
                let before = self.out.as_bytes().len();
                if let Some(row) = self.cells.levels.last_mut() {
                    *row = (0, before);
                }
            }
            "td" | "th" if !closes => self.cell(),
            "a" if closes => self.end_link(),
            "a" => {
                self.end_link();
                self.link = tag.attribute("href").map(|href| {
                    if self.space {
                        self.before_character();
                    }
                    (self.out.as_bytes().len(), href)
                });
            }
            "img" => {
                if let Some(alt) = tag.attribute("alt").filter(|alt| !alt.trim().is_empty()) {
                    self.before_character();
                    self.out.text("[");
                    self.text(alt);
                    self.out.text("]");
                }
            }
            _ => {}
        }
    }

    fn list(&mut self, tag: &Tag<'_>, name: &str) {
        self.block(1);
        self.marker = None;
        if tag.closes {
            self.lists.pop();
            return;
        }
        let start = tag.attribute("start").and_then(|start| start.parse().ok());
        let numbered = (name == "ol").then(|| u32::saturating_sub(start.unwrap_or(1), 1));
        self.lists.push(numbered);
    }

    fn item(&mut self) {
        let number = self.lists.levels.last_mut().and_then(|last| {
            let last = last.as_mut()?;
            *last = last.saturating_add(1);
            Some(*last)
        });
        self.marker = Some(number);
    }

    fn cell(&mut self) {
        let Some((cells, before)) = self.cells.levels.last_mut() else {
            return;
        };
        *cells = cells.saturating_add(1);
        if *cells > 1 && self.out.as_bytes().len() > *before {
            // On the line of the cell before, whatever that ended with.
            self.breaks = 0;
            self.space = false;
            self.cell_starts = true;
            self.out.text("\t");
        }
    }

    /// Puts the address of a link behind its text, unless that says it.
    fn end_link(&mut self) {
        const ADDRESS_MAX: usize = 2083;
        let Some((start, href)) = self.link.take() else {
            return;
        };
        if href.len() > ADDRESS_MAX || !is_address(href) {
            return;
        }
        let shown = self.out.as_bytes().get(start..).unwrap_or_default();
        if shown.is_empty() {
            return;
        }
        let href = entity::decode(href);
        let is_shown = shown.len() <= ADDRESS_MAX * 2 && {
            let shown = ropewalk_props::text::decode_utf16le(shown);
            same_address(&shown, &href)
        };
        if !is_shown {
            self.out.text(" <");
            self.out.text(href.trim());
            self.out.text(">");
        }
    }
}

/// Bytes of text that are shown as they are: words, and the single spaces between them.
fn plain_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut word = false;
    loop {
        match rest {
            [b' ', next, ..] if word && !matches!(next, 0..=b' ' | b'&' | 0xC2) => word = false,
            // U+00A0, which stays one whatever is around it.
            [0xC2, 0xA0, ..] | [0..=b' ' | b'&', ..] | [] => return bytes.len() - rest.len(),
            _ => word = true,
        }
        rest = rest.get(1..).unwrap_or_default();
    }
}

/// Whether somebody could do something with an address.
fn is_address(href: &str) -> bool {
    const SCHEMES: [&str; 7] = [
        "http:", "https:", "mailto:", "ftp:", "tel:", "file:", "sip:",
    ];
    let href = href.trim_start().as_bytes();
    SCHEMES.iter().any(|scheme| {
        href.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}

fn same_address(shown: &str, href: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
        ["https://", "http://", "mailto:", "tel:"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme).map(str::to_owned))
            .unwrap_or(text)
    };
    bare(shown) == bare(href)
}

/// Paragraphs of Word, which are lines, and those that we make of RTF.
fn has_no_margin(tag: &Tag<'_>) -> bool {
    tag.attribute("class")
        .is_some_and(|class| class.starts_with("MsoNormal") || class.starts_with("MsoPlainText"))
        || tag
            .attribute("style")
            .is_some_and(|style| style.starts_with("margin:0"))
}
