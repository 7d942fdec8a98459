//! Receive folders: where new messages of a class go (MS-OXCSTOR 3.2.5.2 to 3.2.5.4).

use ropewalk_props::{PropType, ValueRef};
use ropewalk_store::ReceiveFolder;
use ropewalk_wire::{
    ErrorCode, Fid, Put,
    codec::AsciiZ,
    rop::{
        GetReceiveFolderRequest, GetReceiveFolderResponse, RECEIVE_FOLDER_COLUMNS,
        SetReceiveFolderRequest,
    },
    row::{Cell, put_row},
    value::Form,
};

use super::special;
use crate::{
    exec::{Exec, Fail, blocking},
    ids,
    limits::RECEIVE_FOLDERS_BYTES_MAX,
};

/// RopGetReceiveFolder.
pub fn get_receive_folder(
    exec: &mut Exec<'_>,
    request: &GetReceiveFolderRequest<'_>,
) -> Result<(), Fail> {
    let mailbox = &exec.object()?.logon()?.private()?.mailbox;
    let class = message_class(request.message_class.0)?;
    let all = mailbox.receive_folders();
    let (folder, explicit) = find(&all, class).map_or((special::INBOX, ""), |found| {
        (found.folder, found.message_class.as_str())
    });
    exec.need(8 + explicit.len() + 1)?;
    exec.answer(&GetReceiveFolderResponse {
        folder_id: ids::fid(folder),
        explicit_message_class: AsciiZ(explicit.as_bytes()),
    })
}

/// RopSetReceiveFolder.
pub fn set_receive_folder(
    exec: &mut Exec<'_>,
    request: &SetReceiveFolderRequest<'_>,
) -> Result<(), Fail> {
    exec.object()?.logon()?.private()?;
    let class = message_class(request.message_class.0)?;
    let mailbox = exec.mailbox()?;
    exec.need(0)?;
    // MS-OXCSTOR 3.2.5.3: whatever the folder is.
    if ["IPM", "REPORT.IPM"]
        .iter()
        .any(|fixed| class.eq_ignore_ascii_case(fixed))
    {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    let folder = if request.folder_id == Fid::default() {
        // MS-OXCSTOR 3.2.5.3: the entry for all other classes stays.
        if class.is_empty() {
            return Err(ErrorCode::ERROR.into());
        }
        None
    } else {
        let id = ids::folder_id(request.folder_id).map_err(|_| ErrorCode::ERROR)?;
        Some(id)
            .filter(|id| mailbox.has_folder(*id))
            .ok_or(ErrorCode::ERROR)
            .map(Some)?
    };
    if folder.is_some() {
        check_room(&mailbox.receive_folders(), class)?;
    }
    blocking(|| mailbox.set_receive_folder(class, folder))?;
    exec.begin();
    Ok(())
}

/// Fails with `ecMAPIOOM` if the table with an entry for this class would fit no response.
fn check_room(all: &[ReceiveFolder], class: &str) -> Result<(), ErrorCode> {
    // The row's flag, the folder's id, the NUL and the time.
    let row_len = |class: &str| 1 + 8 + class.len() + 1 + 8;
    let others = all
        .iter()
        .map(|entry| entry.message_class.as_str())
        .filter(|known| !known.eq_ignore_ascii_case(class));
    let len: usize = others.chain([class]).map(row_len).sum();
    if len > RECEIVE_FOLDERS_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    Ok(())
}

/// RopGetReceiveFolderTable.
pub fn get_receive_folder_table(exec: &mut Exec<'_>) -> Result<(), Fail> {
    let all = exec.object()?.logon()?.private()?.mailbox.receive_folders();
    if all.is_empty() {
        return Err(ErrorCode::NO_RECEIVE_FOLDER.into());
    }
    exec.begin();
    exec.out
        .put_u32(u32::try_from(all.len()).unwrap_or(u32::MAX));
    let [folder_id, class, _] = RECEIVE_FOLDER_COLUMNS;
    for row in &all {
        let id = ids::fid(row.folder).to_u64().to_le_bytes();
        let modified = row.modified.0.to_le_bytes();
        put_row(
            exec.out,
            Form::Rop,
            RECEIVE_FOLDER_COLUMNS.into_iter(),
            |column| {
                Cell::Value(match column {
                    column if column == folder_id => ValueRef {
                        ty: PropType::INTEGER64,
                        data: &id,
                    },
                    column if column == class => ValueRef {
                        ty: PropType::STRING8,
                        data: row.message_class.as_bytes(),
                    },
                    _ => ValueRef {
                        ty: PropType::TIME,
                        data: &modified,
                    },
                })
            },
        )
        .map_err(|_| ErrorCode::ERROR)?;
    }
    Ok(())
}

/// A message class from a client, if it has the form of one (MS-OXCSTOR 2.2.1.2.1).
fn message_class(bytes: &[u8]) -> Result<&str, ErrorCode> {
    const LENGTH_MAX: usize = 254; // 255 with the NUL
    let well_formed = bytes.len() <= LENGTH_MAX
        && bytes.iter().all(|byte| (0x20..=0x7E).contains(byte))
        && !bytes.starts_with(b".")
        && !bytes.ends_with(b".")
        && !bytes.windows(2).any(|pair| pair == b"..");
    let class = well_formed
        .then(|| std::str::from_utf8(bytes).ok())
        .flatten();
    class.ok_or(ErrorCode::INVALID_PARAM)
}

/// The entry with the longest class that `class` is or is below, without regard to case.
fn find<'a>(all: &'a [ReceiveFolder], class: &str) -> Option<&'a ReceiveFolder> {
    all.iter()
        .filter(|entry| {
            let known = entry.message_class.as_bytes();
            let class = class.as_bytes();
            let Some((head, tail)) = class.split_at_checked(known.len()) else {
                return false;
            };
            head.eq_ignore_ascii_case(known)
                && (known.is_empty() || tail.is_empty() || tail.starts_with(b"."))
        })
        .max_by_key(|entry| entry.message_class.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ropewalk_props::{FileTime, GlobCnt};

    fn entry(class: &str, folder: u64) -> ReceiveFolder {
        ReceiveFolder {
            message_class: class.to_owned(),
            folder: GlobCnt(folder),
            modified: FileTime::default(),
        }
    }

    #[test]
    fn the_longest_class_above_is_found() {
        let all = [
            entry("", 5),
            entry("IPC", 1),
            entry("IPM", 5),
            entry("REPORT.IPM", 5),
        ];
        let found = |class| find(&all, class).map(|entry| entry.message_class.as_str());
        assert_eq!(found("ipm.Note"), Some("IPM"));
        assert_eq!(found("IPMX.Note"), Some(""));
        assert_eq!(found("IPM"), Some("IPM"));
        assert_eq!(found("Report.IPM.Note.DR"), Some("REPORT.IPM"));
        assert_eq!(found(""), Some(""));
        assert_eq!(find(&all[1..], "MY.Class"), None);
    }

    #[test]
    fn the_form_of_message_classes() {
        for good in ["", "IPM", "IPM.a b.C~"] {
            assert_eq!(message_class(good.as_bytes()), Ok(good));
        }
        for bad in [".IPM", "IPM.", "IPM..Note", "IPM.\u{7F}", "IPM.\t", "IPM.é"] {
            assert_eq!(
                message_class(bad.as_bytes()),
                Err(ErrorCode::INVALID_PARAM),
                "{bad}"
            );
        }
        assert!(message_class(&[b'a'; 254]).is_ok());
        assert!(message_class(&[b'a'; 255]).is_err());
    }
}
