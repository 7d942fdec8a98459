//! The body of a message in its three forms (MS-OXCMSG 2.2.1.58): what a client wrote is kept, and
//! asked for in another form it is converted (3.2.4.1).

mod convert;
#[cfg(test)]
mod tests;

use ropewalk_props::{
    Bag, BagView, PropTag,
    tags::{
        PID_TAG_BODY, PID_TAG_HTML, PID_TAG_NATIVE_BODY, PID_TAG_RTF_COMPRESSED,
        PID_TAG_RTF_IN_SYNC,
    },
};

pub use convert::{Conversions, Extent, find};

/// PidTagNativeBody of a clear-signed message (MS-OXCMSG 2.2.1.58.2), which has its body elsewhere.
const CLEAR_SIGNED: i32 = 4;

/// One of the forms that a body can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// PidTagBody.
    Text,
    /// PidTagRtfCompressed.
    Rtf,
    /// PidTagHtml, PidTagBodyHtml.
    Html,
}

impl Form {
    const ALL: [Self; 3] = [Self::Text, Self::Rtf, Self::Html];

    /// The form that a property has.
    pub fn of(id: u16) -> Option<Self> {
        if id & 0xFFE0 != 0x1000 {
            return None;
        }
        Self::ALL.into_iter().find(|form| form.tag().id() == id)
    }

    fn tag(self) -> PropTag {
        match self {
            Self::Text => PID_TAG_BODY,
            Self::Rtf => PID_TAG_RTF_COMPRESSED,
            Self::Html => PID_TAG_HTML,
        }
    }

    /// PidTagNativeBody.
    fn number(self) -> i32 {
        match self {
            Self::Text => 1,
            Self::Rtf => 2,
            Self::Html => 3,
        }
    }

    fn is_in(self, props: &dyn BagView) -> bool {
        props.position(self.tag().id()).is_some()
    }
}

/// Some of the properties that make up a body: its forms, and what is said of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts(u8);

impl Parts {
    /// The part that a property is, if it is one.
    pub fn of(id: u16) -> Self {
        // All of them have such an id; few other properties do.
        if id & 0xFFE0 != 0x1000 && id != PID_TAG_RTF_IN_SYNC.id() {
            return Self(0);
        }
        let index = Self::IDS.iter().position(|known| *known == id);
        Self(index.map_or(0, |index| 1 << index))
    }

    const IDS: [u16; 5] = [
        PID_TAG_BODY.id(),
        PID_TAG_RTF_COMPRESSED.id(),
        PID_TAG_HTML.id(),
        PID_TAG_NATIVE_BODY.id(),
        PID_TAG_RTF_IN_SYNC.id(),
    ];
    const FORMS: Self = Self(0b111);

    /// These and others.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True without any.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Only the forms.
    pub fn forms(self) -> Self {
        Self(self.0 & Self::FORMS.0)
    }

    fn has(self, id: u16) -> bool {
        self.0 & Self::of(id).0 != 0
    }
}

/// Brings the parts of a body into step after some were set: those that were there before the client
/// began to change this one go, for they are of another body. `fresh` are those that it set since
/// the message was last saved.
pub fn settle(props: &mut Bag, fresh: &mut Parts, set: Parts) {
    *fresh = fresh.and(set);
    if set.forms().is_empty() {
        return;
    }
    for id in Parts::IDS {
        if !fresh.has(id) {
            props.remove(id);
        }
    }
}

/// The form that a message was written in; `None` without a body.
///
/// If it has several, what PidTagNativeBody says, else what a client would find that asks for all of
/// them (MS-OXBBODY 2.1.3.1).
pub fn native(props: &dyn BagView) -> Option<Form> {
    let number = props.get_i32(PID_TAG_NATIVE_BODY);
    let said = (Form::ALL.into_iter()).find(|form| Some(form.number()) == number);
    if let Some(form) = said.filter(|form| form.is_in(props)) {
        return Some(form);
    }
    let in_sync = props
        .get(PID_TAG_RTF_IN_SYNC)
        .and_then(|value| value.as_bool());
    let [text, rtf, html] = Form::ALL.map(|form| form.is_in(props));
    match (text, rtf, html) {
        (_, true, true) if in_sync == Some(true) => Some(Form::Rtf),
        (_, _, true) => Some(Form::Html),
        // The text was changed by somebody who does not know RTF.
        (true, true, false) if in_sync == Some(false) => Some(Form::Text),
        (_, true, false) => Some(Form::Rtf),
        (true, false, false) => Some(Form::Text),
        (false, false, false) => None,
    }
}

/// PidTagNativeBody.
pub fn native_body(props: &dyn BagView) -> i32 {
    match props.get_i32(PID_TAG_NATIVE_BODY) {
        Some(CLEAR_SIGNED) => CLEAR_SIGNED,
        _ => native(props).map_or(0, Form::number),
    }
}

/// PidTagNativeBody for a client that asks for some of the forms with it: the best of these
/// (MS-OXBBODY 2.1.3.1, step 1).
pub fn best_of(native_body: i32, asked: Parts) -> i32 {
    let native = Form::ALL
        .into_iter()
        .find(|form| form.number() == native_body);
    let order = match native {
        None => return native_body,
        Some(Form::Text) => [Form::Text, Form::Rtf, Form::Html],
        Some(Form::Rtf) => [Form::Rtf, Form::Html, Form::Text],
        // RTF has all of it inside.
        Some(Form::Html) => [Form::Html, Form::Rtf, Form::Text],
    };
    let best = order.into_iter().find(|form| asked.has(form.tag().id()));
    best.map_or(native_body, Form::number)
}

/// PidTagRtfInSync of a message that does not have it: without it clients take HTML for plain text,
/// and with a wrong one RTF for HTML (MS-OXBBODY 2.1.3.1).
pub fn rtf_in_sync(props: &dyn BagView) -> Option<bool> {
    match native(props)? {
        Form::Text => None,
        Form::Rtf => Some(true),
        Form::Html => Some(false),
    }
}
