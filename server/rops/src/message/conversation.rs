//! What a message tells of the conversation that it belongs to (MS-OXOMSG 2.2.1).

use md5::{Digest as _, Md5};
use ropewalk_props::{BagView, FileTime, tags::*};
use ropewalk_wire::ErrorCode;

/// Bytes of a PidTagConversationIndex before the responses: a reserved byte, a time, a GUID.
const INDEX_LEN: usize = 22;
/// The reserved byte.
const INDEX_MARK: u8 = 0x01;
/// Where its GUID begins.
const INDEX_GUID: usize = 6;

/// PidTagConversationId (MS-OXOMSG 2.2.1.2): from the conversation index if it is tracked, else from
/// the topic; `None` without either.
pub fn id(props: &dyn BagView) -> Option<[u8; 16]> {
    let tracked = props
        .get(PID_TAG_CONVERSATION_INDEX_TRACKING)
        .and_then(|value| value.as_bool());
    let index = props.get(PID_TAG_CONVERSATION_INDEX);
    if tracked == Some(true)
        && let Some(index) = index.and_then(|value| value.as_binary())
        && index.first() == Some(&INDEX_MARK)
        && let Some(guid) = index.get(INDEX_GUID..INDEX_LEN)
    {
        return guid.try_into().ok();
    }
    props
        .get(PID_TAG_CONVERSATION_TOPIC)
        .map(|topic| of_topic(topic.data))
}

/// The hash of the first characters of a topic in UTF-16LE, in upper case.
fn of_topic(topic: &[u8]) -> [u8; 16] {
    const CHARACTERS: usize = 255;
    let units = ropewalk_props::text::units(topic);
    let upper: Vec<u8> = units
        .take_while(|unit| *unit != 0)
        .take(CHARACTERS)
        .flat_map(|unit| upper(unit).to_le_bytes())
        .collect();
    Md5::digest(&upper).into()
}

/// The upper-case form of a UTF-16 unit, if that is one unit again.
fn upper(unit: u16) -> u16 {
    let Some(character) = char::from_u32(unit.into()) else {
        return unit;
    };
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => u16::try_from(u32::from(upper)).unwrap_or(unit),
        _ => unit,
    }
}

/// PidTagConversationIndex of a message that answers none (MS-OXOMSG 2.2.1.3): a reserved byte, the
/// five high bytes below the highest of the time, and a GUID.
pub fn new_index(now: FileTime) -> Result<Vec<u8>, ErrorCode> {
    let [_, a, b, c, d, e, _, _] = now.0.to_be_bytes();
    let mut index = vec![INDEX_MARK, a, b, c, d, e];
    let mut guid = [0; 16];
    getrandom::fill(&mut guid).map_err(|_| ErrorCode::GENERAL_FAILURE)?;
    index.extend_from_slice(&guid);
    Ok(index)
}

#[cfg(test)]
mod tests {
    use ropewalk_props::{Bag, PropValue};

    use super::*;

    fn hex(id: [u8; 16]) -> String {
        id.map(|byte| format!("{byte:02x}")).concat()
    }

    #[test]
    fn the_topic_is_hashed_in_upper_case() {
        // By md5sum of the UTF-16LE text "ZOË ŠKODA".
        let hash = "aaa620a3755c7479397f053b09282e7c";
        for topic in ["zoë škoda", "Zoë Škoda", "ZOË ŠKODA"] {
            let mut bag = Bag::new();
            bag.set_text(PID_TAG_CONVERSATION_TOPIC, topic);
            assert_eq!(id(&bag).map(hex).as_deref(), Some(hash));
        }
        assert_eq!(upper(u16::from(b'i')), u16::from(b'I'));
        // It has two characters in upper case.
        assert_eq!(upper(0xDF), 0xDF);
        assert_eq!(upper(0xD83D), 0xD83D);
        let mut long = Bag::new();
        long.set_text(PID_TAG_CONVERSATION_TOPIC, &"x".repeat(255));
        let mut longer = Bag::new();
        longer.set_text(PID_TAG_CONVERSATION_TOPIC, &"x".repeat(300));
        assert_eq!(id(&long), id(&longer));
    }

    #[test]
    fn the_index_counts_if_it_is_tracked_and_whole() {
        let mut bag = Bag::new();
        assert_eq!(id(&bag), None);
        let mut index = vec![1, 2, 3, 4, 5, 6];
        index.extend([0xAB; 16]);
        bag.set(
            PID_TAG_CONVERSATION_INDEX,
            &PropValue::Binary(index.clone()),
        );
        assert_eq!(id(&bag), None);
        let tracked = PropValue::Boolean(true);
        bag.set(PID_TAG_CONVERSATION_INDEX_TRACKING, &tracked);
        assert_eq!(id(&bag), Some([0xAB; 16]));
        bag.set_text(PID_TAG_CONVERSATION_TOPIC, "topic");
        assert_eq!(id(&bag), Some([0xAB; 16]));
        index.pop();
        bag.set(PID_TAG_CONVERSATION_INDEX, &PropValue::Binary(index));
        assert_eq!(id(&bag), Some(of_topic(b"T\0O\0P\0I\0C\0")));
    }
}
