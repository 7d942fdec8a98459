use proptest::prelude::*;
use ropewalk_props::{Utf16Text, text::decode_utf16le};

use super::*;

const MAX: usize = 16 << 20;

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn text_of(html: &str) -> String {
    decode_utf16le(&html_to_text(html, MAX).bytes)
}

fn text_of_rtf(rtf: &str) -> String {
    decode_utf16le(&rtf_to_text(rtf.as_bytes(), MAX).bytes)
}

fn html_of_rtf(rtf: &[u8]) -> String {
    decode_utf16le(&rtf_to_html(rtf, "utf-8", MAX).bytes)
}

#[test]
fn html_becomes_what_somebody_would_type() {
    for (html, text) in [
        ("<p>One</p><p>Two</p>", "One\r\n\r\nTwo"),
        ("  a \r\n  b<br>c<br/>\r\nd ", "a b\r\nc\r\nd"),
        (
            "<title>No</title><style>p{}</style><p>Yes<script>1<2</script>",
            "Yes",
        ),
        ("1 &lt; 2 &amp;&nbsp;&eacute;&#8364;", "1 < 2 & é€"),
        (
            "<ul><li>a<li>b<ul><li>c</ul></ul>z",
            "* a\r\n* b\r\n  * c\r\nz",
        ),
        ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\r\n4. b"),
        (
            "<table><tr><td>a</td><td><p>b</p></td><td>c</td></tr><tr><td></td><td>d</td></tr></table>e",
            "a\tb\tc\r\nd\r\ne",
        ),
        (
            "<a href='https://x.example/'>here</a>.",
            "here <https://x.example/>.",
        ),
        ("<a href=\"https://x.example/\">x.example</a>", "x.example"),
        ("<a href=mailto:a@x.example>a@x.example</a>", "a@x.example"),
        (
            "<a href='#top'>top</a> <a href=javascript:x()>no</a>",
            "top no",
        ),
        (
            "He:<blockquote>so<br>be<blockquote>it</blockquote></blockquote>I",
            "He:\r\n> so\r\n> be\r\n> > it\r\nI",
        ),
        ("<pre>a\n  b\r\nc</pre>d", "a\r\n  b\r\nc\r\nd"),
        ("a<hr>b", "a\r\n________________________________\r\nb"),
        ("<img src=x alt='A &amp; B'> <img alt=''>", "[A & B]"),
        ("<p class=MsoNormal>a</p><p class=MsoNormal>b</p>", "a\r\nb"),
        ("a<!-- b --><![if x]>c<![endif]><?xml?>", "ac"),
        (
            "<a title=\"x>y\" href=\"https://q.example\">z</a>",
            "z <https://q.example>",
        ),
        ("a < b <3 </ >", "a < b <3 </ >"),
        ("a<b", "a"),
        ("x<!-- y", "x"),
        ("<script>never closed", ""),
        ("", ""),
    ] {
        assert_eq!(text_of(html), text, "{html}");
    }
}

#[test]
fn text_becomes_html_that_shows_the_same() {
    let text = "Hi <you> & \"me\",\r\n\r\n  two  spaces\r\nhttps://x.example/?a=b&c=d. End";
    let html = decode_utf16le(&text_to_html(&utf16(text), "utf-8", MAX).bytes);
    assert!(html.contains("charset=utf-8"));
    assert!(html.contains(
        "<a href=\"https://x.example/?a=b&amp;c=d\">https://x.example/?a=b&amp;c=d</a>. End"
    ));
    assert_eq!(text_of(&html), text);
}

