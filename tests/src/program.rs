//! The program itself, as a process of its own: what is measured and attacked by the commands in `tests/`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::api::{Draft, PublishAnswer, PublishRequest, PublishedEntry};
use wire::paths;

use crate::member::long_practice;

/// Records in one request to publish.
const BATCH: usize = 256;

/// A running server.
pub struct Program {
    child: Child,
    client: reqwest::Client,
    data: PathBuf,
    url: String,
}

impl Program {
    /// The binary: `$JOPOI`, or what `cargo build --release` left.
    pub fn binary() -> PathBuf {
        std::env::var_os("JOPOI").map_or_else(|| "target/release/jopoi".into(), PathBuf::from)
    }

    /// Makes the node `name` in `data` and returns the command that serves it.
    ///
    /// # Errors
    /// When `init` fails.
    pub fn init(data: &Path, name: &str, more: &[&str]) -> Result<()> {
        let fixed =
            "--organization en=Yardstick --name en=Yardstick --reuse CC-BY-4.0 --language en";
        let mut command = Command::new(Self::binary());
        command.args(["init", name]).args(fixed.split(' ')).args(more).arg("--data").arg(data);
        let output = command.output().context("no jopoi: cargo build --release")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Serves the node in `data`, by the words of `before` (`ip netns exec NAME`) if there are any. Its log goes
    /// to `DATA.log`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn serve(data: &Path, before: &[&str], environment: &[(&str, String)]) -> Result<Self> {
        let log = std::fs::File::create(Self::log_of(data))?;
        let binary = Self::binary();
        let mut words = before.iter().map(std::ffi::OsStr::new).chain([binary.as_os_str()]);
        let mut command = Command::new(words.next().context("no command")?);
        command.args(words).args(["serve", "--json", "--data"]).arg(data);
        for (name, value) in environment {
            command.env(name, value);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let Ok(said) = serde_json::from_str::<Value>(&line) else {
            bail!("it did not start: {}", std::fs::read_to_string(Self::log_of(data))?);
        };
        let text = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
        let socket = text("control").context("no socket")?;
        let client = reqwest::Client::builder().unix_socket(Path::new(&socket)).build()?;
        Ok(Self { child, client, data: data.to_owned(), url: text("url").context("no address")? })
    }

    fn log_of(data: &Path) -> PathBuf {
        data.with_extension("log")
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it told its operator so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(Self::log_of(&self.data))?)
    }

    /// Asks over the operator's socket.
    ///
    /// # Errors
    /// When there is no answer, or one that cannot be read.
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A> {
        let answer = self.client.get(format!("http://localhost{path}")).send().await?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// Asks over the operator's socket; the error is the words of a problem.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<A> {
        let request = self
            .client
            .post(format!("http://localhost{path}"))
            .header("content-type", "application/json")
            .body(serde_json::to_vec(request)?);
        let answer = request.send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        ensure!(status.is_success(), "{}", String::from_utf8_lossy(&bytes));
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Publishes the good practices of these numbers; the last of them.
    ///
    /// # Errors
    /// When that is refused.
    pub async fn publish(&self, numbers: std::ops::Range<u64>) -> Result<PublishedEntry> {
        let mut last = None;
        let numbers: Vec<u64> = numbers.collect();
        for numbers in numbers.chunks(BATCH) {
            let draft = |number: &u64| Draft {
                kind: "good-practice".to_owned(),
                id: None,
                expected: None,
                subject: long_practice(*number),
                source: None,
            };
            let request = PublishRequest {
                feed: "public".to_owned(),
                drafts: numbers.iter().map(draft).collect(),
                dry_run: false,
                match_local_id: false,
                warnings_seen: true,
            };
            let answer: PublishAnswer = self.post(paths::API_PUBLISH, &request).await?;
            last = answer.drafts.into_iter().last().and_then(|draft| draft.published).or(last);
        }
        last.context("nothing was published")
    }

    /// What it has resident now and had at most, in MiB.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn memory(&self) -> Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = |name: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|rest| rest.split_whitespace().next()).context("no memory")?;
            Ok(kib.parse::<f64>()? / 1_024.0)
        };
        Ok((line("VmRSS:")?, line("VmHWM:")?))
    }

    /// Asks it to end, and how long that took.
    ///
    /// # Errors
    /// When it ends with an error.
    pub fn end(mut self) -> Result<Duration> {
        let begun = Instant::now();
        self.signal(Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(begun.elapsed())
    }

    /// Ends it at once.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.child.kill()?;
        Ok(self.child.wait()?)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?).context("no process")?;
        Ok(kill_process(pid, signal)?)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing of it may stay behind when a measurement fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
