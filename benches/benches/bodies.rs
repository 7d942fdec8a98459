//! Megabytes of a body that are converted in a second, from each form to each other one.
//!
//! `cargo bench -p ropewalk-benches --bench bodies -- [--json] [--kib N] [--seconds N]`.
//! Beside each stands a copy of the input; beside HTML to text what the import uses (mail-parser),
//! in turns.

use std::{
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use mail_parser::decoders::html::html_to_text as of_mail_parser;
use ropewalk_body::{
    compressed, html_to_rtf, html_to_text, rtf_to_html, rtf_to_text, text_to_html, text_to_rtf,
};

const MAX: usize = 256 << 20;

/// A paragraph as Outlook writes them, and what every page of it begins with.
const PARAGRAPH: &str = "<p class=MsoNormal><span lang=EN-US style='font-size:11.0pt;font-family:\
    \"Calibri\",sans-serif'>The forestay was <b>slack</b> again &#8211; see \
    <a href=\"https://rigging.example.test/forestay?id=4711&amp;view=all\">the sheet</a>, &quot;Zo\u{eb}&quot; \
    says it is the turnbuckle.<o:p></o:p></span></p>\r\n\
    <table border=0 cellspacing=0><tr><td width=100>Halyard</td><td>12&nbsp;m</td></tr></table>\r\n";
const HEAD: &str = "<html><head><meta charset=\"utf-8\"><style>\r\n\
    p.MsoNormal, li.MsoNormal {margin:0cm;font-size:11.0pt;font-family:\"Calibri\",sans-serif;}\r\n\
    </style></head><body lang=EN-US link=\"#0563C1\">\r\n";

const RTF_HEAD: &str = "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fswiss Calibri;}{\\f1\\fcharset204 Arial;}}\
    {\\colortbl;\\red5\\green99\\blue193;}\r\n";
const RTF_PARAGRAPH: &str = "\\pard\\plain\\f0\\fs22 The forestay was {\\b slack} again \\endash  see \
    {\\field{\\*\\fldinst{HYPERLINK \"https://rigging.example.test\"}}{\\fldrslt{\\cf1\\ul the sheet}}}, \
    \\ldblquote Zo\\'eb\\rdblquote  says it is the turnbuckle.\\u8364?\\par\r\n";

fn value_of(args: &[String], name: &str) -> Option<usize> {
    let at = args.iter().position(|arg| arg == name)?;
    args.get(at + 1)?.parse().ok()
}

fn megabytes(bytes: usize, taken: Duration) -> f64 {
    bytes as f64 / 1e6 / taken.as_secs_f64()
}

/// The median times of two things, done in turns.
fn in_turns(during: Duration, mut ours: impl FnMut(), mut theirs: impl FnMut()) -> [Duration; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let start = Instant::now();
    while start.elapsed() < during || times[0].len() < 5 {
        for (index, work) in [&mut ours as &mut dyn FnMut(), &mut theirs]
            .into_iter()
            .enumerate()
        {
            let start = Instant::now();
            work();
            times[index].push(start.elapsed());
        }
    }
    times.map(|mut times| {
        let middle = times.len() / 2;
        *times.select_nth_unstable(middle).1
    })
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let json = args.iter().any(|arg| arg == "--json");
    let bytes = value_of(&args, "--kib").unwrap_or(100) << 10;
    let during = Duration::from_secs(value_of(&args, "--seconds").unwrap_or(1) as u64);

    let html = format!(
        "{HEAD}{}</body></html>",
        PARAGRAPH.repeat(bytes / PARAGRAPH.len())
    );
    let encapsulated = html_to_rtf(&html, MAX).bytes;
    let rtf = format!(
        "{RTF_HEAD}{}}}",
        RTF_PARAGRAPH.repeat(bytes / RTF_PARAGRAPH.len())
    );
    let rtf = rtf.into_bytes();
    let packed = compressed::compress(&encapsulated);
    let text = html_to_text(&html, MAX).bytes;
    let from_text = text_to_rtf(&text, MAX).bytes;

    type Case<'a> = (&'static str, &'a [u8], Box<dyn Fn() -> usize + 'a>);
    let cases: [Case<'_>; 10] = [
        (
            "compressed RTF, decompressed",
            &packed,
            Box::new(|| compressed::decompress(&packed, MAX).map_or(0, |raw| raw.len())),
        ),
        (
            "RTF, compressed",
            &encapsulated,
            Box::new(|| compressed::compress(&encapsulated).len()),
        ),
        (
            "HTML to text",
            html.as_bytes(),
            Box::new(|| html_to_text(&html, MAX).bytes.len()),
        ),
        (
            "the first 255 characters of HTML as text",
            html.as_bytes(),
            Box::new(|| html_to_text(&html, 510).bytes.len()),
        ),
        (
            "HTML to RTF",
            html.as_bytes(),
            Box::new(|| html_to_rtf(&html, MAX).bytes.len()),
        ),
        (
            "RTF with HTML in it to that HTML",
            &encapsulated,
            Box::new(|| rtf_to_html(&encapsulated, "utf-8", MAX).bytes.len()),
        ),
        (
            "RTF to HTML",
            &rtf,
            Box::new(|| rtf_to_html(&rtf, "utf-8", MAX).bytes.len()),
        ),
        (
            "RTF to text",
            &rtf,
            Box::new(|| rtf_to_text(&rtf, MAX).bytes.len()),
        ),
        (
            "text to HTML",
            &text,
            Box::new(|| text_to_html(&text, "utf-8", MAX).bytes.len()),
        ),
        (
            "text to RTF",
            &text,
            Box::new(|| text_to_rtf(&text, MAX).bytes.len()),
        ),
    ];
    let mut results = Vec::new();
    for (name, input, convert) in &cases {
        let [taken, copied] = in_turns(
            during,
            || {
                black_box(convert());
            },
            || drop(black_box(black_box(*input).to_vec())),
        );
        results.push((*name, input.len(), taken, "a copy", copied));
    }
    let [taken, theirs] = in_turns(
        during,
        || drop(black_box(html_to_text(&html, MAX))),
        || drop(black_box(of_mail_parser(&html))),
    );
    results.push(("HTML to text", html.len(), taken, "mail-parser", theirs));
    black_box(from_text);
    for (name, len, taken, beside, other) in results {
        let (ours, theirs) = (megabytes(len, taken), megabytes(len, other));
        if json {
            println!(
                "{{\"name\":\"{name}\",\"bytes\":{len},\"mb_per_s\":{ours:.1},\"beside\":\"{beside}\",\
                 \"beside_mb_per_s\":{theirs:.1}}}"
            );
        } else {
            println!("{name} ({len} bytes): {ours:.0} MB/s; {beside}: {theirs:.0} MB/s");
        }
    }
}
