//! A publisher to be killed, the check of what it left, and the loop that kills it.
//!
//! ```text
//! crash write DIR SEED LIMIT      publishes; one line on standard output for each acknowledgement
//! crash check DIR ACKS            opens DIR and holds the lines in the file ACKS against it
//! crash kill CYCLES SEED          both, with `kill -9` in between, CYCLES times
//! crash at DIR SEED WRITE SIDE N  works until it ends at the N-th such write, before or after it
//! crash left DIR ACKS             checks what it left
//! crash points CYCLES SEED        that at each point in turn, and the check of what it left
//! ```

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _, stdout};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use feed::ports::Random as _;
use tests::chance::TestChance;
use tests::crash;
use tests::crash::points::{self, Point};

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
        ["at", data, seed, write, side, nth] => {
            let nth = nth.parse()?;
            let point = Point { write: (*write).to_owned(), after: *side == "after", nth };
            points::write(Path::new(data), seed, &point, &mut stdout()).await
        }
        ["left", data, acks] => {
            let acks = std::fs::read_to_string(acks)?;
            let found = points::check(Path::new(data), &acks).await?;
            Ok(writeln!(stdout(), "{found}")?)
        }
        ["points", cycles, seed] => end_at_points(cycles.parse()?, seed),
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

/// Ends a process at one point after the other. Each directory is begun by work that is not ended, so that
/// every kind of write comes soon; those that come seldom are met at their first times.
fn end_at_points(cycles: u64, seed: &str) -> Result<()> {
    let chance = TestChance::new(seed);
    let mut directory = tempfile::tempdir()?;
    let (mut acked, mut met) = (0, BTreeMap::<String, u64>::new());
    let mut acks = String::new();
    let all = 2 * points::WRITES.len();
    for cycle in 0..cycles {
        let turn = usize::try_from(cycle)? % all;
        if turn == 0 {
            directory = tempfile::tempdir()?;
            acks = at_point(&directory.path().join("data"), seed, "nothing", "after", 1)?.0;
            continue_with(&directory, &acks).context("the work before")?;
        }
        let data = directory.path().join("data");
        let write = points::WRITES.get(turn / 2).context("no point")?;
        let side = if turn.is_multiple_of(2) { "before" } else { "after" };
        let times = match *write {
            "append to the head" => 60,
            "cut" | "decision" | "pending checkpoint" | "remove" => 1,
            _ => 4,
        };
        if *write == "cut" {
            tear(&data)?;
        }
        let nth = 1 + chance.below(times);
        let failed = || format!("cycle {cycle} of seed {seed}: {side} {write}, number {nth}");
        let (told, ended) =
            at_point(&data, &format!("{seed} {cycle}"), write, side, nth).with_context(failed)?;
        *met.entry(format!("{side} {write}")).or_default() += u64::from(ended);
        acked += told.lines().count();
        acks.push_str(&told);
        continue_with(&directory, &acks).with_context(failed)?;
    }
    for (point, times) in &met {
        writeln!(stdout(), "{times:>6} times ended {point}")?;
        ensure!(*times > 0, "no process ended {point}");
    }
    writeln!(
        stdout(),
        "{cycles} cycles at {} points (seed {seed}): {acked} acknowledged, 0 lost, 0 unopenable",
        met.len()
    )?;
    Ok(())
}

/// Works until a point; what was acknowledged, and whether the process ended there.
fn at_point(data: &Path, seed: &str, write: &str, side: &str, nth: u64) -> Result<(String, bool)> {
    std::fs::create_dir_all(data)?;
    let newcomer = data.join(points::NEWCOMER);
    if newcomer.exists() {
        std::fs::remove_dir_all(&newcomer)?;
    }
    let worked = this("at")?
        .args([data.as_os_str(), seed.as_ref(), write.as_ref(), side.as_ref()])
        .arg(nth.to_string())
        .output()?;
    // Whoever ended by itself and not at the point says why.
    let reason = String::from_utf8_lossy(&worked.stderr);
    ensure!(worked.status.code().is_none_or(|code| code == 0), "{reason}");
    let told = String::from_utf8_lossy(&worked.stdout);
    let whole = told.rfind('\n').map_or(0, |end| end + 1);
    Ok((told.get(..whole).unwrap_or_default().to_owned(), !worked.status.success()))
}

/// Checks what was left, and goes on from there.
fn continue_with(directory: &tempfile::TempDir, acks: &str) -> Result<()> {
    let (data, file) = (directory.path().join("data"), directory.path().join("acks"));
    std::fs::write(&file, acks)?;
    let left = this("left")?.args([&data, &file]).output()?;
    ensure!(left.status.success(), "{}", String::from_utf8_lossy(&left.stderr));
    Ok(())
}

/// Leaves the beginning of an append behind, as a power cut may.
fn tear(data: &Path) -> Result<()> {
    let head = data.join("own/facts/crash.example/public/head");
    let mut head = std::fs::OpenOptions::new().append(true).open(head)?;
    Ok(head.write_all(&[0, 0, 9, 9, 7, 7, 7])?)
}

fn this(verb: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(verb);
    Ok(command)
}
