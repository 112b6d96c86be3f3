//! How a form looks: few colours, strong enough for a photocopy, and text that wraps.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

const INK: Color = Color::RGB(0x1F2D33);
const ACCENT: Color = Color::RGB(0x1F4E5F);
const TINT: Color = Color::RGB(0xE3EEF1);
const GREY: Color = Color::RGB(0x52626A);
const LINE: Color = Color::RGB(0xB9C6CC);
const MISSING: Color = Color::RGB(0xFFF3C4);

/// The formats of one form.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) title: Format,
    pub(super) hint: Format,
    pub(super) head: Format,
    pub(super) section: Format,
    pub(super) question: Format,
    pub(super) further: Format,
    pub(super) star: Format,
    pub(super) help: Format,
    pub(super) answer: Format,
    pub(super) missing: Format,
    pub(super) heading: Format,
    pub(super) line: Format,
    pub(super) small: Format,
    pub(super) entry: Format,
    pub(super) code: Format,
}

impl Look {
    /// The formats, for text from right to left or from left to right.
    pub(super) fn new(right_to_left: bool) -> Self {
        let base = Format::new()
            .set_text_wrap()
            .set_align(FormatAlign::Top)
            .set_font_color(INK)
            .set_reading_direction(if right_to_left { 2 } else { 1 });
        let lined =
            base.clone().set_border_bottom(FormatBorder::Thin).set_border_bottom_color(LINE);
        Self {
            title: base.clone().set_bold().set_font_size(18).set_font_color(ACCENT),
            hint: base.clone().set_font_color(GREY).set_italic(),
            head: base
                .clone()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(ACCENT)
                .set_align(FormatAlign::VerticalCenter),
            section: base
                .clone()
                .unset_text_wrap()
                .set_bold()
                .set_font_size(12)
                .set_font_color(ACCENT)
                .set_background_color(TINT)
                .set_align(FormatAlign::VerticalCenter),
            question: lined.clone().set_bold(),
            further: lined.clone().set_font_color(GREY),
            star: Format::new().set_bold().set_font_color(Color::RGB(0xB3261E)),
            help: lined.clone().set_font_color(GREY).set_font_size(9),
            // Text format: else `16.10` becomes 16.1, `2024-05` a day, and `- first` a broken formula.
            answer: lined
                .set_num_format("@")
                .set_border_left(FormatBorder::Thin)
                .set_border_left_color(LINE)
                .set_border_right(FormatBorder::Thin)
                .set_border_right_color(LINE),
            missing: Format::new().set_background_color(MISSING),
            heading: base.clone().set_bold().set_font_size(13).set_font_color(ACCENT),
            line: base.clone().set_font_size(11),
            small: base.clone().set_font_size(9).set_font_color(GREY),
            entry: base.clone().set_font_size(10),
            code: base.set_font_size(9).set_font_color(GREY).set_num_format("@"),
        }
    }
}
