//! Changed bytes into every decoder.
//!
//! Without settings a short run, the same every time. With ROPEWALK_FUZZ_SEED another one, with
//! ROPEWALK_FUZZ_ITERATIONS a longer one, with ROPEWALK_FUZZ_TARGET that target alone, and with
//! ROPEWALK_FUZZ_INPUT (hexadecimal digits, as a failure prints them) that input alone.

use std::{env, panic, str::FromStr};

#[path = "vectors/load.rs"]
#[allow(dead_code)] // The names and fields of the vectors are of no use here.
mod load;
#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/targets/mod.rs"]
mod targets;

use targets::{TARGETS, Target};

const DEFAULT_SEED: u64 = 1;
const DEFAULT_ITERATIONS: u64 = 2000;

fn setting<T: FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} cannot be {text:?}")),
        Err(_) => default,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("hexadecimal digits");
            u8::from_str_radix(pair, 16).expect("hexadecimal digits")
        })
        .collect()
}

/// Whether the decoder took the input.
fn check(target: &Target, input: &[u8], origin: &str) -> bool {
    panic::catch_unwind(|| (target.check)(input)).unwrap_or_else(|_| {
        panic!(
            "{origin}; once more: ROPEWALK_FUZZ_TARGET={} ROPEWALK_FUZZ_INPUT={}",
            target.name,
            hex(input)
        )
    })
}

fn run(target: &Target) {
    if let Ok(input) = env::var("ROPEWALK_FUZZ_INPUT") {
        check(target, &from_hex(&input), "the given input");
        return;
    }
    let seed = setting("ROPEWALK_FUZZ_SEED", DEFAULT_SEED);
    let iterations = setting("ROPEWALK_FUZZ_ITERATIONS", DEFAULT_ITERATIONS);
    let corpus = (target.corpus)();
    assert!(!corpus.is_empty(), "{}: no corpus", target.name);
    let taken = corpus
        .iter()
        .filter(|input| check(target, input, "an input of the corpus"))
        .count();
    // Each target has a sequence of its own.
    let name = target
        .name
        .bytes()
        .fold(0u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    let mut random = mutate::Random::new(seed ^ name);
    let mut taken_of_changed = 0;
    for iteration in 0..iterations {
        let input = mutate::input(&mut random, &corpus);
        let origin = format!("seed {seed}, iteration {iteration}");
        taken_of_changed += u64::from(check(target, &input, &origin));
    }
    println!(
        "{}: {taken} of {}, {taken_of_changed} of {iterations} when changed",
        target.name,
        corpus.len()
    );
    // A decoder that refuses everything would pass any test.
    assert!(
        taken > 0,
        "{}: no input of the corpus is taken",
        target.name
    );
}

#[test]
fn no_decoder_fails_on_changed_bytes() {
    let wanted = env::var("ROPEWALK_FUZZ_TARGET").ok();
    let mut ran = 0;
    for target in TARGETS {
        if wanted.as_ref().is_none_or(|wanted| wanted == target.name) {
            run(target);
            ran += 1;
        }
    }
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert!(ran > 0, "no such target; there are {names:?}");
}
