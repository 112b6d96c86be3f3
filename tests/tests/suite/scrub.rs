//! What a disk loses is noticed by reading everything back, and comes back from those who have it too.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use feed::feeds::{Pace, Scrubbed, Withdrawal};
use tests::federation::{Federation, Node, outbound};
use tests::member::practice;
use tlog::name::FeedName;

const OWNER: &str = "owner.example";
const MIRROR: &str = "mirror.example";

/// As fast as the disk.
struct Fast;

#[async_trait]
impl Pace for Fast {
    async fn read(&self, _bytes: usize) {}
}

/// An owner with sealed entries and a tail, and a mirror; each knows where the other is.
async fn two() -> Result<Federation> {
    let federation = Federation::of([OWNER, MIRROR]).await?;
    let (owner, mirror) = (federation.node(OWNER)?, federation.node(MIRROR)?);
    let secret = owner.publish("To be erased").await?;
    for batch in 0..22 {
        let many = (0..50).map(|number| practice(None, &format!("Practice {batch} {number}")));
        owner.feeds().publish(&FeedName::public(), many.collect()).await?;
    }
    mirror.follow(owner).await?;
    owner.follow(mirror).await?;
    mirror.until(&secret.origin, 1_102).await?;
    let withdrawal = Withdrawal { reason: "data-protection".to_owned(), erase: true };
    owner.feeds().withdraw(&FeedName::public(), &secret.id, &withdrawal).await?;
    mirror.until(&secret.origin, 1_103).await?;
    for node in [owner, mirror] {
        node.rest().await;
        peer::guard::Neighbours::introduce(node.feeds(), &outbound()?);
    }
    Ok(federation)
}

async fn scrub(node: &Node) -> Result<Scrubbed> {
    let origin = feed_of()?;
    Ok(node.feeds().scrub(&origin, &Fast).await)
}

fn feed_of() -> Result<tlog::name::Origin> {
    Ok(tlog::name::Origin::parse(&format!("{OWNER}/public"))?)
}

/// Every object of the owner's feed in a directory.
fn objects(data: &Path) -> Result<Vec<PathBuf>> {
    files(data.join("facts").join(OWNER).join("public"))
}

/// Every file below a folder.
fn files(folder: PathBuf) -> Result<Vec<PathBuf>> {
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

type Damage = fn(&mut Vec<u8>);

/// What disks do to a file.
const DAMAGES: &[(&str, Damage)] = &[
    ("a bit in the middle", |bytes| {
        let middle = bytes.len() / 2;
        bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
    }),
    ("cut", |bytes| bytes.truncate(bytes.len() / 3)),
    ("zeros", |bytes| bytes.fill(0)),
];

#[tokio::test]
async fn whatever_is_damaged_in_a_copy_is_found_and_is_whole_again() -> Result<()> {
    let federation = two().await?;
    let (owner, mirror) = (federation.node(OWNER)?, federation.node(MIRROR)?);
    let first = scrub(mirror).await?;
    assert_eq!((first.damaged, first.objects >= 9), (0, true), "{first:?}");
    let whole = objects(mirror.data())?;
    assert!(whole.len() >= 9, "{whole:?}");
    let mut cases = 0;
    for path in &whole {
        for (damage, change) in DAMAGES {
            let case = || format!("{damage}: {}", path.display());
            let mut bytes = std::fs::read(path)?;
            change(&mut bytes);
            std::fs::write(path, &bytes)?;
            let found = scrub(mirror).await?;
            ensure!(found.damaged >= 1 && found.damaged == found.healed, "{}: {found:?}", case());
            let again = scrub(mirror).await?;
            ensure!(again.damaged == 0, "{}: {again:?}", case());
            cases += 1;
        }
    }
    println!("{cases} damaged objects of a copy");
    let origin = feed_of()?;
    for index in 0..1_103 {
        let (mine, theirs) = (
            mirror.feeds().entry(&origin, index).await?,
            owner.feeds().entry(&origin, index).await?,
        );
        ensure!(mine.entry == theirs.entry && mine.body == theirs.body, "entry {index} differs");
    }
    Ok(())
}

#[tokio::test]
async fn an_own_segment_comes_back_from_a_mirror_and_a_head_is_for_its_author_to_restore()
-> Result<()> {
    let federation = two().await?;
    let owner = federation.node(OWNER)?;
    let mut healed = 0;
    for path in objects(owner.data())? {
        let before = std::fs::read(&path)?;
        let mut bytes = before.clone();
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, &bytes)?;
        let found = scrub(owner).await?;
        let head = path.ends_with("head");
        ensure!(found.damaged == 1, "{}: {found:?}", path.display());
        ensure!(found.healed == u64::from(!head), "{}: {found:?}", path.display());
        if head {
            let told = found.told.first().and_then(|damage| damage.still.clone());
            ensure!(told.is_some_and(|told| told.contains("jopoi restore")), "{found:?}");
            std::fs::write(&path, before)?;
        }
        healed += found.healed;
        ensure!(scrub(owner).await?.damaged == 0, "{}", path.display());
    }
    assert!(healed >= 8, "{healed}");
    // The node goes on: nothing that was healed is in the way of publishing.
    owner.publish("Afterwards").await?;
    Ok(())
}

