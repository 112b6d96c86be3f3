//! What a `FeedStore` promises.

use std::sync::Arc;

use bytes::Bytes;
use feed::head::Head;
use feed::ports::{CommitError, Fact, FeedStore, HighWater, StoreError};
use tlog::hash::Hash;
use tlog::name::Origin;

use crate::author::Author;
use crate::bench::{Bench, InMemory, OnDisk};

/// Each line of the suite, once for each store.
macro_rules! judged {
    ($($name:ident)+) => {
        mod on_disk {
            $(#[tokio::test] async fn $name() { super::$name(&mut super::OnDisk::new()).await; })+
        }
        mod in_memory {
            $(#[tokio::test] async fn $name() { super::$name(&mut super::InMemory::new()).await; })+
        }
    };
}

judged! {
    a_feed_begins_grows_and_is_sealed
    a_step_from_another_head_conflicts_and_changes_nothing
    of_many_callers_with_the_same_step_one_succeeds
    a_reader_sees_a_head_before_or_after_a_commit
    feeds_grow_side_by_side
    a_cut_head_goes_on_from_its_last_commit
    objects_are_replaced_and_removed_and_heads_are_not
    a_high_water_mark_is_the_last_one_written
    decisions_are_kept_by_name
    what_was_cosigned_last_is_kept_by_log
    a_forgotten_feed_leaves_nothing_and_takes_nothing_else_with_it
}

/// Commits `count` more entries.
pub(crate) async fn publish(store: &dyn FeedStore, author: &mut Author, count: u64) {
    let staged = author.stage(count);
    store.commit(&staged.advance).await.unwrap();
    author.take(staged);
}

/// Stores segments and tiles, then the head without them.
pub(crate) async fn seal(store: &dyn FeedStore, author: &mut Author) {
    let sealed = author.seal().unwrap();
    for fact in &sealed.facts {
        store.keep(fact).await.unwrap();
    }
    store.commit(&sealed.advance).await.unwrap();
    author.take_sealed(sealed);
}

async fn head(store: &dyn FeedStore, origin: &Origin) -> Bytes {
    store.fact(origin, &Fact::Head).await.unwrap().unwrap()
}

async fn a_feed_begins_grows_and_is_sealed(bench: &mut dyn Bench) {
    let mut author = Author::of("one.example/public");
    let store = bench.open();
    assert_eq!(store.origins().await.unwrap(), []);
    assert_eq!(store.fact(&author.origin, &Fact::Head).await.unwrap(), None);
    assert_eq!(store.fact(&author.origin, &Fact::Segment(0)).await.unwrap(), None);
    publish(&*store, &mut author, 1).await;
    publish(&*store, &mut author, 600).await;
    let before = Head::decode(&head(&*store, &author.origin).await).unwrap();
    assert_eq!((before.sealed, before.commits.len()), (0, 2));
    seal(&*store, &mut author).await;
    publish(&*store, &mut author, 3).await;
    drop(store);
    let store = bench.open();
    assert_eq!(store.origins().await.unwrap(), [author.origin.clone()]);
    let after = Head::decode(&head(&*store, &author.origin).await).unwrap();
    assert_eq!((after.sealed, after.commits.len()), (512, 2));
    for number in 0..2 {
        let segment = store.fact(&author.origin, &Fact::Segment(number)).await.unwrap().unwrap();
        assert_eq!(feed::block::open_segment(&segment, number).unwrap().first, 256 * number);
        let tile = Fact::Tile(tlog::tile::Tile::new(0, number, 256).unwrap());
        assert_eq!(store.fact(&author.origin, &tile).await.unwrap().unwrap().len(), 8_192);
    }
    publish(&*store, &mut author, 1).await;
}

async fn a_step_from_another_head_conflicts_and_changes_nothing(bench: &mut dyn Bench) {
    let mut author = Author::of("one.example/public");
    let begun = author.stage(1);
    let store = bench.open();
    store.commit(&begun.advance).await.unwrap();
    let again = begun.advance.clone();
    author.take(begun);
    let (one, two) = (author.stage(1), author.stage(2));
    store.commit(&one.advance).await.unwrap();
    let held = head(&*store, &author.origin).await;
    drop(store);
    let store = bench.open();
    for stale in [&again, &two.advance, &one.advance] {
        assert!(matches!(store.commit(stale).await, Err(CommitError::Conflict { .. })));
    }
    let mut elsewhere = Author::of("two.example/public");
    elsewhere.take(elsewhere.stage(1));
    let baseless = elsewhere.stage(1).advance;
    assert!(matches!(store.commit(&baseless).await, Err(CommitError::Conflict { .. })));
    assert_eq!(head(&*store, &author.origin).await, held);
    assert_eq!(store.origins().await.unwrap(), [author.origin.clone()]);
}

async fn of_many_callers_with_the_same_step_one_succeeds(bench: &mut dyn Bench) {
    let mut author = Author::of("one.example/public");
    let store = bench.open();
    publish(&*store, &mut author, 1).await;
    let steps: Vec<_> = (1..=20).map(|count| author.stage(count).advance).collect();
    let attempts = steps.into_iter().map(|step| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { (store.commit(&step).await, step.to()) })
    });
    let mut winners = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            (Ok(()), mark) => winners.push(mark),
            (Err(CommitError::Conflict { .. }), _) => {}
            (Err(error), _) => panic!("{error}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(feed::head::mark(&head(&*store, &author.origin).await), Some(winners[0]));
}

async fn a_reader_sees_a_head_before_or_after_a_commit(bench: &mut dyn Bench) {
    let mut author = Author::of("one.example/public");
    let store = bench.open();
    publish(&*store, &mut author, 1).await;
    let reader = {
        let (store, origin) = (Arc::clone(&store), author.origin.clone());
        tokio::spawn(async move {
            for _ in 0..200 {
                Head::decode(&head(&*store, &origin).await).unwrap();
            }
        })
    };
    for count in 1..=50 {
        publish(&*store, &mut author, count).await;
        if author.size().is_multiple_of(5) && author.seal().is_some() {
            seal(&*store, &mut author).await;
        }
    }
    reader.await.unwrap();
}

async fn feeds_grow_side_by_side(bench: &mut dyn Bench) {
    let store = bench.open();
    let authors = (0..8).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut author = Author::of(&format!("node-{number}.example/public"));
            for count in 1..=5 {
                publish(&*store, &mut author, count).await;
            }
            (author.origin.clone(), author.mark)
        })
    });
    let authors: Vec<_> = authors.collect();
    let mut grown = Vec::new();
    for author in authors {
        grown.push(author.await.unwrap());
    }
    drop(store);
    let store = bench.open();
    let mut origins = store.origins().await.unwrap();
    origins.sort();
    assert_eq!(origins, grown.iter().map(|(origin, _)| origin.clone()).collect::<Vec<_>>());
    for (origin, mark) in grown {
        assert_eq!(feed::head::mark(&head(&*store, &origin).await), mark);
    }
}