#[test]
fn rtf_becomes_text() {
    for (rtf, text) in [
        (
            r"{\rtf1\ansi one\par two\tab x\line {\b bold} end}",
            "one\r\ntwo\tx\r\nbold end",
        ),
        (r"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8}", "При"),
        (
            r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}{\f2\fcharset128 C;}}\f0\'e9\f1\'e9{\f2\'93\'fa\'96\'7b}\'e9}",
            "éй日本й",
        ),
        (r"{\rtf1\uc1 \u8364?\u-10179?\u-8704?x}", "€😀x"),
        (r"{\rtf1{\uc2\u1055 ??\u1056\'cf\'cf}\u1057 ?.}", "ПРС."),
        (
            r"{\rtf1{\info{\title No}}{\*\unknown no}{\pict 0102}{\stylesheet{\s0 N;}}yes}",
            "yes",
        ),
        (
            r"{\rtf1 a{\v hidden}b\~c\_d\-e\{\}\\}",
            "ab\u{a0}c\u{2011}de{}\\",
        ),
        ("{\\rtf1 a\r\nb\\\r\nc}", "ab\r\nc"),
        (
            r"{\rtf1 \lquote\rquote\ldblquote\rdblquote\bullet\endash\emdash}",
            "‘’“”•–—",
        ),
        (r"{\rtf1 a\bin5 }{}{\}b}", "ab"),
        (r"{\rtf1 1\cell 2\cell\row}", "1\t2\t\r\n"),
        (r"}}}{\rtf1 still}} here", "still here"),
        (r"{\rtf1\'zzx\'4", "zzx4"),
        ("", ""),
    ] {
        assert_eq!(text_of_rtf(rtf), text, "{rtf}");
    }
}

/// An HTML message as Outlook encapsulates it: MS-OXRTFEX 2.2.3.2, 2.1.3.1.4.
#[test]
fn encapsulated_html_comes_out_as_it_went_in() {
    let rtf = br#"{\rtf1\ansi\ansicpg1251\fromhtml1 \fbidi \deff0{\fonttbl
{\f0\fswiss Arial;}
{\f1\fswiss\fcharset238 Calibri;}}
{\colortbl\red0\green0\blue0;}
{\*\generator Riched20}
\uc1\pard\plain\deftab360 \f0\fs24
{\*\htmltag18 <html>}
{\*\htmltag34 <head>}
{\*\htmltag241 <style>}{\*\htmltag241 p \{margin:0\}\par }{\*\htmltag249 </style>}
{\*\htmltag41 </head>}
{\*\htmltag50 <body>}{\*\htmltag64}\htmlrtf {\htmlrtf0
{\*\htmltag64 <p>}\htmlrtf{\f1\htmlrtf0 \'e8\u1046?{\*\htmltag84 &nbsp;}\htmlrtf\'a0\htmlrtf0 \lquote x\rquote\~
\htmlrtf }\htmlrtf0 {\*\mhtmltag4 <img src="cid:1">}{\*\htmltag116 <br>}\htmlrtf\line\htmlrtf0 \'e8
{\*\htmltag72 </p>}\htmlrtf\par}\htmlrtf0
{\*\htmltag58 </body>}{\*\htmltag84 \'d0\tab }
{\*\htmltag27 </html>}}"#;
    assert_eq!(origin(rtf), Origin::Html);
    let html = html_of_rtf(rtf);
    assert_eq!(
        html,
        "<html><head><style>p {margin:0}\r\n</style></head><body><p>čЖ&nbsp;&lsquo;x&rsquo;&nbsp;\
         <br>и</p></body>Р\t</html>"
    );
    assert_eq!(
        decode_utf16le(&rtf_to_text(rtf, MAX).bytes),
        "čЖ ‘x’ \r\nи\r\n\r\nР"
    );
}

