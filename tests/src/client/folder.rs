//! Folder ROPs (MS-OXCFOLD).

use ropewalk_wire::{DecodeError, Reader};

use super::{Client, Handle, Result, Rop, restriction_bytes};
use ropewalk_wire::restriction::Restriction;

/// The response to RopOpenFolder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct OpenedFolder {
    pub handle: Handle,
    pub has_rules: u8,
    pub is_ghosted: u8,
}

/// A RopCreateFolder request.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct NewFolder<'a> {
    pub folder_type: u8,
    pub unicode: bool,
    pub open_existing: u8,
    pub name: &'a str,
    pub comment: &'a str,
}

impl<'a> NewFolder<'a> {
    /// A generic folder, its name in Unicode, without a comment; an existing one is an error.
    pub const fn named(name: &'a str) -> Self {
        Self {
            folder_type: 1,
            unicode: true,
            open_existing: 0,
            name,
            comment: "",
        }
    }
}

/// The response to RopCreateFolder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct CreatedFolder {
    pub handle: Handle,
    pub folder_id: u64,
    pub is_existing_folder: u8,
}

/// The flags of a folder that exists, which ghosted ones follow with their servers.
fn ghost(input: &mut Reader<'_>) -> Result<(u8, u8), DecodeError> {
    let (has_rules, is_ghosted) = (input.u8()?, input.u8()?);
    if is_ghosted != 0 {
        let servers = input.u16()?;
        input.u16()?;
        for _ in 0..servers {
            input.ascii_z()?;
        }
    }
    Ok((has_rules, is_ghosted))
}

impl Client {
    /// RopOpenFolder (MS-OXCROPS 2.2.4.1) from a Logon or any folder.
    pub fn open_folder(&mut self, from: Handle, folder_id: u64) -> Result<Handle> {
        Ok(self.open_folder_with(from, folder_id, 0)?.handle)
    }

    /// RopOpenFolder with OpenModeFlags.
    pub fn open_folder_with(
        &mut self,
        from: Handle,
        folder_id: u64,
        open_mode_flags: u8,
    ) -> Result<OpenedFolder> {
        let rop = Rop::new(0x02, 0).u8(1).u64(folder_id).u8(open_mode_flags);
        let (handle, answer) = self.open(&rop, from)?;
        let (has_rules, is_ghosted) = answer.read(ghost)?;
        Ok(OpenedFolder {
            handle,
            has_rules,
            is_ghosted,
        })
    }

    /// RopCreateFolder (2.2.4.2) of a generic folder.
    pub fn create_folder(&mut self, parent: Handle, name: &str) -> Result<CreatedFolder> {
        self.create_folder_with(parent, &NewFolder::named(name))
    }

    /// RopCreateFolder.
    pub fn create_folder_with(
        &mut self,
        parent: Handle,
        folder: &NewFolder<'_>,
    ) -> Result<CreatedFolder> {
        let rop = Rop::new(0x1C, 0)
            .u8(1)
            .u8(folder.folder_type)
            .u8(u8::from(folder.unicode))
            .u8(folder.open_existing)
            .u8(0);
        let rop = if folder.unicode {
            rop.utf16_z(folder.name).utf16_z(folder.comment)
        } else {
            rop.ascii_z(folder.name).ascii_z(folder.comment)
        };
        let (handle, answer) = self.open(&rop, parent)?;
        answer.read(|input| {
            let folder_id = input.u64()?;
            let is_existing_folder = input.u8()?;
            if is_existing_folder != 0 {
                ghost(input)?;
            }
            Ok(CreatedFolder {
                handle,
                folder_id,
                is_existing_folder,
            })
        })
    }

    /// RopDeleteFolder (2.2.4.3): PartialCompletion.
    pub fn delete_folder(&mut self, parent: Handle, folder_id: u64, flags: u8) -> Result<u8> {
        self.rop(&Rop::new(0x1D, 0).u8(flags).u64(folder_id), &[parent])?
            .read(Reader::u8)
    }

    /// RopMoveCopyMessages (2.2.4.6): PartialCompletion.
    pub fn move_copy_messages(
        &mut self,
        source: Handle,
        destination: Handle,
        message_ids: &[u64],
        copy: bool,
    ) -> Result<u8> {
        let rop = Rop::new(0x33, 0)
            .u8(1)
            .ids(message_ids)
            .u8(0)
            .u8(u8::from(copy));
        self.rop(&rop, &[source, destination])?.read(Reader::u8)
    }

