//! Bundles from unknown and hostile hands: every fault at every place of a bundle, and a crash at every write
//! of taking one in. What is shown afterwards is what its owner signed, or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use feed::bundle::carrier::BundleCarrier;
use feed::bundle::{self, Contents, Item, ItemKind};
use feed::feeds::{BodyRead, Feeds, Outcome, Parts, Pin, SyncError, Synced, Withdrawal};
use feed::ports::Quiet;
use store::memory::{Fault, Faults, MemoryCatalog, MemoryStore};
use tests::chance::{BEGINNING, TestChance, TestClock};
use tests::member::{Member, practice};
use tlog::name::{FeedName, Origin};

const AUTHOR: &str = "author.example";
const READER: &str = "reader.example";

/// Entries beyond which a tail is sealed, and some.
const ENTRIES: usize = 1_100;

async fn open(member: &Member, store: Arc<MemoryStore>) -> Result<Arc<Feeds>> {
    let parts = Parts {
        node: member.name().clone(),
        store,
        catalog: Arc::new(MemoryCatalog::new()),
        signer: Arc::new(member.secret().signer(1)?),
        clock: Arc::new(TestClock::new()),
        random: Arc::new(TestChance::new(member.name().as_str())),
    };
    Ok(Feeds::open(parts).await?)
}

/// A node with sealed entries, a tail, and a text that was erased.
async fn author() -> Result<(Member, Arc<Feeds>)> {
    let member = Member::of(AUTHOR)?;
    let feeds = open(&member, Arc::new(MemoryStore::new())).await?;
    feeds.begin(&FeedName::public(), member.node_record(&[])?).await?;
    let erased = feeds.publish(&FeedName::public(), vec![practice(None, "Erased")]).await?;
    for batch in 0..ENTRIES / 50 {
        let many = (0..50).map(|number| practice(None, &format!("Practice {batch} {number}")));
        feeds.publish(&FeedName::public(), many.collect()).await?;
    }
    let withdrawal = Withdrawal { reason: "data-protection".to_owned(), erase: true };
    let id = erased.first().context("nothing was published")?.id;
    feeds.withdraw(&FeedName::public(), &id, &withdrawal).await?;
    Ok((member, feeds))
}

/// Somebody who follows the author, and holds what is in `store`.
async fn reader(author: &Member, store: Arc<MemoryStore>) -> Result<Arc<Feeds>> {
    let feeds = open(&Member::of(READER)?, store).await?;
    let root = author.root()?.public();
    feeds.follow(Pin::new(author.name().clone(), root, Vec::new(), BEGINNING)).await?;
    Ok(feeds)
}

async fn items(feeds: &Feeds, origin: &Origin, from: u64) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut put = |item: Item| {
        items.push(item);
        Ok(())
    };
    feeds.pack(origin, from, &mut put).await?;
    Ok(items)
}

/// Takes the feed out of the bundle, as an import does.
async fn import(feeds: &Arc<Feeds>, origin: &Origin, bytes: &Bytes) -> Result<Synced, SyncError> {
    let contents = Contents::of(&**bytes).unwrap_or_default();
    let carrier = BundleCarrier::new("stick", origin.node().clone(), &contents, bytes);
    let synced = feeds.sync_feed(&carrier, origin, None, &Quiet).await;
    feeds.exchange_receipts(&carrier, origin).await;
    synced
}

/// What is shown is what the author signed, if anything is.
async fn honest(author: &Feeds, reader: &Feeds, origin: &Origin) -> Result<bool> {
    let Some(view) = reader.view(origin) else { return Ok(false) };
    let theirs = author.view(origin).context("the author has no feed")?;
    ensure!(view.size() <= theirs.size(), "more than was signed");
    if view.size() == theirs.size() {
        ensure!(view.root() == theirs.root(), "another tree");
    }
    for index in [0, 1, 2, 300, view.size() - 1].into_iter().filter(|index| *index < view.size()) {
        let mine = reader.entry(origin, index).await?;
        let theirs = author.entry(origin, index).await?;
        ensure!(mine.entry == theirs.entry, "entry {index} is another one");
        let erased = matches!(theirs.body, BodyRead::Erased { .. });
        ensure!(!erased || !matches!(mine.body, BodyRead::Held(_)), "an erased text is back");
        let missing = mine.body == BodyRead::Missing;
        ensure!(missing || mine.body == theirs.body, "the body of entry {index} is another one");
    }
    Ok(view.size() == theirs.size() && view.missing.is_empty())
}