/// The RTF of the example in MS-OXRTFEX 3.1, and the HTML that 2.2.3.2 gets from it.
#[test]
fn the_example_of_the_specification() {
    let rtf = br#"{\rtf1\ANSI\ansicpg1251\fromhtml1 \deff0
{\fonttbl {\f0\fmodern Courier New;}{\f1\fswiss Arial;}{\f2\fswiss\fcharset0 Arial;}}
{\colortbl\red0\green0\blue0;\red0\green0\blue255;}
{\*\htmltag64}
\uc1\pard\plain\deftab360 \f0\fs24
{\*\htmltag <HTML><head>\par
<style>\par
<!--\par
 /* Style Definitions */\par
 p.MsoNormal, li.MsoNormal \{font-family:Arial;\}\par
-->\par
</style>\par
\tab <!-- This is a HTML comment.\par
There is a horizontal tab (%x09) character before the comment, \par
and some new lines inside the comment. -->\par
</head>\par
<body>\par
<p\par
class="MsoNormal">}
{\htmlrtf \f1 \htmlrtf0 Note the line break inside a P tag. {\*\htmltag <b>}{\htmlrtf \b \htmlrtf0 This is a bold text{\*\htmltag </b>}} \htmlrtf\par\htmlrtf0}
\htmlrtf \par \htmlrtf0
{\*\htmltag </p>\par
<p class="MsoNormal">\par}
{\htmlrtf \f1 \htmlrtf0 This is a normal text with a character references:
{\*\htmltag &nbsp;}\htmlrtf \'a0\htmlrtf0  {\*\htmltag &lt;}\htmlrtf <\htmlrtf0  {\*\htmltag &uml;}\htmlrtf {\f2\'a8}\htmlrtf0{\*\htmltag <br>\par}\htmlrtf\line\htmlrtf0
characters which have special meaning in RTF: \{\}\\{\*\htmltag <br>\par}\htmlrtf\line\htmlrtf0\htmlrtf\par\htmlrtf0}
{\*\htmltag </p>\par
<ol>\par
    <li class="MsoNormal">}{\htmlrtf {{\*\pn\pnlvlbody\pndec\pnstart1\pnindent360{\pntxta.}}\li360\fi-360{\pntext 1.\tab} \f1 \htmlrtf0 This is a list item}\htmlrtf\par\htmlrtf0}
{\*\htmltag \par
</ol>\par
</body>\par
</HTML>\par }}"#;
    assert_eq!(origin(rtf), Origin::Html);
    let html = [
        "<HTML><head>",
        "<style>",
        "<!--",
        " /* Style Definitions */",
        " p.MsoNormal, li.MsoNormal {font-family:Arial;}",
        "-->",
        "</style>",
        "\t<!-- This is a HTML comment.",
        "There is a horizontal tab (%x09) character before the comment, ",
        "and some new lines inside the comment. -->",
        "</head>",
        "<body>",
        "<p",
        "class=\"MsoNormal\">Note the line break inside a P tag. <b>This is a bold text</b> </p>",
        "<p class=\"MsoNormal\">",
        "This is a normal text with a character references:&nbsp; &lt; &uml;<br>",
        "characters which have special meaning in RTF: {}\\<br>",
        "</p>",
        "<ol>",
        "    <li class=\"MsoNormal\">This is a list item",
        "</ol>",
        "</body>",
        "</HTML>",
        "",
    ];
    assert_eq!(html_of_rtf(rtf), html.join("\r\n"));
}

/// MS-OXRTFEX 2.1.3.1.4.2 and 2.1.3.1.3: what stands for text in a fragment and outside of one, and
/// how far `\htmlrtf` reaches.
#[test]
fn control_words_of_encapsulated_html() {
    for (rtf, html) in [
        (
            r"{\*\htmltag1 \lquote\rquote\ldblquote\rdblquote\bullet\endash\emdash\~\_\par\tab\{\}\\}",
            "&lsquo;&rsquo;&ldquo;&rdquo;&bull;&ndash;&mdash;&nbsp;&shy;\r\n\t{}\\",
        ),
        (
            r"\lquote\rquote\ldblquote\rdblquote\bullet\endash\emdash\~\_\par\line\tab\{\}\\",
            "&lsquo;&rsquo;&ldquo;&rdquo;&bull;&ndash;&mdash;&nbsp;&shy;\r\n\r\n\t{}\\",
        ),
        (
            r"{\*\htmltag1 \line\b a\cell\emspace\uc1\u8364?\'80}",
            "a€€",
        ),
        (r"a\htmlrtf b{c\htmlrtf0 d}e\htmlrtf0 f", "adf"),
        (
            r"a\htmlrtf1 b\par\u8364?\'80\htmlrtf0 {f\htmlrtf g}h",
            "afh",
        ),
        (
            r"a{\*\mhtmltag1 b}{\*\other c}{\*\htmltag d}{\*\htmltag64}e",
            "ade",
        ),
    ] {
        let rtf = format!("{{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 {rtf}}}");
        assert_eq!(html_of_rtf(rtf.as_bytes()), html, "{rtf}");
    }
}

