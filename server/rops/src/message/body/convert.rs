//! The conversions of a body, made when they are asked for. Those that a property ROP can answer with
//! stay with the message's handle until the message changes; nothing of it is on the way of a client
//! that asks for the form that was written.

use std::{borrow::Cow, sync::OnceLock};

use ropewalk_body::{
    Converted, compressed, html_to_rtf, html_to_text, rtf_to_html, rtf_to_text, text_to_html,
    text_to_rtf,
};
use ropewalk_props::{
    BagView, PropTag, PropType, Slot, Utf16Text, ValueRef,
    text::{decode_utf16le, until_nul},
};
use ropewalk_store::{Mailbox, StoreError};

use super::{Form, native};
use crate::{
    budget::Share,
    code_page::CodePage,
    exec::blocking,
    limits::{CONVERTED_BODY_BYTES_MAX, SEARCHED_BYTES_MAX},
    message::properties::html_code_page,
    property::{
        row::ROW_BYTES_MAX,
        value::{Found, Packed},
    },
    view::MessageView,
};

/// A property that a body is asked for as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// PidTagBody.
    Text,
    /// PidTagRtfCompressed.
    Rtf,
    /// PidTagHtml.
    Html,
    /// PidTagBodyHtml: the same property as text.
    HtmlText,
}

impl Kind {
    /// `None` for a property that is no body, or a type that it does not have.
    fn of(tag: PropTag) -> Option<Self> {
        let is_text = tag.ty().is_string();
        Some(match (Form::of(tag.id())?, tag.ty()) {
            (Form::Text, PropType::UNSPECIFIED) => Self::Text,
            (Form::Text, _) if is_text => Self::Text,
            (Form::Rtf, PropType::BINARY | PropType::UNSPECIFIED) => Self::Rtf,
            (Form::Html, PropType::BINARY | PropType::UNSPECIFIED) => Self::Html,
            (Form::Html, _) if is_text => Self::HtmlText,
            _ => return None,
        })
    }

    fn ty(self) -> PropType {
        match self {
            Self::Text | Self::HtmlText => PropType::STRING,
            Self::Rtf | Self::Html => PropType::BINARY,
        }
    }

    fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Rtf => Form::Rtf,
            Self::Html | Self::HtmlText => Form::Html,
        }
    }

    /// Whether it has to be converted, and from which form: `None` if the message has it as it is,
    /// or has no body.
    fn source(self, props: &dyn BagView) -> Option<Form> {
        match props.slot(self.form().tag().id()) {
            None => native(props),
            Some((stored, _)) => {
                let other = match self {
                    Self::Html => PropType::STRING,
                    Self::HtmlText => PropType::BINARY,
                    Self::Text | Self::Rtf => return None,
                };
                (stored.ty() == other).then_some(Form::Html)
            }
        }
    }
}

/// How much is converted.
#[derive(Clone, Copy)]
struct Limits {
    /// Bytes of the native form.
    input: usize,
    /// Bytes of the other one.
    output: usize,
    /// Whether the beginning will do where the whole is more.
    cut: bool,
}

/// The whole of a body.
const WHOLE: Limits = Limits {
    input: CONVERTED_BODY_BYTES_MAX,
    output: CONVERTED_BODY_BYTES_MAX,
    cut: false,
};

/// What a row of a property ROP has room for.
const ROW: Limits = Limits {
    input: CONVERTED_BODY_BYTES_MAX,
    output: ROW_BYTES_MAX,
    cut: false,
};

/// How much of a property somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// All of it, if a row of a property ROP has room for that.
    Row,
    /// So many bytes of its beginning.
    Start(usize),
}

/// Conversions that stay with a message's handle: those that fit a row, and that others do not.
#[derive(Debug, Default)]
pub struct Conversions(OnceLock<Box<[OnceLock<Kept>; 4]>>);

#[derive(Debug)]
struct Kept {
    outcome: Outcome,
    /// What it takes of the session's budget.
    _share: Share,
}

#[derive(Debug)]
enum Outcome {
    Bytes(Vec<u8>),
    Nothing,
    TooLong,
}

