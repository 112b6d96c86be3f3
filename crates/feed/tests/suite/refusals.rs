//! The dishonest path: what is refused, and what stays as it was.

use bytes::Bytes;
use feed::feeds::{FeedState, SyncError};
use feed::ports::Since;

use crate::world::{Direct, Node};

/// Twins hold the same keys and tell different stories.
pub(crate) async fn twins() -> (Node, Node, Node) {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    (node, Node::new("node.example", 1).await, hub)
}

#[tokio::test]
async fn two_histories_of_one_size_are_proven_kept_and_shown() {
    let (node, twin, hub) = twins().await;
    node.publish(&["One story"]).await;
    twin.publish(&["Another story"]).await;
    hub.sync(&node).await.unwrap();
    let error = hub.sync(&twin).await.unwrap_err();
    let SyncError::Fork { fault, .. } = &error else { panic!("{error}") };
    fault.verify(node.root.public()).unwrap();
    let view = hub.feeds.view(&node.origin()).unwrap();
    assert!(matches!(view.state, FeedState::Forked { .. }));
    assert_eq!(hub.titles(&node.origin()).await, ["One story"]);
    assert!(matches!(hub.sync(&node).await, Err(SyncError::Held { .. })));
    assert_eq!(hub.feeds.fault(&node.origin()).as_deref(), Some(fault.as_ref()));
}

#[tokio::test]
async fn a_longer_history_that_rewrites_what_is_held_is_proven() {
    for extra in [2, 1_100] {
        let (node, twin, hub) = twins().await;
        node.publish(&["One story"]).await;
        let titles: Vec<String> = (0..extra).map(|n| format!("Another {n}")).collect();
        twin.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
        hub.sync(&node).await.unwrap();
        let error = hub.sync(&twin).await.unwrap_err();
        let SyncError::Fork { fault, .. } = &error else { panic!("{extra}: {error}") };
        fault.verify(node.root.public()).unwrap();
        assert_eq!(hub.titles(&node.origin()).await, ["One story"]);
    }
}

#[tokio::test]
async fn a_server_restored_from_an_old_backup_is_no_fork() {
    let (node, twin, hub) = twins().await;
    node.publish(&["One"]).await;
    hub.sync(&node).await.unwrap();
    let error = hub.sync(&twin).await.unwrap_err();
    assert!(matches!(error, SyncError::Rollback { held: 2, served: 1, .. }), "{error}");
    assert_eq!(hub.sync(&node).await.unwrap().missing, Vec::<u64>::new());
}

#[tokio::test]
async fn a_feed_by_another_root_than_the_pinned_one_is_refused() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    let impostor = Node::new("node.example", 7).await;
    hub.follow(&node).await;
    for titles in [1, 1_100] {
        let titles: Vec<String> = (0..titles).map(|n| format!("False {n}")).collect();
        impostor.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let error = hub.sync(&impostor).await.unwrap_err();
        assert!(error.is_refusal(), "{error}");
        assert!(hub.feeds.view(&node.origin()).is_none());
    }
}

#[tokio::test]
async fn every_flipped_byte_of_an_answer_is_refused_or_harmless() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    node.publish(&["One"]).await;
    hub.sync(&node).await.unwrap();
    let root = hub.feeds.view(&node.origin()).unwrap().root();
    node.publish(&["Two"]).await;
    let Since::Commits(answer) = node.feeds.since(&node.origin(), 2, None).await.unwrap() else {
        panic!("no commits")
    };
    for at in 0..answer.len() {
        let mut carrier = Direct::new(&node);
        carrier.since = Some(Box::new(move |since| match since {
            Since::Commits(bytes) => {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= 1;
                Since::Commits(bytes.into())
            }
            other => other,
        }));
        let refused = hub.sync_through(&carrier, &node.origin()).await;
        assert!(refused.is_err(), "byte {at}: {refused:?}");
        assert_eq!(hub.feeds.view(&node.origin()).unwrap().root(), root);
    }
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Two", "One"]);
}

#[tokio::test]
async fn a_truncated_reordered_or_replayed_answer_is_refused() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    hub.sync(&node).await.unwrap();
    let Since::Commits(old) = node.feeds.since(&node.origin(), 0, None).await.unwrap() else {
        panic!("no commits")
    };
    node.publish(&["One"]).await;
    node.publish(&["Two"]).await;
    let Since::Commits(new) = node.feeds.since(&node.origin(), 1, None).await.unwrap() else {
        panic!("no commits")
    };
    let commits = feed::head::decode_since(&new).unwrap();
    let reordered = feed::head::encode_since(commits.iter().rev());
    let last_only = feed::head::encode_since(commits.iter().skip(1));
    let cut = new.slice(..new.len() - 5);
    for bytes in [old, reordered, last_only, cut, Bytes::new(), Bytes::from_static(b"JPT1")] {
        let mut carrier = Direct::new(&node);
        let sent = bytes.clone();
        carrier.since = Some(Box::new(move |_| Since::Commits(sent.clone())));
        let refused = hub.sync_through(&carrier, &node.origin()).await;
        assert!(refused.is_err(), "{} bytes: {refused:?}", bytes.len());
        assert_eq!(hub.feeds.view(&node.origin()).unwrap().size(), 1);
    }
}