/// Who does not look for HTML does not know `\*\htmltag`, and shows what is for RTF alone (MS-OXRTFEX
/// 2.1.3.1.3, 2.1.3.1.4).
#[test]
fn fragments_of_html_are_nothing_in_other_documents() {
    for header in ["", "\\fromhtml", "\\fromtext"] {
        let rtf = format!(
            r"{{\rtf1\ansi{header} a{{\*\htmltag84 <i>\tab\u65?\par}}\htmlrtf b\htmlrtf0 c}}"
        );
        assert_eq!(text_of_rtf(&rtf), "abc", "{rtf}");
        let html = html_of_rtf(rtf.as_bytes());
        assert!(html.contains("abc") && !html.contains("&lt;"), "{html}");
    }
}

#[test]
fn what_a_document_was_is_said_in_its_header_or_not_at_all() {
    for (rtf, was) in [
        (r"{\rtf1\ansi\fromhtml1 x}", Origin::Html),
        (r"{\rtf1\ansi\ansicpg1252\fromtext \fbidi x}", Origin::Text),
        (r"{\rtf1\ansi x\fromhtml1}", Origin::Rtf),
        (r"{\rtf1{\fonttbl}\fromhtml1}", Origin::Rtf),
        (r"{\rtf1\a\b\c\d\e\f\g\h\fromhtml1 x}", Origin::Rtf),
        (r"{\rtf1\ansi\fromhtml0 x}", Origin::Rtf),
        (r"{\rtf1\ansi\fromhtml x}", Origin::Rtf),
        (r"{\rtf1\ansi\fromhtml2 x}", Origin::Rtf),
        // A group may begin in between; it counts as one of the ten.
        (r"{\rtf1{{\ansi\fromhtml1 x}}}", Origin::Html),
        (r"{\rtf1{{{{{{{\fromhtml1 x}}}}}}}}", Origin::Html),
        (r"{\rtf1{{{{{{{{\fromhtml1 x}}}}}}}}}", Origin::Rtf),
        (r"{\rtf1\*\fromhtml1 x}", Origin::Rtf),
        (r"{\rtf1\fromtext\fromhtml1 x}", Origin::Text),
        // Without the heading of an RTF document.
        (r"{\fromhtml1 x}", Origin::Rtf),
        (r"\rtf1\fromhtml1 x", Origin::Rtf),
        (r"{\ansi\rtf1\fromtext x}", Origin::Rtf),
    ] {
        assert_eq!(origin(rtf.as_bytes()), was, "{rtf}");
    }
}