impl Conversions {
    /// Forgets them: the message is another one now.
    pub fn clear(&mut self) {
        if self.0.get().is_some() {
            self.0 = OnceLock::new();
        }
    }

    /// One of them, made if it is not there yet. For one that the budget has no room for it is as
    /// if it were too long.
    fn get(&self, kind: Kind, share: &Share, make: impl FnOnce() -> Made) -> Option<Found<'_>> {
        let made = self.0.get_or_init(Box::default);
        let kept = made.get(kind as usize)?.get_or_init(|| {
            let mut share = share.beside();
            let outcome = match make() {
                Ok(Some(bytes)) if share.resize(bytes.capacity()).is_ok() => Outcome::Bytes(bytes),
                Ok(None) => Outcome::Nothing,
                Ok(Some(_)) | Err(TooLong) => Outcome::TooLong,
            };
            Kept {
                outcome,
                _share: share,
            }
        });
        let ty = kind.ty();
        match &kept.outcome {
            Outcome::Bytes(data) => Some(Found::Stored(ValueRef { ty, data })),
            Outcome::Nothing => None,
            Outcome::TooLong => Some(Found::TooLarge(ty)),
        }
    }
}

/// A body in another form than it has; `None` if the message has it as it is, or has none.
pub fn find<'a>(
    mailbox: &Mailbox,
    view: MessageView<'a>,
    kept: Option<(&'a Conversions, &Share)>,
    tag: PropTag,
    extent: Extent,
) -> Option<Found<'a>> {
    let kind = Kind::of(tag)?;
    let source = kind.source(view.props())?;
    let limits = match extent {
        Extent::Whole => WHOLE,
        Extent::Row => match kept {
            Some((kept, share)) => {
                return kept.get(kind, share, || convert(mailbox, view, source, kind, ROW));
            }
            None => ROW,
        },
        // It is there.
        Extent::Start(0) => return Some(Found::Computed(kind.ty(), Packed::Long(Vec::new()))),
        // Of compressed RTF the beginning is not to be had without the rest.
        Extent::Start(_) if kind == Kind::Rtf => Limits {
            input: SEARCHED_BYTES_MAX,
            output: SEARCHED_BYTES_MAX,
            cut: false,
        },
        Extent::Start(output) => Limits {
            input: SEARCHED_BYTES_MAX,
            output,
            cut: true,
        },
    };
    match convert(mailbox, view, source, kind, limits) {
        Ok(bytes) => bytes.map(|bytes| Found::Computed(kind.ty(), Packed::Long(bytes))),
        Err(TooLong) => Some(Found::TooLarge(kind.ty())),
    }
}

/// What a conversion made: nothing of what is no body.
type Made = Result<Option<Vec<u8>>, TooLong>;

/// It would be longer than the limits allow.
struct TooLong;

fn convert(
    mailbox: &Mailbox,
    view: MessageView<'_>,
    source: Form,
    kind: Kind,
    limits: Limits,
) -> Made {
    /// Bytes that are converted at once; more of them may hold up others.
    const QUICK: usize = 64 << 10;
    let Some(Loaded { ty, bytes }) = load(mailbox, view, source, limits)? else {
        return Ok(None);
    };
    let code_page = html_code_page(view);
    let work = || convert_bytes(source, ty, &bytes, kind, code_page, limits);
    if bytes.len() > QUICK {
        blocking(work)
    } else {
        work()
    }
}

/// A native form, or its beginning.
struct Loaded<'a> {
    ty: PropType,
    bytes: Cow<'a, [u8]>,
}

