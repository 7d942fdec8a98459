//! What a reader of RTF has to know whatever it reads for: groups, destinations, code pages, fonts,
//! colours, and the formatting of a run of text.

use std::{borrow::Cow, collections::HashMap};

use super::token::{Token, tokens};
use crate::code_page::CodePage;

/// Groups whose state is kept; in deeper ones it is that of the deepest.
const GROUPS_MAX: usize = 1024;
/// Fonts, colours and links that are told apart.
const FONTS_MAX: usize = 4096;
const COLOURS_MAX: usize = 1024;
const LINKS_MAX: usize = 0xFFFF;
/// Bytes of the instruction of a field, and of the name of a font.
const INSTRUCTION_MAX: usize = 4096;
const FONT_NAME_MAX: usize = 64;

/// What the text of a group goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    Body,
    Fonts,
    Colours,
    FieldInstruction,
    Nowhere,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Struck through.
    pub strike: bool,
    /// Its index in the table of colours.
    pub colour: u16,
    /// Half points; 0 if nothing was said.
    pub size: u16,
    /// The number of its font.
    pub font: u16,
    /// The number of the link that it belongs to; 0 for none.
    pub link: u16,
}

/// How a paragraph is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alignment {
    /// To the left.
    #[default]
    Left,
    /// To the right.
    Right,
    /// In the middle.
    Centre,
    /// To both sides.
    Justified,
}

/// The state of a group.
#[derive(Clone, Copy, Debug)]
pub struct State {
    destination: Destination,
    /// Characters that stand in for one in Unicode, for those who do not know it.
    fallback: u16,
    /// Inside `\htmltag` (MS-OXRTFEX 2.1.3.1.4).
    pub in_tag: bool,
    /// Between `\htmlrtf` and `\htmlrtf0` (MS-OXRTFEX 2.1.3.1.3).
    pub rtf_only: bool,
    /// Not to be seen.
    pub hidden: bool,
    /// How text looks.
    pub style: Style,
    /// How a paragraph is set.
    pub alignment: Alignment,
}

impl State {
    /// Whether a reader shows what is here that takes the document for what it is: for it a fragment of
    /// HTML is a destination that it does not know (MS-OXRTFEX 2.1.3.1.4).
    pub fn is_shown(&self) -> bool {
        !self.hidden && !self.in_tag
    }
}

/// A control word or symbol that stands for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// The end of a paragraph.
    Paragraph,
    /// A line break.
    Line,
    /// A tab.
    Tab,
    /// The end of a cell of a table.
    Cell,
    /// The end of a row of a table.
    Row,
    /// A character, and how HTML names it.
    Named(char, &'static str),
}

/// Who reads.
pub trait Handler {
    /// Text in a group of this state.
    fn text(&mut self, document: &Document, state: &State, text: &str);
    /// A code unit that was written as a number.
    fn unit(&mut self, document: &Document, state: &State, unit: u16);
    /// What stands for text.
    fn special(&mut self, document: &Document, state: &State, special: Special);
    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool;
}

/// A font.
#[derive(Clone, Debug, Default)]
struct Font {
    code_page: Option<CodePage>,
    name: String,
}

/// What is known of a document as a whole.
pub struct Document {
    code_page: CodePage,
    fonts: HashMap<u16, Font>,
    colours: Vec<[u8; 3]>,
    links: Vec<String>,
}

impl Document {
    /// The name of a font.
    pub fn font(&self, number: u16) -> Option<&str> {
        let name = self.fonts.get(&number)?.name.trim().trim_end_matches(';');
        (!name.is_empty()).then_some(name)
    }

    /// A colour; `None` for that of the window.
    pub fn colour(&self, index: u16) -> Option<[u8; 3]> {
        // The first one is what text has that says nothing.
        index
            .checked_sub(1)
            .and_then(|index| self.colours.get(usize::from(index)))
            .copied()
    }

    /// The address of a link.
    pub fn link(&self, number: u16) -> Option<&str> {
        let index = usize::from(number.checked_sub(1)?);
        self.links.get(index).map(String::as_str)
    }
}

