//! Bodies of messages in their forms.

use ropewalk_body::{
    Origin, compressed, html_to_rtf, html_to_text, origin, rtf_to_html, rtf_to_text, text_to_html,
    text_to_rtf,
};
use ropewalk_props::{Utf16Text, text::decode_utf16le};

/// Bytes that a body may become.
const MAX: usize = 1 << 20;

const HTML: &str = "<html><head><title>t</title><style>p{}</style></head><body><p class=MsoNormal>\
    One &amp; <b>two</b> <a href=\"https://x.example/\">here</a>&nbsp;é</p><ol start=3><li>a<ul><li>b\
    </ul></ol><table><tr><td>1</td><td>2</td></tr></table><blockquote>q<br>r</blockquote><pre>a\n b\
    </pre><!-- c --><img alt=x><script>1<2</script>\r\n</body></html>";

const RTF: &str = "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fswiss Arial;}{\\f1\\fcharset128 M;}}\
    {\\colortbl;\\red255\\green0\\blue0;}\\pard\\qc\\fs28\\b Big\\b0\\par {\\f1\\'93\\'fa}\\cf1\\ul x\\ulnone \
    {\\field{\\*\\fldinst{HYPERLINK \"https://x\"}}{\\fldrslt y}}\\u8364?\\bin3 {}{\\~\\cell\\row}";

/// Documents, and compressed ones.
pub fn rtf_bodies() -> Vec<Vec<u8>> {
    let text = Utf16Text::from("One\r\ntwo\t{three} é");
    let encapsulated = html_to_rtf(HTML, MAX).bytes;
    let from_text = text_to_rtf(text.as_bytes(), MAX).bytes;
    let documents = [RTF.as_bytes().to_vec(), encapsulated, from_text];
    let packed: Vec<_> = documents
        .iter()
        .map(|rtf| compressed::compress(rtf))
        .collect();
    documents.into_iter().chain(packed).collect()
}

pub fn check_rtf_body(bytes: &[u8]) -> bool {
    // As it is, and as what a damaged value begins with.
    let mut accepted = false;
    if let Ok(rtf) = compressed::decompress(bytes, MAX) {
        assert!(rtf.len() <= MAX);
        let again = compressed::compress(&rtf);
        assert_eq!(compressed::decompress(&again, MAX).as_ref(), Ok(&rtf));
        accepted = true;
    }
    let start = compressed::decompress_start(bytes, MAX).unwrap_or_default();
    for rtf in [bytes, &start] {
        for converted in [rtf_to_text(rtf, MAX), rtf_to_html(rtf, "utf-8", MAX)] {
            assert!(converted.bytes.len() <= MAX && converted.bytes.len() % 2 == 0);
        }
        accepted |= origin(rtf) != Origin::Rtf;
    }
    accepted
}

pub fn html_bodies() -> Vec<Vec<u8>> {
    vec![HTML.into(), "a < b &lt; c <p> d".into()]
}

pub fn check_html_body(bytes: &[u8]) -> bool {
    let html = String::from_utf8_lossy(bytes);
    let text = html_to_text(&html, MAX);
    assert!(text.bytes.len() <= MAX);
    let rtf = html_to_rtf(&html, 64 * MAX);
    assert!(rtf.complete);
    let back = rtf_to_html(&rtf.bytes, "utf-8", MAX);
    assert_eq!(decode_utf16le(&back.bytes), html);
    // What is shown of it as plain text can be written again.
    let rtf = text_to_rtf(&text.bytes, 64 * MAX);
    let page = text_to_html(&text.bytes, "utf-8", 64 * MAX);
    rtf.complete && page.complete && !text.bytes.is_empty()
}
