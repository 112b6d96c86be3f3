//! A picture of a few lines over a logarithmic axis, as SVG that a reader of pages without pictures is told
//! in words.
//!
//! A function of ours: the plotting library looked at (plotters 0.3) writes neither title nor description,
//! brings six crates, and four plain pictures need no more than what stands here.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
/// Where the axes are: left, top, right, bottom. Names of lines stand to the right.
const LEFT: f64 = 64.0;
const TOP: f64 = 44.0;
const RIGHT: f64 = 470.0;
const BOTTOM: f64 = 252.0;
const COLOURS: [&str; 4] = ["#1f6f8b", "#b4532a", "#4b7a2c", "#6b4c9a"];
/// Names of lines that end at one height are moved apart by so much.
const NAME_HEIGHT: f64 = 15.0;

/// What is drawn.
pub(super) struct Picture<'a> {
    pub(super) title: &'a str,
    /// What the axes count.
    pub(super) across: &'a str,
    pub(super) up: &'a str,
    pub(super) lines: Vec<Line<'a>>,
}

/// One line.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    /// From left to right; what stands across is at least 1.
    pub(super) points: Vec<(f64, f64)>,
    /// A target, not a measurement.
    pub(super) is_limit: bool,
}

/// From figures to places.
struct Scale {
    least: f64,
    most: f64,
    top: f64,
}

impl Picture<'_> {
    /// The picture, a few kB.
    pub(super) fn svg(&self) -> String {
        let scale = self.scale();
        let mut svg = String::new();
        let _ = write!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-labelledby="t d">
<title id="t">{}</title>
<desc id="d">{}</desc>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<text x="{LEFT}" y="20" font-size="14" font-weight="600" fill="#12283d">{}</text>
"##,
            escaped(self.title),
            escaped(&self.in_words()),
            escaped(self.title),
        );
        self.axes(&scale, &mut svg);
        let mut names: Vec<(f64, usize)> = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            line.draw(&scale, colour(number, line), &mut svg);
            let last = line.points.last().map_or(BOTTOM, |(_, up)| scale.up(*up));
            names.push((last, number));
        }
        names.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let mut free = TOP - NAME_HEIGHT;
        for (at, number) in names {
            let Some(line) = self.lines.get(number) else { continue };
            free = at.max(free + NAME_HEIGHT);
            let (name, colour) = (escaped(line.name), colour(number, line));
            let (x, y) = (RIGHT + 8.0, free + 4.0);
            let _ = writeln!(svg, r#"<text x="{x}" y="{y:.0}" fill="{colour}">{name}</text>"#);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn scale(&self) -> Scale {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let least = points().map(|(across, _)| *across).fold(f64::INFINITY, f64::min);
        let most = points().map(|(across, _)| *across).fold(1.0, f64::max);
        let highest = points().map(|(_, up)| *up).fold(0.0, f64::max);
        Scale { least: least.min(most), most, top: round_up(highest) }
    }

    fn axes(&self, scale: &Scale, svg: &mut String) {
        for step in 0..=4 {
            let value = scale.top * f64::from(step) / 4.0;
            let y = scale.up(value);
            let _ = writeln!(
                svg,
                r##"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="#d7e0e6"/><text x="{}" y="{:.1}" text-anchor="end" fill="#33475b">{}</text>"##,
                LEFT - 6.0,
                y + 4.0,
                figure(value)
            );
        }
        let mut at = 1.0;
        while at <= scale.most {
            if at >= scale.least {
                let x = scale.across(at);
                let _ = writeln!(
                    svg,
                    r##"<path d="M{x:.1} {BOTTOM}v5" stroke="#33475b"/><text x="{x:.1}" y="{}" text-anchor="middle" fill="#33475b">{}</text>"##,
                    BOTTOM + 18.0,
                    grouped(at)
                );
            }
            at *= 10.0;
        }
        let (middle, below) = (f64::midpoint(LEFT, RIGHT), BOTTOM + 38.0);
        let _ = writeln!(
            svg,
            r##"<text x="{LEFT}" y="{}" fill="#33475b">{}</text><text x="{middle}" y="{below}" text-anchor="middle" fill="#33475b">{}</text>"##,
            TOP - 8.0,
            escaped(self.up),
            escaped(self.across)
        );
    }

    /// For who cannot see it: each line with its ends.
    fn in_words(&self) -> String {
        let mut words = format!("{} over {}.", self.up, self.across);
        for line in &self.lines {
            if let (Some(first), Some(last)) = (line.points.first(), line.points.last()) {
                let _ = write!(
                    words,
                    " {}: {} at {}, {} at {}.",
                    line.name,
                    figure(first.1),
                    grouped(first.0),
                    figure(last.1),
                    grouped(last.0)
                );
            }
        }
        words
    }
}

impl Line<'_> {
    fn draw(&self, scale: &Scale, colour: &str, svg: &mut String) {
        let places: Vec<(f64, f64)> =
            self.points.iter().map(|(x, y)| (scale.across(*x), scale.up(*y))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let dashed = if self.is_limit { r#" stroke-dasharray="6 4""# } else { "" };
        let _ = writeln!(
            svg,
            r#"<path d="M{}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>"#,
            path.join("L")
        );
        for (x, y) in places.iter().filter(|_| !self.is_limit) {
            let _ = writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#);
        }
    }
}

impl Scale {
    fn across(&self, value: f64) -> f64 {
        let whole = (self.most / self.least).ln();
        let share = if whole > 0.0 { (value / self.least).ln() / whole } else { 0.0 };
        LEFT + share * (RIGHT - LEFT)
    }

    fn up(&self, value: f64) -> f64 {
        BOTTOM - value / self.top * (BOTTOM - TOP)
    }
}

fn colour(number: usize, line: &Line<'_>) -> &'static str {
    if line.is_limit { "#8a8f98" } else { COLOURS.get(number % COLOURS.len()).unwrap_or(&"#000") }
}

/// The next number that is easy to divide by four.
fn round_up(value: f64) -> f64 {
    let mut step = 1e-3;
    loop {
        for nice in [1.0, 2.0, 4.0, 8.0] {
            if step * nice >= value {
                return step * nice;
            }
        }
        step *= 10.0;
    }
}

/// A figure as short as it may be.
fn figure(value: f64) -> String {
    match value {
        value if value >= 100.0 || value.fract() == 0.0 => grouped(value),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A whole number with a comma at each thousand.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_told_in_words_too_and_keeps_within_its_frame() {
        let points = vec![(1_000.0, 80.0), (1_000_000.0, 93.0)];
        let line = Line { name: "published & synced", points, is_limit: false };
        let svg = Picture { title: "Cost", across: "records", up: "us", lines: vec![line] }.svg();
        assert!(svg.contains("published &amp; synced: 80 at 1,000, 93 at 1,000,000."), "{svg}");
        assert!(svg.contains(r#"d="M64.0 "#) && svg.contains("L470.0 "), "{svg}");
        assert!(svg.len() < 4_096, "{} bytes", svg.len());
    }
}