#[tokio::test]
async fn what_belongs_to_the_node_alone_is_put_back_as_it_was() -> Result<()> {
    let federation = two().await?;
    let mirror = federation.node(MIRROR)?;
    let first = mirror.feeds().scrub_node(&Fast).await;
    assert_eq!(first.damaged, 0, "{first:?}");
    let mut whole = files(mirror.data().join("decisions"))?;
    whole.extend(files(mirror.data().join("witness"))?);
    assert!(whole.len() >= 2, "{whole:?}");
    for path in &whole {
        let before = std::fs::read(path)?;
        for damage in DAMAGES.iter().map(|(_, change)| Some(change)).chain([None]) {
            match damage {
                Some(change) => {
                    let mut bytes = before.clone();
                    change(&mut bytes);
                    std::fs::write(path, &bytes)?;
                }
                None => std::fs::remove_file(path)?,
            }
            let found = mirror.feeds().scrub_node(&Fast).await;
            let case = || format!("{}: {found:?}", path.display());
            ensure!((found.damaged, found.healed) == (1, 1), case());
            let told = found.told.first().context("nothing was told")?;
            ensure!(path.ends_with(&told.what), case());
            ensure!(std::fs::read(path)? == before, case());
        }
    }
    assert_eq!(mirror.feeds().scrub_node(&Fast).await.damaged, 0);
    Ok(())
}

#[tokio::test]
async fn a_high_water_mark_that_rotted_is_written_anew_as_far_as_was_shown() -> Result<()> {
    let federation = two().await?;
    let (owner, origin) = (federation.node(OWNER)?, feed_of()?);
    let marks = files(owner.data().join("high-water"))?;
    let [path] = &marks[..] else { anyhow::bail!("not one mark: {marks:?}") };
    for (damage, change) in DAMAGES {
        let mut bytes = std::fs::read(path)?;
        change(&mut bytes);
        std::fs::write(path, &bytes)?;
        let found = scrub(owner).await?;
        ensure!((found.damaged, found.healed) == (1, 1), "{damage}: {found:?}");
        let mark = owner.feeds().store().high_water(&origin).await?;
        let view = owner.feeds().view(&origin).context("no view")?;
        ensure!(mark.is_some_and(|mark| mark.size == view.size() && mark.root == view.root()));
        ensure!(scrub(owner).await?.damaged == 0, "{damage}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_mirror_what_is_damaged_is_told_and_never_served() -> Result<()> {
    let federation = Federation::of([OWNER]).await?;
    let owner = federation.node(OWNER)?;
    for batch in 0..22 {
        let many = (0..50).map(|number| practice(None, &format!("Practice {batch} {number}")));
        owner.feeds().publish(&FeedName::public(), many.collect()).await?;
    }
    let mut segments = objects(owner.data())?.into_iter();
    let segment = segments.rfind(|path| path.to_string_lossy().contains("segment"));
    let segment = segment.context("nothing is sealed")?;
    let mut bytes = std::fs::read(&segment)?;
    bytes.iter_mut().skip(900).take(1).for_each(|byte| *byte ^= 1);
    std::fs::write(&segment, bytes)?;
    let found = scrub(owner).await?;
    assert_eq!((found.damaged, found.healed), (1, 0), "{found:?}");
    assert_eq!(found.told.first().map(|damage| damage.what.as_str()), Some("segment 3"));
    let origin = feed_of()?;
    assert!(owner.feeds().segment(&origin, 3).await.is_err());
    assert!(owner.feeds().segment(&origin, 2).await.is_ok());
    Ok(())
}
