//! Messages made from a few numbers, and their content in a form that can be compared.

use ropewalk_props::{Bag, BagView, BlobRef, PropTag, PropValue, Slot, tags};

use super::random::Random;
use crate::{Attachment, Message, Recipient, Store, StoreError};

/// Every value of a message: where, which, and its bytes.
pub type Content = Vec<(String, PropTag, Vec<u8>)>;

/// A message to be made.
#[derive(Clone, Debug)]
pub struct MessageSpec {
    pub seed: u64,
    /// Bytes of a body that sits in the message when it is saved.
    pub body: usize,
    pub recipients: usize,
    pub attachments: usize,
    /// Whether the first attachment is a message with such an attachment again.
    pub nested: bool,
    pub blob: Option<BlobSpec>,
}

/// Bytes of large values that are there several times.
const REPEATED: [usize; 4] = [9000, 65_536, 70_000, 190_000];

/// A large value to be written in pieces.
#[derive(Clone, Debug)]
pub struct BlobSpec {
    pub writes: Vec<(u64, usize)>,
    pub cut: Option<u64>,
}

const BODY: PropTag = tags::PID_TAG_BODY_HTML.with_type(ropewalk_props::PropType::BINARY);
const DATA: PropTag = tags::PID_TAG_ATTACH_DATA_BINARY;
const BLOB: PropTag = tags::PID_TAG_RTF_COMPRESSED;

impl MessageSpec {
    pub fn random(random: &mut Random) -> Self {
        let body = match random.below(12) {
            0 => random.below(200_000),
            1..3 => random.below(20_000),
            _ => random.below(300),
        };
        let seed = random.next();
        // Large values come again, whole or in part.
        let again = body > 8192 && seed.is_multiple_of(2);
        let (seed, body) = match again {
            true => (seed / 2 % 3, REPEATED[(seed / 8 % 4) as usize]),
            false => (seed, body as usize),
        };
        Self {
            seed,
            body,
            recipients: random.below(4) as usize,
            attachments: random.below(6).saturating_sub(3) as usize,
            nested: random.once_in(3),
            blob: random.once_in(6).then(|| BlobSpec::random(random)),
        }
    }

    /// The message without its blob.
    pub fn message(&self) -> Message {
        let mut random = Random::new(self.seed);
        let mut props = Bag::new();
        props.set_text(
            tags::PID_TAG_SUBJECT,
            &format!("subject {}", random.below(100)),
        );
        props.set(BODY, &PropValue::Binary(random.bytes(self.body)));
        props.set(tags::PID_TAG_IMPORTANCE, &PropValue::Integer32(1));
        let recipients = (0..self.recipients).map(|n| Recipient {
            row_id: n as u32,
            kind: 1,
            props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text("someone"))]),
        });
        let recipients = recipients.collect();
        let attachments = (0..self.attachments).map(|n| {
            let len = random.below(9000) as usize;
            let mut props = Bag::new();
            props.set(DATA, &PropValue::Binary(random.bytes(len)));
            let inner = || {
                let inner = Self {
                    nested: false,
                    ..self.clone()
                };
                Box::new(inner.message())
            };
            Attachment {
                number: n as u32,
                props,
                embedded: (self.nested && n == 0).then(inner),
            }
        });
        let attachments = attachments.collect();
        Message {
            props,
            recipients,
            attachments,
        }
    }

    /// The message with its blob, which is written to the store.
    pub fn stored(&self, store: &Store) -> Result<Message, StoreError> {
        let mut message = self.message();
        if let Some(blob) = &self.blob {
            message.props.set_external(BLOB, blob.write(store)?);
        }
        Ok(message)
    }

    /// The content that the store should give back, apart from the times that it sets.
    pub fn content(&self) -> Content {
        let mut message = self.message();
        if let Some(blob) = &self.blob {
            message.props.set_packed(BLOB, &blob.bytes());
        }
        content(&message, &|_| Vec::new())
    }
}

impl BlobSpec {
    fn random(random: &mut Random) -> Self {
        let writes = (0..1 + random.below(4))
            .map(|_| (random.below(300_000), random.below(70_000) as usize))
            // Whole chunks come again, too.
            .map(|(at, len)| match at % 3 {
                0 => (at - at % 65_536, 65_536),
                _ => (at, len),
            })
            .collect();
        Self {
            writes,
            cut: random.once_in(3).then(|| random.below(200_000)),
        }
    }

    fn pieces(&self) -> impl Iterator<Item = (u64, Vec<u8>)> {
        let pieces = self.writes.iter();
        pieces.map(|(at, len)| (*at, Random::new(*at).bytes(*len)))
    }

    fn write(&self, store: &Store) -> Result<BlobRef, StoreError> {
        let mut writer = store.blob_writer();
        for (at, piece) in self.pieces() {
            writer.write_at(at, &piece)?;
        }
        if let Some(len) = self.cut {
            writer.set_len(len)?;
            // What was cut off may not come back.
            writer.set_len(len + 1000)?;
        }
        writer.finish()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (at, piece) in self.pieces().filter(|(_, piece)| !piece.is_empty()) {
            let end = at as usize + piece.len();
            bytes.resize(bytes.len().max(end), 0);
            bytes[at as usize..end].copy_from_slice(&piece);
        }
        if let Some(len) = self.cut {
            bytes.resize(len as usize, 0);
            bytes.resize(len as usize + 1000, 0);
        }
        bytes
    }
}

/// A message's content; `read` reads its blobs.
pub fn content(message: &Message, read: &dyn Fn(BlobRef) -> Vec<u8>) -> Content {
    let mut content = Content::new();
    add_message(&mut content, "", message, read);
    content
}

fn add_message(
    content: &mut Content,
    path: &str,
    message: &Message,
    read: &dyn Fn(BlobRef) -> Vec<u8>,
) {
    let mut add = |path: String, bag: &Bag| {
        for (tag, slot) in bag.iter() {
            let bytes = match slot {
                Slot::Inline(value) => value.data.to_vec(),
                Slot::External(blob) => read(blob),
            };
            content.push((path.clone(), tag, bytes));
        }
    };
    add(path.to_owned(), &message.props);
    for recipient in &message.recipients {
        let (row, kind) = (recipient.row_id, recipient.kind);
        add(format!("{path}/r{row}.{kind}"), &recipient.props);
    }
    for attachment in &message.attachments {
        add(format!("{path}/a{}", attachment.number), &attachment.props);
    }
    for attachment in &message.attachments {
        if let Some(embedded) = &attachment.embedded {
            let path = format!("{path}/a{}/m", attachment.number);
            add_message(content, &path, embedded, read);
        }
    }
}

/// The whole of a large value.
pub fn read_blob(store: &Store, blob: BlobRef) -> Result<Vec<u8>, StoreError> {
    let reader = store.blob_reader(blob)?;
    let mut bytes = vec![0; reader.len() as usize];
    // In steps that fit no chunk.
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + 50_001);
        at += reader.read_at(at as u64, &mut bytes[at..end])?;
    }
    Ok(bytes)
}
