//! What was decoded, as the vectors write it: field name to text.

use std::collections::BTreeMap;

use ropewalk_props::{PropTag, PropValue, text::decode_utf16le};
use ropewalk_wire::{
    Fid, LongTermId, Mid,
    codec::AsciiZ,
    list::TagArray,
    property_name::PropertyNameRef,
    rop::*,
    value::{PropertyProblem, TaggedPropertyValue, TypedString},
};

/// Field names and values. A vector need not name every field.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    /// The text of a field; `None` if the structure has none of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn text(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.0.insert(name, value.into());
        self
    }
    pub fn u8(&mut self, name: &'static str, value: u8) -> &mut Self {
        self.text(name, format!("0x{value:02X}"))
    }
    pub fn flag(&mut self, name: &'static str, value: bool) -> &mut Self {
        self.u8(name, u8::from(value))
    }
    pub fn u16(&mut self, name: &'static str, value: u16) -> &mut Self {
        self.text(name, format!("0x{value:04X}"))
    }
    pub fn u32(&mut self, name: &'static str, value: u32) -> &mut Self {
        self.text(name, format!("0x{value:08X}"))
    }
    pub fn u64(&mut self, name: &'static str, value: u64) -> &mut Self {
        self.text(name, format!("0x{value:016X}"))
    }
    pub fn len(&mut self, name: &'static str, len: usize) -> &mut Self {
        self.u16(name, u16::try_from(len).unwrap())
    }
    pub fn hex(&mut self, name: &'static str, bytes: &[u8]) -> &mut Self {
        self.text(
            name,
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        )
    }
    pub fn ascii(&mut self, name: &'static str, text: &[u8]) -> &mut Self {
        self.text(name, std::str::from_utf8(text).unwrap())
    }
    pub fn string(&mut self, name: &'static str, text: &[u8], unicode: bool) -> &mut Self {
        if unicode {
            self.text(name, decode_utf16le(text))
        } else {
            self.ascii(name, text)
        }
    }
    fn words(&mut self, name: &'static str, words: impl IntoIterator<Item = String>) -> &mut Self {
        self.text(name, words.into_iter().collect::<Vec<_>>().join(" "))
    }
    fn fid(&mut self, name: &'static str, id: Fid) -> &mut Self {
        self.text(name, short_term_id(id.to_u64()))
    }
    fn mid(&mut self, name: &'static str, id: Mid) -> &mut Self {
        self.text(name, short_term_id(id.to_u64()))
    }
    fn mids(&mut self, ids: impl ExactSizeIterator<Item = Mid>) -> &mut Self {
        self.len("MessageIdCount", ids.len());
        self.words("MessageIds", ids.map(|id| short_term_id(id.to_u64())))
    }
    fn tags(&mut self, tags: &TagArray<'_>) -> &mut Self {
        self.len("PropertyTagCount", tags.len())
            .words("PropertyTags", tags.iter().map(tag))
    }
    fn recipient_columns(&mut self, tags: &TagArray<'_>) -> &mut Self {
        self.len("ColumnCount", tags.len())
            .words("RecipientColumns", tags.iter().map(tag))
    }
    fn names<'a>(
        &mut self,
        names: impl ExactSizeIterator<Item = PropertyNameRef<'a>>,
    ) -> &mut Self {
        self.len("PropertyNameCount", names.len())
            .words("PropertyNames", names.map(property_name))
    }
    fn property_ids(&mut self, ids: impl ExactSizeIterator<Item = u16>) -> &mut Self {
        self.len("PropertyIdCount", ids.len())
            .words("PropertyIds", ids.map(|id| format!("0x{id:04X}")))
    }
    fn typed_string(&mut self, name: &'static str, text: &TypedString<'_>) -> &mut Self {
        match text {
            TypedString::None | TypedString::Empty => self,
            TypedString::String8(text) | TypedString::Reduced(text) => self.ascii(name, text),
            TypedString::Unicode(text) => self.string(name, text, true),
        }
    }
    fn ghost(&mut self, servers: Option<&GhostServers<'_>>) -> &mut Self {
        self.flag("IsGhosted", servers.is_some());
        let Some(servers) = servers else { return self };
        self.len("ServerCount", servers.servers.len())
            .u16("CheapServerCount", servers.cheap_server_count)
            .words(
                "Servers",
                servers
                    .servers
                    .iter()
                    .map(|AsciiZ(name)| String::from_utf8(name.to_vec()).unwrap()),
            )
    }
    fn opened_message(&mut self, body: &OpenMessageResponse<'_>) -> &mut Self {
        self.flag("HasNamedProperties", body.has_named_properties)
            .typed_string("SubjectPrefix", &body.subject_prefix)
            .typed_string("NormalizedSubject", &body.normalized_subject)
            .u16("RecipientCount", body.recipient_count)
            .recipient_columns(&body.recipient_columns)
            .u8("RowCount", u8::try_from(body.recipient_rows.len()).unwrap())
    }
    fn problems(&mut self, body: &PropertyProblemsResponse<'_>) -> &mut Self {
        let problem = |problem: PropertyProblem| {
            let PropertyProblem {
                index,
                property_tag,
                error_code,
            } = problem;
            format!("{index}:{}:0x{:08X}", tag(property_tag), error_code.0)
        };
        self.len("PropertyProblemCount", body.property_problems.len())
            .words(
                "PropertyProblems",
                body.property_problems.iter().map(problem),
            )
    }
}

