//! The sample records, by the UN regional group of the State each is about.

use std::collections::BTreeMap;

use anyhow::Context as _;
use practice::draft::Defaults;
use practice::language::INTERFACE;
use practice::vocabulary::{Vocabulary, regional_group};
use wire::api::Draft;

/// Written from public sources; carried in the `practice` crate, whose tests read them too.
const SAMPLES: &str = include_str!("../../../practice/corpus/practices.jsonl");

/// The licence of the sample records: they were written for this project.
pub(super) const REUSE: &str = "CC-BY-4.0";

/// One documentation node to be.
#[derive(Clone, Debug)]
pub struct Group {
    /// The node's name.
    pub node: String,
    /// What people call it, in every language of the pages.
    pub names: BTreeMap<String, String>,
    /// What it publishes.
    pub drafts: Vec<Draft>,
}

/// The groups that have records, by name.
pub fn groups() -> anyhow::Result<Vec<Group>> {
    let mut by_group: BTreeMap<&str, Vec<Draft>> = BTreeMap::new();
    for draft in drafts()? {
        let state = draft.subject.get("states").and_then(|states| states.get(0)?.as_str());
        let group = state.and_then(regional_group);
        // A State outside the groups is documented with its neighbours' group by nobody: `other`.
        by_group.entry(group.unwrap_or("other")).or_default().push(draft);
    }
    Ok(by_group
        .into_iter()
        .map(|(group, drafts)| Group {
            node: format!("documentation-{group}.example"),
            names: INTERFACE
                .into_iter()
                .map(|language| (language.to_owned(), name(group, language)))
                .collect(),
            drafts,
        })
        .collect())
}

fn drafts() -> anyhow::Result<Vec<Draft>> {
    let defaults = Defaults { reuse: Some(REUSE.to_owned()), ..Defaults::default() };
    SAMPLES
        .lines()
        .zip(1_usize..)
        .map(|(line, number)| {
            let source = format!("sample record {number}");
            let value = practice::json::parse(line.as_bytes()).with_context(|| source.clone())?;
            crate::draft_file::draft(value, source, &defaults)
        })
        .collect()
}

/// The name says that it is a documentation node, and of samples.
fn name(group: &str, language: &str) -> String {
    let group =
        Vocabulary::get("regional-groups").map_or(group, |groups| groups.label(group, language));
    match language {
        "fr" => format!(
            "Nœud de documentation ({group}) : fiches d’exemple tirées de sources publiques"
        ),
        "es" => {
            format!("Nodo de documentación ({group}): registros de muestra de fuentes públicas")
        }
        "pt" => format!("Nó de documentação ({group}): registos de exemplo de fontes públicas"),
        "ru" => format!("Документационный узел ({group}): примеры записей из открытых источников"),
        "zh" => format!("文献节点（{group}）：根据公开来源编写的样本记录"),
        "ar" => format!("عقدة توثيق ({group}): سجلات نموذجية من مصادر عامة"),
        _ => format!("Documentation node ({group}): sample records from public sources"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_record_has_a_documentation_node_and_none_is_a_states() {
        let groups = groups().unwrap();
        let records: usize = groups.iter().map(|group| group.drafts.len()).sum();
        assert_eq!(records, SAMPLES.lines().count());
        for group in &groups {
            assert!(group.node.starts_with("documentation-") && group.node.ends_with(".example"));
            assert_eq!(group.names.len(), INTERFACE.len());
            for draft in &group.drafts {
                assert_eq!(
                    draft.subject["basis"], "compiled-from-public-sources",
                    "{:?}",
                    draft.source
                );
            }
        }
        assert!(
            groups.iter().all(|group| group.node != "documentation-other.example"),
            "{groups:?}"
        );
    }
}
