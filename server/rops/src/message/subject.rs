//! Subject, subject prefix and normalized subject, kept in step (MS-OXCMSG 2.2.1.9 and 2.2.1.10).

use ropewalk_props::{Bag, BagView, tags::*};

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

/// Which of the three a client has just set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed {
    /// PidTagSubject.
    pub subject: bool,
    /// PidTagSubjectPrefix.
    pub prefix: bool,
    /// PidTagNormalizedSubject.
    pub normalized: bool,
}

/// Brings the other subject properties in step with those just set.
pub fn settle(props: &mut Bag, changed: Changed) {
    if changed.subject {
        let subject = props.get_text(PID_TAG_SUBJECT).unwrap_or_default();
        let prefix = match props.get_text(PID_TAG_SUBJECT_PREFIX) {
            // A prefix given along with the subject holds as long as the subject begins with it.
            Some(prefix) if changed.prefix && subject.starts_with(&prefix) => prefix,
            _ => split(&subject).0.to_owned(),
        };
        let normalized = subject.strip_prefix(&prefix).unwrap_or(&subject).to_owned();
        props.set_text(PID_TAG_SUBJECT_PREFIX, &prefix);
        props.set_text(PID_TAG_NORMALIZED_SUBJECT, &normalized);
    } else if changed.prefix || changed.normalized {
        let prefix = props.get_text(PID_TAG_SUBJECT_PREFIX).unwrap_or_default();
        let normalized = props
            .get_text(PID_TAG_NORMALIZED_SUBJECT)
            .unwrap_or_default();
        props.set_text(PID_TAG_SUBJECT, &format!("{prefix}{normalized}"));
        props.set_text(PID_TAG_NORMALIZED_SUBJECT, &normalized);
        props.set_text(PID_TAG_SUBJECT_PREFIX, &prefix);
    }
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
}
