//! `jopoi network handover`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use wire::api::network::{NetworkFileAnswer, NetworkFileRequest};
use wire::paths;

use crate::cli::Global;
use crate::commands::keys::change::Rotate;
use crate::output::{Done, Output};

/// Take over as the secretariat: new online keys and a new address for the network's node, by its root
/// key. What counts in a network are the committee's approvals, so no trust is moved.
#[derive(Args)]
pub struct Handover {
    #[command(flatten)]
    rotate: Rotate,
    /// Where the new network file is written.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Handover {
    /// Rotates, writes the new network file, says what is left to do.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let request = NetworkFileRequest { network: Some(global.place()?.node) };
        // Before any key is changed: this must be the network's own node.
        let _: NetworkFileAnswer = control
            .post(paths::API_NETWORK_FILE, &request)
            .await
            .context("this is not the directory of a network's own node")?;
        drop(control);
        let done = self.rotate.run(global, output).await?;
        let control = global.control().await?;
        let answer: NetworkFileAnswer = control.post(paths::API_NETWORK_FILE, &request).await?;
        output.json(&answer)?;
        output
            .say("The committee and its approvals are as they were. Those who take part are told the new address as")?;
        output.say("soon as this node serves and reaches them; others run `jopoi join NEW-NETWORK-FILE --only-follow`.")?;
        if let Some(path) = &self.output {
            std::fs::write(path, &answer.file)
                .with_context(|| format!("cannot write {}", path.display()))?;
            output.say(format!("  network file  {}", path.display()))?;
        }
        output.say(format!("  fingerprint   {}", answer.fingerprint))?;
        output.say("Drill for the two secretariats:")?;
        output
            .say("  1. The old one stops its server: two servers with one feed would fork it.")?;
        output.say("  2. The new one runs `jopoi serve`, with the new `base_urls`, then `jopoi network status`: the same participants as before.")?;
        output.say("  3. Somebody else runs `jopoi probe` with the new address, then `jopoi peers` after a minute: in step.")?;
        output.say("  4. Newcomers get the new network file, and its fingerprint by telephone.")?;
        output.say(
            "  5. The old one deletes its data directory, and hands the root key over on paper.",
        )?;
        Ok(done)
    }
}
