//! Incremental change synchronization ROPs (MS-OXCROPS 2.2.13).

use ropewalk_props::{GlobCnt, Guid, PropTag};

use crate::{
    DecodeError, EncodeError, Fid, LongTermId, Mid, Reader,
    codec::{Bytes16, Bytes32, Wire, wire_struct},
    list::{List, SizedList, TagArray, put_sized},
    value::TaggedPropertyValue,
};

wire_struct! {
    /// RopSynchronizationConfigure request.
    #[derive(Copy, Default)]
    SynchronizationConfigureRequest<'a> {
        output_handle_index: u8,
        synchronization_type: u8,
        send_options: u8,
        synchronization_flags: u16,
        /// A restriction in the form of ROP buffers; empty for none.
        restriction_data: Bytes16<'a>,
        synchronization_extra_flags: u32,
        property_tags: TagArray<'a>,
    }

    /// RopSynchronizationImportMessageChange request.
    #[derive(Copy, Default)]
    SynchronizationImportMessageChangeRequest<'a> {
        output_handle_index: u8,
        import_flag: u8,
        property_values: List<'a, TaggedPropertyValue>,
    }

    /// RopSynchronizationImportMessageChange and RopSynchronizationImportMessageMove success
    /// response.
    #[derive(Copy, Default)]
    MessageIdResponse { message_id: Mid }

    /// RopSynchronizationImportReadStateChanges request.
    SynchronizationImportReadStateChangesRequest<'a> {
        message_read_states: SizedList<'a, MessageReadState<'a>>,
    }

    /// Whether one message is read.
    #[derive(Copy, Default)]
    MessageReadState<'a> {
        /// Its XID.
        message_id: Bytes16<'a>,
        mark_as_read: bool,
    }

    /// RopSynchronizationImportHierarchyChange request.
    #[derive(Copy, Default)]
    SynchronizationImportHierarchyChangeRequest<'a> {
        hierarchy_values: List<'a, TaggedPropertyValue>,
        property_values: List<'a, TaggedPropertyValue>,
    }

    /// RopSynchronizationImportHierarchyChange success response.
    #[derive(Copy, Default)]
    FolderIdResponse { folder_id: Fid }

    /// RopSynchronizationImportDeletes request.
    #[derive(Copy, Default)]
    SynchronizationImportDeletesRequest<'a> {
        import_delete_flags: u8,
        property_values: List<'a, TaggedPropertyValue>,
    }

    /// RopSynchronizationImportMessageMove request.
    #[derive(Copy, Default)]
    SynchronizationImportMessageMoveRequest<'a> {
        source_folder_id: Bytes32<'a>,
        source_message_id: Bytes32<'a>,
        predecessor_change_list: Bytes32<'a>,
        destination_message_id: Bytes32<'a>,
        change_number: Bytes32<'a>,
    }

    /// RopSynchronizationOpenCollector request.
    #[derive(Copy, Default)]
    SynchronizationOpenCollectorRequest { output_handle_index: u8, is_contents_collector: bool }

    /// RopSynchronizationUploadStateStreamBegin request.
    #[derive(Copy)]
    SynchronizationUploadStateStreamBeginRequest {
        state_property: PropTag,
        transfer_buffer_size: u32,
    }

    /// RopSynchronizationUploadStateStreamContinue request.
    #[derive(Copy, Default)]
    SynchronizationUploadStateStreamContinueRequest<'a> { stream_data: Bytes32<'a> }

    /// A range of ids, both ends in it.
    #[derive(Copy, Default)]
    LongTermIdRange { min_long_term_id: LongTermId, max_long_term_id: LongTermId }

    /// RopGetLocalReplicaIds request.
    #[derive(Copy, Default)]
    GetLocalReplicaIdsRequest { id_count: u32 }

    /// RopGetLocalReplicaIds success response.
    #[derive(Copy)]
    GetLocalReplicaIdsResponse { repl_guid: Guid, global_count: GlobCnt }
}

impl<'a> Wire<'a> for GlobCnt {
    const FIXED_SIZE: Option<usize> = Some(6);
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.array().map(Self::from_bytes)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.to_bytes().encode(out)
    }
}

/// RopSetLocalReplicaMidsetDeleted request.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct SetLocalReplicaMidsetDeletedRequest<'a> {
    /// The ranges, behind DataSize and LongTermIdRangeCount.
    pub long_term_id_ranges: List<'a, LongTermIdRange, u32>,
}

impl<'a> Wire<'a> for SetLocalReplicaMidsetDeletedRequest<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let size = usize::from(input.u16()?);
        let mut data = input.sub(size)?;
        let long_term_id_ranges = List::decode(&mut data)?;
        data.finish()?;
        Ok(Self {
            long_term_id_ranges,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_sized(out, |out| self.long_term_id_ranges.encode(out))
    }
}
