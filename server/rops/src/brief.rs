//! Which requests may be over in no time, so that their caller need not be ready to wait for them. Some
//! of their ROPs find out when they are executed, and put themselves off ([`Fail::Long`]).
//!
//! [`Fail::Long`]: crate::exec::Fail::Long

use ropewalk_wire::{
    Reader, ext_buffer,
    rop::{DecodeContext, Request, RequestBody as Body},
};

/// Whether a RopBuffer has nothing but ROPs that look at a thing or two and change nothing on disk:
/// what they take does not depend on how much there is in a folder, nor on an fsync; or they put
/// themselves off if it does. A RopBuffer
/// that is compressed, obfuscated or broken is not looked into.
pub fn is_brief(rop_buffer: &[u8]) -> bool {
    const SIZE_LEN: usize = 2;
    let mut reader = Reader::new(rop_buffer);
    let Ok(flags) = reader.array::<4>() else {
        return false;
    };
    let [_, _, low, high] = flags;
    if u16::from_le_bytes([low, high]) != ext_buffer::LAST || reader.u32().is_err() {
        return false;
    }
    let Ok(rop_size) = reader.u16() else {
        return false;
    };
    let rops_len = usize::from(rop_size).saturating_sub(SIZE_LEN);
    let Ok(mut rops) = reader.sub(rops_len) else {
        return false;
    };
    let context = DecodeContext::default();
    while !rops.is_empty() {
        match Request::decode(&mut rops, &context) {
            Ok(request) if is_brief_rop(&request.body) => {}
            _ => return false,
        }
    }
    true
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
        let save = SaveChangesRequest {
            input_handle_index: 0,
            save_flags: 0,
        };
        let save = (RopId::SAVE_CHANGES_MESSAGE, Body::SaveChangesMessage(save));
        assert!(is_brief(&buffer(vec![], 0)));
        assert!(is_brief(&buffer(vec![list(), list()], 0)));
        assert!(!is_brief(&buffer(vec![list(), save], 0)));
        assert!(!is_brief(&buffer(
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
        assert!(is_brief(&whole));
        for length in 0..whole.len() - 1 {
            assert!(!is_brief(&whole[..length]), "{length}");
        }
    }
}