fn short_term_id(id: u64) -> String {
    let id = Fid::from_u64(id);
    format!("{:04X}-{:012X}", id.replid(), id.globcnt().0)
}

fn long_term_id(id: LongTermId) -> String {
    format!("{}:{:012X}", id.replguid, id.globcnt.0)
}

fn tag(tag: PropTag) -> String {
    format!("0x{:08X}", tag.0)
}

fn property_name(name: PropertyNameRef<'_>) -> String {
    match name {
        PropertyNameRef::Lid(guid, lid) => format!("{guid}:0x{lid:08X}"),
        PropertyNameRef::Name(guid, name) => format!("{guid}:{}", decode_utf16le(name)),
        PropertyNameRef::NoName(_) => "none".to_owned(),
    }
}

fn tagged_value(value: TaggedPropertyValue) -> String {
    match &value.value {
        PropValue::String(text) => {
            format!("{}='{}'", tag(value.tag), decode_utf16le(text.as_bytes()))
        }
        other => panic!("no text for {other:?}"),
    }
}

/// What the specification calls the byte after LogonId.
pub fn byte3_name(rop_id: RopId) -> &'static str {
    match rop_id {
        RopId::LOGON => "OutputHandleIndex",
        RopId::SAVE_CHANGES_MESSAGE
        | RopId::SAVE_CHANGES_ATTACHMENT
        | RopId::SET_MESSAGE_READ_FLAG => "ResponseHandleIndex",
        RopId::MOVE_COPY_MESSAGES
        | RopId::MOVE_FOLDER
        | RopId::COPY_FOLDER
        | RopId::COPY_PROPERTIES
        | RopId::COPY_TO
        | RopId::COPY_TO_STREAM => "SourceHandleIndex",
        _ => "InputHandleIndex",
    }
}

