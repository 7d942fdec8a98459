//! Mail to measure with: the same from the same seed.

use ropewalk_store::{
    Attachment, Message, Recipient, SaveMessage,
    props::{Bag, FileTime, GlobCnt, PropTag, PropType, PropValue, tags},
};

use crate::Rng;

/// 2020-01-01 in units of FILETIME.
const EPOCH: u64 = 132_223_104_000_000_000;

/// Text and bytes that messages are cut from: made once, so that making a message costs little.
#[derive(Debug)]
pub struct Pool {
    text: String,
    bytes: Vec<u8>,
}

impl Default for Pool {
    fn default() -> Self {
        let mut rng = Rng(11);
        let words: Vec<String> = (0..4_000)
            .map(|_| {
                let len = 2 + rng.below(9);
                let letters = (0..len).map(|_| b'a' + rng.below(26) as u8);
                letters.map(char::from).collect()
            })
            .collect();
        let mut text = String::new();
        while text.len() < 1 << 20 {
            // Some words are far more frequent than others.
            let unit = rng.unit();
            let word = (unit * unit * unit * words.len() as f64) as usize;
            text.push_str(&words[word]);
            text.push(' ');
        }
        // As an attachment that is compressed already.
        let bytes = (0..1 << 20).flat_map(|_| rng.number().to_le_bytes());
        Self {
            text,
            bytes: bytes.collect(),
        }
    }
}

impl Pool {
    fn text(&self, rng: &mut Rng, len: usize) -> &str {
        let len = len.min(self.text.len() / 2);
        let start = rng.below((self.text.len() - len) as u64) as usize;
        &self.text[start..start + len]
    }

    fn bytes(&self, rng: &mut Rng, len: usize) -> &[u8] {
        let len = len.min(self.bytes.len() - 1);
        let start = rng.below((self.bytes.len() - len) as u64) as usize;
        &self.bytes[start..start + len]
    }

    /// A message with about `size` bytes of property values and an attachment of `attached` bytes, if
    /// that is not 0.
    pub fn message(&self, rng: &mut Rng, size: usize, attached: usize) -> Message {
        let mut message = Message::default();
        let props = &mut message.props;
        let sender = self.text(rng, 24).to_owned();
        props.set_text(tags::PID_TAG_MESSAGE_CLASS, "IPM.Note");
        let subject = 8 + rng.below(60) as usize;
        props.set_text(tags::PID_TAG_SUBJECT, self.text(rng, subject));
        let delivered = EPOCH + rng.below(1 << 50);
        props.set(
            tags::PID_TAG_MESSAGE_DELIVERY_TIME,
            &PropValue::Time(FileTime(delivered)),
        );
        // As many small ones as mail has: names, addresses, numbers, keys.
        for id in 0..10u16 {
            let tag = PropTag::new(0x6800 + id, PropType::STRING);
            props.set(tag, &PropValue::text(&sender));
            let tag = PropTag::new(0x6820 + id, PropType::INTEGER32);
            props.set(tag, &PropValue::Integer32(rng.number() as i32));
        }
        message.recipients.push(Recipient {
            row_id: 0,
            kind: 1,
            props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(&sender))]),
        });
        let rest = size.saturating_sub(800) / 2;
        let body = self.text(rng, rest.max(16));
        message.props.set_text(tags::PID_TAG_BODY, body);
        if attached > 0 {
            let tag = tags::PID_TAG_ATTACH_DATA_BINARY;
            let bytes = self.bytes(rng, attached).to_vec();
            message.attachments.push(Attachment {
                number: 0,
                props: Bag::from_iter([(tag, PropValue::Binary(bytes))]),
                embedded: None,
            });
        }
        message
    }

    /// A message of mixed mail: about 4 KiB (log-normal, sigma 0.8, median 4 KiB), 3 in 100 with an
    /// attachment of 50 to 500 KiB, 1 in 1,000 with one of 5 MiB.
    pub fn mixed(&self, rng: &mut Rng) -> Message {
        let size = 4096.0 * (rng.normal() * 0.8).exp();
        let attached = match rng.below(1_000) {
            0 => 5 << 20,
            1..=30 => (50 << 10) + rng.below(450 << 10) as usize,
            _ => 0,
        };
        self.message(rng, size as usize, attached)
    }
}

/// A new message for a folder.
pub fn save(folder: GlobCnt, message: Message) -> SaveMessage {
    SaveMessage {
        folder,
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    }
}

/// Bytes of all property values of a message.
pub fn raw_bytes(message: &Message) -> u64 {
    use ropewalk_store::props::BagView as _;
    let bag = |bag: &Bag| -> u64 {
        let values = bag.iter().map(|(tag, _)| tag);
        values
            .filter_map(|tag| bag.get(tag))
            .map(|value| value.data.len() as u64)
            .sum()
    };
    let recipients = message.recipients.iter().map(|row| bag(&row.props));
    let attachments = message.attachments.iter().map(|row| bag(&row.props));
    bag(&message.props) + recipients.sum::<u64>() + attachments.sum::<u64>()
}
