//! Passwords: read from standard input, or made.

use std::io::{self, BufRead as _, IsTerminal as _};

use console::Term;

use super::Failure;

/// Bytes of a password; a longer first line is a wrong file.
const PASSWORD_BYTES_MAX: u64 = 1024;
/// Letters and digits that cannot be taken for one another; 32 of them, so a byte maps evenly.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters of a made password: 20 of 32 are 100 bits.
const MADE_LETTERS: usize = 20;

/// The first line of standard input, without its line end. On a terminal it is asked for, and not
/// shown.
pub fn from_stdin() -> Result<String, Failure> {
    let terminal = Term::stderr();
    if io::stdin().is_terminal() && terminal.is_term() {
        terminal.write_str("password: ")?;
        let line = terminal.read_secure_line()?;
        return read_line(line.as_bytes());
    }
    read_line(io::stdin().lock())
}

fn read_line(input: impl io::BufRead) -> Result<String, Failure> {
    let mut line = Vec::new();
    input
        .take(PASSWORD_BYTES_MAX + 1)
        .read_until(b'\n', &mut line)?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(Failure(
            "standard input has no password; write it there as the first line".to_owned(),
        ));
    }
    if line.len() as u64 > PASSWORD_BYTES_MAX {
        return Err(Failure(format!(
            "the password is too long; use at most {PASSWORD_BYTES_MAX} bytes"
        )));
    }
    String::from_utf8(line.to_vec())
        .map_err(|_| Failure("the password is not valid UTF-8; write it in UTF-8".to_owned()))
}

/// A new random password.
pub fn make() -> Result<String, Failure> {
    let mut bytes = [0; MADE_LETTERS];
    getrandom::fill(&mut bytes)?;
    let letters: Vec<u8> = bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)).copied())
        .collect();
    let groups: Vec<String> = letters
        .chunks(5)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Ok(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        for (input, password) in [
            (&b"secret\nmore"[..], "secret"),
            (b"secret\r\n", "secret"),
            (b" two words ", " two words "),
        ] {
            assert_eq!(read_line(input).ok().as_deref(), Some(password));
        }
        for input in [&b""[..], b"\n", b"\xFF\n", &[b'a'; 1025]] {
            assert!(read_line(input).is_err());
        }
    }

    #[test]
    fn a_made_password_has_four_groups_and_is_new() {
        let (one, two) = (make().unwrap(), make().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [5; 4]);
    }
}