/// The fields of a request.
pub fn of_request(request: &Request<'_>) -> Fields {
    let mut fields = Fields::default();
    let f = &mut fields;
    f.u8("LogonId", request.logon_id)
        .u8(byte3_name(request.rop_id), request.handle_index);
    if let Some(index) = request.body.output_handle_index() {
        f.u8("OutputHandleIndex", index);
    }
    if let Some(index) = request.body.dest_handle_index() {
        f.u8("DestHandleIndex", index);
    }
    match &request.body {
        RequestBody::Release(_)
        | RequestBody::QueryPosition(_)
        | RequestBody::GetPropertiesList(_)
        | RequestBody::CommitStream(_)
        | RequestBody::GetStreamSize(_)
        | RequestBody::CreateAttachment(_) => {}
        RequestBody::Logon(body) => {
            f.u8("LogonFlags", body.logon_flags)
                .u32("OpenFlags", body.open_flags)
                .u32("StoreState", body.store_state)
                .ascii("Essdn", body.essdn_text());
        }
        RequestBody::GetReceiveFolder(body) => {
            f.ascii("MessageClass", body.message_class.0);
        }
        RequestBody::LongTermIdFromId(body) => {
            f.text("ObjectId", short_term_id(body.object_id));
        }
        RequestBody::IdFromLongTermId(body) => {
            f.text("LongTermId", long_term_id(body.long_term_id));
        }
        RequestBody::OpenFolder(body) => {
            f.fid("FolderId", body.folder_id)
                .u8("OpenModeFlags", body.open_mode_flags);
        }
        RequestBody::CreateFolder(body) => {
            f.u8("FolderType", body.folder_type)
                .flag("UseUnicodeStrings", body.use_unicode_strings)
                .flag("OpenExisting", body.open_existing)
                .u8("Reserved", body.reserved)
                .string("DisplayName", body.display_name, body.use_unicode_strings)
                .string("Comment", body.comment, body.use_unicode_strings);
        }
        RequestBody::DeleteFolder(body) => {
            f.u8("DeleteFolderFlags", body.delete_folder_flags)
                .fid("FolderId", body.folder_id);
        }
        RequestBody::DeleteMessages(body) => {
            f.flag("WantAsynchronous", body.want_asynchronous)
                .flag("NotifyNonRead", body.notify_non_read)
                .mids(body.message_ids.iter());
        }
        RequestBody::MoveCopyMessages(body) => {
            f.mids(body.message_ids.iter())
                .flag("WantAsynchronous", body.want_asynchronous)
                .flag("WantCopy", body.want_copy);
        }
        RequestBody::MoveFolder(body) => {
            f.flag("WantAsynchronous", body.want_asynchronous)
                .flag("UseUnicode", body.use_unicode)
                .fid("FolderId", body.folder_id)
                .string("NewFolderName", body.new_folder_name, body.use_unicode);
        }
        RequestBody::CopyFolder(body) => {
            f.flag("WantAsynchronous", body.want_asynchronous)
                .flag("WantRecursive", body.want_recursive)
                .flag("UseUnicode", body.use_unicode)
                .fid("FolderId", body.folder_id)
                .string("NewFolderName", body.new_folder_name, body.use_unicode);
        }
        RequestBody::GetSearchCriteria(body) => {
            f.flag("UseUnicode", body.use_unicode)
                .flag("IncludeRestriction", body.include_restriction)
                .flag("IncludeFolders", body.include_folders);
        }
        RequestBody::GetHierarchyTable(body)
        | RequestBody::GetContentsTable(body)
        | RequestBody::GetAttachmentTable(body)
        | RequestBody::GetPermissionsTable(body)
        | RequestBody::GetRulesTable(body) => {
            f.u8("TableFlags", body.table_flags);
        }
        RequestBody::SetColumns(body) => {
            f.u8("SetColumnsFlags", body.set_columns_flags)
                .tags(&body.property_tags);
        }
        RequestBody::SortTable(body) => {
            let orders = &body.sort_orders;
            f.u8("SortTableFlags", body.sort_table_flags)
                .len("SortOrderCount", orders.sort_orders.len())
                .u16("CategoryCount", orders.categorized_count)
                .u16("ExpandedCount", orders.expanded_count)
                .words(
                    "SortOrders",
                    orders
                        .sort_orders
                        .iter()
                        .map(|order| format!("{}:0x{:02X}", tag(order.tag), order.order)),
                );
        }
        RequestBody::Restrict(body) => {
            f.u8("RestrictFlags", body.restrict_flags)
                .len("RestrictionDataSize", body.restriction_data.len());
        }
        RequestBody::QueryRows(body) => {
            f.u8("QueryRowsFlags", body.query_rows_flags)
                .flag("ForwardRead", body.forward_read)
                .u16("RowCount", body.row_count);
        }
        RequestBody::SeekRow(body) => {
            f.u8("Origin", body.origin)
                .text("RowCount", body.row_count.to_string())
                .flag("WantRowMovedCount", body.want_row_moved_count);
        }
        RequestBody::FindRow(body) => {
            f.u8("FindRowFlags", body.find_row_flags)
                .len("RestrictionDataSize", body.restriction_data.len())
                .u8("Origin", body.origin)
                .len("BookmarkSize", body.bookmark.len());
        }
        RequestBody::OpenMessage(body) => {
            f.u16("CodePageId", body.code_page_id)
                .fid("FolderId", body.folder_id)
                .u8("OpenModeFlags", body.open_mode_flags)
                .mid("MessageId", body.message_id);
        }
        RequestBody::CreateMessage(body) => {
            f.u16("CodePageId", body.code_page_id)
                .fid("FolderId", body.folder_id)
                .flag("AssociatedFlag", body.associated_flag);
        }
        RequestBody::SaveChangesMessage(body) | RequestBody::SaveChangesAttachment(body) => {
            f.u8("InputHandleIndex", body.input_handle_index)
                .u8("SaveFlags", body.save_flags);
        }
        RequestBody::RemoveAllRecipients(body) => {
            f.u32("Reserved", body.reserved);
        }
        RequestBody::ModifyRecipients(body) => {
            f.recipient_columns(&body.recipient_columns)
                .len("RowCount", body.recipient_rows.len());
        }
        RequestBody::ReadRecipients(body) => {
            f.u32("RowId", body.row_id).u16("Reserved", body.reserved);
        }
        RequestBody::ReloadCachedInformation(body) => {
            f.u16("Reserved", body.reserved);
        }
        RequestBody::SetReadFlags(body) => {
            f.flag("WantAsynchronous", body.want_asynchronous)
                .u8("ReadFlags", body.read_flags)
                .mids(body.message_ids.iter());
        }
        RequestBody::SetMessageReadFlag(body) => {
            f.u8("InputHandleIndex", body.input_handle_index)
                .u8("ReadFlags", body.read_flags);
        }
        RequestBody::OpenAttachment(body) => {
            f.u8("OpenAttachmentFlags", body.open_attachment_flags)
                .u32("AttachmentID", body.attachment_id);
        }
        RequestBody::DeleteAttachment(body) => {
            f.u32("AttachmentID", body.attachment_id);
        }
        RequestBody::OpenEmbeddedMessage(body) => {
            f.u16("CodePageId", body.code_page_id)
                .u8("OpenModeFlags", body.open_mode_flags);
        }
        RequestBody::GetPropertyIdsFromNames(body) => {
            f.u8("Flags", body.flags).names(body.property_names.iter());
        }
        RequestBody::GetNamesFromPropertyIds(body) => {
            f.property_ids(body.property_ids.iter());
        }
        RequestBody::GetPropertiesSpecific(body) => {
            f.u16("PropertySizeLimit", body.property_size_limit)
                .u16("WantUnicode", body.want_unicode)
                .tags(&body.property_tags);
        }
        RequestBody::GetPropertiesAll(body) => {
            f.u16("PropertySizeLimit", body.property_size_limit)
                .u16("WantUnicode", body.want_unicode);
        }
        RequestBody::SetProperties(body) => {
            let mut values = Vec::new();
            body.property_values.put_items(&mut values).unwrap();
            f.len("PropertyValueSize", values.len() + 2)
                .len("PropertyValueCount", body.property_values.len())
                .words(
                    "PropertyValues",
                    body.property_values.iter().map(tagged_value),
                );
        }
        RequestBody::DeleteProperties(body) => {
            f.tags(&body.property_tags);
        }
        RequestBody::OpenStream(body) => {
            f.text("PropertyTag", tag(body.property_tag))
                .u8("OpenModeFlags", body.open_mode_flags);
        }
        RequestBody::ReadStream(body) => {
            f.u16("ByteCount", body.byte_count);
            if let Some(maximum) = body.maximum_byte_count {
                f.u32("MaximumByteCount", maximum);
            }
        }
        RequestBody::WriteStream(body) => {
            f.len("DataSize", body.data.len()).hex("Data", &body.data);
        }
        RequestBody::SetStreamSize(body) => {
            f.u64("StreamSize", body.stream_size);
        }
        RequestBody::SeekStream(body) => {
            f.u8("Origin", body.origin)
                .text("Offset", body.offset.to_string());
        }
        other => panic!("no vector had {other:?} so far: write down its fields"),
    }
    fields
}

