//! The house rules that no compiler knows: which crate may know which, how long a file and a
//! function may be, what nothing may be called, and what may not stand in a tracked file.
//!
//! Every breach is reported at once as `file:line: rule`, so that it can be clicked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// A file that does not fit in one reading is two subjects.
const FILE_LINES_MAX: usize = 500;

/// A function that does not fit on one screen is two functions.
const FUNCTION_LINES_MAX: usize = 70;

/// Names that say nothing about the domain.
const BANNED_NAMES: [&str; 6] = ["util", "utils", "common", "helpers", "manager", "types"];

/// What is written by hand and read by people; data and pages of documentation may be long.
const SOURCE_ENDINGS: [&str; 9] = ["rs", "py", "js", "mjs", "css", "html", "sh", "toml", "sql"];

/// The only places where a lint may be silenced: `(file, lint)`. Each says why where it stands.
const ALLOWED_SILENCES: [(&str, &str); 0] = [];

/// The only tests' files that may sleep, and why it is no waiting.
const ALLOWED_SLEEPS: [(&str, &str); 2] = [
    ("crates/web/src/server/timed.rs", "tokio's clock is paused: no time passes"),
    ("tests/src/simulation/world.rs", "tokio's clock is paused: no time passes"),
];

/// How the names of figures at `/metrics` begin.
const FIGURES: [&str; 2] = ["jopoi_", "process_"];

/// The arrows of the house: which crate may use which (normal and build dependencies).
const ARROWS: [(&str, &[&str]); 9] = [
    ("tlog", &[]),
    ("practice", &["tlog"]),
    ("network", &["practice", "tlog"]),
    ("feed", &["network", "practice", "tlog"]),
    ("wire", &["practice", "tlog"]),
    ("store", &["feed", "network", "practice", "tlog"]),
    ("search", &["feed", "network", "practice", "tlog"]),
    ("peer", &["feed", "network", "wire", "practice", "tlog"]),
    ("web", &["feed", "network", "wire", "practice", "tlog"]),
];

/// Crates at the top, which may use everything, and be used by none but the tests.
const TOP: [&str; 3] = ["node", "bench", "tests"];

/// Crates without input, output or a clock: what would bring either is not among their dependencies.
const PURE: [&str; 5] = ["tlog", "practice", "network", "feed", "wire"];

/// What a pure crate never uses. (`feed` may use tokio's channels; it opens no file and no socket.)
const IMPURE: [&str; 9] =
    ["axum", "hyper", "reqwest", "sled", "object_store", "fs4", "rustix", "tempfile", "rand"];

#[test]
fn crates_use_each_other_only_along_the_arrows() -> Result<()> {
    let house = house()?;
    let mut breaches = Vec::new();
    for (name, uses) in &house {
        let ours = uses.iter().filter(|used| house.contains_key(*used));
        match ARROWS.iter().find(|(from, _)| from == name) {
            Some((_, allowed)) => breaches.extend(
                ours.filter(|used| !allowed.contains(&used.as_str()))
                    .map(|used| format!("crates/{name}/Cargo.toml:1: {name} may not use {used}")),
            ),
            None if TOP.contains(&name.as_str()) => breaches.extend(
                ours.filter(|used| TOP.contains(&used.as_str()) && *used != "node")
                    .map(|used| format!("crates/{name}/Cargo.toml:1: nothing may use {used}")),
            ),
            None => breaches.push(format!(
                "crates/{name}/Cargo.toml:1: {name} has no place in the arrows; give it one here \
                 and in docs/architecture.md"
            )),
        }
    }
    report(&breaches)
}

#[test]
fn pure_crates_bring_no_input_or_output() -> Result<()> {
    let mut breaches = Vec::new();
    for (name, uses) in house()? {
        if PURE.contains(&name.as_str()) {
            breaches.extend(uses.iter().filter(|used| IMPURE.contains(&used.as_str())).map(
                |used| format!("crates/{name}/Cargo.toml:1: {name} is pure and may not use {used}"),
            ));
        }
    }
    report(&breaches)
}

#[test]
fn a_crate_is_called_like_its_folder() -> Result<()> {
    let mut breaches = Vec::new();
    for package in packages()? {
        let name = text(&package, "name")?;
        let manifest = PathBuf::from(text(&package, "manifest_path")?);
        let folder = manifest.parent().and_then(Path::file_name);
        if folder.is_none_or(|folder| folder != name.as_str()) {
            breaches.push(format!("{}:1: the package is called {name}", manifest.display()));
        }
    }
    report(&breaches)
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() -> Result<()> {
    let mut breaches = Vec::new();
    for source in sources(&SOURCE_ENDINGS)? {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            breaches.push(format!("{}:{lines}: over {FILE_LINES_MAX} lines", source.path));
        }
    }
    report(&breaches)
}

