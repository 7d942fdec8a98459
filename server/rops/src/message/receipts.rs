//! What a message tells of the receipts that its sender asks for: mfNotifyRead and mfNotifyUnread, which
//! are the server's (MS-OXCMSG 2.2.1.6), follow from the two properties that are the client's
//! (MS-OXOMSG 2.2.1.29, 2.2.1.31).

use ropewalk_props::{Bag, BagView, PropTag, PropValue, tags::*};

use super::properties::flags::{NOTIFY_READ, NOTIFY_UNREAD};

/// Which of the two a client has just set or deleted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed {
    read: bool,
    unread: bool,
}

impl Changed {
    /// Takes note of a property that was set or deleted.
    pub fn note(&mut self, tag: PropTag) {
        self.read |= tag.id() == PID_TAG_READ_RECEIPT_REQUESTED.id();
        self.unread |= tag.id() == PID_TAG_NON_RECEIPT_NOTIFICATION_REQUESTED.id();
    }
}

/// Brings PidTagMessageFlags in step with those of the two that changed. A later save leaves the flags
/// as ReadFlags have them (MS-OXCMSG 2.2.3.10.1).
pub fn settle(props: &mut Bag, changed: Changed) {
    let old = props.get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0) as u32;
    let mut bits = old;
    for (tag, bit, is_changed) in [
        (PID_TAG_READ_RECEIPT_REQUESTED, NOTIFY_READ, changed.read),
        (
            PID_TAG_NON_RECEIPT_NOTIFICATION_REQUESTED,
            NOTIFY_UNREAD,
            changed.unread,
        ),
    ] {
        if is_changed {
            let asked = props.get(tag).and_then(|value| value.as_bool());
            bits = if asked == Some(true) {
                bits | bit
            } else {
                bits & !bit
            };
        }
    }
    if bits != old {
        props.set(PID_TAG_MESSAGE_FLAGS, &PropValue::Integer32(bits as i32));
    }
}