struct Reader<'h, H> {
    handler: &'h mut H,
    document: Document,
    state: State,
    groups: Vec<State>,
    /// Groups beyond those whose state is kept.
    beyond: usize,
    /// Bytes of text in the code page that is current.
    run: Vec<u8>,
    /// Characters to leave out, which stand in for one that was read.
    skip: u32,
    /// A group has begun, and what it is has not been said.
    starts: bool,
    /// `\*` was said of it: it is for those who know it.
    optional: bool,
    default_font: u16,
    colour: [u8; 3],
    instruction: String,
}

/// Reads a document to its end, or until the handler has enough.
pub fn read(rtf: &[u8], handler: &mut impl Handler) {
    const WESTERN: u32 = 1252;
    let mut reader = Reader {
        handler,
        document: Document {
            code_page: CodePage::new(WESTERN),
            fonts: HashMap::new(),
            colours: Vec::new(),
            links: Vec::new(),
        },
        state: State {
            destination: Destination::Body,
            fallback: 1,
            in_tag: false,
            rtf_only: false,
            hidden: false,
            style: Style::default(),
            alignment: Alignment::Left,
        },
        groups: Vec::new(),
        beyond: 0,
        run: Vec::new(),
        skip: 0,
        starts: false,
        optional: false,
        default_font: 0,
        colour: [0; 3],
        instruction: String::new(),
    };
    for token in tokens(rtf) {
        if reader.handler.is_done() {
            break;
        }
        reader.token(token);
    }
    reader.flush();
}

