//! The line itself: `tests/line/line.py` passes the packets.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// What passes packets, seen from the top of the tree.
const SCRIPT: &str = "tests/line/line.py";

/// A line that is up.
pub struct Air {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What a line carried so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carried {
    /// Bytes to the near side, with the headers of IP and TCP.
    pub to_near: u64,
    /// To the far side.
    pub to_far: u64,
    /// Packets that were lost.
    pub lost: u64,
}

impl Air {
    /// Joins two namespaces by a line with these addresses.
    ///
    /// # Errors
    /// When the devices cannot be made.
    pub fn between(
        [(near, near_address), (far, far_address)]: [(&str, &str); 2],
        shape: &[String],
    ) -> Result<Self> {
        let mut command = Command::new("python3");
        command.args([SCRIPT, near, far]).args(shape);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let commands = child.stdin.take().context("no input")?;
        let mut answers = BufReader::new(child.stdout.take().context("no output")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        ensure!(line.trim() == "ready", "the line cannot be laid");
        for (namespace, own, other) in
            [(near, near_address, far_address), (far, far_address, near_address)]
        {
            let peer = format!("{own} peer {other}");
            ip(namespace, &format!("addr add {peer} dev line"))?;
            ip(namespace, "link set line up")?;
        }
        Ok(Self { child, commands, answers })
    }

    /// `cut`, `mend`, `open` or `bad`.
    ///
    /// # Errors
    /// When the line is gone.
    pub fn say(&mut self, command: &str) -> Result<String> {
        writeln!(self.commands, "{command}")?;
        self.commands.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        ensure!(!answer.is_empty(), "the line is gone");
        Ok(answer)
    }

    /// What it carried so far.
    ///
    /// # Errors
    /// When the line is gone.
    pub fn carried(&mut self) -> Result<Carried> {
        let answer = self.say("count")?;
        let numbers: Result<Vec<u64>, _> = answer.split_whitespace().map(str::parse).collect();
        match numbers?.as_slice() {
            [_, to_near, _, to_far, lost] => {
                Ok(Carried { to_near: *to_near, to_far: *to_far, lost: *lost })
            }
            _ => anyhow::bail!("the line counted {answer}"),
        }
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ip(namespace: &str, words: &str) -> Result<()> {
    let status = Command::new("ip").args(["-n", namespace]).args(words.split(' ')).status()?;
    ensure!(status.success(), "ip -n {namespace} {words}: {status}");
    Ok(())
}
