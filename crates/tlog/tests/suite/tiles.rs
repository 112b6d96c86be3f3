//! Paths of tiles, which tiles a size has, and bundles that are not whole.

use proptest::prelude::*;
use serde_json::Value;
use tlog::SIZE_MAX;
use tlog::tile::{
    EntriesTile, InvalidTile, Tile, TilePath, decode_entries, encode_entries, hashes, index_path,
};

fn examples() -> Value {
    serde_json::from_str(include_str!("../vectors/note/c2sp-examples.json")).unwrap()
}

#[test]
fn indexes_are_written_as_in_the_specification() {
    for case in examples()["tile_paths"].as_array().unwrap() {
        assert_eq!(index_path(case["n"].as_u64().unwrap()), case["path"].as_str().unwrap());
    }
}

#[test]
fn sizes_have_the_tiles_of_the_specification() {
    for case in examples()["tiles_of_size"].as_array().unwrap() {
        let size = case["size"].as_u64().unwrap();
        for level in 0..3 {
            let expected = |kind: &str| case[format!("level{level}_{kind}")].as_u64().unwrap_or(0);
            let (full, partial) = Tile::count_at(level, size);
            assert_eq!(
                (full, u64::from(partial)),
                (expected("full"), expected("partial")),
                "{level} of {size}"
            );
        }
    }
}

#[test]
fn partial_tiles_of_every_width_that_the_size_allows_exist() {
    let tile = |width| Tile::new(0, 273, width).unwrap();
    assert!((1..=112).all(|width| tile(width).exists_at(70_000)));
    assert!((113..=256).all(|width| !tile(width).exists_at(70_000)));
    assert!(Tile::new(0, 0, 256).unwrap().exists_at(256));
    assert!(Tile::new(0, 0, 7).unwrap().exists_at(256));
    assert!(!Tile::new(63, 0, 1).unwrap().exists_at(SIZE_MAX));
    assert!(EntriesTile::new(273, 112).unwrap().exists_at(70_000));
    assert!(!EntriesTile::new(273, 113).unwrap().exists_at(70_000));
}

#[test]
fn only_the_one_path_of_a_tile_is_read() {
    for path in [
        "tile/0/000",
        "tile/63/x001/x234/067.p/1",
        "tile/entries/x001/000",
        "tile/entries/999.p/255",
    ] {
        assert_eq!(TilePath::parse(path).unwrap().path(), path);
    }
    let no_tiles = [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/x001",
        "tile/0/001/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000?x",
        "tile/8/0/000",
        "tile/0/\u{661}\u{662}\u{663}",
        "tile/0/x001/x234/06",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x009/x007/x199/x254/x740/992",
        "Tile/0/000",
        "tile/0/../000",
        "tile/entries/000.p/0",
    ];
    for path in no_tiles {
        assert!(TilePath::parse(path).is_err(), "{path}");
    }
    assert!(Tile::parse("tile/entries/000").is_err());
    assert!(Tile::new(0, u64::MAX, 1).is_err());
    assert!(EntriesTile::new(0, 0).is_err());
    assert!(EntriesTile::new(0, 257).is_err());
}

#[test]
fn a_bundle_that_is_not_whole_is_refused() {
    let bundle = encode_entries(&[b"one".as_slice(), b"", b"three"]).unwrap();
    assert_eq!(decode_entries(&bundle).unwrap(), [b"one".as_slice(), b"", b"three"]);
    assert!(decode_entries(&[]).unwrap().is_empty());
    let whole = [5, 7, bundle.len()];
    for cut in (1..bundle.len()).filter(|cut| !whole.contains(cut)) {
        assert!(matches!(decode_entries(&bundle[..cut]), Err(InvalidTile::Torn { .. })), "{cut}");
    }
    assert_eq!(decode_entries(&[0; 2 * 256]).unwrap().len(), 256);
    assert_eq!(decode_entries(&[0; 2 * 257]), Err(InvalidTile::TooMany));
    assert!(encode_entries(&[vec![0; 65_535]]).is_ok());
    assert_eq!(encode_entries(&[vec![0; 65_536]]), Err(InvalidTile::EntryBytes { bytes: 65_536 }));
}

#[test]
fn a_tile_that_is_not_whole_hashes_is_refused() {
    assert_eq!(hashes(&[0; 64]).unwrap().len(), 2);
    for bytes in [0, 31, 33, 257 * 32] {
        assert_eq!(hashes(&vec![0; bytes]), Err(InvalidTile::HashBytes { bytes }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_tile_is_read_back_from_its_path(level in 0_u8..7, index in 0..SIZE_MAX / 512, width in 1_u16..=256) {
        let tile = Tile::new(level, index, width).unwrap();
        prop_assert_eq!(Tile::parse(&tile.path()), Ok(tile));
        let entries = EntriesTile::new(index, width).unwrap();
        prop_assert_eq!(TilePath::parse(&entries.path()), Ok(TilePath::Entries(entries)));
    }

    #[test]
    fn no_path_makes_the_parser_panic(path in "tile/(entries|[0-9]{0,3})/[x0-9/.p]{0,30}") {
        if let Ok(tile) = TilePath::parse(&path) {
            prop_assert_eq!(tile.path(), path);
        }
    }
}