/// The native form; `None` if it cannot be read, or is of no type that a body has.
fn load<'a>(
    mailbox: &Mailbox,
    view: MessageView<'a>,
    source: Form,
    limits: Limits,
) -> Result<Option<Loaded<'a>>, TooLong> {
    let Some((tag, slot)) = view.props().slot(source.tag().id()) else {
        return Ok(None);
    };
    let bytes = match slot {
        Slot::Inline(value) => {
            let data = value.data;
            if data.len() > limits.input && !limits.cut {
                return Err(TooLong);
            }
            Cow::Borrowed(data.get(..limits.input).unwrap_or(data))
        }
        Slot::External(blob) => {
            if blob.len > limits.input as u64 && !limits.cut {
                return Err(TooLong);
            }
            let read = || -> Result<Vec<u8>, StoreError> {
                let reader = mailbox.blob_reader(blob)?;
                let len = reader.len().min(limits.input as u64) as usize;
                let mut bytes = vec![0; len];
                let mut done = 0;
                while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
                    match reader.read_at(done as u64, rest)? {
                        0 => break,
                        count => done += count,
                    }
                }
                bytes.truncate(done);
                Ok(bytes)
            };
            match read() {
                Ok(bytes) => Cow::Owned(bytes),
                Err(error) => {
                    tracing::error!(%error, "a body cannot be read");
                    return Ok(None);
                }
            }
        }
    };
    let fits = match source {
        Form::Text => tag.ty() == PropType::STRING,
        Form::Rtf => tag.ty() == PropType::BINARY,
        Form::Html => [PropType::STRING, PropType::BINARY].contains(&tag.ty()),
    };
    let ty = tag.ty();
    Ok(fits.then_some(Loaded { ty, bytes }))
}

fn convert_bytes(
    source: Form,
    ty: PropType,
    bytes: &[u8],
    kind: Kind,
    code_page: CodePage,
    limits: Limits,
) -> Made {
    // In a code page text may be four times as long as, or half of, what it is in UTF-16.
    const CODE_PAGE: usize = 2;
    // RTF is repetitive; more than this becomes longer than the limit all the same.
    const PACKED: usize = 16;
    let output = match kind {
        Kind::Text | Kind::HtmlText => limits.output,
        Kind::Html => limits.output.saturating_mul(CODE_PAGE),
        Kind::Rtf => limits
            .output
            .saturating_mul(PACKED)
            .min(CONVERTED_BODY_BYTES_MAX),
    };
    let charset = code_page.name();
    let converted = match source {
        Form::Html => {
            let html = match ty {
                PropType::STRING => Cow::Owned(decode_utf16le(bytes)),
                _ => code_page.decode_cow(bytes),
            };
            match kind {
                Kind::Text => html_to_text(&html, output),
                Kind::Rtf => html_to_rtf(&html, output),
                // From one type to the other.
                Kind::HtmlText => cut(Utf16Text::from(&*html).into_bytes(), output),
                Kind::Html => cut(bytes.to_vec(), output),
            }
        }
        Form::Text => match kind {
            Kind::Rtf => text_to_rtf(bytes, output),
            Kind::Html | Kind::HtmlText => text_to_html(bytes, charset, output),
            Kind::Text => return Ok(None),
        },
        Form::Rtf => {
            let rtf = if limits.cut {
                compressed::decompress_start(bytes, SEARCHED_BYTES_MAX)
            } else {
                compressed::decompress(bytes, CONVERTED_BODY_BYTES_MAX)
            };
            let rtf = match rtf {
                Ok(rtf) => rtf,
                Err(ropewalk_body::Error::TooLarge) => return Err(TooLong),
                Err(ropewalk_body::Error::Corrupt) => return Ok(None),
            };
            match kind {
                Kind::Text => rtf_to_text(&rtf, output),
                Kind::Html | Kind::HtmlText => rtf_to_html(&rtf, charset, output),
                Kind::Rtf => return Ok(None),
            }
        }
    };
    if !converted.complete && !limits.cut {
        return Err(TooLong);
    }
    let bytes = match kind {
        Kind::Text => converted.bytes,
        Kind::HtmlText => {
            // A string ends at a NUL, which RTF can have made.
            let mut text = converted.bytes;
            text.truncate(until_nul(&text).len());
            text
        }
        Kind::Html => code_page.html_from_utf16(&converted.bytes),
        Kind::Rtf => compressed::compress(&converted.bytes),
    };
    if bytes.len() > limits.output && !limits.cut {
        return Err(TooLong);
    }
    Ok(Some(bytes))
}

fn cut(mut bytes: Vec<u8>, max: usize) -> Converted {
    let complete = bytes.len() <= max;
    bytes.truncate(max);
    Converted { bytes, complete }
}
