//! The messages that a search has found.

use ropewalk_props::GlobCnt;
use ropewalk_store::{Contents, FolderCounts, MessageEntry};
use ropewalk_wire::{Put, Reader};

use crate::limits::MESSAGE_ENTRY_BYTES;

/// What a search has found: a view like that of a folder, of messages that lie in several.
#[derive(Debug)]
pub struct Found {
    contents: Contents,
    counts: FolderCounts,
    /// How many are shown at most, the newest.
    limit: Option<usize>,
    /// Those that match beyond the limit, all older than the ones shown.
    beyond: Contents,
}

impl Found {
    /// Nothing yet.
    pub fn new(limit: Option<usize>) -> Self {
        Self {
            contents: Contents::gathered(),
            counts: FolderCounts::default(),
            limit,
            beyond: Contents::default(),
        }
    }

    /// The messages.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Their number and size.
    pub fn counts(&self) -> FolderCounts {
        self.counts
    }

    /// What it all takes in memory, about.
    pub fn bytes(&self) -> usize {
        (self.contents.len() + self.beyond.len()) * MESSAGE_ENTRY_BYTES
    }

    /// Whether a message is among those found, shown or not.
    pub fn has(&self, id: GlobCnt) -> bool {
        self.contents.get(id).is_some() || self.beyond.get(id).is_some()
    }

    /// Takes a message in, or what has become of one.
    pub fn put(&mut self, entry: MessageEntry) {
        if self.beyond.get(entry.id).is_some() {
            self.beyond.insert(entry);
            return;
        }
        self.show(entry);
        if self.limit.is_some_and(|limit| self.contents.len() > limit) {
            let oldest = self.contents.iter().next().map(|entry| entry.id);
            if let Some(entry) = oldest.and_then(|id| self.hide(id)) {
                self.beyond.insert(entry);
            }
        }
    }

    /// Takes a message out, if it is there.
    pub fn remove(&mut self, id: GlobCnt) {
        if self.beyond.remove(id).is_some() || self.hide(id).is_none() {
            return;
        }
        let next = self.beyond.iter().next_back().map(|entry| entry.id);
        if let Some(entry) = next.and_then(|id| self.beyond.remove(id)) {
            self.show(entry);
        }
    }

    /// What was there of a message that is gone stays, without its content.
    pub fn lose(&mut self, id: GlobCnt) {
        let known = self.contents.get(id).or_else(|| self.beyond.get(id));
        if let Some(lost) = known.map(MessageEntry::without_content) {
            self.put(lost);
        }
    }

    fn show(&mut self, entry: MessageEntry) {
        self.counts.add(&entry);
        if let Some(old) = self.contents.insert(entry) {
            self.counts.remove(&old);
        }
    }

    fn hide(&mut self, id: GlobCnt) -> Option<MessageEntry> {
        let old = self.contents.remove(id)?;
        self.counts.remove(&old);
        Some(old)
    }

    /// Where the messages are, to be kept: for each folder its id, a count and as many ids of
    /// messages, each as what it is more than the one before it.
    pub fn encode(&self, serial: u32) -> Vec<u8> {
        let mut places: Vec<(GlobCnt, GlobCnt)> = self
            .contents
            .iter()
            .map(|entry| (entry.folder, entry.id))
            .collect();
        places.sort_unstable();
        let mut out = Vec::with_capacity(5 + 2 * places.len());
        out.put_u8(FORMAT);
        out.put_u32(serial);
        for folder in places.chunk_by(|a, b| a.0 == b.0) {
            let Some((id, _)) = folder.first() else {
                continue;
            };
            out.put_u64(id.0);
            out.put_u32(u32::try_from(folder.len()).unwrap_or(u32::MAX));
            let mut before = 0;
            for (_, id) in folder {
                put_number(&mut out, id.0.saturating_sub(before));
                before = id.0;
            }
        }
        out
    }
}

/// The first byte of what is kept.
const FORMAT: u8 = 1;

/// Where the messages of kept results are, by folder; `None` if they are those of another search.
pub fn decode(bytes: &[u8], serial: u32) -> Option<Vec<(GlobCnt, Vec<GlobCnt>)>> {
    let mut input = Reader::new(bytes);
    if input.u8().ok()? != FORMAT || input.u32().ok()? != serial {
        return None;
    }
    let mut folders = Vec::new();
    while !input.is_empty() {
        let folder = GlobCnt(input.u64().ok()?);
        let count = input.u32().ok()?;
        let mut before = 0_u64;
        let ids = (0..count).map(|_| {
            before = before.checked_add(take_number(&mut input)?)?;
            Some(GlobCnt(before))
        });
        folders.push((folder, ids.collect::<Option<_>>()?));
    }
    Some(folders)
}

/// Appends a number, seven bits in each byte, the lowest first; all bytes but the last have the top bit.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7F {
        out.put_u8((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

fn take_number(input: &mut Reader<'_>) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = input.u8().ok()?;
        let bits = u64::from(byte & 0x7F);
        number |= bits.checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: GlobCnt = GlobCnt(7);

    fn entry(id: u64, read: bool) -> MessageEntry {
        let mut entry = MessageEntry::lost(FOLDER, GlobCnt(id));
        (entry.read, entry.size) = (read, 10);
        entry
    }

    fn ids(found: &Found) -> Vec<u64> {
        let ids: Vec<u64> = found.contents().iter().map(|entry| entry.id.0).collect();
        assert_eq!(found.counts().content as usize, ids.len());
        ids
    }

    #[test]
    fn of_more_than_the_limit_the_newest_are_shown() {
        let mut found = Found::new(Some(2));
        [3, 1, 5, 4]
            .into_iter()
            .for_each(|id| found.put(entry(id, false)));
        assert_eq!(ids(&found), [4, 5]);
        found.put(entry(3, true));
        assert!(found.has(GlobCnt(3)) && found.has(GlobCnt(5)) && !found.has(GlobCnt(2)));
        assert_eq!(found.counts().unread, 2);
        found.remove(GlobCnt(5));
        assert_eq!((ids(&found), found.counts().unread), (vec![3, 4], 1));
        [1, 1, 9, 4]
            .into_iter()
            .for_each(|id| found.remove(GlobCnt(id)));
        assert_eq!(ids(&found), [3]);
        assert_eq!(found.counts().size, 10);
        let mut none = Found::new(Some(0));
        none.put(entry(1, false));
        assert!(ids(&none).is_empty());
    }

    #[test]
    fn what_is_kept_says_where_the_messages_are() {
        const LARGE: u64 = GlobCnt::MAX.0;
        let mut found = Found::new(None);
        for (folder, id) in [(7, 1), (8, LARGE), (7, 300)] {
            found.put(MessageEntry::lost(GlobCnt(folder), GlobCnt(id)));
        }
        let kept = found.encode(9);
        let folders = vec![
            (GlobCnt(7), vec![GlobCnt(1), GlobCnt(300)]),
            (GlobCnt(8), vec![GlobCnt(LARGE)]),
        ];
        assert_eq!(decode(&kept, 9), Some(folders));
        assert_eq!(decode(&kept, 8), None);
        for length in 0..kept.len() {
            // Cut between folders, it is the results of fewer.
            if let Some(folders) = decode(&kept[..length], 9) {
                assert!(folders.len() < 2, "{length}");
            }
        }
        assert_eq!(decode(&[FORMAT + 1, 9, 0, 0, 0], 9), None);
        let endless = [&kept[..17], &[0xFF; 20]].concat();
        assert_eq!(decode(&endless, 9), None);
    }
}
