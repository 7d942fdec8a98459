//! Subject, subject prefix and normalized subject, kept in step (MS-OXCMSG 2.2.1.9 and 2.2.1.10).

use ropewalk_props::{
    Bag, BagView, PropTag, PropType, PropValue, Utf16Text, tags::*, text::decode_utf16le,
};

/// Splits a subject at its prefix: up to three characters that are no digits or spaces, a colon and
/// a space (MS-OXCMSG 2.2.1.9, MS-OXCMAIL 2.2.3.2.6.1).
pub fn split(subject: &str) -> (&str, &str) {
    let prefix_end = subject
        .char_indices()
        .take(4)
        .find(|(_, c)| *c == ':')
        .map(|(at, _)| at);
    if let Some(colon) = prefix_end
        && let Some((head, tail)) = subject.split_at_checked(colon)
        && !head.is_empty()
        && head
            .chars()
            .all(|c| !c.is_ascii_digit() && !c.is_whitespace())
        && tail.starts_with(": ")
        && let Some(parts) = subject.split_at_checked(colon + 2)
    {
        return parts;
    }
    ("", subject)
}

/// Which of the three a client has just set or deleted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed {
    /// PidTagSubject.
    pub subject: bool,
    /// PidTagSubjectPrefix.
    pub prefix: bool,
    /// PidTagNormalizedSubject.
    pub normalized: bool,
    /// One of the last two was deleted.
    pub deleted: bool,
}

/// Brings the other subject properties in step with those just set; every code unit stays as it is.
pub fn settle(props: &mut Bag, changed: Changed) {
    let set = |props: &mut Bag, tag, utf16: &[u8]| {
        props.set(tag, &PropValue::String(Utf16Text::from_le_bytes(utf16)));
    };
    let get = |tag| utf16(props, tag).map(<[u8]>::to_vec);
    let prefix = get(PID_TAG_SUBJECT_PREFIX);
    if changed.subject {
        let subject = get(PID_TAG_SUBJECT).unwrap_or_default();
        let len = match prefix {
            // A prefix given along with the subject holds as long as the subject begins with it.
            Some(prefix) if changed.prefix && subject.starts_with(&prefix) => prefix.len(),
            _ => prefix_len(&subject),
        };
        let (prefix, normalized) = subject.split_at_checked(len).unwrap_or((&[], &subject));
        set(props, PID_TAG_SUBJECT_PREFIX, prefix);
        set(props, PID_TAG_NORMALIZED_SUBJECT, normalized);
    } else if changed.prefix || changed.normalized {
        let prefix = prefix.unwrap_or_default();
        let normalized = get(PID_TAG_NORMALIZED_SUBJECT).unwrap_or_default();
        set(props, PID_TAG_SUBJECT, &[&*prefix, &*normalized].concat());
        set(props, PID_TAG_NORMALIZED_SUBJECT, &normalized);
        set(props, PID_TAG_SUBJECT_PREFIX, &prefix);
    } else if changed.deleted && props.slot(PID_TAG_SUBJECT.id()).is_some() {
        // What is left of it (MS-OXCMSG 2.2.1.46).
        let subject = match (prefix, get(PID_TAG_NORMALIZED_SUBJECT)) {
            (None, None) => {
                props.remove(PID_TAG_SUBJECT.id());
                return;
            }
            (prefix, rest) => [prefix.unwrap_or_default(), rest.unwrap_or_default()].concat(),
        };
        set(props, PID_TAG_SUBJECT, &subject);
    }
}

/// A PtypString, if the property is one that is at hand.
fn utf16(props: &Bag, tag: PropTag) -> Option<&[u8]> {
    let value = props.get(tag)?;
    (value.ty == PropType::STRING).then_some(value.data)
}

/// Bytes of the prefix of a subject in UTF-16LE.
fn prefix_len(subject: &[u8]) -> usize {
    /// Three characters of two code units, a colon and a space.
    const LONGEST: usize = 16;
    let start = subject.get(..LONGEST).unwrap_or(subject);
    // An unpaired surrogate is one character of one unit, before and after.
    let start = decode_utf16le(start);
    2 * split(&start).0.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_up_to_three_letters_colon_space() {
        assert_eq!(split("RE: lunch"), ("RE: ", "lunch"));
        assert_eq!(split("Antw: lunch"), ("", "Antw: lunch"));
        assert_eq!(split("FW:lunch"), ("", "FW:lunch"));
        assert_eq!(split(": lunch"), ("", ": lunch"));
        assert_eq!(split("12: lunch"), ("", "12: lunch"));
        assert_eq!(split("返信: 昼"), ("返信: ", "昼"));
        assert_eq!(split(""), ("", ""));
    }

    #[test]
    fn setting_one_keeps_the_others_in_step() {
        let mut bag = Bag::new();
        bag.set_text(PID_TAG_SUBJECT, "RE: RE: lunch");
        settle(
            &mut bag,
            Changed {
                subject: true,
                ..Changed::default()
            },
        );
        assert_eq!(
            bag.get_text(PID_TAG_SUBJECT_PREFIX).as_deref(),
            Some("RE: ")
        );
        assert_eq!(
            bag.get_text(PID_TAG_NORMALIZED_SUBJECT).as_deref(),
            Some("RE: lunch")
        );
        bag.set_text(PID_TAG_NORMALIZED_SUBJECT, "dinner");
        settle(
            &mut bag,
            Changed {
                normalized: true,
                ..Changed::default()
            },
        );
        assert_eq!(bag.get_text(PID_TAG_SUBJECT).as_deref(), Some("RE: dinner"));
    }

    #[test]
    fn unpaired_surrogates_stay_where_they_are() {
        const LONE: [u8; 2] = [0x00, 0xD8];
        let text = |parts: &[&[u8]]| PropValue::String(Utf16Text::from_le_bytes(&parts.concat()));
        let ascii = |text: &str| Utf16Text::from(text).into_bytes();
        let value = |bag: &Bag, tag| bag.get(tag).and_then(|value| value.to_value());
        let mut bag = Bag::new();
        let (prefix, rest) = ([&LONE[..], &ascii("A: ")].concat(), ascii("rope"));
        bag.set(PID_TAG_SUBJECT, &text(&[&prefix, &rest, &LONE]));
        let subject = Changed {
            subject: true,
            ..Changed::default()
        };
        settle(&mut bag, subject);
        assert_eq!(value(&bag, PID_TAG_SUBJECT_PREFIX), Some(text(&[&prefix])));
        let normalized = text(&[&rest, &LONE]);
        assert_eq!(value(&bag, PID_TAG_NORMALIZED_SUBJECT), Some(normalized));
        bag.set(PID_TAG_NORMALIZED_SUBJECT, &text(&[&LONE]));
        let normalized = Changed {
            normalized: true,
            ..Changed::default()
        };
        settle(&mut bag, normalized);
        assert_eq!(value(&bag, PID_TAG_SUBJECT), Some(text(&[&prefix, &LONE])));
    }
}
