//! The fuzzer over one reader of `tests::parsers`, by the environment variable `PARSER`; without one, it writes
//! the seeds of all readers below the folder that `SEEDS` names. `tests/fuzz/run` calls it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tests::parsers::{PARSERS, Parser, Seeds, named};

static PARSER: LazyLock<&Parser> = LazyLock::new(|| {
    let name = std::env::var("PARSER").expect("PARSER names a reader");
    named(&name).expect("PARSER names a reader of tests::parsers")
});

/// Called once before the first input.
fn prepare() {
    let Ok(folder) = std::env::var("SEEDS") else { return };
    let seeds = Seeds::new().expect("members have keys");
    for parser in PARSERS {
        let own = std::path::Path::new(&folder).join(parser.name);
        std::fs::create_dir_all(&own).expect("a folder can be made");
        for (number, seed) in (parser.seeds)(&seeds).into_iter().enumerate() {
            std::fs::write(own.join(format!("seed-{number}")), seed).expect("a file can be written");
        }
    }
    std::process::exit(0);
}

fuzz_target!(init: prepare(), |bytes: &[u8]| {
    (PARSER.read)(bytes);
});
