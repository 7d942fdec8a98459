//! Folder ROPs (MS-OXCROPS 2.2.4).

use super::GhostServers;
use crate::{
    DecodeError, EncodeError, Fid, Mid, Put, Reader,
    codec::{Bytes16, Wire, put_text, take_text, wire_struct},
    list::List,
};

wire_struct! {
    /// RopOpenFolder request.
    #[derive(Copy)]
    OpenFolderRequest { output_handle_index: u8, folder_id: Fid, open_mode_flags: u8 }

    /// RopOpenFolder success response.
    #[derive(Copy, Default)]
    OpenFolderResponse<'a> {
        has_rules: bool,
        /// Present if IsGhosted.
        servers: Option<GhostServers<'a>>,
    }

    /// RopCreateFolder success response.
    #[derive(Copy)]
    CreateFolderResponse<'a> {
        folder_id: Fid,
        /// Present if IsExistingFolder.
        existing_folder: Option<ExistingFolder<'a>>,
    }

    /// What RopCreateFolder says of a folder that was there already.
    #[derive(Copy, Default)]
    ExistingFolder<'a> {
        has_rules: bool,
        /// Present if IsGhosted.
        servers: Option<GhostServers<'a>>,
    }

    /// RopDeleteFolder request.
    #[derive(Copy)]
    DeleteFolderRequest { delete_folder_flags: u8, folder_id: Fid }

    /// RopSetSearchCriteria request.
    #[derive(Copy, Default)]
    SetSearchCriteriaRequest<'a> {
        /// A restriction in the form of ROP buffers.
        restriction_data: Bytes16<'a>,
        folder_ids: List<'a, Fid>,
        search_flags: u32,
    }

    /// RopGetSearchCriteria request.
    #[derive(Copy, Default)]
    GetSearchCriteriaRequest {
        use_unicode: bool,
        include_restriction: bool,
        include_folders: bool,
    }

    /// RopGetSearchCriteria success response.
    #[derive(Copy, Default)]
    GetSearchCriteriaResponse<'a> {
        restriction_data: Bytes16<'a>,
        logon_id: u8,
        folder_ids: List<'a, Fid>,
        search_flags: u32,
    }

    /// RopMoveCopyMessages request. Byte 3 of the request is its SourceHandleIndex.
    #[derive(Copy, Default)]
    MoveCopyMessagesRequest<'a> {
        dest_handle_index: u8,
        message_ids: List<'a, Mid>,
        want_asynchronous: bool,
        want_copy: bool,
    }

    /// RopEmptyFolder and RopHardDeleteMessagesAndSubfolders request.
    #[derive(Copy, Default)]
    EmptyFolderRequest { want_asynchronous: bool, want_delete_associated: bool }

    /// RopDeleteMessages and RopHardDeleteMessages request.
    #[derive(Copy, Default)]
    DeleteMessagesRequest<'a> {
        want_asynchronous: bool,
        notify_non_read: bool,
        message_ids: List<'a, Mid>,
    }

    /// RopGetHierarchyTable and RopGetContentsTable success response.
    #[derive(Copy, Default)]
    RowCountResponse { row_count: u32 }
}

/// RopCreateFolder request.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct CreateFolderRequest<'a> {
    pub output_handle_index: u8,
    pub folder_type: u8,
    /// Whether DisplayName and Comment are UTF-16LE.
    pub use_unicode_strings: bool,
    pub open_existing: bool,
    pub reserved: u8,
    /// Without its terminator.
    pub display_name: &'a [u8],
    /// Without its terminator.
    pub comment: &'a [u8],
}

impl<'a> Wire<'a> for CreateFolderRequest<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let output_handle_index = input.u8()?;
        let folder_type = input.u8()?;
        let use_unicode_strings = input.bool()?;
        Ok(Self {
            output_handle_index,
            folder_type,
            use_unicode_strings,
            open_existing: input.bool()?,
            reserved: input.u8()?,
            display_name: take_text(input, use_unicode_strings)?,
            comment: take_text(input, use_unicode_strings)?,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u8(self.output_handle_index);
        out.put_u8(self.folder_type);
        out.put_bool(self.use_unicode_strings);
        out.put_bool(self.open_existing);
        out.put_u8(self.reserved);
        put_text(out, self.display_name, self.use_unicode_strings)?;
        put_text(out, self.comment, self.use_unicode_strings)
    }
}

/// RopMoveFolder request. Byte 3 of the request is its SourceHandleIndex.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct MoveFolderRequest<'a> {
    pub dest_handle_index: u8,
    pub want_asynchronous: bool,
    /// Whether NewFolderName is UTF-16LE.
    pub use_unicode: bool,
    pub folder_id: Fid,
    /// Without its terminator.
    pub new_folder_name: &'a [u8],
}

impl<'a> Wire<'a> for MoveFolderRequest<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let dest_handle_index = input.u8()?;
        let want_asynchronous = input.bool()?;
        let use_unicode = input.bool()?;
        Ok(Self {
            dest_handle_index,
            want_asynchronous,
            use_unicode,
            folder_id: Wire::decode(input)?,
            new_folder_name: take_text(input, use_unicode)?,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u8(self.dest_handle_index);
        out.put_bool(self.want_asynchronous);
        out.put_bool(self.use_unicode);
        self.folder_id.encode(out)?;
        put_text(out, self.new_folder_name, self.use_unicode)
    }
}

/// RopCopyFolder request. Byte 3 of the request is its SourceHandleIndex.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct CopyFolderRequest<'a> {
    pub dest_handle_index: u8,
    pub want_asynchronous: bool,
    pub want_recursive: bool,
    /// Whether NewFolderName is UTF-16LE.
    pub use_unicode: bool,
    pub folder_id: Fid,
    /// Without its terminator.
    pub new_folder_name: &'a [u8],
}

impl<'a> Wire<'a> for CopyFolderRequest<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let dest_handle_index = input.u8()?;
        let want_asynchronous = input.bool()?;
        let want_recursive = input.bool()?;
        let use_unicode = input.bool()?;
        Ok(Self {
            dest_handle_index,
            want_asynchronous,
            want_recursive,
            use_unicode,
            folder_id: Wire::decode(input)?,
            new_folder_name: take_text(input, use_unicode)?,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u8(self.dest_handle_index);
        out.put_bool(self.want_asynchronous);
        out.put_bool(self.want_recursive);
        out.put_bool(self.use_unicode);
        self.folder_id.encode(out)?;
        put_text(out, self.new_folder_name, self.use_unicode)
    }
}