#[test]
fn no_function_is_longer_than_seventy_lines() -> Result<()> {
    let mut breaches = Vec::new();
    for source in sources(&["rs"])? {
        let mut seen = Syntax::default();
        seen.visit_file(&source.parse()?);
        for function in seen.functions.iter().filter(|function| function.lines > FUNCTION_LINES_MAX)
        {
            breaches.push(format!(
                "{}:{}: `{}` has {} lines, over {FUNCTION_LINES_MAX}",
                source.path, function.line, function.name, function.lines
            ));
        }
    }
    report(&breaches)
}

#[test]
fn nothing_bears_a_name_that_says_nothing() -> Result<()> {
    let mut breaches = Vec::new();
    for source in sources(&SOURCE_ENDINGS)? {
        for part in Path::new(&source.path).components() {
            let stem = Path::new(part.as_os_str()).file_stem().and_then(|stem| stem.to_str());
            if stem.is_some_and(|stem| BANNED_NAMES.contains(&stem)) {
                breaches.push(format!("{}:1: name it after what it does", source.path));
            }
        }
        if source.path.ends_with(".rs") {
            let mut seen = Syntax::default();
            seen.visit_file(&source.parse()?);
            for (line, name) in
                seen.modules.iter().filter(|(_, name)| BANNED_NAMES.contains(&name.as_str()))
            {
                breaches.push(format!("{}:{line}: a module called `{name}`", source.path));
            }
        }
    }
    report(&breaches)
}

#[test]
fn nothing_is_ignored_silenced_or_left_undone() -> Result<()> {
    let mut breaches = Vec::new();
    for source in sources(&["rs"])? {
        let mut seen = Syntax::default();
        seen.visit_file(&source.parse()?);
        for (line, what) in seen.undone {
            breaches.push(format!("{}:{line}: `{what}` may not stay", source.path));
        }
        for (line, lint) in seen.silenced {
            if !ALLOWED_SILENCES.contains(&(source.path.as_str(), lint.as_str())) {
                breaches.push(format!(
                    "{}:{line}: silences `{lint}`; satisfy the lint, or list the place in {}",
                    source.path,
                    file!()
                ));
            }
        }
    }
    report(&breaches)
}

#[test]
fn no_test_waits_for_time_to_pass() -> Result<()> {
    let mut breaches = Vec::new();
    for source in sources(&["rs"])? {
        let mut seen = Syntax::default();
        seen.visit_file(&source.parse()?);
        if ALLOWED_SLEEPS.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        let all = source.path.split('/').any(|part| part == "tests");
        for (line, in_tests) in seen.sleeps {
            if all || in_tests {
                breaches.push(format!(
                    "{}:{line}: a test waits for an event, not for time",
                    source.path
                ));
            }
        }
    }
    report(&breaches)
}

#[test]
fn no_tracked_file_names_a_machine_or_a_registry() -> Result<()> {
    // In two parts, so that this file does not accuse itself.
    let banned = [
        concat!("/wo", "rk/"),
        concat!("/tmp/", "team"),
        concat!("/ro", "ot/"),
        concat!("registry.", "npmjs"),
        concat!("py", "pi.org"),
        concat!("python", "hosted.org"),
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("deb.", "debian.org"),
    ];
    let mut breaches = Vec::new();
    for source in sources(&[])? {
        for (number, line) in (1_usize..).zip(source.text.lines()) {
            for word in banned.iter().filter(|word| line.contains(**word)) {
                breaches.push(format!("{}:{number}: names `{word}`", source.path));
            }
        }
    }
    report(&breaches)
}

#[test]
fn every_test_that_the_documents_name_exists() -> Result<()> {
    let mut known = BTreeSet::new();
    for source in sources(&["rs"])? {
        let mut seen = Syntax::default();
        seen.visit_file(&source.parse()?);
        known.extend(seen.functions.into_iter().map(|function| function.name));
    }
    let mut breaches = Vec::new();
    for source in sources(&["md"])?.iter().filter(|source| source.path.starts_with("docs/")) {
        for (number, line) in (1_usize..).zip(source.text.lines()) {
            // A test's name is a sentence: four words or more. Figures are compared with what is exported by
            // crates/node/tests/suite/metrics.rs.
            let named = line.split('`').skip(1).step_by(2).filter(|word| {
                word.matches('_').count() >= 3
                    && !FIGURES.iter().any(|prefix| word.starts_with(prefix))
                    && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
            });
            breaches.extend(
                named
                    .filter(|name| !known.contains(*name))
                    .map(|name| format!("{}:{number}: no test is called `{name}`", source.path)),
            );
        }
    }
    report(&breaches)
}

