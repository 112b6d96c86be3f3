//! What is done after each loss, step by step, and what must be true in the end.

use anyhow::{Context as _, bail, ensure};
use feed::feeds::Source;
use feed::ports::Quiet;
use wire::api::keys::KeyChange;

use super::carrier::InProcess;
use super::stage::Stage;
use super::{Loss, Text};
use crate::keys::online::Slot;
use crate::keys::{Role, Root};

/// Time in which an announced root can be objected to, and a little.
const WINDOW_S: u64 = 72 * 3_600 + 60;

/// Rehearses one loss; the words say what was done.
pub(super) async fn run(loss: Loss, texts: &[Text]) -> anyhow::Result<String> {
    let stage = Stage::new(texts).await.context("the drill could not be set up")?;
    match loss {
        Loss::OnlineSecret => online_secret(stage).await,
        Loss::ServerAndDisk => server_and_disk(stage).await,
        Loss::Root => root(stage).await,
        Loss::RootAndRecovery => root_and_recovery(stage).await,
        Loss::SecretStolen => secret_stolen(stage).await,
        Loss::RootStolen => root_stolen(stage).await,
        Loss::CommitteeKey => committee_key().await,
    }
}

async fn online_secret(mut stage: Stage) -> anyhow::Result<String> {
    stage.stop();
    Slot::InUse.remove(&stage.data())?;
    stage.start().await.context("a node without its secret must start")?;
    ensure!(stage.publish(&[]).await.is_err(), "something was published without keys");
    stage.sync().await?;
    stage.change(KeyChange::Rotate, &stage.root()).await?;
    stage.publish(&[]).await?;
    stage.sync().await?;
    Ok("served without keys; new keys signed by the root; published and followed again".to_owned())
}

async fn server_and_disk(mut stage: Stage) -> anyhow::Result<String> {
    let origin = stage.public()?;
    let before = stage.node()?.feeds().view(&origin).context("no feed")?;
    stage.stop();
    std::fs::remove_dir_all(stage.data())?;
    std::fs::create_dir(stage.data())?;
    stage.start().await?;
    let root = Root::read(&stage.root())?.public();
    let carriers: Vec<InProcess> = stage
        .peers
        .iter()
        .map(|peer| InProcess { feeds: peer.feeds().clone(), of: origin.node().clone() })
        .collect();
    let sources: Vec<Source<'_>> = carriers
        .iter()
        .map(|carrier| Source { node: Some(carrier.feeds.node().clone()), carrier })
        .collect();
    let restored =
        stage.node()?.feeds().restore_feed(&origin, Some(root), &sources, &Quiet).await?;
    ensure!(
        (restored.size, restored.root) == (before.size(), before.root()),
        "what came back is not what was lost"
    );
    drop(before);
    stage.change(KeyChange::Rotate, &stage.root()).await?;
    stage.publish(&[]).await?;
    stage.sync().await?;
    Ok(format!("{} entries from two peers, the same root byte for byte; new keys", restored.size))
}

async fn root(stage: Stage) -> anyhow::Result<String> {
    let path = stage.file("new-root-key");
    let new_root = Root::create()?;
    new_root.save(&path, &stage.name()?, Role::Root)?;
    let did = new_root.did();
    std::fs::remove_file(stage.root())?;
    stage.change(KeyChange::Recover { new_root: did.clone() }, &stage.recovery()).await?;
    stage.sync().await?;
    let early = stage.change(KeyChange::Finish { new_root: did.clone() }, &path).await;
    ensure!(early.is_err(), "the new root was taken into use before the 72 hours were over");
    stage.publish(&[]).await.context("publishing goes on meanwhile")?;
    stage.sync().await?;
    stage.wait(WINDOW_S);
    stage.sync().await?;
    stage.change(KeyChange::Finish { new_root: did }, &path).await?;
    stage.sync().await?;
    stage.believed(&new_root.public())?;
    stage.change(KeyChange::Rotate, &path).await?;
    stage.sync().await?;
    Ok("announced, not believed early, believed by both peers after 72 hours; new keys".to_owned())
}

