//! Texts that the operator brings: a language of one's own, or other words for some of ours.
//!
//! `LANG.ftl` in the directory `site.texts` holds any of our keys. For one of our languages its texts replace
//! ours; for another language it names itself (`language-name`), and what it does not have is English.

use std::sync::OnceLock;

use fluent_bundle::FluentResource;
use practice::language;

/// The files as they were brought.
static OWN: OnceLock<Vec<Own>> = OnceLock::new();

/// Languages in one directory: more than any group of States has.
const LANGUAGES_MAX: usize = 64;

/// Bytes of one file: ours have about 30,000.
const BYTES_MAX: usize = 256 * 1024;

/// The key by which a language says its own name.
const NAME: &str = "language-name";

/// One file.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) code: String,
    pub(crate) name: Option<String>,
    pub(crate) source: String,
}

/// Why the texts of a directory were not taken.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTexts {
    /// Not called by a language.
    #[error(
        "`{code}.ftl` is not called by a language; call it by its BCP 47 code, such as `gn.ftl`"
    )]
    Code {
        /// What it is called.
        code: String,
    },
    /// Not in Fluent's syntax.
    #[error("`{code}.ftl` cannot be read as Fluent: {reason}")]
    Syntax {
        /// Which file.
        code: String,
        /// The first thing that is wrong.
        reason: String,
    },
    /// A language of one's own without its name.
    #[error("`{code}.ftl` does not say how the language calls itself; add `{NAME} = …`")]
    Nameless {
        /// Which file.
        code: String,
    },
    /// Over a limit.
    #[error("there is too much of it: {what}, at most {most} are read")]
    TooMuch {
        /// What.
        what: String,
        /// How much is taken.
        most: usize,
    },
    /// The texts were in use before.
    #[error("texts are read once, before the first page is made; restart with this configuration")]
    Late,
}

/// Takes the files of a directory, each by its language; before any text is asked for.
///
/// # Errors
/// When one cannot be used; then none is.
pub fn take(files: Vec<(String, String)>) -> Result<(), InvalidTexts> {
    if files.len() > LANGUAGES_MAX {
        let what = format!("{} files", files.len());
        return Err(InvalidTexts::TooMuch { what, most: LANGUAGES_MAX });
    }
    let read: Result<Vec<Own>, _> =
        files.into_iter().map(|(code, source)| one(code, source)).collect();
    OWN.set(read?).map_err(|_| InvalidTexts::Late)
}

/// What was brought.
pub(crate) fn all() -> &'static [Own] {
    OWN.get_or_init(Vec::new)
}

fn one(code: String, source: String) -> Result<Own, InvalidTexts> {
    if !language::is_canonical(&code) {
        return Err(InvalidTexts::Code { code });
    }
    if source.len() > BYTES_MAX {
        let what = format!("{} bytes in `{code}.ftl`", source.len());
        return Err(InvalidTexts::TooMuch { what, most: BYTES_MAX });
    }
    if let Err((_, errors)) = FluentResource::try_new(source.clone()) {
        let reason = errors.first().map_or_else(String::new, ToString::to_string);
        return Err(InvalidTexts::Syntax { code, reason });
    }
    let line = source.lines().find_map(|line| line.strip_prefix(NAME)?.trim().strip_prefix('='));
    let name = line.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let ours = super::FILES.iter().any(|(known, ..)| *known == code);
    if name.is_none() && !ours {
        return Err(InvalidTexts::Nameless { code });
    }
    Ok(Own { code, name, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_of_ones_own_says_its_name() {
        let file = |code: &str, source: &str| one(code.to_owned(), source.to_owned());
        let own = file("gn", "language-name = Avañe’ẽ\nsearch = Heka\n").unwrap();
        assert_eq!((own.code.as_str(), own.name.as_deref()), ("gn", Some("Avañe’ẽ")));
        assert!(file("en", "search = Find\n").unwrap().name.is_none());
        assert!(matches!(file("gn", "search = x\n"), Err(InvalidTexts::Nameless { .. })));
        assert!(matches!(file("../x", ""), Err(InvalidTexts::Code { .. })));
        assert!(matches!(file("gn", "= {\n"), Err(InvalidTexts::Syntax { .. })));
        let long = "# \n".repeat(BYTES_MAX);
        assert!(matches!(file("en", &long), Err(InvalidTexts::TooMuch { .. })));
    }
}
