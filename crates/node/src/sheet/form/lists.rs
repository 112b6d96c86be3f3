//! The sheet of lists: every entry that a drop-down offers, with its code.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_xlsxwriter::{DataValidation, DataValidationErrorStyle, Formula, Worksheet, XlsxError};

use super::super::choices::Choices;
use super::super::grid::{column_letters, neutral};
use super::super::shape::Shape;
use super::super::texts::Texts;
use super::look::Look;
use super::questions::Section;

/// Rows above the entries: the title and the name of each list.
const FIRST_ENTRY_ROW: u32 = 3;

/// Lists whose codes people know: they are shown before the label, `16.6 – …`.
const CODE_FIRST: [&str; 2] = ["sdgs", "themes"];

/// Longest entry of a drop-down, in characters; longer ones cannot be read in the narrow box.
const ENTRY_CHARS_MAX: usize = 120;

/// The lists of one form: where each stands in the sheet.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Name of the sheet.
    sheet: String,
    by_name: BTreeMap<String, (Arc<Choices>, String, u16)>,
    yes_no: Option<[String; 2]>,
}

impl Lists {
    /// Collects the lists that `questions` use, in their order.
    pub(super) fn of(sections: &[Section], texts: &Texts) -> Self {
        let mut lists = Self {
            sheet: texts.word("lists_sheet").to_owned(),
            by_name: BTreeMap::new(),
            yes_no: None,
        };
        let mut column = 0;
        for question in sections.iter().flat_map(|section| &section.questions) {
            if let Shape::Code(choices) | Shape::Language(choices) = &question.shape {
                let entry = lists.by_name.entry(choices.name().to_owned());
                entry.or_insert_with(|| {
                    let at = column;
                    column += 2;
                    (Arc::clone(choices), question.label.trim_end_matches(" (1)").to_owned(), at)
                });
            }
        }
        lists.yes_no = Some([texts.word("yes").to_owned(), texts.word("no").to_owned()]);
        lists
    }

    /// Fills the sheet: for each list a column of entries and one of codes.
    pub(super) fn write(
        &self,
        sheet: &mut Worksheet,
        texts: &Texts,
        look: &Look,
    ) -> Result<(), XlsxError> {
        sheet.write_string_with_format(0, 0, &self.sheet, &look.title.clone().unset_text_wrap())?;
        sheet.write_string_with_format(
            1,
            0,
            texts.word("lists_hint"),
            &look.hint.clone().unset_text_wrap(),
        )?;
        sheet.set_row_height(0, 28)?.set_row_height(1, 20)?;
        for (name, (choices, label, column)) in &self.by_name {
            sheet.set_column_width(*column, 44)?.set_column_width(column + 1, 18)?;
            sheet.write_string_with_format(FIRST_ENTRY_ROW - 1, *column, label, &look.head)?;
            sheet.write_string_with_format(
                FIRST_ENTRY_ROW - 1,
                column + 1,
                texts.word("code"),
                &look.head,
            )?;
            for (row, choice) in (FIRST_ENTRY_ROW..).zip(choices.shown(texts.language)) {
                sheet.write_string_with_format(
                    row,
                    *column,
                    neutral(&shown(name, &choice.code, choice.label(texts.language))),
                    &look.entry,
                )?;
                sheet.write_string_with_format(
                    row,
                    column + 1,
                    neutral(&choice.code),
                    &look.code,
                )?;
            }
        }
        sheet.set_landscape().set_freeze_panes(FIRST_ENTRY_ROW, 0)?;
        Ok(())
    }

    /// The drop-down for an answer of `shape`, if it is from a list.
    pub(super) fn validation(
        &self,
        shape: &Shape,
        texts: &Texts,
    ) -> Result<Option<DataValidation>, XlsxError> {
        let rule = match shape {
            Shape::Code(choices) | Shape::Language(choices) => {
                let Some((choices, _, column)) = self.by_name.get(choices.name()) else {
                    return Ok(None);
                };
                let letters = column_letters(u32::from(*column));
                let first = FIRST_ENTRY_ROW + 1;
                let last = usize::try_from(FIRST_ENTRY_ROW).unwrap_or(0) + choices.entries().len();
                let range = format!(
                    "='{}'!${letters}${first}:${letters}${last}",
                    self.sheet.replace('\'', "''")
                );
                DataValidation::new().allow_list_formula(Formula::new(range))
            }
            Shape::Flag => match &self.yes_no {
                Some(words) => DataValidation::new().allow_list_strings(words)?,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        // A warning, not a stop: codes, labels of other languages and several lines are welcome.
        let rule = rule
            .set_error_style(DataValidationErrorStyle::Warning)
            .set_error_message(short(texts.word("not_in_list"), 255))?;
        Ok(Some(rule))
    }
}

/// An entry as the drop-down shows it.
pub(in super::super) fn shown(list: &str, code: &str, label: &str) -> String {
    if CODE_FIRST.contains(&list) {
        short(&format!("{code} – {label}"), ENTRY_CHARS_MAX)
    } else {
        label.to_owned()
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}
