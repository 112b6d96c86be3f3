//! `jopoi backup`.

use std::path::PathBuf;

use clap::Args;
use tlog::name::NodeName;
use wire::api::guard::{PackAnswer, PackRequest};
use wire::paths;

use crate::cli::Global;
use crate::commands::bundle::{absolute, tell_packed};
use crate::control::Control;
use crate::output::{Done, Output, Usage};
use crate::place::{DATA_DEFAULT, Place};

/// Write everything this node holds into one file: feeds, receipts, decisions. No keys. The server may
/// go on.
#[derive(Args)]
pub struct Backup {
    /// The file; it must not exist.
    file: PathBuf,
    /// Only this node's own feeds.
    #[arg(long)]
    own: bool,
    /// Which node, where the data directory holds several.
    #[arg(long, value_name = "NODE")]
    node: Option<NodeName>,
}

impl Backup {
    /// Writes it, and says which heads it holds.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = match &self.node {
            None => global.control().await?,
            Some(node) => {
                let default = PathBuf::from(DATA_DEFAULT);
                let places = Place::all_in(global.data.first().unwrap_or(&default))?;
                let place = places.into_iter().find(|place| place.node == *node);
                let none = || Usage(format!("{node} is not in this data directory"));
                Control::reach(&place.ok_or_else(none)?).await?
            }
        };
        let request = PackRequest {
            file: absolute(&self.file)?,
            feeds: Vec::new(),
            own: self.own,
            from: 0,
            backup: true,
        };
        let answer: PackAnswer =
            control.post_watched(paths::API_BUNDLE_EXPORT, &request, &output).await?;
        tell_packed(&self.file, &answer, &output)?;
        output.say(
            "Keys are not in it: keep the file of the root key, from which new ones are made, apart from it.",
        )?;
        Ok(Done::Fully)
    }
}