type Change = fn(&mut Vec<Item>, usize);

fn bytes_of(items: &mut [Item], at: usize, change: impl Fn(&mut Vec<u8>)) {
    if let Some(item) = items.get_mut(at) {
        let mut bytes = item.bytes.to_vec();
        change(&mut bytes);
        item.bytes = bytes.into();
    }
}

/// A frame that says it is small and is not, one that says it is huge, and one of many zeros.
fn bomb(declared: usize) -> Vec<u8> {
    let mut frame = feed::frame::pack(&vec![0; 64 << 20]).unwrap_or_default();
    if declared > 0 {
        // The content size of a frame of this length stands in the four bytes after the header.
        let size = u32::try_from(declared).unwrap_or(u32::MAX).to_le_bytes();
        frame.iter_mut().skip(5).zip(size).for_each(|(byte, size)| *byte = size);
    }
    frame
}

/// What is done to one item; the bundle is closed with a right hash afterwards.
const FAULTS: &[(&str, Change)] = &[
    ("left out", |items, at| drop(items.remove(at))),
    ("emptied", |items, at| bytes_of(items, at, Vec::clear)),
    ("cut in half", |items, at| bytes_of(items, at, |bytes| bytes.truncate(bytes.len() / 2))),
    ("a byte short", |items, at| {
        bytes_of(items, at, |bytes| bytes.truncate(bytes.len().saturating_sub(1)));
    }),
    ("a byte long", |items, at| bytes_of(items, at, |bytes| bytes.push(0))),
    ("first byte changed", |items, at| {
        bytes_of(items, at, |bytes| bytes.iter_mut().take(1).for_each(|byte| *byte ^= 0x40));
    }),
    ("middle byte changed", |items, at| {
        bytes_of(items, at, |bytes| {
            let middle = bytes.len() / 2;
            bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
        });
    }),
    ("last byte changed", |items, at| {
        bytes_of(items, at, |bytes| bytes.iter_mut().rev().take(1).for_each(|byte| *byte ^= 0x80));
    }),
    ("zeros", |items, at| bytes_of(items, at, |bytes| bytes.fill(0))),
    ("numbers at their greatest", |items, at| {
        bytes_of(items, at, |bytes| {
            bytes.iter_mut().skip(4).take(12).for_each(|byte| *byte = 0xff);
        });
    }),
    ("a bomb", |items, at| bytes_of(items, at, |bytes| *bytes = bomb(0))),
    ("a bomb that says it is small", |items, at| bytes_of(items, at, |bytes| *bytes = bomb(300))),
    ("the bytes of the next item", |items, at| {
        let next = items.get((at + 1) % items.len()).map(|item| item.bytes.clone());
        if let (Some(item), Some(next)) = (items.get_mut(at), next) {
            item.bytes = next;
        }
    }),
    ("another number", |items, at| {
        items.iter_mut().skip(at).take(1).for_each(|item| item.number += 1);
    }),
    ("the greatest number", |items, at| {
        items.iter_mut().skip(at).take(1).for_each(|item| item.number = u64::MAX);
    }),
    ("of an unknown feed", |items, at| {
        if let (Some(item), Ok(origin)) =
            (items.get_mut(at), Origin::parse("nobody.example/public"))
        {
            item.origin = origin;
        }
    }),
    ("of another kind", |items, at| {
        items.iter_mut().skip(at).take(1).for_each(|item| {
            item.kind = if item.kind == ItemKind::Head { ItemKind::Since } else { ItemKind::Head };
        });
    }),
    ("rubbish in its place before it", |items, at| {
        if let Some(mut item) = items.get(at).cloned() {
            item.bytes = Bytes::from_static(b"rubbish");
            items.insert(at, item);
        }
    }),
    ("twice", |items, at| {
        if let Some(item) = items.get(at).cloned() {
            items.push(item);
        }
    }),
];