#[tokio::test]
async fn a_forged_segment_is_refused_and_the_good_ones_are_not_fetched_twice() {
    let (node, hub) = (Node::new("node.example", 1).await, Node::new("hub.example", 2).await);
    hub.follow(&node).await;
    let titles: Vec<String> = (0..1_100).map(|n| format!("Practice {n}")).collect();
    node.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let other = node.feeds.segment(&node.origin(), 0).await.unwrap();
    let wrong = node.feeds.segment(&node.origin(), 3).await.unwrap();
    let mut carrier = Direct::new(&node);
    carrier.segment =
        Some(Box::new(move |bytes| if bytes == wrong { other.clone() } else { bytes }));
    let error = hub.sync_through(&carrier, &node.origin()).await.unwrap_err();
    assert!(error.is_refusal(), "{error}");
    assert!(hub.feeds.view(&node.origin()).is_none());
    let honest = Direct::new(&node);
    hub.sync_through(&honest, &node.origin()).await.unwrap();
    assert_eq!(*honest.segments_asked.lock().unwrap(), [3]);
}

#[tokio::test]
async fn an_own_head_that_lost_what_was_shown_is_read_only() {
    let node = Node::new("node.example", 1).await;
    node.publish(&["One"]).await;
    let before = node.store.restarted();
    node.publish(&["Two"]).await;
    // The head of yesterday beside the high-water file of today.
    let origin = node.origin();
    let bytes = feed::ports::FeedStore::fact(&before, &origin, &feed::ports::Fact::Head)
        .await
        .unwrap()
        .unwrap();
    node.store.damage(&origin, &feed::ports::Fact::Head, |head| *head = bytes.to_vec());
    let node = node.restarted(true).await;
    assert!(matches!(node.feeds.view(&origin).unwrap().state, FeedState::ReadOnly { .. }));
    let refused = node
        .feeds
        .publish(&tlog::name::FeedName::public(), vec![crate::world::publication("Three", None)])
        .await;
    assert!(refused.is_err());
    assert_eq!(node.titles(&origin).await, ["One"]);
}

#[tokio::test]
async fn a_fault_file_with_any_part_changed_shows_nothing() {
    let (node, twin, hub) = twins().await;
    node.publish(&["One story"]).await;
    twin.publish(&["Another", "story"]).await;
    hub.sync(&node).await.unwrap();
    let Err(SyncError::Fork { fault, .. }) = hub.sync(&twin).await else { panic!("no fork") };
    let read = feed::fault::Fault::parse(&fault.to_bytes()).unwrap();
    assert_eq!(&read, fault.as_ref());
    read.verify(node.root.public()).unwrap();
    let stranger = Node::new("stranger.example", 9).await;
    assert!(read.verify(stranger.root.public()).is_err());
    let text = String::from_utf8(fault.to_bytes()).unwrap();
    let mut changed = 0;
    for (at, character) in
        text.char_indices().filter(|(_, character)| character.is_ascii_alphanumeric())
    {
        let other = if character == 'A' { 'B' } else { 'A' };
        let mutated = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        let holds = feed::fault::Fault::parse(mutated.as_bytes())
            .is_ok_and(|fault| fault.verify(node.root.public()).is_ok());
        assert!(!holds, "character {at} of the fault file changed and it still convinces");
        changed += 1;
    }
    println!("{changed} changed fault files, each refused");
}

#[tokio::test]
async fn an_entry_over_its_limit_stops_its_feed_there_and_no_other() {
    let (node, other, hub) = (
        Node::new("node.example", 1).await,
        Node::new("other.example", 3).await,
        Node::new("hub.example", 2).await,
    );
    hub.follow(&node).await;
    hub.follow(&other).await;
    hub.sync(&node).await.unwrap();
    node.publish(&["One"]).await;
    let Since::Commits(bytes) = node.feeds.since(&node.origin(), 1, None).await.unwrap() else {
        panic!("no commits")
    };
    let commit = feed::head::decode_since(&bytes).unwrap().remove(0);
    let long =
        [&1_u64.to_be_bytes()[..], &[0, 1], &1_025_u16.to_be_bytes(), &[b' '; 1_025], &[0; 4]]
            .concat();
    let frame = feed::head::Frame {
        first: 1,
        count: 1,
        plain: u32::try_from(long.len()).unwrap(),
        packed: feed::frame::pack(&long).unwrap().into(),
    };
    let forged = feed::head::Commit::from_frames(commit.note, vec![frame]).unwrap();
    let answer = feed::head::encode_since([forged].iter());
    let mut carrier = Direct::new(&node);
    carrier.since = Some(Box::new(move |_| Since::Commits(answer.clone())));
    let error = hub.sync_through(&carrier, &node.origin()).await.unwrap_err();
    assert!(error.to_string().contains("1025 bytes"), "{error}");
    assert_eq!(hub.feeds.view(&node.origin()).unwrap().size(), 1);
    other.publish(&["Unaffected"]).await;
    hub.sync(&other).await.unwrap();
    assert_eq!(hub.titles(&other.origin()).await, ["Unaffected"]);
}