#[test]
fn rtf_becomes_html_that_looks_like_it() {
    let rtf = br#"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}{\f1 "><script>;}}{\colortbl;\red255\green0\blue0;}
\pard\qc\fs28\b Big & <bad>\b0\par\pard\plain
\par see {\field{\*\fldinst{HYPERLINK "https://x.example/?a&b"}}{\fldrslt{\cf1\ul here}}} \f1\i  x\i0\par}"#;
    let html = html_of_rtf(rtf);
    let body = html
        .split_once("<body>\r\n")
        .and_then(|(_, rest)| rest.split_once("\r\n</body>"))
        .map(|(body, _)| body)
        .unwrap_or_default();
    assert_eq!(
        body,
        "<p style=\"margin:0;text-align:center\"><span style=\"font-family:'Arial';font-size:14pt;\">\
         <b>Big &amp; &lt;bad&gt;</b></span></p>\r\n\
         <p style=\"margin:0\"><span style=\"font-family:'Arial';\">&nbsp;</span></p>\r\n\
         <p style=\"margin:0\"><span style=\"font-family:'Arial';\">see </span>\
         <a href=\"https://x.example/?a&amp;b\"><span style=\"font-family:'Arial';color:#ff0000;\">\
         <u>here</u></span></a><span style=\"font-family:'Arial';\"> </span>\
         <span style=\"font-family:'script';\"><i>&nbsp;x</i></span></p>\r\n"
    );
    assert_eq!(
        text_of(&html),
        "Big & <bad>\r\n \r\nsee here <https://x.example/?a&b>  x"
    );
}

#[test]
fn surrogates_without_a_partner_come_back() {
    let text: Vec<u8> = [0x41, 0xD83D, 0x42, 0xDE00, 0xFFFF, 0xE000]
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    let rtf = text_to_rtf(&text, MAX).bytes;
    assert_eq!(rtf_to_text(&rtf, MAX).bytes, text);
    assert_eq!(html_to_text("A&#xD83D;B&#56832;", MAX).bytes, text[..8]);
}

#[test]
fn bombs_go_off_in_vain() {
    // A million groups, ends, tags, lists, references; a picture longer than the document.
    let many = |piece: &str| piece.repeat(1_000_000);
    for rtf in [
        format!("{{\\rtf1 {}x", many("{")),
        format!("{{\\rtf1 {}x", many("{\\b ")),
        format!("{{\\rtf1 {}x", many("}")),
        format!("{{\\rtf1\\fromhtml1 {}x", many("{\\*\\htmltag ")),
        format!("{{\\rtf1 {}x", many("{\\*\\fldinst ")),
        format!("{{\\rtf1\\bin99999999999 {}x", many("{")),
        format!("{{\\rtf1{{\\fonttbl{}}}x", many("{\\f999\\fcharset0 x;}")),
        format!("{{\\rtf1{{\\colortbl{}}}x", many("\\red1;")),
    ] {
        let text = rtf_to_text(rtf.as_bytes(), MAX);
        assert!(text.complete && text.bytes.len() < 100, "{}", &rtf[..40]);
        assert!(rtf_to_html(rtf.as_bytes(), "utf-8", MAX).complete);
    }
    let many_tags = |piece: &str| piece.repeat(100_000);
    for html in [
        many_tags("<div>"),
        many_tags("<table><tr><td>"),
        many_tags("<ul><li>"),
        many_tags("<blockquote>"),
        many_tags("<a href=x>"),
        many_tags("<!--"),
        many_tags("<![CDATA["),
        many_tags("<script>"),
        many_tags("<p style="),
        many_tags("<p a='"),
        many_tags("<br>"),
    ] {
        let text = html_to_text(&format!("{html}x"), MAX);
        assert!(text.complete && text.bytes.len() < 5000, "{}", &html[..20]);
        let rtf = html_to_rtf(&html, 64 << 20);
        assert!(rtf.bytes.len() <= 64 << 20);
    }
    // More than is allowed is cut, and said to be.
    let cut = html_to_text(&many("x"), 100);
    assert_eq!((cut.bytes.len(), cut.complete), (100, false));
    assert!(!html_to_rtf(&many("x"), 1000).complete);
    assert!(!text_to_rtf(&utf16(&many("x")), 1000).complete);
    assert!(!text_to_html(&utf16(&many("x")), "utf-8", 1000).complete);
    assert!(!rtf_to_text(many("x").as_bytes(), 1000).complete);
}