/// The fields of a response to `request`.
pub fn of_response(response: &Response<'_>, request: &Request<'_>) -> Fields {
    let mut fields = Fields::default();
    let f = &mut fields;
    let index_name = match request.body.output_handle_index() {
        Some(_) => "OutputHandleIndex",
        None => byte3_name(request.rop_id),
    };
    f.u8(index_name, response.handle_index)
        .u32("ReturnValue", response.return_value.0);
    match &response.body {
        ResponseBody::SetSearchCriteria(_)
        | ResponseBody::ModifyRecipients(_)
        | ResponseBody::RemoveAllRecipients(_)
        | ResponseBody::OpenAttachment(_)
        | ResponseBody::DeleteAttachment(_)
        | ResponseBody::SaveChangesAttachment(_)
        | ResponseBody::GetAttachmentTable(_)
        | ResponseBody::GetRulesTable(_)
        | ResponseBody::CommitStream(_)
        | ResponseBody::SetStreamSize(_)
        | ResponseBody::GetPropertiesSpecific(_)
        | ResponseBody::Failed(Failure::Plain) => {}
        ResponseBody::Failed(Failure::NullDestination {
            dest_handle_index,
            partial_completion,
            byte_counts: None,
        }) => {
            f.u32("DestHandleIndex", *dest_handle_index);
            if let Some(body) = partial_completion {
                f.flag("PartialCompletion", body.partial_completion);
            }
        }
        ResponseBody::Failed(Failure::Redirect {
            logon_flags,
            server_name,
        }) => {
            f.u8("LogonFlags", *logon_flags)
                .ascii("ServerName", server_name.0);
        }
        ResponseBody::Logon(LogonResponse::Private(body)) => {
            let time = &body.logon_time;
            f.u8("LogonFlags", body.logon_flags)
                .words(
                    "FolderIds",
                    body.folder_ids.map(|id| short_term_id(id.to_u64())),
                )
                .u8("ResponseFlags", body.response_flags)
                .text("MailboxGuid", body.mailbox_guid.to_string())
                .u16("ReplId", body.repl_id)
                .text("ReplGuid", body.repl_guid.to_string())
                .text(
                    "LogonTime",
                    format!(
                        "seconds {} minutes {} hour {} dayofweek {} day {} month {} year {}",
                        time.seconds,
                        time.minutes,
                        time.hour,
                        time.day_of_week,
                        time.day,
                        time.month,
                        time.year
                    ),
                )
                .u64("GwartTime", body.gwart_time.0)
                .u32("StoreState", body.store_state);
        }
        ResponseBody::GetReceiveFolder(body) => {
            f.fid("FolderId", body.folder_id)
                .ascii("ExplicitMessageClass", body.explicit_message_class.0);
        }
        ResponseBody::LongTermIdFromId(body) => {
            f.text("LongTermId", long_term_id(body.long_term_id));
        }
        ResponseBody::IdFromLongTermId(body) => {
            f.text("ObjectId", short_term_id(body.object_id));
        }
        ResponseBody::OpenFolder(body) => {
            f.flag("HasRules", body.has_rules)
                .ghost(body.servers.as_ref());
        }
        ResponseBody::CreateFolder(body) => {
            f.fid("FolderId", body.folder_id)
                .flag("IsExistingFolder", body.existing_folder.is_some());
            if let Some(folder) = &body.existing_folder {
                f.flag("HasRules", folder.has_rules)
                    .ghost(folder.servers.as_ref());
            }
        }
        ResponseBody::DeleteFolder(body)
        | ResponseBody::DeleteMessages(body)
        | ResponseBody::MoveCopyMessages(body)
        | ResponseBody::MoveFolder(body)
        | ResponseBody::CopyFolder(body)
        | ResponseBody::SetReadFlags(body) => {
            f.flag("PartialCompletion", body.partial_completion);
        }
        ResponseBody::GetHierarchyTable(body) | ResponseBody::GetContentsTable(body) => {
            f.u32("RowCount", body.row_count);
        }
        ResponseBody::SetColumns(body)
        | ResponseBody::SortTable(body)
        | ResponseBody::Restrict(body) => {
            f.u8("TableStatus", body.table_status);
        }
        ResponseBody::QueryRows(body) => {
            f.u8("Origin", body.origin).u16("RowCount", body.row_count);
        }
        ResponseBody::QueryPosition(body) => {
            f.u32("Numerator", body.numerator)
                .u32("Denominator", body.denominator);
        }
        ResponseBody::SeekRow(body) => {
            f.flag("HasSoughtLess", body.has_sought_less)
                .text("RowsSought", body.rows_sought.to_string());
        }
        ResponseBody::FindRow(body) => {
            f.flag("RowNoLongerVisible", body.row_no_longer_visible)
                .flag("HasRowData", body.row_data.is_some());
        }
        ResponseBody::OpenMessage(body) | ResponseBody::ReloadCachedInformation(body) => {
            f.opened_message(body);
        }
        ResponseBody::OpenEmbeddedMessage(body) => {
            f.u8("Reserved", body.reserved)
                .mid("MessageId", body.message_id)
                .opened_message(&body.message);
        }
        ResponseBody::CreateMessage(body) => {
            f.flag("HasMessageId", body.message_id.is_some());
            if let Some(id) = body.message_id {
                f.mid("MessageId", id);
            }
        }
        ResponseBody::SaveChangesMessage(body) => {
            f.u8("InputHandleIndex", body.input_handle_index)
                .mid("MessageId", body.message_id);
        }
        ResponseBody::ReadRecipients(body) => {
            f.u8("RowCount", u8::try_from(body.recipient_rows.len()).unwrap());
        }
        ResponseBody::SetMessageReadFlag(body) => {
            f.flag("ReadStatusChanged", body.read_status_changed.is_some());
        }
        ResponseBody::CreateAttachment(body) => {
            f.u32("AttachmentID", body.attachment_id);
        }
        ResponseBody::GetPropertyIdsFromNames(body) => {
            f.property_ids(body.property_ids.iter());
        }
        ResponseBody::GetNamesFromPropertyIds(body) => {
            f.names(body.property_names.iter());
        }
        ResponseBody::GetPropertiesAll(body) => {
            f.len("PropertyValueCount", body.property_values.len());
        }
        ResponseBody::GetPropertiesList(body) => {
            f.tags(&body.property_tags);
        }
        ResponseBody::SetProperties(body) | ResponseBody::DeleteProperties(body) => {
            f.problems(body);
        }
        ResponseBody::OpenStream(body) | ResponseBody::GetStreamSize(body) => {
            f.u32("StreamSize", body.stream_size);
        }
        ResponseBody::ReadStream(body) => {
            f.len("DataSize", body.data.len()).hex("Data", &body.data);
        }
        ResponseBody::WriteStream(body) => {
            f.u16("WrittenSize", body.written_size);
        }
        ResponseBody::SeekStream(body) => {
            f.u64("NewPosition", body.new_position);
        }
        other => panic!("no vector had {other:?} so far: write down its fields"),
    }
    fields
}

/// The fields of what a server sends unasked.
pub fn of_server_only(rop: &OutputRop<'_>) -> Fields {
    let mut fields = Fields::default();
    match rop {
        OutputRop::BufferTooSmall(body) => {
            fields
                .u16("SizeNeeded", body.size_needed)
                .hex("RequestBuffers", body.request_buffers);
        }
        OutputRop::Pending(body) => {
            fields.u16("SessionIndex", body.session_index);
        }
        other => panic!("no vector had {other:?} so far: write down its fields"),
    }
    fields
}
