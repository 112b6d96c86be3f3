//! Ways inside: names and spellings of addresses that are not public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use feed::ports::Carrier as _;
use ipnet::IpNet;
use peer::address::{SPECIAL, SPECIAL_AS_OF};
use peer::limits::Limits;
use peer::outbound::{FailedLookup, RefusedUrl, SystemLookup};
use peer::{HttpCarrier, Outbound, PeerSettings};

use crate::server::{Evil, Fixed, allowing_loopback, ok};
use crate::{TEXT, origin};

/// First, middle and last address of every special range.
fn inside() -> anyhow::Result<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for range in SPECIAL {
        let network: IpNet = range.network.parse()?;
        let middle = match (network.network(), network.broadcast()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                IpAddr::V4((first.to_bits() + (last.to_bits() - first.to_bits()) / 2).into())
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                IpAddr::V6((first.to_bits() + (last.to_bits() - first.to_bits()) / 2).into())
            }
            _ => continue,
        };
        addresses.extend([network.network(), middle, network.broadcast()]);
    }
    addresses.dedup();
    Ok(addresses)
}

/// Ways to write an IPv4 address as the host of a URL.
fn spellings_v4(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let all = address.to_bits();
    let (hi, lo) = (all >> 16, all & 0xffff);
    let within = |prefix: u128| Ipv6Addr::from_bits(prefix | u128::from(all));
    vec![
        address.to_string(),
        format!("{address}."),
        all.to_string(),
        format!("{all:#x}"),
        format!("0{all:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a}.{}", all & 0x00ff_ffff),
        format!("{a}.{b}.{lo}"),
        address.to_string().replacen('.', "%2e", 2),
        format!("[::ffff:{address}]"),
        format!("[::ffff:{hi:x}:{lo:x}]"),
        format!("[0:0:0:0:0:FFFF:{hi:X}:{lo:X}]"),
        format!("[::{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[2002:{hi:x}:{lo:x}::1]"),
        format!("[{}]", within(0x2001_0000_4136_e378 << 64)),
    ]
}

/// Ways to write an IPv6 address as the host of a URL; not all of them are addresses to everybody.
fn spellings_v6(address: Ipv6Addr) -> Vec<String> {
    let parts = address.segments();
    let padded = parts.map(|part| format!("{part:04x}"));
    let short = parts.map(|part| format!("{part:X}"));
    let all = address.to_bits();
    let quad = Ipv4Addr::from_bits(u32::try_from(all & 0xffff_ffff).unwrap_or_default());
    let front = |parts: &[String]| parts.iter().take(6).cloned().collect::<Vec<_>>().join(":");
    // The first part that is zero, shortened alone.
    let zero = parts.iter().position(|part| *part == 0);
    let joined = |from: usize, count: usize| {
        short.iter().skip(from).take(count).cloned().collect::<Vec<_>>().join(":")
    };
    let once = match zero {
        Some(zero) => format!("{}::{}", joined(0, zero), joined(zero + 1, 8)),
        None => short.join(":"),
    };
    vec![
        format!("[{address}]"),
        format!("[{}]", padded.join(":")),
        format!("[{}]", padded.join(":").to_uppercase()),
        format!("[{}]", short.join(":")),
        format!("[{}:{quad}]", front(&padded)),
        format!("[{}:{quad}]", front(&short)),
        format!("[{once}]"),
        format!("[{address}%25eth0]"),
        format!("[0{}]", padded.join(":")),
        format!("[{address}]."),
        format!("%5B{address}%5D"),
        address.to_string(),
    ]
}

#[test]
fn no_spelling_of_an_address_inside_is_let_through() -> anyhow::Result<()> {
    let settings = PeerSettings::default();
    let outbound = Outbound::with(&settings, Limits::default(), Arc::new(SystemLookup))?;
    let (addresses, mut count) = (inside()?, 0);
    for address in &addresses {
        let spellings = match address {
            IpAddr::V4(address) => spellings_v4(*address),
            IpAddr::V6(address) => spellings_v6(*address),
        };
        for host in spellings {
            for url in [format!("https://{host}/"), format!("https://{host}:8443/jopoi")] {
                let refused = outbound.base_url(&url);
                let kind = matches!(
                    refused,
                    // Octets with leading zeros that are no octal number are no address at all.
                    Err(RefusedUrl::Address { .. } | RefusedUrl::Form { .. })
                );
                assert!(kind, "{address} as {url}: {refused:?}");
                count += 1;
            }
        }
    }
    println!(
        "{} special ranges as of {SPECIAL_AS_OF}, {} addresses, {count} URLs",
        SPECIAL.len(),
        addresses.len()
    );
    assert_eq!(count, 3_180, "spellings tried");
    Ok(())
}