    /// RopMoveFolder (2.2.4.7): PartialCompletion.
    pub fn move_folder(
        &mut self,
        source: Handle,
        destination: Handle,
        folder_id: u64,
        name: &str,
    ) -> Result<u8> {
        let rop = Rop::new(0x35, 0)
            .u8(1)
            .u8(0)
            .u8(1)
            .u64(folder_id)
            .utf16_z(name);
        self.rop(&rop, &[source, destination])?.read(Reader::u8)
    }

    /// RopCopyFolder (2.2.4.8): PartialCompletion.
    pub fn copy_folder(
        &mut self,
        source: Handle,
        destination: Handle,
        folder_id: u64,
        name: &str,
        recursive: bool,
    ) -> Result<u8> {
        let rop = Rop::new(0x36, 0)
            .u8(1)
            .u8(0)
            .u8(u8::from(recursive))
            .u8(1)
            .u64(folder_id)
            .utf16_z(name);
        self.rop(&rop, &[source, destination])?.read(Reader::u8)
    }

    /// RopDeleteMessages (2.2.4.11): PartialCompletion.
    pub fn delete_messages(&mut self, folder: Handle, message_ids: &[u64]) -> Result<u8> {
        let rop = Rop::new(0x1E, 0).u8(0).u8(0).ids(message_ids);
        self.rop(&rop, &[folder])?.read(Reader::u8)
    }

    /// RopHardDeleteMessages (2.2.4.12): PartialCompletion.
    pub fn hard_delete_messages(&mut self, folder: Handle, message_ids: &[u64]) -> Result<u8> {
        let rop = Rop::new(0x91, 0).u8(0).u8(0).ids(message_ids);
        self.rop(&rop, &[folder])?.read(Reader::u8)
    }

    /// RopSetSearchCriteria (2.2.4.4). No restriction, or no folders, leaves those that were set
    /// before.
    pub fn set_search_criteria(
        &mut self,
        folder: Handle,
        restriction: Option<&Restriction>,
        folder_ids: &[u64],
        search_flags: u32,
    ) -> Result<()> {
        let rop = Rop::new(0x30, 0)
            .sized(&restriction_bytes(restriction))
            .ids(folder_ids)
            .u32(search_flags);
        self.rop(&rop, &[folder])?.empty()
    }

    /// RopGetSearchCriteria (2.2.4.5): RestrictionData, FolderIds and SearchFlags. `wanted` are
    /// UseUnicode, IncludeRestriction and IncludeFolders.
    pub fn search_criteria(
        &mut self,
        folder: Handle,
        wanted: [bool; 3],
    ) -> Result<(Vec<u8>, Vec<u64>, u32)> {
        let rop = wanted
            .iter()
            .fold(Rop::new(0x31, 0), |rop, wanted| rop.u8(u8::from(*wanted)));
        self.rop(&rop, &[folder])?.read(|input| {
            let size = input.u16()?;
            let restriction = input.bytes(size.into())?.to_vec();
            input.u8()?;
            let count = input.u16()?;
            let folders = (0..count).map(|_| input.u64());
            let folders = folders.collect::<Result<_, _>>()?;
            Ok((restriction, folders, input.u32()?))
        })
    }

    /// RopEmptyFolder (2.2.4.9), and RopHardDeleteMessagesAndSubfolders (2.2.4.10) if `hard`:
    /// PartialCompletion.
    pub fn empty_folder(&mut self, folder: Handle, hard: bool) -> Result<u8> {
        let id = if hard { 0x92 } else { 0x58 };
        self.rop(&Rop::new(id, 0).u8(0).u8(0), &[folder])?
            .read(Reader::u8)
    }

    /// RopSetReadFlags (2.2.6.10): PartialCompletion.
    pub fn set_read_flags(
        &mut self,
        folder: Handle,
        message_ids: &[u64],
        read_flags: u8,
    ) -> Result<u8> {
        let rop = Rop::new(0x66, 0).u8(0).u8(read_flags).ids(message_ids);
        self.rop(&rop, &[folder])?.read(Reader::u8)
    }

    /// RopGetHierarchyTable (2.2.4.13): the table and its RowCount.
    pub fn hierarchy_table(&mut self, folder: Handle, flags: u8) -> Result<(Handle, u32)> {
        self.table(0x04, folder, flags)
    }

    /// RopGetContentsTable (2.2.4.14): the table and its RowCount.
    pub fn contents_table(&mut self, folder: Handle, flags: u8) -> Result<(Handle, u32)> {
        self.table(0x05, folder, flags)
    }

    fn table(&mut self, id: u8, folder: Handle, flags: u8) -> Result<(Handle, u32)> {
        let (handle, answer) = self.open(&Rop::new(id, 0).u8(1).u8(flags), folder)?;
        Ok((handle, answer.read(Reader::u32)?))
    }
}
