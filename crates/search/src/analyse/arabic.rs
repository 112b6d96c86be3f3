//! Arabic: one spelling of each letter, then the light stemming known as light10, which takes off articles,
//! conjunctions and regular endings; and the broken plurals of this field's own words.

/// The article with what is written before it.
const ARTICLES: [&str; 10] = ["ولل", "فلل", "وبال", "وكال", "وال", "بال", "كال", "فال", "ال", "لل"];
/// Endings, each taken off once, in this order; first those of `لجنتها`, her committee, where `ت` is `ة`.
const ENDINGS: [&str; 20] = [
    "اتها", "اتهم", "اته", "اتنا", "تها", "تهم", "ته", "تنا", "هما", "هم", "نا", "ها", "ان", "ات",
    "ون", "ين", "يه", "ه", "ي", "ا",
];
/// Endings that take as few letters as [`STEM_LETTERS_MIN`] for a stem; the others may belong to the word.
const PLAIN_ENDINGS: [&str; 8] = ["هما", "هم", "نا", "ها", "ان", "ات", "ون", "ين"];
/// What belongs to somebody: `her reports`.
const POSSESSIVES: [&str; 6] = ["هما", "ها", "هم", "نا", "ه", "ي"];
/// Letters that stay when an article or an ending goes.
const STEM_LETTERS_MIN: usize = 2;
/// Letters that stay when a letter goes that may belong to the word: `و`, `ب`, `ل`.
const LONG_STEM_LETTERS_MIN: usize = 3;

/// Plurals that no ending tells, beside the word, both as [`normal`] writes them.
const BROKEN_PLURALS: [(&str, &str); 50] = [
    ("لجان", "لجنه"),
    ("تقارير", "تقرير"),
    ("حقوق", "حق"),
    ("اطفال", "طفل"),
    ("اجهزه", "جهاز"),
    ("خطط", "خطه"),
    ("تدابير", "تدبير"),
    ("برامج", "برنامج"),
    ("قوانين", "قانون"),
    ("مبادئ", "مبدا"),
    ("اهداف", "هدف"),
    ("مكاتب", "مكتب"),
    ("قواعد", "قاعده"),
    ("اشخاص", "شخص"),
    ("موارد", "مورد"),
    ("فرق", "فريق"),
    ("انشطه", "نشاط"),
    ("اعضاء", "عضو"),
    ("بلدان", "بلد"),
    ("انظمه", "نظام"),
    ("نظم", "نظام"),
    ("معايير", "معيار"),
    ("مشاريع", "مشروع"),
    ("مناطق", "منطقه"),
    ("اطراف", "طرف"),
    ("عمال", "عامل"),
    ("محاكم", "محكمه"),
    ("مراكز", "مركز"),
    ("خبراء", "خبير"),
    ("شركاء", "شريك"),
    ("نتائج", "نتيجه"),
    ("سجون", "سجن"),
    ("ضحايا", "ضحيه"),
    ("نساء", "امراه"),
    ("نقاط", "نقطه"),
    ("مجالس", "مجلس"),
    ("وثائق", "وثيقه"),
    ("بنود", "بند"),
    ("مواطنون", "مواطن"),
    ("دول", "دوله"),
    ("ادوار", "دور"),
    ("اسئله", "سؤال"),
    ("دروس", "درس"),
    ("اسر", "اسره"),
    ("مدارس", "مدرسه"),
    ("مهام", "مهمه"),
    ("اقليات", "اقليه"),
    ("وزراء", "وزير"),
    ("نواب", "نائب"),
    ("قضاه", "قاضي"),
];

/// The tokens of a word.
pub(super) fn forms(word: &str) -> Vec<String> {
    let spelled = spelled(word);
    let bare = without_article(&spelled);
    let mut forms = vec![stem(bare)];
    let mut add = |form: String, least: usize| {
        if form.chars().count() >= least && !forms.contains(&form) {
            forms.push(form);
        }
    };
    if bare == spelled {
        // `لتنفيذ` is for carrying out, `لجنة` a committee: both ways stand.
        let conjunction = strip(&spelled, &["و", "ف"], LONG_STEM_LETTERS_MIN);
        for base in [conjunction, strip(conjunction, &["ب", "ل", "ك"], LONG_STEM_LETTERS_MIN)] {
            add(stem(without_article(base)), LONG_STEM_LETTERS_MIN);
        }
    } else if stem(bare).chars().count() < LONG_STEM_LETTERS_MIN {
        // `آلية` typed as `الية` only looks as if it had the article.
        add(stem(&spelled), LONG_STEM_LETTERS_MIN);
    }
    forms
}

/// Without short vowels and lengthening, with one `ي`, and `ه` for `ة`. The `ا` of an article still is
/// another letter than that of `آلية`.
fn spelled(word: &str) -> String {
    let letters = word.chars().filter_map(|letter| match letter {
        '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}'
        | '\u{670}'
        | '\u{640}'
        | '\u{6d6}'..='\u{6ed}' => None,
        'ى' | 'ی' => Some('ي'),
        'ة' => Some('ه'),
        'ک' => Some('ك'),
        _ => Some(letter),
    });
    letters.collect()
}

/// With one `ا`.
fn normal(word: &str) -> String {
    word.replace(['أ', 'إ', 'آ', 'ٱ'], "ا")
}

fn without_article(word: &str) -> &str {
    strip(word, &ARTICLES, STEM_LETTERS_MIN)
}

/// `word` without the first of these that it begins with, if enough stays.
fn strip<'a>(word: &'a str, begins: &[&str], least: usize) -> &'a str {
    let rest = begins.iter().find_map(|begin| word.strip_prefix(begin));
    rest.filter(|rest| rest.chars().count() >= least).unwrap_or(word)
}

fn stem(word: &str) -> String {
    let normal = normal(word);
    let mut rest = singular(&normal).unwrap_or(&normal);
    for ending in ENDINGS {
        let shorter = rest.strip_suffix(ending);
        let least =
            if PLAIN_ENDINGS.contains(&ending) { STEM_LETTERS_MIN } else { LONG_STEM_LETTERS_MIN };
        rest = shorter.filter(|shorter| shorter.chars().count() >= least).unwrap_or(rest);
    }
    rest.to_owned()
}

/// The word of which this is a broken plural.
fn singular(word: &str) -> Option<&'static str> {
    let of = |word: &str| {
        BROKEN_PLURALS.iter().find(|(plural, _)| *plural == word).map(|(_, singular)| *singular)
    };
    of(word).or_else(|| POSSESSIVES.iter().find_map(|ending| of(word.strip_suffix(ending)?)))
}
