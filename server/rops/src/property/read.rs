//! RopGetPropertiesSpecific, RopGetPropertiesAll, RopGetPropertiesList (MS-OXCPRPT 3.2.5.1 to
//! 3.2.5.3).

use ropewalk_props::{PropTag, tags::PID_TAG_NATIVE_BODY};
use ropewalk_wire::{
    ErrorCode, Put,
    rop::{GetPropertiesAllRequest, GetPropertiesSpecificRequest},
};

use super::{
    logon::LogonProperties,
    row::RowWriter,
    value::{Found, Properties, Strings},
};
use crate::{
    context::Session,
    exec::{Exec, Fail},
    folder::properties::FolderProperties,
    message::{
        body::{Extent, Parts, best_of},
        properties::MessageProperties,
    },
    object::{LogonObject, Object},
    stream::pending,
};

/// Something done with an object's properties, whatever the object.
pub(super) trait Visitor {
    /// What comes out of it.
    type Output;
    /// Does it.
    fn visit(self, source: &impl Properties) -> Self::Output;
    /// Does it to a message.
    fn visit_message(self, message: &MessageProperties<'_>) -> Self::Output
    where
        Self: Sized,
    {
        self.visit(message)
    }
}

/// Hands the properties of an object to a visitor; `ecNotSupported` for one that has none.
fn visit<V: Visitor>(
    session: &Session,
    logon: &LogonObject,
    object: &Object,
    visitor: V,
) -> Result<V::Output, ErrorCode> {
    let mailbox = &*logon.mailbox;
    Ok(match object {
        Object::Message(message) => {
            visitor.visit_message(&message.properties(&session.store, mailbox))
        }
        Object::Attachment(attachment) => visitor.visit(&attachment.properties(mailbox)),
        Object::Folder(folder) => {
            // A folder that was deleted under its handle.
            let folder = mailbox.folder(folder.id).ok_or(ErrorCode::NOT_FOUND)?;
            visitor.visit(&FolderProperties {
                store: &session.store,
                mailbox,
                folder: &folder,
                depth: 0,
                access: logon.access,
            })
        }
        Object::Logon(_) => {
            let bag = mailbox.store_props();
            visitor.visit(&LogonProperties::new(session, mailbox, &*bag))
        }
        Object::Table(_) | Object::Stream(_) => return Err(ErrorCode::NOT_SUPPORTED),
    })
}

/// Appends the response header, and what `make` makes a visitor for.
fn answer<'e, V, M>(exec: &'e mut Exec<'_>, want_unicode: u16, make: M) -> Result<(), Fail>
where
    M: FnOnce(RowWriter<'e>) -> V,
    V: Visitor<Output = Result<(), Fail>>,
{
    let handle = exec.handle_at(exec.handle_index)?;
    let logon_id = exec.logon_id;
    pending::settle(exec.session, logon_id, handle)?;
    exec.begin();
    let session = &*exec.session;
    let object = session.objects.get(handle, logon_id)?;
    let logon = session.logons.get(&logon_id);
    let logon = logon.ok_or(ErrorCode::NULL_OBJECT)?;
    let code_page = match object {
        Object::Message(message) => message.code_page,
        Object::Attachment(attachment) => attachment.code_page,
        _ => session.code_page,
    };
    let writer = RowWriter {
        out: exec.out,
        out_max: exec.out_max,
        store: &session.store,
        strings: Strings {
            code_page,
            unicode: want_unicode != 0,
        },
    };
    visit(session, logon, object, make(writer))?
}

/// RopGetPropertiesSpecific. PropertySizeLimit is ignored, as 3.2.5.1 has it.
pub fn get_properties_specific(
    exec: &mut Exec<'_>,
    request: &GetPropertiesSpecificRequest<'_>,
) -> Result<(), Fail> {
    struct Row<'a, I>(RowWriter<'a>, I);
    impl<I: Iterator<Item = PropTag> + Clone> Visitor for Row<'_, I> {
        type Output = Result<(), Fail>;
        fn visit(mut self, source: &impl Properties) -> Self::Output {
            self.0.put_row(self.1, source)
        }
        fn visit_message(self, message: &MessageProperties<'_>) -> Self::Output {
            let source = MessageProperties {
                extent: Extent::Row,
                ..*message
            };
            let tags = self.1.clone();
            let is_asked = |tag: PropTag| tag.id() == PID_TAG_NATIVE_BODY.id();
            if !tags.clone().any(is_asked) {
                return self.visit(&source);
            }
            let asked = Asked {
                source: &source,
                tags,
            };
            self.visit(&asked)
        }
    }
    let tags = request.property_tags.iter();
    answer(exec, request.want_unicode, |writer| Row(writer, tags))
}

/// A message of which some properties are asked for, PidTagNativeBody among them.
struct Asked<'a, S, I> {
    source: &'a S,
    tags: I,
}

impl<S: Properties, I: Iterator<Item = PropTag> + Clone> Properties for Asked<'_, S, I> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        if tag.id() != PID_TAG_NATIVE_BODY.id() {
            return self.source.find(tag);
        }
        let found = self.source.find(tag)?;
        let number = found.value_ref().and_then(|value| value.as_i32());
        Some(number.map_or(found, |number| {
            let asked = self.tags.clone().map(|tag| Parts::of(tag.id()));
            Found::i32(best_of(number, asked.fold(Parts::default(), Parts::and)))
        }))
    }

    fn tags(&self) -> Vec<PropTag> {
        self.source.tags()
    }
}

/// RopGetPropertiesAll.
pub fn get_properties_all(
    exec: &mut Exec<'_>,
    request: &GetPropertiesAllRequest,
) -> Result<(), Fail> {
    struct All<'a>(RowWriter<'a>);
    impl Visitor for All<'_> {
        type Output = Result<(), Fail>;
        fn visit(mut self, source: &impl Properties) -> Self::Output {
            self.0.put_all(source)
        }
    }
    answer(exec, request.want_unicode, All)
}

/// RopGetPropertiesList.
pub fn get_properties_list(exec: &mut Exec<'_>) -> Result<(), Fail> {
    struct Tags<'a>(RowWriter<'a>);
    impl Visitor for Tags<'_> {
        type Output = Result<(), Fail>;
        fn visit(self, source: &impl Properties) -> Self::Output {
            let tags = source.tags();
            let count = u16::try_from(tags.len()).unwrap_or(u16::MAX);
            self.0.out.put_u16(count);
            tags.iter()
                .take(count.into())
                .for_each(|tag| self.0.out.put_u32(tag.0));
            Ok(())
        }
    }
    // Strings are kept in Unicode, and the list tells what is kept.
    answer(exec, 1, Tags)
}

/// The tags of an object's properties.
pub fn tags(session: &Session, logon_id: u8, handle: u32) -> Result<Vec<PropTag>, ErrorCode> {
    struct Tags;
    impl Visitor for Tags {
        type Output = Vec<PropTag>;
        fn visit(self, source: &impl Properties) -> Vec<PropTag> {
            source.tags()
        }
    }
    visit_handle(session, logon_id, handle, Tags)
}

/// Hands the properties of the object behind a handle to a visitor.
pub(super) fn visit_handle<V: Visitor>(
    session: &Session,
    logon_id: u8,
    handle: u32,
    visitor: V,
) -> Result<V::Output, ErrorCode> {
    let object = session.objects.get(handle, logon_id)?;
    let logon = session.logons.get(&logon_id);
    let logon = logon.ok_or(ErrorCode::NULL_OBJECT)?;
    visit(session, logon, object, visitor)
}
