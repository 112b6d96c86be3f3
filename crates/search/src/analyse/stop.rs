//! Words that say nothing by themselves. Few: what is left out cannot be found.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::Language;

/// The words of one language, for every word of every text is looked up.
type Words = LazyLock<HashSet<&'static str>>;

static ENGLISH: Words = LazyLock::new(|| {
    of("a an and are as at be been but by for from had has have he her his i if in into is it \
    its no nor of on or our she so such than that the their them then there these they this those to was we \
    were what when where which who will with would")
});
static FRENCH: Words = LazyLock::new(|| {
    of("a à au aux avec ce ces cette dans de des du elle elles en est et eux il ils je la le les \
    leur leurs mais ne nos notre nous on ont ou où par pas pour qu que qui sa se ses son sont sur un une vos \
    votre vous y été être")
});
static SPANISH: Words = LazyLock::new(|| {
    of("a al con como de del e el ella ellas ellos en entre es esta este estos fue ha han la las \
    le les lo los más no o para pero por que se ser si sin sobre son su sus u un una uno y ya")
});
static PORTUGUESE: Words = LazyLock::new(|| {
    of("a à ao aos as às com como da das de do dos e é em entre ela elas ele eles esta este foi \
    há mais mas na nas no nos não o os ou para pela pelas pelo pelos por que se sem ser seu seus sua suas são um uma")
});
static RUSSIAN: Words = LazyLock::new(|| {
    of("а без бы был была были было быть в во да для до его ее её если же за и из или их к как \
    ко которая которые который ли между на над не но о об он она они от по под при с со так также то у что \
    чтобы эта эти это этот")
});
static ARABIC: Words = LazyLock::new(|| {
    of(
        "في من على إلى الى عن مع هذا هذه ذلك تلك التي الذي الذين أن إن ما لا لم لن أو ثم كل كان كانت \
    قد هو هي هم كما بعد قبل بين حيث عند منها فيها و",
    )
});
static CHINESE: Words = LazyLock::new(|| {
    of("的 了 和 与 在 是 及 等 对 为 以 将 并 也 都 或 由 于 从 把 被 其 之 而 就 着 所 这 那")
});

/// Whether a word in lower case is one of them.
pub(super) fn is_stop(language: Language, word: &str) -> bool {
    let words = match language {
        Language::English => &ENGLISH,
        Language::French => &FRENCH,
        Language::Spanish => &SPANISH,
        Language::Portuguese => &PORTUGUESE,
        Language::Russian => &RUSSIAN,
        Language::Arabic => &ARABIC,
        Language::Chinese => &CHINESE,
        Language::Other => return false,
    };
    words.contains(word)
}

fn of(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}
