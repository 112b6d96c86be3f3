//! `jopoi serve`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::cli::Global;
use crate::output::{Done, Output};
use crate::place::{DATA_DEFAULT, Place};
use crate::process;
use crate::server::Server;

/// Run one node, or several: give `--data` more than once, or a directory that holds several.
#[derive(Args)]
pub struct Serve {}

impl Serve {
    /// Serves until the process is asked to end.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let (_end, shutdown) = process::shutdown()?;
        let mut places = places(global)?;
        for place in &mut places {
            place.passphrase = global.passphrase();
        }
        let servers = Server::start(&places, &shutdown).await?;
        for served in servers.iter().flat_map(Server::nodes) {
            output.json(&served.line())?;
            output.say(format!("{} is at {}", served.name(), served.url))?;
        }
        process::notify("READY=1");
        for server in servers {
            server.ended().await;
        }
        Ok(Done::Fully)
    }
}

fn places(global: &Global) -> anyhow::Result<Vec<Place>> {
    if global.config.is_some() {
        return Ok(vec![global.place()?]);
    }
    let default = [PathBuf::from(DATA_DEFAULT)];
    let roots = if global.data.is_empty() { default.as_slice() } else { &global.data };
    let mut places = Vec::new();
    for root in roots {
        places.extend(Place::all_in(root)?);
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = places.iter().find(|place| !names.insert(place.node.clone())) {
        bail!(
            "{} is there twice: one directory holds one node, and each name stands once",
            twice.node
        );
    }
    Ok(places)
}
