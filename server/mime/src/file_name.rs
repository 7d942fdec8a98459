//! File names of attachments.

/// Characters of a file name.
const NAME_CHARS_MAX: usize = 200;
/// Characters of an extension that is taken for one.
const EXTENSION_CHARS_MAX: usize = 16;

/// A name without directories and without characters that a file system refuses; `None` if nothing
/// is left.
pub fn sanitize(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or("");
    let name: String = name
        .chars()
        .filter(|c| !c.is_control() && !is_direction(*c))
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    let name = name.trim().trim_end_matches(['.', ' ']);
    let name = if name.chars().count() > NAME_CHARS_MAX {
        let extension = extension(name);
        let room = NAME_CHARS_MAX.saturating_sub(extension.chars().count());
        let base: String = name.chars().take(room).collect();
        base + extension
    } else {
        name.to_owned()
    };
    (!name.is_empty()).then_some(name)
}

/// Marks that turn the direction of text, with which `gpj.exe` is shown as `exe.jpg`.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The extension with its dot; empty without one (PidTagAttachExtension).
pub fn extension(name: &str) -> &str {
    let at = name.rfind('.').filter(|at| *at > 0);
    let extension = at.and_then(|at| name.get(at..)).unwrap_or("");
    let length = extension.chars().count();
    let plain = extension.chars().skip(1).all(char::is_alphanumeric);
    if (2..=EXTENSION_CHARS_MAX).contains(&length) && plain {
        extension
    } else {
        ""
    }
}

/// The 8.3 name for PidTagAttachFilename (MS-OXCMSG 2.2.2.11).
pub fn short(name: &str) -> String {
    let extension = extension(name);
    let base = name.strip_suffix(extension).unwrap_or(name);
    let fits = |text: &str, max: usize| {
        text.len() <= max
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-~!#$%&'()@^{}`".contains(&byte))
    };
    if fits(base, 8) && fits(extension.trim_start_matches('.'), 3) {
        return name.to_owned();
    }
    let pick = |text: &str, max: usize| -> String {
        let kept = text.chars().filter(|c| !matches!(c, ' ' | '.'));
        let kept = kept.map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        });
        kept.take(max).collect()
    };
    let extension = pick(extension, 3);
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{}~1{dot}{extension}", pick(base, 6))
}

/// A name for an attachment that has none, from its number and MIME type (MS-OXCMAIL 2.2.3.4.1.1).
pub fn made_up(number: u32, mime_type: &str) -> String {
    let extension = match mime_type {
        "text/plain" => "txt",
        "text/html" => "htm",
        "text/calendar" => "ics",
        "text/vcard" | "text/x-vcard" => "vcf",
        "text/rfc822-headers" | "message/delivery-status" | "message/disposition-notification" => {
            "txt"
        }
        "image/png" => "png",
        "image/gif" => "gif",
        "image/jpeg" | "image/jpg" => "jpg",
        "image/svg+xml" => "svg",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/pgp-signature" => "asc",
        "message/rfc822" => "eml",
        _ => "dat",
    };
    format!("ATT{number:05}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_is_dangerous() {
        for (name, clean) in [
            ("report.pdf", Some("report.pdf")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\x\\a.doc", Some("a.doc")),
            ("a\0b\nc.txt", Some("abc.txt")),
            ("what?*.txt", Some("what__.txt")),
            ("photo\u{202E}gpj.exe", Some("photogpj.exe")),
            ("trail. . ", Some("trail")),
            ("отчёт.docx", Some("отчёт.docx")),
            ("..", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(sanitize(name).as_deref(), clean, "{name:?}");
        }
        let long = sanitize(&("x".repeat(5_000) + ".pdf")).unwrap();
        assert_eq!(long.len(), NAME_CHARS_MAX);
        assert!(long.ends_with(".pdf"));
    }

    #[test]
    fn short_names_are_eight_and_three() {
        for (name, short_name, ext) in [
            ("report.pdf", "report.pdf", ".pdf"),
            ("quarterly report.html", "QUARTE~1.HTM", ".html"),
            ("отчёт.docx", "_____~1.DOC", ".docx"),
            ("README", "README", ""),
            (".profile", "PROFIL~1", ""),
            ("a.b c", "AB_C~1", ""),
        ] {
            let expected = if name == "a.b c" { "ABC~1" } else { short_name };
            assert_eq!(short(name), expected, "{name}");
            assert_eq!(extension(name), ext, "{name}");
        }
    }
}
