//! What a ROP handler works with: the objects, the handle table and the room for its response.

use std::sync::Arc;

use ropewalk_props::GlobCnt;
use ropewalk_store::Mailbox;
use ropewalk_wire::{ErrorCode, codec::Wire, rop::RopId};

use super::{
    code_page::{self, CodePage},
    context::Session,
    handles::NO_HANDLE,
    object::{LogonObject, Object},
    property::value::Strings,
    rights::Rights,
};

/// Why a ROP was not answered with success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fail {
    /// It failed with this ReturnValue.
    Code(ErrorCode),
    /// It failed with this ReturnValue, and the ROPs after it are not executed.
    Last(ErrorCode),
    /// Its response needs this many bytes and there is less room; nothing has been done yet that
    /// doing it again would not do alike.
    NoRoom(usize),
    /// It may take long, which its caller is not ready for ([`Exec::is_brief`]); nothing has been done
    /// that doing it again would not do alike.
    Long,
}

impl From<ErrorCode> for Fail {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

/// One ROP while it is executed.
pub struct Exec<'e> {
    /// The session context.
    pub session: &'e mut Session,
    /// The Server object handle table of the buffer.
    pub handles: &'e mut [u32],
    /// The response buffer; the ROP's response goes to its end.
    pub out: &'e mut Vec<u8>,
    /// Length that `out` may grow to.
    pub out_max: usize,
    /// Which ROP it is.
    pub rop_id: RopId,
    /// Its LogonId.
    pub logon_id: u8,
    /// The handle index byte that follows the LogonId in the request.
    pub handle_index: u8,
    /// The handle index that the response repeats: the OutputHandleIndex of a ROP that opens
    /// something, else the one of the request (MS-OXCROPS 2.2).
    pub response_index: u8,
    /// Whether this is the first ROP of its buffer: if its response does not fit, sending it again
    /// in a buffer of this size does not help.
    pub is_first: bool,
    /// Whether its caller waits for it while others may need the thread: what may take long is put off
    /// with [`Fail::Long`].
    pub is_brief: bool,
    /// What further extended buffers of the request have for this ROP, RopWriteStreamExtended
    /// (MS-OXCRPC 3.1.4.2.1.2.1).
    pub packed: &'e [&'e [u8]],
}

