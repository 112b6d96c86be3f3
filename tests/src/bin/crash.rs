//! A publisher to be killed, the check of what it left, and the loop that kills it.
//!
//! ```text
//! crash write DIR SEED LIMIT      publishes; one line on standard output for each acknowledgement
//! crash check DIR ACKS            opens DIR and holds the lines in the file ACKS against it
//! crash kill CYCLES SEED          both, with `kill -9` in between, CYCLES times
//! ```

use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use feed::ports::Random as _;
use tests::chance::TestChance;
use tests::crash;

/// Cycles on one directory before a new one is begun: the check reads all of it each time.
const CYCLES_A_DIRECTORY: u64 = 10;

/// Acknowledgements that a writer is let run for, at most, before it is killed.
const ACKS_MAX: u64 = 400;

/// More than one cycle can reach.
const NO_LIMIT: &str = "1000000";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["write", data, seed, limit] => {
            crash::write(Path::new(data), seed, limit.parse()?, Box::new(stdout())).await
        }
        ["check", data, acks] => {
            let found = crash::check(Path::new(data), &std::fs::read_to_string(acks)?).await?;
            Ok(writeln!(stdout(), "{found}")?)
        }
        ["kill", cycles, seed] => kill(cycles.parse()?, seed),
        _ => bail!("crash write DIR SEED LIMIT | check DIR ACKS | kill CYCLES SEED"),
    }
}

fn kill(cycles: u64, seed: &str) -> Result<()> {
    let chance = TestChance::new(seed);
    let mut directory = tempfile::tempdir()?;
    let (mut acked, mut slowest) = (0, Duration::ZERO);
    for cycle in 0..cycles {
        if cycle % CYCLES_A_DIRECTORY == 0 {
            directory = tempfile::tempdir()?;
        }
        let data = directory.path().join("data");
        let acks = directory.path().join("acks");
        let before = std::fs::read_to_string(&acks).unwrap_or_default();
        let mut writer = this("write")?
            .args([data.as_os_str(), format!("{seed} {cycle}").as_ref(), NO_LIMIT.as_ref()])
            .stdout(Stdio::piped())
            .spawn()?;
        let told = run_and_kill(&mut writer, &chance)?;
        acked += told.lines().count();
        std::fs::write(&acks, before + &told)?;
        let started = Instant::now();
        let checked = this("check")?.args([&data, &acks]).output()?;
        slowest = slowest.max(started.elapsed());
        ensure!(
            checked.status.success(),
            "cycle {cycle} of seed {seed}: {}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
    let slowest = slowest.as_secs_f64();
    writeln!(
        stdout(),
        "{cycles} times kill -9 (seed {seed}): {acked} acknowledged, 0 lost, 0 unopenable; \
         slowest reopening with its full check {slowest:.1} s"
    )?;
    Ok(())
}

/// Lets the writer run for a number of acknowledgements and a fraction of a commit drawn by chance,
/// kills it, and returns the whole lines it had written.
fn run_and_kill(writer: &mut Child, chance: &TestChance) -> Result<String> {
    let mut lines = BufReader::new(writer.stdout.take().context("no pipe")?);
    let mut told = String::new();
    for _ in 0..=chance.below(ACKS_MAX) {
        ensure!(lines.read_line(&mut told)? > 0, "the writer ended by itself");
    }
    let mut micros = [0; 2];
    chance.fill(&mut micros);
    std::thread::park_timeout(Duration::from_micros(u16::from_be_bytes(micros).into()) / 8);
    writer.kill()?;
    writer.wait()?;
    while lines.read_line(&mut told)? > 0 {}
    // What has no end of line was torn with the writer.
    told.truncate(told.rfind('\n').map_or(0, |end| end + 1));
    Ok(told)
}

fn this(verb: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(verb);
    Ok(command)
}