impl<H: Handler> Reader<'_, H> {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Text(text) => {
                let skipped = usize::try_from(self.skip)
                    .unwrap_or(usize::MAX)
                    .min(text.len());
                self.skip -= skipped as u32;
                self.starts = false;
                self.put(text.get(skipped..).unwrap_or_default());
            }
            Token::Byte(byte) => {
                self.starts = false;
                if self.skip > 0 {
                    self.skip -= 1;
                } else {
                    self.put(&[byte]);
                }
            }
            Token::Open => {
                self.flush();
                self.skip = 0;
                if self.groups.len() < GROUPS_MAX {
                    self.groups.push(self.state);
                } else {
                    self.beyond += 1;
                }
                self.starts = true;
                self.optional = false;
            }
            Token::Close => self.close(),
            Token::Symbol(b'*') if self.starts => self.optional = true,
            Token::Symbol(symbol) => {
                self.starts = false;
                if self.skip > 0 {
                    self.skip -= 1;
                    return;
                }
                match symbol {
                    b'{' | b'}' | b'\\' => self.put(&[symbol]),
                    b'~' => self.special(Special::Named('\u{A0}', "&nbsp;")),
                    b'-' => self.special(Special::Named('\u{AD}', "&shy;")),
                    b'_' => self.special(Special::Named('\u{2011}', "&#8209;")),
                    b'\t' => self.special(Special::Tab),
                    _ => {}
                }
            }
            Token::Word { name, param } => self.word(name, param),
        }
    }

    fn close(&mut self) {
        self.flush();
        self.skip = 0;
        self.starts = false;
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        // Too many ends are none.
        if let Some(state) = self.groups.pop() {
            self.state = state;
        }
    }

    /// Takes bytes of text.
    fn put(&mut self, text: &[u8]) {
        if self.state.destination == Destination::Nowhere || text.is_empty() {
            return;
        }
        if self.run.is_empty()
            && self.state.destination == Destination::Body
            && text.is_ascii()
            && let Ok(text) = str::from_utf8(text)
        {
            self.handler.text(&self.document, &self.state, text);
            return;
        }
        self.run.extend_from_slice(text);
    }

    /// Decodes the bytes that were taken.
    fn flush(&mut self) {
        if self.run.is_empty() {
            return;
        }
        let run = std::mem::take(&mut self.run);
        let text = match str::from_utf8(&run) {
            Ok(text) if text.is_ascii() => Cow::Borrowed(text),
            _ => self.code_page().decode_cow(&run),
        };
        match self.state.destination {
            Destination::Body => self.handler.text(&self.document, &self.state, &text),
            Destination::Colours => self.colours(&text),
            Destination::Fonts => {
                let number = self.state.style.font;
                if let Some(font) = self.document.fonts.get_mut(&number)
                    && font.name.len() + text.len() <= FONT_NAME_MAX
                {
                    font.name.push_str(&text);
                }
            }
            Destination::FieldInstruction => {
                if self.instruction.len() + text.len() <= INSTRUCTION_MAX {
                    self.instruction.push_str(&text);
                }
            }
            Destination::Nowhere => {}
        }
        // Its memory is used again.
        self.run = run;
        self.run.clear();
    }

    fn code_page(&self) -> CodePage {
        let font = self.document.fonts.get(&self.state.style.font);
        match font.and_then(|font| font.code_page) {
            // A fragment of HTML is in the code page of the document.
            Some(code_page) if !self.state.in_tag => code_page,
            _ => self.document.code_page,
        }
    }

    fn colours(&mut self, text: &str) {
        for _ in text.bytes().filter(|byte| *byte == b';') {
            if self.document.colours.len() < COLOURS_MAX {
                self.document.colours.push(self.colour);
            }
            self.colour = [0; 3];
        }
    }

    fn special(&mut self, special: Special) {
        self.flush();
        if self.state.destination == Destination::Body {
            self.handler.special(&self.document, &self.state, special);
        }
    }

    fn unit(&mut self, unit: u16) {
        self.flush();
        match self.state.destination {
            Destination::Body => self.handler.unit(&self.document, &self.state, unit),
            Destination::FieldInstruction => {
                if let Some(char) = char::from_u32(unit.into()) {
                    self.instruction.push(char);
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, name: &[u8], param: Option<i32>) {
        let (starts, optional) = (self.starts, self.optional);
        (self.starts, self.optional) = (false, false);
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if starts && self.destination(name, optional) {
            return;
        }
        if self.state.destination == Destination::Nowhere {
            return;
        }
        let number = param.unwrap_or(0);
        match name {
            b"u" => {
                // Numbers above 32767 are written as negative ones.
                self.unit(number as u16);
                self.skip = self.state.fallback.into();
            }
            b"uc" => self.state.fallback = u16::try_from(number).unwrap_or(1),
            b"htmlrtf" => {
                self.flush();
                self.state.rtf_only = param != Some(0);
            }
            _ => {
                if let Some(special) = special(name) {
                    self.special(special);
                } else if self.state.destination == Destination::Body {
                    self.format(name, param);
                } else {
                    self.table(name, number);
                }
            }
        }
    }

    /// Whether a word says what a group is for.
    fn destination(&mut self, name: &[u8], optional: bool) -> bool {
        let destination = match name {
            b"htmltag" if optional => {
                self.state.in_tag = true;
                return true;
            }
            b"fonttbl" => Destination::Fonts,
            b"colortbl" => Destination::Colours,
            b"fldinst" => {
                self.instruction.clear();
                Destination::FieldInstruction
            }
            b"fldrslt" => {
                self.start_link();
                return true;
            }
            b"stylesheet" | b"info" | b"pict" | b"object" | b"header" | b"headerl" | b"headerr"
            | b"headerf" | b"footer" | b"footerl" | b"footerr" | b"footerf" | b"footnote"
            | b"annotation" | b"xe" | b"tc" | b"nonesttables" | b"private" | b"bkmkstart"
            | b"bkmkend" | b"listtable" | b"listoverridetable" | b"rsidtbl" | b"generator"
            | b"mhtmltag" | b"comment" | b"author" | b"operator" | b"title" | b"subject" => {
                Destination::Nowhere
            }
            _ if optional => Destination::Nowhere,
            _ => return false,
        };
        // What is left out stays left out.
        if self.state.destination != Destination::Nowhere {
            self.state.destination = destination;
        }
        true
    }

    /// The instruction of a field was `HYPERLINK "address"`: what follows is its text.
    fn start_link(&mut self) {
        let mut words = self.instruction.trim_start().splitn(2, char::is_whitespace);
        let is_link = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("HYPERLINK"));
        let Some(rest) = words.next().filter(|_| is_link) else {
            return;
        };
        let address = match rest.split_once('"') {
            Some((_, quoted)) => quoted.split('"').next().unwrap_or_default(),
            None => rest.split_whitespace().next().unwrap_or_default(),
        };
        let links = &mut self.document.links;
        if !address.is_empty() && links.len() < LINKS_MAX {
            links.push(address.to_owned());
            self.state.style.link = links.len() as u16;
        }
        self.instruction.clear();
    }

    /// Words of the tables in the header.
    fn table(&mut self, name: &[u8], number: i32) {
        let byte = u8::try_from(number).unwrap_or(0);
        match (self.state.destination, name) {
            (Destination::Colours, b"red") => self.colour[0] = byte,
            (Destination::Colours, b"green") => self.colour[1] = byte,
            (Destination::Colours, b"blue") => self.colour[2] = byte,
            (Destination::Fonts, b"f") => {
                self.flush();
                let number = number as u16;
                self.state.style.font = number;
                let fonts = &mut self.document.fonts;
                if fonts.len() < FONTS_MAX {
                    fonts.entry(number).or_default();
                }
            }
            (Destination::Fonts, b"fcharset") => self.font_code_page(charset(number)),
            (Destination::Fonts, b"cpg") => {
                self.font_code_page(CodePage::known(number as u32));
            }
            _ => {}
        }
    }

    fn font_code_page(&mut self, code_page: Option<CodePage>) {
        let number = self.state.style.font;
        if let Some(font) = self.document.fonts.get_mut(&number)
            && code_page.is_some()
        {
            font.code_page = code_page;
        }
    }

    /// Words that change what follows.
    fn format(&mut self, name: &[u8], param: Option<i32>) {
        let on = param != Some(0);
        let number = u16::try_from(param.unwrap_or(0)).unwrap_or(0);
        // What follows may be in another code page, or look different.
        self.flush();
        let (state, document) = (&mut self.state, &mut self.document);
        let style = &mut state.style;
        match name {
            b"ansicpg" => {
                if let Some(code_page) = CodePage::known(number.into()) {
                    document.code_page = code_page;
                }
            }
            b"mac" => document.code_page = CodePage::new(10000),
            b"deff" => {
                self.default_font = number;
                style.font = number;
            }
            b"f" => style.font = number,
            b"fs" => style.size = number,
            b"cf" => style.colour = number,
            b"b" => style.bold = on,
            b"i" => style.italic = on,
            b"ul" | b"uld" | b"uldb" | b"uldash" | b"ulwave" | b"ulth" => style.underline = on,
            b"ulnone" => style.underline = false,
            b"strike" | b"striked" => style.strike = on,
            b"v" => state.hidden = on,
            b"plain" => {
                *style = Style {
                    link: style.link,
                    font: self.default_font,
                    ..Style::default()
                };
                state.hidden = false;
            }
            b"pard" | b"ql" => state.alignment = Alignment::Left,
            b"qr" => state.alignment = Alignment::Right,
            b"qc" => state.alignment = Alignment::Centre,
            b"qj" => state.alignment = Alignment::Justified,
            _ => {}
        }
    }
}

/// Words that stand for text (MS-OXRTFEX 2.1.3.1.4.2, 2.2.3.2).
fn special(name: &[u8]) -> Option<Special> {
    Some(match name {
        b"par" | b"sect" | b"page" => Special::Paragraph,
        b"line" => Special::Line,
        b"tab" => Special::Tab,
        b"cell" | b"nestcell" => Special::Cell,
        b"row" | b"nestrow" => Special::Row,
        b"lquote" => Special::Named('\u{2018}', "&lsquo;"),
        b"rquote" => Special::Named('\u{2019}', "&rsquo;"),
        b"ldblquote" => Special::Named('\u{201C}', "&ldquo;"),
        b"rdblquote" => Special::Named('\u{201D}', "&rdquo;"),
        b"bullet" => Special::Named('\u{2022}', "&bull;"),
        b"endash" => Special::Named('\u{2013}', "&ndash;"),
        b"emdash" => Special::Named('\u{2014}', "&mdash;"),
        b"enspace" => Special::Named('\u{2002}', "&ensp;"),
        b"emspace" => Special::Named('\u{2003}', "&emsp;"),
        b"zwj" => Special::Named('\u{200D}', "&zwj;"),
        b"zwnj" => Special::Named('\u{200C}', "&zwnj;"),
        b"ltrmark" => Special::Named('\u{200E}', "&lrm;"),
        b"rtlmark" => Special::Named('\u{200F}', "&rlm;"),
        _ => return None,
    })
}

/// The code page of a font's character set (MSFT-RTF, "Font Table").
fn charset(number: i32) -> Option<CodePage> {
    let id = match number {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    };
    CodePage::known(id)
}
