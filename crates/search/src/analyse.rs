//! From a text to the tokens it is found by, as its language asks for. Pure.
//!
//! What is indexed and what is looked for go through the same function, so that `recommendations` meets
//! `recommendation`, `التوصيات` meets `توصية` and `egalite` meets `égalité`. Words are those of Unicode (UAX 29),
//! composed and in lower case; then each language shortens those of its own script. Where two ways of
//! writing a word would end in different tokens, both stand at the same place.
//!
//! **Invariant:** every token comes from a piece of the text that begins and ends between two characters, and
//! places never go back.

mod arabic;
mod chinese;
mod fold;
mod latin;
mod pieces;
mod russian;
mod stop;

use pieces::Piece;

/// Longest text that is looked at: several times the largest body of a record.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Longest word: what is longer is no word, and is found by how it begins.
const WORD_BYTES_MAX: usize = 128;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What is looked for.
    pub text: String,
    /// The first byte it comes from.
    pub from: usize,
    /// The byte after the last.
    pub to: usize,
    /// Its place among the tokens: alternatives have the same, and a word that is passed over leaves a gap.
    pub position: usize,
}

/// The tokens of `text` in a language, by its tag (`pt-BR` is `pt`). Of a text over 1 MiB, the first.
pub fn analyse(language: &str, text: &str) -> Vec<Token> {
    let language = Language::of(language);
    let text = text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default();
    let mut tokens = Vec::new();
    let mut position = 0;
    for piece in pieces::of(text, language == Language::Other) {
        match piece {
            Piece::Part(from, part) => {
                push(&mut tokens, vec![fold::plain(&fold::composed(part))], (from, part), position);
                position += 1;
            }
            Piece::Word(from, word) => {
                push(&mut tokens, forms(language, word), (from, word), position);
                position += 1;
            }
            Piece::Han(from, run) if language == Language::Chinese => {
                position = chinese::push(&mut tokens, from, run, position);
            }
            Piece::Han(from, run) => {
                for (at, letter) in run.char_indices() {
                    let place =
                        (from + at, run.get(at..at + letter.len_utf8()).unwrap_or_default());
                    push(&mut tokens, vec![letter.to_string()], place, position);
                    position += 1;
                }
            }
        }
    }
    tokens
}

/// What is done with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    English,
    French,
    Spanish,
    Portuguese,
    Russian,
    Arabic,
    Chinese,
    Other,
}

impl Language {
    fn of(tag: &str) -> Self {
        match tag.split(['-', '_']).next().unwrap_or_default() {
            "en" => Self::English,
            "fr" => Self::French,
            "es" => Self::Spanish,
            "pt" => Self::Portuguese,
            "ru" => Self::Russian,
            "ar" => Self::Arabic,
            "zh" => Self::Chinese,
            _ => Self::Other,
        }
    }
}

/// The tokens of one word, none if the language passes over it.
fn forms(language: Language, word: &str) -> Vec<String> {
    let word = word.get(..word.floor_char_boundary(WORD_BYTES_MAX)).unwrap_or_default();
    let composed = fold::composed(word);
    let of_letters = |script: fn(char) -> bool| composed.chars().all(script);
    // `WHO` is a name, `who` is not.
    let capitals = word.chars().nth(1).is_some() && word.chars().all(char::is_uppercase);
    if !capitals && stop::is_stop(language, &composed) {
        return Vec::new();
    }
    match language {
        Language::English | Language::French | Language::Spanish | Language::Portuguese
            if of_letters(fold::is_latin) =>
        {
            latin::forms(language, &composed)
        }
        Language::Russian if of_letters(fold::is_cyrillic) => russian::forms(&composed),
        Language::Arabic if of_letters(fold::is_arabic) => arabic::forms(&composed),
        _ => vec![fold::plain(&composed)],
    }
}

