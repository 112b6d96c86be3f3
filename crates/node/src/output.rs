//! What a person or a program sees of a command: plain words or JSON on standard output, warnings,
//! errors and progress on standard error.
//!
//! Text of other people's making is passed through [`visible`] before it reaches a terminal: a
//! title must not be able to move the cursor or to reverse what stands around it.

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;
use wire::api::guard::UnderWay;

/// Where a command writes.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    color: bool,
    interactive: bool,
}

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// All of it: exit code 0.
    Fully,
    /// Some of it, and the rest was named: exit code 3.
    Partly,
    /// It was done, and the answer is no (`verify`): exit code 1.
    Refuted,
}

/// The command was called in a way that makes no sense: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

impl Output {
    /// For standard output as it is; colour only on a terminal and without `NO_COLOR`.
    pub fn new(json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json,
            color: !json && !plain && std::io::stdout().is_terminal(),
            interactive: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people; nothing with `--json`.
    pub fn say(&self, line: impl AsRef<str>) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { write_out(line.as_ref()) }
    }

    /// A line for programs; nothing without `--json`.
    pub fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        if self.json { write_out(&serde_json::to_string(value)?) } else { Ok(()) }
    }

    /// Text that is the result itself, such as a file: the same for people and programs.
    pub fn raw(&self, text: &str) -> anyhow::Result<()> {
        write_out(text.trim_end_matches('\n'))
    }

    /// A table for people; foreign text in it is made visible.
    pub fn table<const N: usize>(
        &self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> anyhow::Result<()> {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(header);
        for row in rows {
            table.add_row(row.map(|cell| visible(&cell)));
        }
        self.say(trim_lines(&table.to_string()))
    }

    /// A word that says yes or no, green or red on a terminal.
    pub fn mark(&self, good: bool, word: &str) -> String {
        match (self.color, good) {
            (true, true) => format!("\u{1b}[32m{word}\u{1b}[0m"),
            (true, false) => format!("\u{1b}[31m{word}\u{1b}[0m"),
            (false, _) => word.to_owned(),
        }
    }

    /// A line on standard error, for people and programs alike.
    pub fn warn(&self, line: impl AsRef<str>) {
        // Nobody can be told that standard error is closed.
        let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
    }

    /// Whether somebody watches.
    pub fn shows_progress(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// How far something has come, on one line of standard error that the next takes the place of; `None`
    /// clears it.
    pub fn progress(&self, now: Option<&UnderWay>) {
        if !self.shows_progress() {
            return;
        }
        let words = now.map(|now| match now.total {
            0 if now.done == 0 => visible(&now.what),
            0 => format!("{} {}", now.done, visible(&now.what)),
            total => format!("{} of {total} {}", now.done, visible(&now.what)),
        });
        // Nobody can be told that standard error is closed.
        let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K{}", words.unwrap_or_default());
    }

    /// Asks before something is done. Without a terminal the answer is an error that names the flag.
    pub fn confirm(&self, question: &str, flag: &str) -> anyhow::Result<bool> {
        if !self.interactive {
            return Err(Usage(format!(
                "{question} There is no terminal to ask on: add {flag} to say yes"
            ))
            .into());
        }
        Ok(dialoguer::Confirm::new().with_prompt(question).default(false).interact()?)
    }

    /// The error as it is shown, and its exit code.
    pub fn error(&self, error: &anyhow::Error) -> u8 {
        let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        if is_closed_pipe(error) {
            return 0;
        }
        if self.json {
            let told = serde_json::json!({"error": error.to_string(), "because": causes});
            self.warn(told.to_string());
        } else {
            self.warn(format!("error: {}", visible_lines(&error.to_string())));
            for cause in causes {
                self.warn(format!("  because {}", visible_lines(&cause)));
            }
        }
        if error.chain().any(|cause| cause.is::<Usage>()) { 2 } else { 1 }
    }
}

impl Done {
    /// The exit code of design 9.
    pub fn code(self) -> u8 {
        match self {
            Self::Fully => 0,
            Self::Refuted => 1,
            Self::Partly => 3,
        }
    }
}

/// `text` on one line, with everything that could act on a terminal written out as `\u{…}`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// As [`visible`], but lines stay lines.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// Control characters, and the marks that reorder text in both directions.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn trim_lines(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn write_out(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// `jopoi list | head` is not a failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_act_on_the_terminal() {
        assert_eq!(visible("a\u{1b}[2Jb\u{202e}c"), "a\\u{1b}[2Jb\\u{202e}c");
        assert_eq!(visible("Académie 中文 العربية"), "Académie 中文 العربية");
    }

    #[test]
    fn lines_of_an_error_stay_lines() {
        assert_eq!(visible_lines("one\ntwo\u{7}"), "one\ntwo\\u{7}");
    }
}
