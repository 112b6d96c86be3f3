//! The form: a workbook to fill in for one kind of record, in the author's language.
//!
//! Questions stand in rows and every record has a column, as in a questionnaire: answers are long,
//! a wide cell shows them whole, and one record prints on portrait paper for clearance. A hidden
//! first column names the field of each row and the hidden first cell the form's version, so that
//! reading never depends on a label; people may move, hide and translate what they see.

pub(super) mod lists;
mod look;
pub(super) mod questions;
mod rows;

use anyhow::Context as _;
use practice::kind::Kind;
use rust_xlsxwriter::{ConditionalFormatFormula, DocProperties, Workbook, Worksheet, XlsxError};

use self::lists::Lists;
use self::look::Look;
use self::questions::{Question, Section, about_translation, sections, texts_to_translate};
use super::fields;
use super::grid::column_letters;
use super::layout::{FIRST_ANSWER_COLUMN, FORM_VERSION, HEAD_ROW, Marker, PATH_COLUMN, Part};
use super::texts::Texts;

/// Columns laid out for records, and for translations; there may be more, up to the last with lists.
const COLUMNS_SHOWN: u16 = 5;

/// Columns in which the drop-downs work.
const COLUMNS_WITH_LISTS: u16 = 50;

/// Widths of the columns, in characters; together with an answer's they fill a small screen.
const QUESTION_WIDTH: usize = 32;
const HELP_WIDTH: usize = 46;
const ANSWER_WIDTH: usize = 62;
const START_WIDTH: usize = 92;

/// Characters of ordinary text that fit the width of the first sheet.
const START_CHARS: usize = 104;

/// Characters of the smaller help text that fit its column.
const HELP_CHARS: usize = 56;

/// Makes the form for `kind` in `language` (one of [`LANGUAGES`](super::LANGUAGES), else English).
///
/// # Errors
/// If `kind` is one that nobody fills in, such as a node record.
pub fn form(kind: &Kind, language: &str) -> anyhow::Result<Vec<u8>> {
    let texts = Texts::of(language);
    let fields = fields::of(kind).with_context(|| {
        format!("there is no form for `{kind}`; forms exist for {}", fields::kinds_with_forms())
    })?;
    let sections = sections(&fields, texts);
    let about = Section { key: "translation", questions: about_translation(texts) };
    Page {
        kind,
        texts,
        look: Look::new(right_to_left(texts)),
        lists: Lists::of(&[sections.as_slice(), &[about]].concat(), texts),
    }
    .workbook(&sections)
    .map_err(anyhow::Error::from)
    .and_then(rows::unfix)
    .with_context(|| format!("the form for `{kind}` could not be written"))
}

fn right_to_left(texts: &Texts) -> bool {
    practice::language::direction(texts.language) == "rtl"
}

struct Page<'a> {
    kind: &'a Kind,
    texts: &'a Texts,
    look: Look,
    lists: Lists,
}

