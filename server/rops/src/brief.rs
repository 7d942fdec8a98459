//! Which requests may be over in no time, so that their caller need not be ready to wait for them. Some
//! of their ROPs find out when they are executed, and put themselves off ([`Fail::Long`]).
//!
//! [`Fail::Long`]: crate::exec::Fail::Long

use ropewalk_wire::{
    Reader, ext_buffer,
    rop::{DecodeContext, Request, RequestBody as Body},
};

/// Whether a RopBuffer begins with a ROP that looks at a thing or two and changes nothing on disk: what it
/// takes does not depend on how much there is in a folder, nor on an fsync; or it puts itself off if it
/// does. Those behind it are looked at when it is their turn. A RopBuffer that is compressed, obfuscated
/// or broken is not looked into.
pub fn begins_brief(rop_buffer: &[u8]) -> bool {
    first_rop(rop_buffer).is_some_and(|first| first.is_none_or(|rop| is_brief_rop(&rop.body)))
}

/// The first ROP of a RopBuffer, if it has any; `None` if it cannot be told.
fn first_rop(rop_buffer: &[u8]) -> Option<Option<Request<'_>>> {
    const SIZE_LEN: usize = 2;
    let mut reader = Reader::new(rop_buffer);
    let [_, _, low, high] = reader.array::<4>().ok()?;
    if u16::from_le_bytes([low, high]) != ext_buffer::LAST {
        return None;
    }
    reader.u32().ok()?;
    let rop_size = usize::from(reader.u16().ok()?);
    let mut rops = reader.sub(rop_size.saturating_sub(SIZE_LEN)).ok()?;
    if rops.is_empty() {
        return Some(None);
    }
    let request = Request::decode(&mut rops, &DecodeContext::default()).ok()?;
    Some(Some(request))
}

/// Whether a ROP is over in no time, or puts itself off.
pub fn is_brief_rop(body: &Body<'_>) -> bool {
    matches!(
        body,
        Body::Release(_)
            | Body::GetReceiveFolder(_)
            | Body::LongTermIdFromId(_)
            | Body::OpenFolder(_)
            | Body::GetContentsTable(_)
            | Body::SetColumns(_)
            | Body::SortTable(_)
            | Body::Restrict(_)
            | Body::GetStatus(_)
            | Body::QueryRows(_)
            | Body::OpenMessage(_)
            | Body::CreateMessage(_)
            | Body::ReadRecipients(_)
            | Body::ReloadCachedInformation(_)
            | Body::OpenAttachment(_)
            | Body::OpenEmbeddedMessage(_)
            | Body::GetAttachmentTable(_)
            | Body::GetValidAttachments(_)
            | Body::GetNamesFromPropertyIds(_)
            | Body::GetPropertiesSpecific(_)
            | Body::GetPropertiesAll(_)
            | Body::GetPropertiesList(_)
            | Body::OpenStream(_)
            | Body::ReadStream(_)
            | Body::GetStreamSize(_)
            | Body::SeekStream(_)
    )
}

#[cfg(test)]
mod tests {
    use ropewalk_wire::{
        client::RopBatch,
        rop::{EmptyRequest, RopId, SaveChangesRequest},
    };

    use super::*;

    fn buffer(bodies: Vec<(RopId, Body<'static>)>, flags: u16) -> Vec<u8> {
        let mut batch = RopBatch::new();
        for (rop_id, body) in bodies {
            batch.push(Request {
                rop_id,
                logon_id: 0,
                handle_index: 0,
                body,
            });
        }
        batch.encode(ext_buffer::LAST | flags).unwrap()
    }

    #[test]
    fn looking_may_be_brief_and_saving_is_not() {
        let list = || {
            (
                RopId::GET_PROPERTIES_LIST,
                Body::GetPropertiesList(EmptyRequest {}),
            )
        };
        let save = || {
            let save = SaveChangesRequest {
                input_handle_index: 0,
                save_flags: 0,
            };
            (RopId::SAVE_CHANGES_MESSAGE, Body::SaveChangesMessage(save))
        };
        assert!(begins_brief(&buffer(vec![], 0)));
        assert!(begins_brief(&buffer(vec![list(), list()], 0)));
        assert!(begins_brief(&buffer(vec![list(), save()], 0)));
        assert!(!begins_brief(&buffer(vec![save(), list()], 0)));
        assert!(!begins_brief(&buffer(
            vec![list()],
            ropewalk_wire::ext_buffer::XOR_MAGIC
        )));
    }

    #[test]
    fn a_broken_buffer_is_not_brief() {
        let whole = buffer(
            vec![(
                RopId::GET_PROPERTIES_LIST,
                Body::GetPropertiesList(EmptyRequest {}),
            )],
            0,
        );
        assert!(begins_brief(&whole));
        for length in 0..whole.len() - 1 {
            assert!(!begins_brief(&whole[..length]), "{length}");
        }
    }
}