/// Pieces that mean something to one of the readers.
fn pieces() -> impl Strategy<Value = String> {
    static KNOWN: [&str; 73] = [
        "{",
        "}",
        "\\",
        "\\rtf1",
        "\\fromhtml1",
        "\\fromtext",
        "{\\*\\htmltag84 ",
        "\\htmlrtf ",
        "\\htmlrtf0 ",
        "\\u8364",
        "\\u-10179?",
        "\\uc0",
        "\\uc3",
        "\\'",
        "\\'e9",
        "\\par",
        "\\line ",
        "\\bin2 ",
        "{\\fonttbl",
        "\\f1",
        "\\fcharset128",
        "{\\*\\fldinst ",
        "{\\fldrslt ",
        "\\cell",
        "<",
        ">",
        "<p>",
        "</p>",
        "<br>",
        "<li>",
        "<ol>",
        "<ul>",
        "<td>",
        "<tr>",
        "<table>",
        "<pre>",
        "</pre>",
        "<a href='https://x'>",
        "</a>",
        "<script>",
        "</script>",
        "<title>",
        "</title>",
        "<!--",
        "-->",
        "&",
        "&amp;",
        "&#",
        "&#xD83D;",
        "&nbsp",
        "<blockquote>",
        "<body>",
        "<head>",
        "\r\n",
        "\n",
        "\r",
        "\t",
        " ",
        "  ",
        "\"",
        "'",
        "=",
        "é",
        "日",
        "😀",
        "\0",
        "\u{1}",
        "<b>",
        "</b>",
        "<i>",
        "<u>",
        "</u>",
        "<div>",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(&KNOWN[..]).prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn html_comes_back_from_rtf(html in pieces()) {
        let rtf = html_to_rtf(&html, MAX);
        prop_assert!(rtf.complete && rtf.bytes.is_ascii());
        prop_assert_eq!(origin(&rtf.bytes), Origin::Html);
        let back = rtf_to_html(&rtf.bytes, "utf-8", MAX);
        prop_assert_eq!(decode_utf16le(&back.bytes), html);
    }

    #[test]
    fn text_comes_back_from_rtf(units in proptest::collection::vec(
        prop_oneof![any::<u16>(), (0x20..0x7F_u16), Just(0x0D), Just(0x0A), Just(0x09)], 0..200)
    ) {
        let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
        let text = Utf16Text::from_le_bytes(&bytes).into_bytes();
        let rtf = text_to_rtf(&text, MAX);
        prop_assert!(rtf.complete && rtf.bytes.is_ascii());
        // Line ends of every kind become CRLF.
        let mut wanted: Vec<u16> = Vec::new();
        let mut units = ropewalk_props::text::units(&text).peekable();
        while let Some(unit) = units.next() {
            if unit == 0x0D || unit == 0x0A {
                wanted.extend([0x0D, 0x0A]);
                if unit == 0x0D {
                    let _ = units.next_if_eq(&0x0A);
                }
            } else {
                wanted.push(unit);
            }
        }
        let wanted: Vec<u8> = wanted.into_iter().flat_map(u16::to_le_bytes).collect();
        prop_assert_eq!(rtf_to_text(&rtf.bytes, MAX).bytes, wanted);
    }

    #[test]
    fn anything_is_read_to_its_end(input in pieces(), max in 0_usize..400) {
        for converted in [
            html_to_text(&input, max),
            html_to_rtf(&input, max),
            rtf_to_text(input.as_bytes(), max),
            rtf_to_html(input.as_bytes(), "utf-8", max),
            text_to_html(input.as_bytes(), "utf-8", max),
            text_to_rtf(input.as_bytes(), max),
        ] {
            prop_assert!(converted.bytes.len() <= max);
        }
        // What is cut is the beginning of the whole.
        let (cut, whole) = (html_to_text(&input, max), html_to_text(&input, MAX));
        prop_assert!(whole.bytes.starts_with(&cut.bytes));
    }
}