/// A tracked (or not yet tracked, not ignored) file of text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn parse(&self) -> Result<syn::File> {
        syn::parse_file(&self.text).with_context(|| format!("{} is not Rust", self.path))
    }
}

/// What is known of one function.
struct Function {
    line: usize,
    lines: usize,
    name: String,
}

/// Everything the rules ask of one file, gathered in one walk.
#[derive(Default)]
struct Syntax {
    functions: Vec<Function>,
    modules: Vec<(usize, String)>,
    undone: Vec<(usize, String)>,
    silenced: Vec<(usize, String)>,
    /// Where something sleeps, and whether in a module for tests.
    sleeps: Vec<(usize, bool)>,
    test_modules: usize,
}

impl Syntax {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.span().start().line;
        let last = block.brace_token.span.close().end().line;
        let name = signature.ident.to_string();
        self.functions.push(Function { line, lines: last + 1 - line, name });
    }

    fn call(&mut self, line: usize, name: &syn::Ident) {
        if name == "sleep" || name == "sleep_until" || name == "sleep_ms" {
            self.sleeps.push((line, self.test_modules > 0));
        }
    }
}

impl<'ast> Visit<'ast> for Syntax {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.modules.push((module.ident.span().start().line, module.ident.to_string()));
        let tests = module.ident == "tests";
        self.test_modules += usize::from(tests);
        syn::visit::visit_item_mod(self, module);
        self.test_modules -= usize::from(tests);
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        if let Some(name) = invoked.path.segments.last()
            && (name.ident == "todo" || name.ident == "unimplemented")
        {
            self.undone.push((name.ident.span().start().line, format!("{}!", name.ident)));
        }
        syn::visit::visit_macro(self, invoked);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = call.func.as_ref()
            && let Some(name) = path.path.segments.last()
        {
            self.call(call.span().start().line, &name.ident);
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let line = attribute.span().start().line;
        if attribute.path().is_ident("ignore") {
            self.undone.push((line, "#[ignore]".to_owned()));
        }
        if (attribute.path().is_ident("allow") || attribute.path().is_ident("expect"))
            && let syn::Meta::List(list) = &attribute.meta
        {
            self.silenced.push((line, list.tokens.to_string().replace(' ', "")));
        }
        syn::visit::visit_attribute(self, attribute);
    }
}

/// The files git knows or would add, with one of these endings (or any), that hold text.
fn sources(endings: &[&str]) -> Result<Vec<Source>> {
    let root = root()?;
    let listed = output(
        Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(&root),
    )?;
    let paths: BTreeSet<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    let mut sources = Vec::new();
    for path in paths {
        let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or("");
        if !endings.is_empty() && !endings.contains(&ending) {
            continue;
        }
        // Deleted but not yet committed, or not text: nothing to read.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            sources.push(Source { path: path.to_owned(), text });
        }
    }
    ensure!(!sources.is_empty(), "git lists no file with an ending of {endings:?}");
    Ok(sources)
}

/// Each crate of the workspace and what it uses outside its tests.
fn house() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut house = BTreeMap::new();
    for package in packages()? {
        let used =
            package.get("dependencies").and_then(Value::as_array).context("no dependencies")?;
        let used = used
            .iter()
            .filter(|used| used.get("kind").and_then(Value::as_str) != Some("dev"))
            .map(|used| text(used, "name"))
            .collect::<Result<_>>()?;
        house.insert(text(&package, "name")?, used);
    }
    Ok(house)
}

fn packages() -> Result<Vec<Value>> {
    let metadata = output(
        Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
            .current_dir(root()?),
    )?;
    let mut metadata: Value = serde_json::from_str(&metadata)?;
    match metadata.get_mut("packages").map(Value::take) {
        Some(Value::Array(packages)) => Ok(packages),
        _ => anyhow::bail!("cargo metadata lists no packages"),
    }
}

fn text(value: &Value, member: &str) -> Result<String> {
    let text = value.get(member).and_then(Value::as_str);
    Ok(text.with_context(|| format!("cargo metadata has no `{member}`"))?.to_owned())
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).context("no parent folder")
}

fn report(breaches: &[String]) -> Result<()> {
    ensure!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
    Ok(())
}