#[tokio::test]
async fn no_fault_at_any_place_of_a_bundle_shows_what_was_not_signed() -> Result<()> {
    let (member, author) = author().await?;
    let origin = member.origin();
    let before = Bytes::from(bundle::write(&items(&author, &origin, 0).await?));
    let size = author.view(&origin).context("no feed")?.size();
    author.publish(&FeedName::public(), vec![practice(None, "News")]).await?;
    let whole = items(&author, &origin, 0).await?;
    let clean = Bytes::from(bundle::write(&whole));
    let news = items(&author, &origin, size).await?;
    let (mut cases, mut refused) = (0, BTreeMap::<&str, u32>::new());
    for (held, items) in [(None, &whole), (Some(&before), &news)] {
        for (fault, change) in FAULTS {
            for (at, item) in items.iter().enumerate() {
                let case = || format!("{fault}, at {at}: {:?}", item.kind);
                let mut items = items.clone();
                change(&mut items, at);
                let feeds = reader(&member, Arc::new(MemoryStore::new())).await?;
                if let Some(held) = held {
                    import(&feeds, &origin, held).await?;
                }
                let taken = import(&feeds, &origin, &bundle::write(&items).into()).await;
                let complete = honest(&author, &feeds, &origin).await.with_context(case)?;
                ensure!(taken.is_err() || feeds.view(&origin).is_some(), "{}", case());
                *refused.entry(fault).or_default() += u32::from(!complete);
                // Nothing of it is in the way of the right one.
                import(&feeds, &origin, &clean).await.with_context(case)?;
                ensure!(honest(&author, &feeds, &origin).await.with_context(case)?, "{}", case());
                cases += 1;
            }
        }
    }
    let places = whole.len() + news.len();
    println!("{cases} bundles: {} faults at {places} places", FAULTS.len());
    println!("not taken as whole: {refused:?}");
    assert!(cases >= 150, "{cases}");
    assert!(refused.values().sum::<u32>() > 60, "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn a_bundle_that_is_cut_anywhere_is_refused_before_anything_is_used() -> Result<()> {
    let (member, author) = author().await?;
    let whole = items(&author, &member.origin(), 0).await?;
    let clean = bundle::write(&whole);
    let mut cuts = vec![0, 1, 3, 4, 5, clean.len() - 33, clean.len() - 32, clean.len() - 1];
    for until in 1..=whole.len() {
        let part = bundle::write(whole.get(..until).unwrap_or_default()).len() - 33;
        cuts.extend([part - 1, part, part + 1, part + 3, part + 12]);
    }
    for cut in cuts {
        let part = clean.get(..cut.min(clean.len() - 1)).unwrap_or_default();
        ensure!(Contents::of(part).is_err(), "cut after {cut} bytes");
    }
    Ok(())
}

#[tokio::test]
async fn a_crash_at_any_write_of_an_import_is_made_good_by_importing_again() -> Result<()> {
    let (member, author) = author().await?;
    let origin = member.origin();
    let clean = Bytes::from(bundle::write(&items(&author, &origin, 0).await?));
    let faults = [Fault::CrashBefore, Fault::CrashAmid { bytes: 100 }, Fault::CrashAfter];
    let errors = [Fault::Full, Fault::Broken, Fault::Unsynced];
    let (mut at, mut crashes) = (0, 0);
    loop {
        at += 1;
        let mut beyond = false;
        for fault in faults.into_iter().chain(errors) {
            let store = Arc::new(MemoryStore::new());
            let feeds = reader(&member, Arc::clone(&store)).await?;
            store.expect(Faults::at(at, fault));
            let taken = import(&feeds, &origin, &clean).await;
            beyond |= store.writes() < at;
            if beyond {
                taken?;
                break;
            }
            drop(feeds);
            let feeds = reader(&member, Arc::new(store.restarted())).await?;
            let case = || format!("{fault:?} at write {at}");
            honest(&author, &feeds, &origin).await.with_context(case)?;
            import(&feeds, &origin, &clean).await.with_context(case)?;
            ensure!(honest(&author, &feeds, &origin).await.with_context(case)?, "{}", case());
            crashes += 1;
        }
        if beyond {
            break;
        }
    }
    println!("{crashes} crashes and errors at {} writes", at - 1);
    assert!(at > 10, "{at}");
    Ok(())
}

#[tokio::test]
async fn taken_in_twice_it_changes_nothing_and_a_part_is_enough_for_who_has_the_rest() -> Result<()>
{
    let (member, author) = author().await?;
    let origin = member.origin();
    let clean = Bytes::from(bundle::write(&items(&author, &origin, 0).await?));
    let store = Arc::new(MemoryStore::new());
    let feeds = reader(&member, Arc::clone(&store)).await?;
    import(&feeds, &origin, &clean).await?;
    let (size, objects) = (feeds.view(&origin).context("not taken")?.size(), store.objects());
    let again = import(&feeds, &origin, &clean).await?;
    assert_eq!((again.outcome, store.objects()), (Outcome::Unchanged, objects));
    // What follows an entry, by itself: as long as what is new.
    author.publish(&FeedName::public(), vec![practice(None, "One more")]).await?;
    let part = Bytes::from(bundle::write(&items(&author, &origin, size).await?));
    assert!(part.len() < clean.len() / 10, "{} of {}", part.len(), clean.len());
    let none = reader(&member, Arc::new(MemoryStore::new())).await?;
    let refused = import(&none, &origin, &part).await.map_err(|error| error.to_string());
    let words = format!("entries 0 to {size}");
    assert!(refused.as_ref().is_err_and(|error| error.contains(&words)), "{refused:?}");
    import(&feeds, &origin, &part).await?;
    assert!(honest(&author, &feeds, &origin).await?);
    // Older than what is held: nothing is dropped.
    assert!(matches!(import(&feeds, &origin, &clean).await, Err(SyncError::Rollback { .. })));
    assert!(honest(&author, &feeds, &origin).await?);
    Ok(())
}

#[tokio::test]
async fn receipts_travel_back_in_a_bundle() -> Result<()> {
    let (member, author) = author().await?;
    let origin = member.origin();
    let reading = Member::of(READER)?;
    let feeds = reader(&member, Arc::new(MemoryStore::new())).await?;
    feeds.begin(&FeedName::public(), reading.node_record(&[])?).await?;
    import(&feeds, &origin, &bundle::write(&items(&author, &origin, 0).await?).into()).await?;
    let root = reading.root()?.public();
    author.follow(Pin::new(reading.name().clone(), root, Vec::new(), BEGINNING)).await?;
    // Back goes the reader's own feed, by which its key is known, and what it cosigned.
    let own = reading.origin();
    let back = bundle::write(&items(&feeds, &own, 0).await?);
    import(&author, &own, &back.into()).await?;
    let lines = items(&feeds, &origin, 1_000).await?;
    let line = lines.iter().find(|item| item.kind == ItemKind::Cosignatures);
    let line = line.context("no cosignatures were packed")?;
    assert_eq!(author.merge_cosignatures(&origin, &line.bytes, None).await, 1);
    assert_eq!(author.merge_cosignatures(&origin, &line.bytes, None).await, 0);
    let receipts = author.receipts(&origin);
    let size = author.view(&origin).context("no feed")?.size();
    assert!(receipts.iter().any(|receipt| receipt.size == size), "{receipts:?}");
    Ok(())
}
