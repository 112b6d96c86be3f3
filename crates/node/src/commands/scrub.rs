//! `jopoi scrub`.

use clap::Args;
use wire::api::guard::{ScrubAnswer, ScrubRequest};
use wire::paths;

use crate::cli::Global;
use crate::output::{Done, Output, visible};

/// Read everything back that is held, and heal what is damaged from those who have it too. A server does this by
/// itself once a week, slowly.
#[derive(Args)]
pub struct Scrub {
    /// At most so many KiB in a second; 0 is as fast as the disk.
    #[arg(long, value_name = "KIB", default_value_t = 0)]
    rate: u64,
}

impl Scrub {
    /// Does it, and tells what was found.
    pub async fn run(self, global: &Global, output: Output) -> anyhow::Result<Done> {
        let control = global.control().await?;
        let request = ScrubRequest { kib_per_second: self.rate };
        let found: ScrubAnswer = control.post_watched(paths::API_SCRUB, &request, &output).await?;
        output.json(&found)?;
        output.say(format!(
            "Read {} objects of {} feeds back ({} bytes).",
            found.objects, found.feeds, found.bytes
        ))?;
        let kinds = found.kinds.iter().map(|(kind, count)| format!("{} {count}", visible(kind)));
        let kinds: Vec<String> = kinds.collect();
        if !kinds.is_empty() {
            output.say(format!("Of each kind: {}.", kinds.join(", ")))?;
        }
        for damage in &found.told {
            let what = visible(&crate::scrub::name_of(damage));
            match &damage.still {
                None => output.say(format!("{what} was damaged and is whole again"))?,
                Some(why) => output.warn(format!("{what} is damaged: {}", visible(why))),
            }
        }
        if found.damaged == 0 {
            output.say("All of it is whole.")?;
        }
        Ok(if found.damaged == found.healed { Done::Fully } else { Done::Partly })
    }
}
