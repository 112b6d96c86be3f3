//! `jopoi feed new` and `jopoi feed list`: feeds that only some may read.

use clap::{Args, Subcommand};
use practice::id::RecordId;
use tlog::name::{NodeName, Origin};
use wire::api::{FeedAudience, Feeds, NewFeedAnswer, NewFeedRequest};
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output};

/// Begin a feed that only some may read, or list the feeds held here.
#[derive(Args)]
pub struct Feed {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Begin a feed that only some may read. Who they are never changes.
    New(New),
    /// List the feeds held here, and who may read each.
    List,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct New {
    /// Whoever participates in this network, such as network.example/public.
    #[arg(long, value_name = "NETWORK")]
    participants: Option<Origin>,
    /// The members of a group of a network: the network, and the record of the group.
    #[arg(long, num_args = 2, value_names = ["NETWORK", "ID"])]
    group: Option<Vec<String>>,
    /// These nodes, with commas between them.
    #[arg(long, value_delimiter = ',', value_name = "NODE,…")]
    nodes: Option<Vec<NodeName>>,
}

impl Feed {
    /// Begins or lists.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        match self.what {
            What::New(new) => new.run(global, output).await,
            What::List => list(global, output).await,
        }
    }
}

impl New {
    async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let audience = self.audience()?;
        let control = global.control().await?;
        let words = who(&audience);
        let request = NewFeedRequest { audience };
        let answer: NewFeedAnswer = control.post(paths::API_FEED_NEW, &request).await?;
        output.json(&answer)?;
        for warning in &answer.warnings {
            output.warn(warning);
        }
        output.say(format!(
            "Begun {}, for {words}. Nobody else learns that it is there.",
            answer.origin
        ))?;
        output
            .say(format!("`jopoi publish --feed {} FILE` adds a record.", answer.origin.feed()))?;
        Ok(Done::Fully)
    }

    fn audience(self) -> anyhow::Result<FeedAudience> {
        if let Some(network) = self.participants {
            return Ok(FeedAudience::Participants(network));
        }
        match self.group.as_deref() {
            Some([feed, id]) => {
                Ok(FeedAudience::Group { feed: Origin::parse(feed)?, id: RecordId::parse(id)? })
            }
            _ => Ok(FeedAudience::Nodes(self.nodes.unwrap_or_default())),
        }
    }
}

async fn list(global: &Global, output: Output) -> anyhow::Result<Done> {
    let control = global.control().await?;
    let held: Feeds = control.get(paths::API_FEEDS).await?;
    output.json(&held)?;
    let rows = held.feeds.iter().map(|feed| {
        let readers = match &feed.audience {
            Some(audience) => who(audience),
            None if feed.origin.feed().is_restricted() => "nobody but its owner".to_owned(),
            None => "everybody".to_owned(),
        };
        let own = if feed.own { "own" } else { "copy" };
        [
            feed.origin.to_string(),
            own.to_owned(),
            feed.size.to_string(),
            feed.state.clone(),
            readers,
        ]
    });
    output.table(["FEED", "KIND", "ENTRIES", "STATE", "WHO MAY READ"], rows)?;
    Ok(Done::Fully)
}

/// An audience in words.
fn who(audience: &FeedAudience) -> String {
    match audience {
        FeedAudience::Participants(network) => format!("the participants of {network}"),
        FeedAudience::Group { feed, id } => format!("the group {id} of {feed}"),
        FeedAudience::Nodes(nodes) => {
            nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
    }
}