async fn a_cut_head_goes_on_from_its_last_commit(bench: &mut dyn Bench) {
    let mut author = Author::of("one.example/public");
    let store = bench.open();
    publish(&*store, &mut author, 1).await;
    let kept = head(&*store, &author.origin).await;
    // A commit that a crash tore is what a longer head is cut from; here a whole one stands for it.
    store.commit(&author.stage(2).advance).await.unwrap();
    store.cut(&author.origin, kept.len() as u64).await.unwrap();
    assert_eq!(head(&*store, &author.origin).await, kept);
    publish(&*store, &mut author, 3).await;
    store.cut(&author.origin, u64::MAX).await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(feed::head::mark(&head(&*store, &author.origin).await), author.mark);
}

async fn objects_are_replaced_and_removed_and_heads_are_not(bench: &mut dyn Bench) {
    let mut author = Author::of("one.example/public");
    let store = bench.open();
    publish(&*store, &mut author, 300).await;
    let facts = author.seal().unwrap().facts;
    for fact in &facts {
        store.keep(fact).await.unwrap();
        store.keep(fact).await.unwrap();
        let held = store.fact(fact.origin(), fact.fact()).await.unwrap();
        assert_eq!(held.as_ref(), Some(fact.bytes()));
    }
    let (first, others) = facts.split_first().unwrap();
    for _ in 0..2 {
        store.remove(first.origin(), first.fact()).await.unwrap();
        assert_eq!(store.fact(first.origin(), first.fact()).await.unwrap(), None);
    }
    assert!(matches!(
        store.remove(&author.origin, &Fact::Head).await,
        Err(StoreError::Refused { .. })
    ));
    drop(store);
    let store = bench.open();
    assert_eq!(store.fact(first.origin(), first.fact()).await.unwrap(), None);
    for fact in others {
        assert!(store.fact(fact.origin(), fact.fact()).await.unwrap().is_some());
    }
    assert!(store.fact(&author.origin, &Fact::Head).await.unwrap().is_some());
}