fn push(tokens: &mut Vec<Token>, forms: Vec<String>, (from, word): (usize, &str), position: usize) {
    let to = from + word.len();
    for text in forms.into_iter().filter(|text| !text.is_empty()) {
        tokens.push(Token { text, from, to, position });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(language: &str, text: &str) -> Vec<String> {
        analyse(language, text).into_iter().map(|token| token.text).collect()
    }

    /// Whether each of the words would find each of the others.
    fn meet(language: &str, words: &[&str]) {
        for word in words {
            let of_word = texts(language, word);
            for other in words {
                let shared = texts(language, other).iter().any(|text| of_word.contains(text));
                assert!(
                    shared,
                    "`{word}` {of_word:?} does not meet `{other}` {:?}",
                    texts(language, other)
                );
            }
        }
    }

    fn apart(language: &str, one: &str, other: &str) {
        let of_other = texts(language, other);
        assert!(
            !texts(language, one).iter().any(|text| of_other.contains(text)),
            "{one} meets {other}"
        );
    }

    #[test]
    fn words_meet_their_forms_in_latin_languages() {
        meet("en", &["recommendation", "recommendations", "RECOMMENDATIONS"]);
        meet("en", &["organisation", "organization", "organisations"]);
        meet("en", &["programme", "programmes", "program"]);
        meet("en", &["child’s", "child's", "child"]);
        meet("fr", &["recommandation", "recommandations"]);
        meet("fr", &["égalité", "egalite", "ÉGALITÉ", "e\u{301}galite\u{301}"]);
        meet("fr", &["l’État", "l'état", "d’État", "Etat", "États"]);
        meet("fr", &["œuvre", "oeuvre", "œuvres"]);
        meet("es", &["recomendación", "recomendaciones", "recomendacion"]);
        meet("es", &["niñas", "niña", "ninas"]);
        meet("pt", &["recomendação", "recomendações", "recomendacao", "recomendacoes"]);
        meet("pt-BR", &["avaliação", "avaliacao"]);
        apart("en", "prison", "mechanism");
        apart("en", "AIDS", "who");
    }

    #[test]
    fn words_meet_their_forms_in_russian() {
        meet("ru", &["рекомендация", "рекомендаций", "рекомендациями", "РЕКОМЕНДАЦИИ"]);
        meet("ru", &["механизм", "механизма", "механизмов"]);
        meet("ru", &["отчёт", "отчет", "отчёты", "отче\u{301}та"]);
        meet("ru", &["пытки", "пыток"]);
        meet("ru", &["порядок", "порядка"]);
        apart("ru", "доклад", "договор");
    }

    #[test]
    fn words_meet_their_forms_in_arabic() {
        meet(
            "ar",
            &["توصية", "توصيات", "التوصيات", "والتوصيات", "بالتوصيات", "للتوصيات", "وتوصياتها"],
        );
        meet("ar", &["تَوْصِيَة", "توصيـــة", "توصيه"]);
        meet("ar", &["آلية", "الآليات", "اليه", "لآليات"]);
        meet("ar", &["تقرير", "التقارير", "وتقاريرها"]);
        meet("ar", &["لجنة", "اللجان", "لجنته"]);
        meet("ar", &["أطفال", "الطفل", "للأطفال"]);
        meet("ar", &["تنفيذ", "لتنفيذ", "وبتنفيذ", "التنفيذ"]);
        meet("ar", &["وزير", "الوزراء"]);
        meet("ar", &["٢٠١٩", "2019"]);
        apart("ar", "قانون", "امرأة");
    }

    #[test]
    fn chinese_is_cut_into_words_and_their_parts_at_one_place() {
        let tokens = texts("zh", "国家人权行动计划的执行");
        for word in ["国家", "人权", "行动", "计划", "执行"] {
            assert!(tokens.iter().any(|text| text == word), "{word} in {tokens:?}");
        }
        assert!(!tokens.contains(&"的".to_owned()));
        assert_eq!(texts("zh", "SIMORE系统"), ["simore", "系统"]);
    }

    #[test]
    fn traditional_characters_meet_simplified_ones() {
        meet("zh", &["國家人權機構", "国家人权机构"]);
        meet("zh", &["婦女權利", "妇女权利", "婦女", "妇女"]);
        meet("zh-Hant", &["後續行動與審議建議", "后续行动与审议建议"]);
        // What both ways of writing have stays as it is.
        assert_eq!(texts("zh", "著作"), ["著作"]);
        let text = "推動國家人權行動計劃（第二期）";
        let tokens = analyse("zh", text);
        let rights = tokens.iter().find(|token| token.text == "人权").unwrap();
        assert_eq!(text.get(rights.from..rights.to), Some("人權"));
    }

    #[test]
    fn a_symbol_is_its_parts_in_their_order_in_every_language() {
        for language in ["en", "fr", "es", "ru", "zh", "ar", "pt", "gn"] {
            assert_eq!(texts(language, "A/HRC/47/5"), ["a", "hrc", "47", "5"], "{language}");
            assert_eq!(texts(language, "cedaw/C/PRY/CO/7,"), ["cedaw", "c", "pry", "co", "7"]);
            assert_eq!(texts(language, "24(b)"), ["24", "b"]);
            assert_eq!(texts(language, "(122.35)"), ["122.35"]);
        }
        let tokens = analyse("zh", "见A/HRC/47/5号文件");
        let of_symbol: Vec<_> = tokens.iter().filter(|token| token.text.is_ascii()).collect();
        let first = of_symbol[0].position;
        let places: Vec<_> = of_symbol.iter().map(|token| token.position - first).collect();
        assert_eq!(places, [0, 1, 2, 3]);
    }

    #[test]
    fn other_languages_have_words_without_diacritics() {
        assert_eq!(texts("gn", "Ñe'ẽ ha jopói"), ["nee", "ha", "jopoi"]);
        assert_eq!(texts("tr", "İnsan hakları"), ["insan", "haklari"]);
        assert_eq!(texts("hi", "मानव अधिकार"), ["मानव", "अधिकार"]);
        assert_eq!(texts("ja", "人権"), ["人", "権"]);
    }

    #[test]
    fn tokens_say_where_they_stand_and_places_never_go_back() {
        let text = "L’État e\u{301}value « les » recommandations — التوصيات، рекомендации 国家人权 A/HRC/47/5.";
        for language in ["en", "fr", "es", "ru", "zh", "ar", "pt", "und"] {
            let tokens = analyse(language, text);
            assert!(
                tokens
                    .iter()
                    .all(|token| text.get(token.from..token.to).is_some_and(|it| !it.is_empty()))
            );
            assert!(tokens.is_sorted_by_key(|token| token.position), "{tokens:?}");
        }
        let french = analyse("fr", text);
        assert_eq!(text.get(french[0].from..french[0].to), Some("État"));
        assert_eq!(text.get(french[1].from..french[1].to), Some("e\u{301}value"));
    }

    #[test]
    fn a_word_that_is_passed_over_leaves_its_place() {
        let tokens = analyse("en", "rights of the child");
        assert_eq!(tokens.iter().map(|token| token.position).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(analyse("en", "WHO").len(), 1);
        assert!(analyse("en", "who").is_empty());
    }

    #[test]
    fn texts_of_any_length_end() {
        let long = "я".repeat(2_000_000);
        let tokens = analyse("ru", &long);
        assert!(
            tokens
                .iter()
                .all(|token| token.text.len() <= WORD_BYTES_MAX && token.to <= TEXT_BYTES_MAX)
        );
        for language in ["en", "ar", "zh", "und"] {
            for text in ["", "'", "’’", "/", "1/(", "ـ", "\u{301}", "\u{ad}", "ال", "()/1"] {
                assert!(analyse(language, text).len() <= 2, "{language} {text:?}");
            }
        }
    }
}
