//! RopGetPropertiesSpecific, RopGetPropertiesAll, RopGetPropertiesList (MS-OXCPRPT 3.2.5.1 to
//! 3.2.5.3).

use ropewalk_props::PropTag;
use ropewalk_store::Mailbox;
use ropewalk_wire::{
    ErrorCode, Put,
    rop::{GetPropertiesAllRequest, GetPropertiesSpecificRequest},
};

use super::{
    logon::LogonProperties,
    row::RowWriter,
    value::{Properties, Strings},
};
use crate::{
    context::Session,
    exec::{Exec, Fail},
    folder::properties::FolderProperties,
    message::body::Parts,
    object::Object,
    stream::pending,
};

/// Something done with an object's properties, whatever the object.
pub(super) trait Visitor {
    /// What comes out of it.
    type Output;
    /// The parts of a message's body that are wanted.
    fn asked(&self) -> Parts {
        Parts::default()
    }
    /// Does it.
    fn visit(self, source: &impl Properties) -> Self::Output;
}

/// Hands the properties of an object to a visitor; `ecNotSupported` for one that has none.
fn visit<V: Visitor>(
    session: &Session,
    mailbox: &Mailbox,
    object: &Object,
    visitor: V,
) -> Result<V::Output, ErrorCode> {
    Ok(match object {
        Object::Message(message) => {
            let asked = visitor.asked();
            let mut properties = message.properties(mailbox);
            properties.asked = asked;
            visitor.visit(&properties)
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
    let mailbox = &*session
        .logons
        .get(&logon_id)
        .ok_or(ErrorCode::NULL_OBJECT)?
        .mailbox;
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
    visit(session, mailbox, object, make(writer))?
}

/// RopGetPropertiesSpecific. PropertySizeLimit is ignored, as 3.2.5.1 has it.
pub fn get_properties_specific(
    exec: &mut Exec<'_>,
    request: &GetPropertiesSpecificRequest<'_>,
) -> Result<(), Fail> {
    struct Row<'a, I>(RowWriter<'a>, I, Parts);
    impl<I: Iterator<Item = PropTag> + Clone> Visitor for Row<'_, I> {
        type Output = Result<(), Fail>;
        fn asked(&self) -> Parts {
            self.2
        }
        fn visit(mut self, source: &impl Properties) -> Self::Output {
            self.0.put_row(self.1, source)
        }
    }
    let tags = request.property_tags.iter();
    let asked = tags.clone().fold(Parts::default(), |parts, tag| {
        parts.and(Parts::of(tag.id()))
    });
    if !asked.forms().is_empty() {
        convert_body(exec, tags.clone())?;
    }
    answer(exec, request.want_unicode, |writer| {
        Row(writer, tags, asked)
    })
}

/// Converts the body of a message to the forms that are asked for.
fn convert_body(exec: &mut Exec<'_>, tags: impl Iterator<Item = PropTag>) -> Result<(), ErrorCode> {
    let handle = exec.handle_at(exec.handle_index)?;
    pending::settle(exec.session, exec.logon_id, handle)?;
    let mailbox = exec.mailbox()?;
    let session = &mut *exec.session;
    match session.objects.get_mut(handle, exec.logon_id)? {
        Object::Message(message) => message.convert_body(&mailbox, || session.budget.share(), tags),
        _ => Ok(()),
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
    let mailbox = &*session
        .logons
        .get(&logon_id)
        .ok_or(ErrorCode::NULL_OBJECT)?
        .mailbox;
    visit(session, mailbox, object, visitor)
}