async fn a_high_water_mark_is_the_last_one_written(bench: &mut dyn Bench) {
    let origins =
        ["one.example/public", "one.example/public-2"].map(|origin| Origin::parse(origin).unwrap());
    let mut store = bench.open();
    for size in [0, 9, 10, (1 << 53) - 1, 3] {
        let mark = HighWater { size, root: Hash::of(size.to_be_bytes()) };
        store.set_high_water(&origins[0], mark).await.unwrap();
        assert_eq!(store.high_water(&origins[0]).await.unwrap(), Some(mark));
        drop(store);
        store = bench.open();
        assert_eq!(store.high_water(&origins[0]).await.unwrap(), Some(mark));
    }
    assert_eq!(store.high_water(&origins[1]).await.unwrap(), None);
}

async fn what_was_cosigned_last_is_kept_by_log(bench: &mut dyn Bench) {
    let store = bench.open();
    let (one, two) = (Hash::of("one.example/public"), Hash::of("log.example/2"));
    assert_eq!(store.witnessed(&one).await.unwrap(), None);
    store.set_witnessed(&one, Bytes::from_static(b"old, and longer")).await.unwrap();
    store.set_witnessed(&one, Bytes::from_static(b"new")).await.unwrap();
    store.set_witnessed(&two, Bytes::from_static(b"other")).await.unwrap();
    // A feed that is followed no longer may be followed again: what was signed of it stays known.
    store.forget(&Origin::parse("one.example/public").unwrap()).await.unwrap();
    drop(store);
    let store = bench.open();
    let read = async |place: &Hash| store.witnessed(place).await.unwrap();
    assert_eq!(read(&one).await.as_deref(), Some(&b"new"[..]));
    assert_eq!(read(&two).await.as_deref(), Some(&b"other"[..]));
    assert_eq!(store.origins().await.unwrap(), []);
    let mut logs = store.witnessed_logs().await.unwrap();
    logs.sort_unstable();
    let mut both = [one, two];
    both.sort_unstable();
    assert_eq!(logs, both);
}

async fn decisions_are_kept_by_name(bench: &mut dyn Bench) {
    let store = bench.open();
    assert_eq!(store.decisions().await.unwrap(), []);
    let set = async |name: &str, bytes: Option<&'static str>| {
        store.set_decision(name, bytes.map(Bytes::from)).await
    };
    for name in ["", ".", "..", "../x", "a/b/c", "A", "a/", "x y", "a#1", &"a".repeat(121)] {
        assert!(matches!(set(name, Some("x")).await, Err(StoreError::Refused { .. })), "{name}");
        assert!(set(name, None).await.is_err(), "{name}");
    }
    set("follow/two.example", Some("2")).await.unwrap();
    set("follow/one.example", Some("old")).await.unwrap();
    set("follow/one.example", Some("1")).await.unwrap();
    set("network", Some("")).await.unwrap();
    set("gone", Some("x")).await.unwrap();
    set("gone", None).await.unwrap();
    set("never-there/at-all", None).await.unwrap();
    drop(store);
    let store = bench.open();
    let writers = (0..20).map(|number| {
        let (store, bytes) = (Arc::clone(&store), Bytes::from(vec![number; 10_000]));
        tokio::spawn(async move { store.set_decision("contested", Some(bytes)).await.unwrap() })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let contested = store.decisions().await.unwrap().remove(0).1;
    assert!(contested.len() == 10_000 && contested.iter().all(|byte| *byte == contested[0]));
    store.set_decision("contested", None).await.unwrap();
    drop(store);
    let held = bench.open().decisions().await.unwrap();
    let held: Vec<_> = held.iter().map(|(name, bytes)| (name.as_str(), bytes.as_ref())).collect();
    assert_eq!(
        held,
        [("follow/one.example", &b"1"[..]), ("follow/two.example", b"2"), ("network", b"")]
    );
}

async fn a_forgotten_feed_leaves_nothing_and_takes_nothing_else_with_it(bench: &mut dyn Bench) {
    let store = bench.open();
    let mut authors =
        ["one.example/public", "one.example/public-2", "two.example/public"].map(Author::of);
    for author in &mut authors {
        publish(&*store, author, 300).await;
        seal(&*store, author).await;
    }
    let [forgotten, kept @ ..] = &authors;
    for _ in 0..2 {
        store.forget(&forgotten.origin).await.unwrap();
        for fact in [Fact::Head, Fact::Segment(0)] {
            assert_eq!(store.fact(&forgotten.origin, &fact).await.unwrap(), None);
        }
    }
    let mut origins = store.origins().await.unwrap();
    origins.sort();
    assert_eq!(origins, kept.iter().map(|author| author.origin.clone()).collect::<Vec<_>>());
    for author in kept {
        assert!(store.fact(&author.origin, &Fact::Segment(0)).await.unwrap().is_some());
    }
    publish(&*store, &mut Author::of("one.example/public"), 1).await;
}
