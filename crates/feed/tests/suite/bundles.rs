//! Feeds carried as files: verified like any peer's, and harmless whatever they hold.

use bytes::Bytes;
use feed::bundle::carrier::BundleCarrier;
use feed::bundle::{self, Contents, Item, ItemKind};
use feed::feeds::SyncError;
use feed::ports::Carrier as _;
use tlog::name::Origin;

use crate::world::Node;

async fn packed(node: &Node, origin: &Origin, from: u64) -> Vec<Item> {
    let mut items = Vec::new();
    let mut put = |item| {
        items.push(item);
        Ok(())
    };
    node.feeds.pack(origin, from, &mut put).await.unwrap();
    items
}

async fn import(into: &Node, of: &Origin, bundle: &Bytes) -> Result<u64, SyncError> {
    let contents = Contents::of(&**bundle).unwrap();
    let carrier = BundleCarrier::new("a stick", of.node().clone(), &contents, bundle);
    into.sync_through(&carrier, of).await?;
    Ok(into.feeds.view(of).unwrap().size())
}

async fn long_feed(count: usize) -> Node {
    let owner = Node::new("owner.example", 1).await;
    let titles: Vec<String> = (0..count).map(|number| format!("Practice {number}")).collect();
    owner.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
    owner
}

#[tokio::test]
async fn a_feed_arrives_on_a_stick_and_goes_on_from_it() {
    let owner = long_feed(1_100).await;
    let (follower, third) = (Node::new("b.example", 2).await, Node::new("c.example", 3).await);
    follower.follow(&owner).await;
    third.follow(&owner).await;
    let origin = owner.origin();
    let whole: Bytes = bundle::write(&packed(&owner, &origin, 0).await).into();
    assert_eq!(import(&follower, &origin, &whole).await.unwrap(), 1_101);
    // Again: nothing changes.
    assert_eq!(import(&follower, &origin, &whole).await.unwrap(), 1_101);
    // The mirror packs the same feed on.
    let again: Bytes = bundle::write(&packed(&follower, &origin, 0).await).into();
    assert_eq!(import(&third, &origin, &again).await.unwrap(), 1_101);
    let titles: Vec<String> = (0..1_100).map(|number| format!("Later {number}")).collect();
    owner.publish(&titles.iter().map(String::as_str).collect::<Vec<_>>()).await;
    // Only what is new: enough for whoever has the rest, and refused by whoever has not.
    let rest: Bytes = bundle::write(&packed(&owner, &origin, 1_101).await).into();
    assert!(rest.len() < whole.len() * 3 / 2);
    assert_eq!(import(&follower, &origin, &rest).await.unwrap(), 2_201);
    let newcomer = Node::new("d.example", 4).await;
    newcomer.follow(&owner).await;
    let error = import(&newcomer, &origin, &rest).await.unwrap_err().to_string();
    assert!(error.contains("segment 0"), "{error}");
    // An older stick is no rollback that sticks.
    import(&follower, &origin, &whole).await.unwrap_err();
    assert_eq!(follower.feeds.view(&origin).unwrap().size(), 2_201);
}

#[tokio::test]
async fn the_order_of_items_and_what_is_unknown_or_doubled_do_not_matter() {
    let owner = long_feed(1_100).await;
    let origin = owner.origin();
    let mut items = packed(&owner, &origin, 0).await;
    items.reverse();
    let doubled = items.clone();
    items.extend(doubled);
    let number = 99;
    items.push(Item { kind: ItemKind::Fault, origin: origin.clone(), number, bytes: Bytes::new() });
    let follower = Node::new("b.example", 2).await;
    follower.follow(&owner).await;
    assert_eq!(import(&follower, &origin, &bundle::write(&items).into()).await.unwrap(), 1_101);
}

#[tokio::test]
async fn a_hostile_bundle_brings_nothing_that_was_not_signed() {
    let owner = long_feed(3).await;
    let origin = owner.origin();
    let items = packed(&owner, &origin, 0).await;
    let root = owner.feeds.view(&origin).unwrap().root();
    let mut cases = 0;
    for (at, item) in items.iter().enumerate() {
        for byte in (0..item.bytes.len()).step_by(5) {
            let mut forged = items.clone();
            let mut bytes = item.bytes.to_vec();
            bytes[byte] ^= 1 << (byte % 8);
            forged[at].bytes = bytes.into();
            let follower = Node::empty("b.example", 2).await;
            follower.follow(&owner).await;
            // Written anew, so that its hash is right.
            let taken = import(&follower, &origin, &bundle::write(&forged).into()).await;
            match follower.feeds.view(&origin) {
                Some(view) => assert_eq!(view.root(), root, "byte {byte} of {:?}", item.kind),
                None => assert!(taken.is_err(), "byte {byte} of {:?}", item.kind),
            }
            cases += 1;
        }
    }
    assert!(cases > 500, "{cases}");
}

#[tokio::test]
async fn a_bundle_carries_only_what_it_says() {
    let owner = long_feed(3).await;
    let other = Origin::parse("other.example/public").unwrap();
    let bytes: Bytes = bundle::write(&packed(&owner, &owner.origin(), 0).await).into();
    let contents = Contents::of(&*bytes).unwrap();
    let carrier = BundleCarrier::new("a stick", other.node().clone(), &contents, &bytes);
    carrier.checkpoint(&other).await.unwrap_err();
    carrier.node_record().await.unwrap_err();
}