impl Exec<'_> {
    /// Starts the success response: RopId, handle index, ReturnValue 0.
    pub fn begin(&mut self) {
        ropewalk_wire::rop::put_response_header(
            self.out,
            self.rop_id,
            self.response_index,
            ErrorCode(0),
        );
    }

    /// Asks for room for `len` bytes of response body. Called before anything is changed, so that
    /// a ROP whose response does not fit has no effect and can be sent again.
    pub fn need(&self, len: usize) -> Result<(), Fail> {
        const HEADER: usize = 6;
        let len = HEADER + len;
        if self.room() < len {
            Err(Fail::NoRoom(len))
        } else {
            Ok(())
        }
    }

    /// Answers success with a body of fields of fixed size.
    pub fn answer<'a>(&mut self, body: &impl Wire<'a>) -> Result<(), Fail> {
        self.begin();
        body.encode(self.out).map_err(|error| {
            tracing::error!(%error, rop = %self.rop_id, "a response could not be encoded");
            Fail::Code(ErrorCode::ERROR)
        })
    }

    /// Puts off what may take long, if the caller is not ready for it.
    pub fn may_take_long(&self) -> Result<(), Fail> {
        if self.is_brief {
            Err(Fail::Long)
        } else {
            Ok(())
        }
    }

    /// Bytes left for the response.
    pub fn room(&self) -> usize {
        self.out_max.saturating_sub(self.out.len())
    }

    /// The handle at an index of the handle table; `ecNullObject` for an index outside it
    /// (MS-OXCROPS 3.2.5.1).
    pub fn handle_at(&self, index: u8) -> Result<u32, ErrorCode> {
        match self.handles.get(usize::from(index)) {
            Some(&NO_HANDLE) | None => Err(ErrorCode::NULL_OBJECT),
            Some(&handle) => Ok(handle),
        }
    }

    /// The object at an index of the handle table.
    pub fn object_at(&self, index: u8) -> Result<&Object, ErrorCode> {
        self.session
            .objects
            .get(self.handle_at(index)?, self.logon_id)
    }

    /// The object at an index of the handle table, to change it.
    pub fn object_at_mut(&mut self, index: u8) -> Result<&mut Object, ErrorCode> {
        let handle = self.handle_at(index)?;
        self.session.objects.get_mut(handle, self.logon_id)
    }

    /// The input object.
    pub fn object(&self) -> Result<&Object, ErrorCode> {
        self.object_at(self.handle_index)
    }

    /// The input object, to change it.
    pub fn object_mut(&mut self) -> Result<&mut Object, ErrorCode> {
        self.object_at_mut(self.handle_index)
    }

    /// The folder whose handle stands at an index.
    pub fn folder_at(&self, index: u8) -> Result<GlobCnt, ErrorCode> {
        Ok(self.object_at(index)?.folder()?.id)
    }

    /// The logon of this ROP; `ecNullObject` without one (MS-OXCROPS 3.2.5.1).
    pub fn logon(&self) -> Result<&LogonObject, ErrorCode> {
        self.session
            .logons
            .get(&self.logon_id)
            .ok_or(ErrorCode::NULL_OBJECT)
    }

    /// What this ROP's user may do with a folder, soft-deleted or not; `ecNotFound` without it.
    pub fn rights(&self, folder: GlobCnt) -> Result<Rights, ErrorCode> {
        self.logon()?.rights(folder)
    }

    /// Fails with `ecAccessDenied` if this ROP's user lacks one of these rights on a folder.
    pub fn need_rights(&self, folder: GlobCnt, needed: Rights) -> Result<(), ErrorCode> {
        if self.rights(folder)?.contains(needed) {
            Ok(())
        } else {
            Err(ErrorCode::ACCESS_DENIED)
        }
    }

    /// The mailbox of this ROP's logon.
    pub fn mailbox(&self) -> Result<Arc<Mailbox>, ErrorCode> {
        Ok(Arc::clone(&self.logon()?.mailbox))
    }

    /// Opens a new object at an output index. Check the index first with
    /// [`Exec::check_output`], before anything is changed.
    pub fn open(&mut self, index: u8, object: Object) -> Result<u32, ErrorCode> {
        self.check_output(index)?;
        let handle = self.session.objects.insert(self.logon_id, object)?;
        if let Some(slot) = self.handles.get_mut(usize::from(index)) {
            *slot = handle;
        }
        Ok(handle)
    }

    /// Whether something can be opened at an output index: `ecNullObject` if it lies outside the
    /// handle table, `ecMaxObjsExceeded` if there are too many open objects, `ecMAPIOOM` if there is
    /// no memory for one more.
    pub fn check_output(&mut self, index: u8) -> Result<(), ErrorCode> {
        self.check_index(index)?;
        self.session.objects.check_room()
    }

    /// Fails with `ecNullObject` if an output index lies outside the handle table.
    pub fn check_index(&self, index: u8) -> Result<(), ErrorCode> {
        if usize::from(index) < self.handles.len() {
            Ok(())
        } else {
            Err(ErrorCode::NULL_OBJECT)
        }
    }

    /// How strings go out for an object with this code page.
    pub fn strings(&self, code_page: CodePage, unicode: bool) -> Strings {
        Strings { code_page, unicode }
    }

    /// The code page that a ROP names for a message's PtypString8 values; `ecUnknownCodePage` for one
    /// that cannot be converted, in which text would be mangled (MS-OXCDATA 2.4.1).
    ///
    /// 0x0FFF stands for the logon's own (MS-OXCMSG 2.2.3.1.1), and so do those that name none of 8 bits.
    pub fn code_page(&self, id: u16) -> Result<CodePage, ErrorCode> {
        const OF_LOGON: u16 = 0x0FFF;
        if id == OF_LOGON || code_page::names_none(id.into()) {
            return Ok(self.session.code_page);
        }
        CodePage::known(u32::from(id)).ok_or(ErrorCode::UNKNOWN_CODE_PAGE)
    }
}

/// Runs something that may wait for the disk without holding up the other tasks of this worker.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
