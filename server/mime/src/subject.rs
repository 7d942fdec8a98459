//! Subject prefix and normalized subject.

/// Splits a subject into its prefix and the normalized subject: one to three characters that are
/// neither digits nor blanks nor punctuation, a colon and a blank are a prefix (MS-OXCMSG 2.2.1.9,
/// MS-OXCMAIL 2.2.3.2.6.1).
pub fn split(subject: &str) -> (&str, &str) {
    let split = || {
        let (prefix, _) = subject.split_once(": ")?;
        let letters = prefix.chars().all(char::is_alphabetic);
        let short = (1..=3).contains(&prefix.chars().count());
        (letters && short).then(|| subject.split_at_checked(prefix.len() + 2))?
    };
    split().unwrap_or(("", subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_up_to_three_letters_a_colon_and_a_blank() {
        for (subject, prefix, normalized) in [
            ("RE: lunch", "RE: ", "lunch"),
            ("AW: WG: lunch", "AW: ", "WG: lunch"),
            ("Antw: lunch", "", "Antw: lunch"),
            ("FW:lunch", "", "FW:lunch"),
            (": lunch", "", ": lunch"),
            ("12: lunch", "", "12: lunch"),
            ("返信: 昼", "返信: ", "昼"),
            ("", "", ""),
        ] {
            assert_eq!(split(subject), (prefix, normalized));
        }
    }
}