impl Page<'_> {
    fn workbook(&self, sections: &[Section]) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        let title = self.title();
        workbook.set_properties(
            &DocProperties::new()
                .set_title(&title)
                .set_comment(format!("jopoi form {FORM_VERSION} {}", self.kind)),
        );
        self.start(self.sheet(&mut workbook, "start_sheet")?)?;
        self.answers(self.sheet(&mut workbook, "form_sheet")?, &title, sections)?;
        self.translations(self.sheet(&mut workbook, "translations_sheet")?, sections)?;
        self.lists.write(self.sheet(&mut workbook, "lists_sheet")?, self.texts, &self.look)?;
        workbook.save_to_buffer()
    }

    fn title(&self) -> String {
        let kind = fields::kind_label(self.kind, self.texts.language);
        self.texts.start.first().map(|title| title.replace("{kind}", kind)).unwrap_or_default()
    }

    fn sheet<'w>(
        &self,
        workbook: &'w mut Workbook,
        name: &str,
    ) -> Result<&'w mut Worksheet, XlsxError> {
        let sheet = workbook.add_worksheet();
        sheet
            .set_name(self.texts.word(name))?
            .set_right_to_left(right_to_left(self.texts))
            .set_screen_gridlines(false);
        sheet.set_paper_size(9).set_margins(0.5, 0.5, 0.6, 0.6, 0.3, 0.3).set_footer("&C&P / &N");
        Ok(sheet)
    }

    fn start(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        let words = [
            ("{answers}", self.texts.word("form_sheet")),
            ("{translations}", self.texts.word("translations_sheet")),
            ("{lists}", self.texts.word("lists_sheet")),
            ("{record}", self.texts.word("record")),
        ];
        sheet.set_column_width(0, 3)?.set_column_width(1, width(START_WIDTH))?;
        sheet.write_string_with_format(0, 1, self.title(), &self.look.title)?;
        sheet.set_print_fit_to_pages(1, 0);
        let mut row = 1;
        for line in self.texts.start.iter().skip(1) {
            let line = words
                .iter()
                .fold(line.clone(), |line, (placeholder, word)| line.replace(placeholder, word));
            match line.strip_prefix("## ") {
                Some(heading) => {
                    row += 1;
                    sheet.write_string_with_format(row, 1, heading, &self.look.heading)?;
                }
                None => {
                    sheet.write_string_with_format(row, 0, "•", &self.look.line)?;
                    sheet.set_row_height(
                        row,
                        rows::height(&[(&line, START_CHARS, rows::LINE_POINTS)]),
                    )?;
                    sheet.write_string_with_format(row, 1, line, &self.look.line)?;
                }
            }
            row += 1;
        }
        sheet.write_string_with_format(
            row + 1,
            1,
            format!("jopoi form {FORM_VERSION} · {} · {}", self.kind, self.texts.language),
            &self.look.small,
        )?;
        Ok(())
    }

    fn answers(
        &self,
        sheet: &mut Worksheet,
        title: &str,
        sections: &[Section],
    ) -> Result<(), XlsxError> {
        self.head(sheet, title, "hint", "record", Part::Answers)?;
        let mut row = HEAD_ROW + 1;
        for section in sections {
            for column in 1..=first_answer() + COLUMNS_SHOWN - 1 {
                sheet.write_blank(row, column, &self.look.section)?;
            }
            sheet.write_string_with_format(
                row,
                1,
                self.texts.word(section.key),
                &self.look.section,
            )?;
            sheet.set_row_height(row, 21)?;
            row += 1;
            for question in &section.questions {
                self.question(sheet, row, question)?;
                row += 1;
            }
        }
        self.mark_missing(sheet, sections, row - 1)?;
        sheet.set_print_area(0, 1, row - 1, first_answer())?;
        Ok(())
    }

    fn translations(&self, sheet: &mut Worksheet, sections: &[Section]) -> Result<(), XlsxError> {
        self.head(
            sheet,
            self.texts.word("translations_sheet"),
            "translations_hint",
            "translation",
            Part::Translations,
        )?;
        let mut row = HEAD_ROW + 1;
        for question in
            about_translation(self.texts).iter().chain(&texts_to_translate(sections, self.texts))
        {
            self.question(sheet, row, question)?;
            row += 1;
        }
        sheet.set_print_area(0, 1, row - 1, first_answer())?;
        Ok(())
    }

    /// Title, hint, headings, widths and what stays in view.
    fn head(
        &self,
        sheet: &mut Worksheet,
        title: &str,
        hint: &str,
        column_name: &str,
        part: Part,
    ) -> Result<(), XlsxError> {
        let marker =
            Marker { kind: self.kind.clone(), language: self.texts.language.to_owned(), part };
        sheet.write_string(0, column_number(PATH_COLUMN), marker.text())?;
        sheet.set_column_hidden(column_number(PATH_COLUMN))?;
        sheet.set_column_width(1, width(QUESTION_WIDTH))?.set_column_width(2, width(HELP_WIDTH))?;
        sheet.write_string_with_format(0, 1, title, &no_wrap(&self.look.title))?;
        sheet.set_row_height(0, 28)?;
        sheet.write_string_with_format(1, 1, self.texts.word(hint), &no_wrap(&self.look.hint))?;
        sheet.write_string_with_format(
            HEAD_ROW,
            1,
            self.texts.word("question"),
            &self.look.head,
        )?;
        sheet.write_string_with_format(HEAD_ROW, 2, self.texts.word("how"), &self.look.head)?;
        sheet.set_row_height(1, 20)?.set_row_height(HEAD_ROW, 24)?;
        for number in 0..COLUMNS_WITH_LISTS {
            let column = first_answer() + number;
            sheet
                .set_column_width(column, width(ANSWER_WIDTH))?
                .set_column_format(column, &self.look.answer)?;
            if number < COLUMNS_SHOWN {
                let name = format!("{} {}", self.texts.word(column_name), number + 1);
                sheet.write_string_with_format(HEAD_ROW, column, name, &self.look.head)?;
                sheet.write_blank(0, column, &self.look.line)?.write_blank(
                    1,
                    column,
                    &self.look.line,
                )?;
            }
        }
        sheet.set_print_fit_to_pages(1, 0).set_freeze_panes(HEAD_ROW + 1, 2)?;
        sheet.set_repeat_rows(HEAD_ROW, HEAD_ROW)?;
        Ok(())
    }

    fn question(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        question: &Question,
    ) -> Result<(), XlsxError> {
        sheet.write_string(row, column_number(PATH_COLUMN), &question.path)?;
        if question.required {
            let label = [(&self.look.question, question.label.as_str()), (&self.look.star, " *")];
            sheet.write_rich_string_with_format(row, 1, &label, &self.look.question)?;
        } else {
            let look = if question.further { &self.look.further } else { &self.look.question };
            sheet.write_string_with_format(row, 1, &question.label, look)?;
        }
        sheet.write_string_with_format(row, 2, &question.help, &self.look.help)?;
        for number in 0..COLUMNS_SHOWN {
            sheet.write_blank(row, first_answer() + number, &self.look.answer)?;
        }
        if let Some(validation) = self.lists.validation(&question.shape, self.texts)? {
            sheet.add_data_validation(
                row,
                first_answer(),
                row,
                first_answer() + COLUMNS_WITH_LISTS - 1,
                &validation,
            )?;
        }
        let roomy = if question.shape.has_text() { "\n\n" } else { "" };
        let label = (question.label.as_str(), QUESTION_WIDTH - 3, rows::LINE_POINTS);
        let help = (question.help.as_str(), HELP_CHARS, rows::SMALL_LINE_POINTS);
        sheet.set_row_height(row, rows::height(&[label, help, (roomy, 1, rows::LINE_POINTS)]))?;
        Ok(())
    }

    /// A required answer that is missing is tinted as soon as the record has any other.
    fn mark_missing(
        &self,
        sheet: &mut Worksheet,
        sections: &[Section],
        last: u32,
    ) -> Result<(), XlsxError> {
        let letters = column_letters(FIRST_ANSWER_COLUMN);
        let mut row = HEAD_ROW + 1;
        for section in sections {
            row += 1;
            for question in &section.questions {
                if question.required {
                    let rule = format!(
                        "=AND(LEN({letters}{0})=0,COUNTA({letters}${1}:{letters}${2})>0)",
                        row + 1,
                        HEAD_ROW + 2,
                        last + 1
                    );
                    let format = ConditionalFormatFormula::new()
                        .set_rule(rule.as_str())
                        .set_format(&self.look.missing);
                    sheet.add_conditional_format(
                        row,
                        first_answer(),
                        row,
                        first_answer() + COLUMNS_SHOWN - 1,
                        &format,
                    )?;
                }
                row += 1;
            }
        }
        Ok(())
    }
}

fn width(characters: usize) -> f64 {
    f64::from(u16::try_from(characters).unwrap_or(u16::MAX))
}

fn first_answer() -> u16 {
    column_number(FIRST_ANSWER_COLUMN)
}

fn column_number(column: u32) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}

/// Titles run over the columns beside them, which are empty.
fn no_wrap(format: &rust_xlsxwriter::Format) -> rust_xlsxwriter::Format {
    format.clone().unset_text_wrap()
}
