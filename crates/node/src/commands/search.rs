//! `jopoi search`.

use clap::Args;
use url::form_urlencoded::Serializer;
use wire::api::search::{SearchAnswer, TextPart};
use wire::paths;

use crate::cli::Global;
use crate::control::Control;
use crate::output::{Done, Output, Usage};

/// Find records in all feeds held here, in every language.
#[derive(Args)]
#[command(
    after_help = "Filters are those of the search page: kind, state, region, situation, capacity, topic, theme, \
    persons, sdg, mechanism, language, year, says, feed, node, group. Several values of one filter find \
    either; several filters narrow."
)]
pub struct Search {
    /// Words, "a phrase", begin*, or the symbol and paragraph of a recommendation.
    words: Vec<String>,
    /// A word that must not stand in a record; may be given several times.
    #[arg(long, value_name = "WORD")]
    without: Vec<String>,
    /// Narrow by a filter, such as state=PY; may be given several times.
    #[arg(long = "filter", value_name = "NAME=CODE")]
    filters: Vec<String>,
    /// The language you read: what is found in it stands first.
    #[arg(long)]
    language: Option<String>,
    /// The newest first, rather than what fits best.
    #[arg(long)]
    newest: bool,
    /// Withdrawn records too.
    #[arg(long)]
    withdrawn: bool,
    /// How many, from 1 to 200.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

impl Search {
    /// Asks the index; without a server, after it has caught up with the feeds.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let path = self.path()?;
        let control = Control::reach_indexed(&global.place()?).await?;
        let answer: SearchAnswer = control.get(&path).await?;
        output.json(&answer)?;
        if answer.total == 0 {
            output.say("Nothing was found.")?;
            for choice in &answer.without {
                let (facet, value, count) = (&choice.facet, &choice.value, choice.count);
                output.say(format!("Without --filter {facet}={value} there are {count}."))?;
            }
            return Ok(Done::Fully);
        }
        let rows = answer.hits.iter().map(|hit| {
            let title = if hit.withdrawn { "(withdrawn)".to_owned() } else { plain(&hit.title) };
            [
                hit.id.to_string(),
                hit.kind.clone(),
                hit.states.join(" "),
                hit.origin.to_string(),
                hit.language.clone(),
                title,
            ]
        });
        output.table(["ID", "KIND", "STATES", "FEED", "LANGUAGE", "TITLE"], rows)?;
        let shown = answer.hits.len();
        output.say(format!("{shown} of {} found.", answer.total))?;
        Ok(Done::Fully)
    }

    /// What is asked of the API.
    fn path(&self) -> anyhow::Result<String> {
        let mut query = Serializer::new(String::new());
        let without = self.without.iter().map(|word| format!("-{word}"));
        let words: Vec<String> = self.words.iter().cloned().chain(without).collect();
        query.append_pair("q", &words.join(" "));
        query.append_pair("limit", &self.limit.to_string());
        for filter in &self.filters {
            let Some((name, code)) = filter.split_once('=') else {
                let hint = format!("`{filter}` is no filter: write NAME=CODE, such as state=PY");
                return Err(Usage(hint).into());
            };
            query.append_pair(name, code);
        }
        if let Some(language) = &self.language {
            query.append_pair("lang", language);
        }
        if self.newest {
            query.append_pair("order", "newest");
        }
        if self.withdrawn {
            query.append_pair("withdrawn", "with");
        }
        Ok(format!("{}?{}", paths::site::API_SEARCH, query.finish()))
    }
}

fn plain(parts: &[TextPart]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::Search;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        search: Search,
    }

    #[test]
    fn what_was_typed_becomes_the_query_of_an_address() {
        let line = [
            "search",
            "--filter",
            "state=PY",
            "--newest",
            "puntos",
            "focales",
            "--without",
            "base",
        ];
        let path = Line::parse_from(line).search.path().unwrap();
        let expected = "/api/v1/search?q=puntos+focales+-base&limit=20&state=PY&order=newest";
        assert_eq!(path, expected);
        assert!(Line::parse_from(["search", "--filter", "PY"]).search.path().is_err());
    }
}
