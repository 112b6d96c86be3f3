//! What stands above the first section of a page: the State, the title, the badge.

use super::blocks::{Block, BlockKind};
use super::parts::Part;
use crate::vocabulary::{self, sort_key};

/// Longest line of pasted text that is taken for a title, in bytes.
const TITLE_BYTES_MAX: usize = 300;

/// The opening of a page.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// The State it names: in a heading, or alone. A menu that lists States names none.
    pub(super) state: Option<String>,
    pub(super) title: Option<String>,
    /// Whether the page bears the badge of a standing mechanism.
    pub(super) standing: bool,
    /// Everything else.
    pub(super) left: Vec<String>,
}

/// Reads the parts above the first that is recognised.
pub(super) fn read(parts: Vec<Part>) -> Opening {
    let mut lines = Vec::new();
    for part in parts {
        if !part.heading.is_empty() {
            lines.push(Block::new(BlockKind::Heading, part.heading));
        }
        lines.extend(part.blocks);
    }
    let mut opening = Opening { state: state_of(&lines), ..Opening::default() };
    let is_badge = |text: &str| {
        ["standing nmirf", "standing national mechanism"].contains(&sort_key(text).as_str())
    };
    opening.standing = lines.iter().any(|line| is_badge(&line.text));
    lines.retain(|line| !is_badge(&line.text));
    let mut after_state = None;
    for line in lines {
        let names = opening.state.is_some() && named(&line.text) == opening.state;
        if names && !line.text.contains(':') && after_state.is_none() {
            after_state = Some(opening.left.len());
        } else if opening.title.is_none() && (names || line.kind == BlockKind::Heading) {
            opening.title = Some(line.text);
        } else {
            opening.left.push(line.text);
        }
    }
    // In pasted text the one line below the State is what the profile is called.
    let alone = |text: &String| text.len() <= TITLE_BYTES_MAX && !text.contains('\n');
    if opening.title.is_none()
        && after_state.map(|at| at + 1) == Some(opening.left.len())
        && opening.left.last().is_some_and(alone)
    {
        opening.title = opening.left.pop();
    }
    opening
}

/// The State that a text is the name of, or begins with before a colon.
pub(super) fn named(text: &str) -> Option<String> {
    let name = text.split(':').next().unwrap_or_default().trim();
    let term = vocabulary::states().find(name).filter(|_| name.len() > 2);
    term.map(|term| term.code.clone())
}

fn state_of(lines: &[Block]) -> Option<String> {
    let headings = lines.iter().filter(|line| line.kind == BlockKind::Heading);
    let in_heading = headings.filter_map(|line| named(&line.text)).next();
    in_heading.or_else(|| {
        let mut states: Vec<_> = lines.iter().filter_map(|line| named(&line.text)).collect();
        states.dedup();
        if states.len() == 1 { states.pop() } else { None }
    })
}