#[tokio::test]
async fn a_resolver_leads_to_no_address_inside_and_not_to_one_beside_it() -> anyhow::Result<()> {
    let settings = PeerSettings::default();
    for address in inside()? {
        let address = address.to_string();
        for answer in [&[address.as_str()][..], &["9.9.9.9", &address], &[&address, "2a00::1"]] {
            let outbound = Outbound::with(&settings, Limits::default(), Fixed::answering(answer)?)?;
            let url = outbound.base_url("https://rebind.example/")?;
            let looked = outbound.look_up(&url).await;
            assert!(matches!(looked, Err(FailedLookup::Refused { .. })), "{answer:?}: {looked:?}");
        }
    }
    Ok(())
}

#[test]
fn urls_that_are_none_of_a_node_are_refused() -> anyhow::Result<()> {
    let outbound =
        Outbound::with(&allowing_loopback()?, Limits::default(), Arc::new(SystemLookup))?;
    for url in [
        "",
        "simore.gov.py",
        "//simore.gov.py/",
        "ftp://simore.gov.py/",
        "file:///etc/passwd",
        "unix:/run/x.sock",
        "javascript:alert(1)",
        "https://",
        "https://user@simore.gov.py/",
        "https://user:password@simore.gov.py/",
        "https://simore.gov.py/?x=1",
        "https://simore.gov.py/#x",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data",
        "http://8.8.8.8/",
        &format!("https://simore.gov.py/{}", "x".repeat(2_048)),
    ] {
        assert!(outbound.base_url(url).is_err(), "{url}");
    }
    for url in
        ["https://simore.gov.py", "https://simore.gov.py:8443/jopoi/", "http://127.0.0.1:7000"]
    {
        assert!(outbound.base_url(url).is_ok(), "{url}");
    }
    Ok(())
}

#[tokio::test]
async fn one_address_inside_refuses_the_whole_answer_of_a_resolver() -> anyhow::Result<()> {
    let evil = Evil::saying(ok(TEXT, b"secret")).await?;
    let port = evil.address.port();
    for answer in
        [&["127.0.0.1"][..], &["9.9.9.9", "10.0.0.1"], &["::ffff:127.0.0.1"], &["::1", "9.9.9.9"]]
    {
        let lookup = Fixed::answering(answer)?;
        let settings = PeerSettings::default();
        let outbound = Outbound::with(&settings, Limits::default(), lookup.clone())?;
        let carrier = HttpCarrier::new(&outbound, &[format!("https://rebind.example:{port}/")])?;
        let error = carrier.checkpoint(&origin()?).await.unwrap_err().to_string();
        assert!(error.contains("leads inside") && error.contains("allow_networks"), "{error}");
        assert_eq!(lookup.asked.load(Ordering::Relaxed), 1);
    }
    assert_eq!(evil.heard().len(), 0);
    Ok(())
}

#[tokio::test]
async fn plain_http_needs_every_address_in_an_allowed_network() -> anyhow::Result<()> {
    let evil = Evil::saying(ok(TEXT, b"a note")).await?;
    let url = format!("http://intranet.example:{}/", evil.address.port());
    for (answer, good) in [(&["127.0.0.1"][..], true), (&["127.0.0.1", "9.9.9.9"], false)] {
        let lookup = Fixed::answering(answer)?;
        let outbound = Outbound::with(&allowing_loopback()?, Limits::default(), lookup.clone())?;
        let carrier = HttpCarrier::new(&outbound, std::slice::from_ref(&url))?;
        assert_eq!(carrier.checkpoint(&origin()?).await.is_ok(), good, "{answer:?}");
        // One look-up for the connection: a second one could say something else.
        assert_eq!(lookup.asked.load(Ordering::Relaxed), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_name_without_addresses_is_named() -> anyhow::Result<()> {
    let settings = PeerSettings::default();
    let outbound = Outbound::with(&settings, Limits::default(), Fixed::answering(&[])?)?;
    let carrier = HttpCarrier::new(&outbound, &["https://nobody.example/".to_owned()])?;
    let error = carrier.checkpoint(&origin()?).await.unwrap_err().to_string();
    assert!(error.contains("the name `nobody.example` has no address"), "{error}");
    Ok(())
}
