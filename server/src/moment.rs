//! Moments as people and scripts write them: RFC 3339.

use mail_parser::DateTime;
use ropewalk_props::FileTime;

/// Reads `2026-05-01T12:00:00Z`, or with an offset from UTC; `None` if it is no moment.
pub fn parse(text: &str) -> Option<FileTime> {
    // The parser takes less than a whole moment, which would be midnight to it.
    let bytes = text.as_bytes();
    let shaped = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .iter()
        .all(|(at, sign)| bytes.get(*at) == Some(sign));
    let zoned = text.ends_with('Z')
        || bytes
            .iter()
            .rev()
            .nth(5)
            .is_some_and(|sign| b"+-".contains(sign));
    let moment = DateTime::parse_rfc3339(text).filter(|_| shaped && zoned)?;
    moment
        .is_valid()
        .then(|| FileTime::from_unix_seconds(moment.to_timestamp()))
}

/// A moment in UTC, in whole seconds.
pub fn text(time: FileTime) -> String {
    DateTime::from_timestamp(time.to_unix_seconds()).to_rfc3339()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_back_and_nonsense_is_refused() {
        let noon = parse("2026-05-01T12:00:00Z").unwrap();
        assert_eq!(noon.to_unix_seconds(), 1_777_636_800);
        assert_eq!(text(noon), "2026-05-01T12:00:00Z");
        assert_eq!(parse("2026-05-01T14:00:00+02:00"), Some(noon));
        assert_eq!(parse("2026-05-01T07:30:00-04:30"), Some(noon));
        for nonsense in [
            "",
            "noon",
            "2026-05-01",
            "2026-05-01T12:00:00",
            "2026-13-01T12:00:00Z",
            "2026-05-01T25:00:00Z",
            "2026-05-01 12:00:00Z",
        ] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
