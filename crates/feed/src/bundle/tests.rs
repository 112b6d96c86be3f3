use super::*;

fn some() -> Vec<Item> {
    let item = |kind, origin: &str, number, bytes: &'static [u8]| Item {
        kind,
        origin: Origin::parse(origin).unwrap(),
        number,
        bytes: Bytes::from_static(bytes),
    };
    vec![
        item(ItemKind::Segment, "simore.gov.py/public", 1, b"one"),
        item(ItemKind::Head, "simore.gov.py/public", 0, b"head"),
        item(ItemKind::Segment, "simore.gov.py/public", 0, b"zero"),
        item(ItemKind::NodeRecord, "a.example/public", 0, b""),
    ]
}

#[test]
fn items_come_back_in_the_order_in_which_they_were_written() {
    let written = write(&some());
    assert_eq!(read(&written.clone().into()).unwrap(), some());
    let mut writer = Writer::new(Vec::new()).unwrap();
    some().iter().for_each(|item| writer.item(item).unwrap());
    assert_eq!(writer.finish().unwrap(), written);
}

#[test]
fn a_bundle_that_is_cut_changed_or_lengthened_anywhere_is_refused() {
    let good = write(&some());
    for at in 0..good.len() {
        assert!(read(&Bytes::copy_from_slice(&good[..at])).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(read(&bad.into()).is_err(), "bit {bit} of byte {at}");
        }
    }
    let longer = [good, vec![0]].concat();
    assert!(matches!(read(&longer.into()), Err(BundleError::Trailing)));
}

#[test]
fn an_unknown_type_is_skipped_and_the_first_of_two_items_counts() {
    let origin = Origin::parse("a.example/public").unwrap();
    let mut writer = Writer::new(Vec::new()).unwrap();
    for bytes in ["first", "second"] {
        let bytes = Bytes::from_static(bytes.as_bytes());
        let item = Item { kind: ItemKind::Head, origin: origin.clone(), number: 0, bytes };
        writer.item(&item).unwrap();
        let mut unknown = front(&item);
        unknown[0] = 200;
        writer.put(&unknown).unwrap();
        writer.put(&item.bytes).unwrap();
    }
    let bundle = writer.finish().unwrap();
    let contents = Contents::of(&*bundle).unwrap();
    let place = contents.find(&origin, ItemKind::Head, 0).unwrap();
    let from = usize::try_from(place.offset).unwrap();
    assert_eq!(&bundle[from..from + place.length], b"first");
    assert_eq!(read(&bundle.into()).unwrap().len(), 2);
}

#[test]
fn an_item_that_claims_more_than_there_is_costs_nothing() {
    let mut front = front(&some()[0]);
    let at = front.len() - 8;
    front[at..].copy_from_slice(&u64::MAX.to_be_bytes());
    let bytes = [&MAGIC[..], &front].concat();
    assert!(matches!(read(&bytes.into()), Err(BundleError::ItemTooLong { .. })));
}