async fn root_and_recovery(stage: Stage) -> anyhow::Result<String> {
    std::fs::remove_file(stage.root())?;
    std::fs::remove_file(stage.recovery())?;
    reinstated(&stage, "drill: both keys were lost").await?;
    Ok("reinstated with another root by a decision of others; new keys; the history is kept"
        .to_owned())
}

/// What a decision of the committee comes to at each node: another root, in place of one that is lost or
/// stolen. The node publishes under it.
async fn reinstated(stage: &Stage, why: &str) -> anyhow::Result<()> {
    let (node, path) = (stage.name()?, stage.file("reinstated-root-key"));
    let new_root = Root::create()?;
    new_root.save(&path, &node, Role::Root)?;
    for peer in &stage.peers {
        peer.feeds().change_root(&node, new_root.public(), why).await?;
    }
    stage.node()?.feeds().change_root(&node, new_root.public(), why).await?;
    let before = stage.node()?.feeds().view(&stage.public()?).context("no feed")?.size();
    stage.change(KeyChange::Reinstated { new_root: new_root.did() }, &path).await?;
    stage.sync().await?;
    stage.believed(&new_root.public())?;
    stage.change(KeyChange::Rotate, &path).await?;
    stage.publish(&[]).await?;
    stage.sync().await?;
    let after = stage.node()?.feeds().view(&stage.public()?).context("no feed")?.size();
    ensure!(after > before, "nothing was published under the reinstated root");
    Ok(())
}

async fn secret_stolen(stage: Stage) -> anyhow::Result<String> {
    let origin = stage.public()?;
    let honest = stage.node()?.feeds().view(&origin).context("no feed")?.size();
    let stolen = stage.node()?.feeds().signer();
    // The thief publishes as the node, and the peers have it before anybody notices.
    let forged = stage.publish(&[]).await?;
    stage.sync().await?;
    let change = KeyChange::Revoke {
        usage: "all".to_owned(),
        feed: "public".to_owned(),
        from_size: honest,
        reason: "stolen".to_owned(),
    };
    stage.change(change, &stage.root()).await?;
    stage.sync().await?;
    for feeds in stage.peers.iter().map(|peer| peer.feeds()).chain([stage.node()?.feeds()]) {
        let disowned = feeds.disowned(&origin)?;
        if !forged.iter().all(|entry| disowned.iter().any(|line| line.index == entry.index)) {
            bail!("{} still shows what the thief published", feeds.node());
        }
    }
    let fresh = stage.node()?.feeds().signer();
    stage.node()?.feeds().set_signer(stolen);
    ensure!(stage.publish(&[]).await.is_err(), "the stolen keys still sign");
    stage.node()?.feeds().set_signer(fresh);
    stage.publish(&[]).await?;
    stage.sync().await?;
    Ok(format!(
        "revoked from entry {honest} on; disowned at both peers; published again with new keys"
    ))
}

async fn root_stolen(stage: Stage) -> anyhow::Result<String> {
    let new_root = Root::create()?.did();
    stage.change(KeyChange::Recover { new_root: new_root.clone() }, &stage.recovery()).await?;
    stage.sync().await?;
    // The thief objects.
    stage.change(KeyChange::Object { by: "root".to_owned() }, &stage.root()).await?;
    stage.sync().await?;
    stage.wait(WINDOW_S);
    stage.sync().await?;
    for peer in &stage.peers {
        let recoveries = peer.feeds().recoveries();
        ensure!(
            recoveries.iter().any(|recovery| recovery.contested),
            "{} does not say that the recovery is contested",
            peer.feeds().node()
        );
    }
    reinstated(&stage, "drill: the root was stolen").await?;
    Ok("announced, contested by the thief, shown as such; the committee reinstated another root"
        .to_owned())
}

async fn committee_key() -> anyhow::Result<String> {
    super::committee::rehearse().await
}
