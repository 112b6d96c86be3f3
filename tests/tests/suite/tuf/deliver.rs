//! How a lie about each object is made and delivered, and how the truth follows it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use feed::bundle::carrier::BundleCarrier;
use feed::bundle::{self, Contents, Item};
use feed::feeds::{Heard, TakenFault};
use feed::ports::{KeyUse, Quiet};
use futures_util::stream::{self, StreamExt as _};
use http::{Method, StatusCode, header};
use network::file::fingerprint;
use peer::carrier::HttpCarrier;
use serde_json::{Value, json};
use tests::ask::ask;
use tests::federation::Node;
use tests::liar;
use tests::member::Member;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, NodeName};
use wire::paths;

use super::around::World;
use super::scene::carrier;
use super::told::{self, CROOK, Object, VICTIM};
use super::{Attack, OTHER, OWNER};

/// The greatest size that a log can have.
const FAR: u64 = (1 << 53) - 1;
/// More than any object that is handed over may have.
const TOO_MUCH: usize = (16 << 20) + 1;

/// What takes the place of an object; nothing if there is no answer at all.
fn lie(world: &World, object: Object, attack: Attack) -> Result<Bytes> {
    let loot = &world.loot;
    let of = |told: &told::Told| told.get(&object).cloned().context("nothing to lie with");
    let truth = of(&loot.now)?;
    Ok(match attack {
        Attack::ArbitraryInstallation => of(&loot.impostor)?,
        Attack::EndlessData => {
            let mut bytes = truth.to_vec();
            bytes.resize(TOO_MUCH, b'\n');
            bytes.into()
        }
        Attack::ExtraneousDependencies => [&truth[..], &of(&loot.other)?[..]].concat().into(),
        Attack::FastForward => far_ahead(world, object, &truth)?,
        Attack::IndefiniteFreeze | Attack::Rollback => of(&loot.before)?,
        Attack::MixAndMatch => mixed(world, object)?,
        Attack::KeyCompromise => of(&loot.thief)?,
        Attack::WrongInstallation => of(&loot.other)?,
        Attack::MirrorPreventsUpdates | Attack::SlowRetrieval => Bytes::new(),
    })
}

/// The object as if it were the newest that there can ever be.
fn far_ahead(world: &World, object: Object, truth: &Bytes) -> Result<Bytes> {
    let text = || String::from_utf8(truth.to_vec());
    let newest = world.newest().to_string();
    let line = format!("\n{newest}\n");
    Ok(match object {
        Object::NodeRecord => {
            text()?.replace("\"version\":2", &format!("\"version\":{FAR}")).into()
        }
        Object::Heads => {
            let size = format!("\"size\":{newest}");
            text()?.replace(&size, &format!("\"size\":{FAR}")).into()
        }
        Object::Cosignatures => {
            // As long as it was, for the notes in it tell their length.
            let more = "9".repeat(newest.len());
            let at = truth.windows(line.len()).position(|part| part == line.as_bytes());
            let at = at.context("no size")? + 1;
            let mut bytes = truth.to_vec();
            bytes.splice(at..at + more.len(), more.bytes());
            bytes.into()
        }
        Object::Cosignature | Object::AddCheckpoint => {
            text()?.replace(&line, &format!("\n{FAR}\n")).into()
        }
        Object::Fault => text()?
            .replace("\\n3\\n", &format!("\\n{FAR}\\n"))
            .replace("\\n2\\n", &format!("\\n{FAR}\\n"))
            .into(),
        Object::NetworkFile => text()?.replacen(" 1\n", &format!(" {FAR}\n"), 1).into(),
        Object::Anchors | Object::Bundle | Object::JoinRequest | Object::JoinAnswer => {
            let items = bundle::read(truth)?.into_iter();
            bundle::write(&items.map(|item| Item { number: FAR, ..item }).collect::<Vec<_>>())
                .into()
        }
    })
}

/// Parts of what is true now and of what was true before, put together.
fn mixed(world: &World, object: Object) -> Result<Bytes> {
    let (now, before) = (&world.loot.now, &world.loot.before);
    let pair = |object| {
        anyhow::Ok((now.get(&object).context("none")?, before.get(&object).context("none")?))
    };
    let joined = |object, at: &str| {
        let (now, before) = pair(object)?;
        let (now, before) = (std::str::from_utf8(now)?, std::str::from_utf8(before)?);
        let (first, _) = now.rsplit_once(at).context("no such part")?;
        let (_, last) = before.rsplit_once(at).context("no such part")?;
        anyhow::Ok(format!("{first}{at}{last}").into_bytes())
    };
    Ok(match object {
        Object::NodeRecord => joined(object, "\"proof\":")?.into(),
        Object::Cosignature | Object::AddCheckpoint => joined(object, "\n\n")?.into(),
        Object::Cosignatures => {
            let note = joined(Object::Cosignature, "\n\n")?;
            let length = u16::try_from(note.len())?.to_be_bytes();
            [b"JPC1\x00\x01", &length[..], &note].concat().into()
        }
        Object::Heads => {
            let (now, before) = pair(object)?;
            let (mut lines, older) = (wire::heads::parse(now)?, wire::heads::parse(before)?);
            for line in &mut lines {
                let same = older.iter().find(|older| older.origin == line.origin);
                line.root = same.map_or(line.root, |older| older.root);
            }
            wire::heads::format(&lines).into()
        }
        Object::Fault => {
            let mut fault: Value = serde_json::from_slice(now.get(&object).context("none")?)?;
            let other = world.loot.impostor.get(&object).context("none")?;
            let other: Value = serde_json::from_slice(other)?;
            fault["second"] = other["second"].clone();
            serde_json::to_vec(&fault)?.into()
        }
        _ => {
            // Each item has the bytes of the next one.
            let (now, before) = pair(object)?;
            let mut items = bundle::read(now)?;
            items.extend(bundle::read(before)?);
            let mut bytes: Vec<Bytes> = items.iter().map(|item| item.bytes.clone()).collect();
            bytes.rotate_left(1);
            items.iter_mut().zip(bytes).for_each(|(item, bytes)| item.bytes = bytes);
            bundle::write(&items).into()
        }
    })
}

/// A round with the owner's node, as the schedule of a follower has it: what it says it holds, its feeds,
/// receipts, approvals. Whatever fails is tried in the next.
pub(crate) async fn round(world: &World, victim: &Node, carrier: &HttpCarrier) -> Result<()> {
    let (feeds, origin) = (victim.feeds(), world.origin()?);
    let mut restricted = vec![world.restricted.clone()];
    if let Ok(Some((lines, _))) = carrier.heads(None).await {
        let of_owner = lines.iter().map(|line| &line.origin);
        restricted.extend(
            of_owner
                .filter(|one| one.node() == origin.node() && one.feed().is_restricted())
                .cloned(),
        );
        let heard = lines.into_iter().map(|line| Heard {
            origin: line.origin,
            size: line.size,
            root: line.root,
            evidence: line.evidence,
        });
        feeds.compare_heads(carrier, &heard.collect::<Vec<_>>()).await?;
    }
    restricted.sort();
    restricted.dedup();
    for one in restricted.iter().chain([&origin]) {
        if feeds.sync_feed(carrier, one, None, &Quiet).await.is_ok() {
            feeds.exchange_receipts(carrier, one).await;
        }
    }
    drop(feeds.sync_anchors(carrier, &origin, true, true).await);
    Ok(())
}

async fn honest_round(world: &World, victim: &Node) -> Result<()> {
    let carrier = carrier(&world.owner()?.url())?.signed_by(Some(Arc::clone(victim.feeds()) as _));
    round(world, victim, &carrier).await
}

/// Hands one object to the victim; whether it was taken.
async fn hand(world: &World, victim: &Node, object: Object, bytes: &Bytes) -> Result<bool> {
    let post =
        |path: &'static str| ask(victim.router(), Method::POST, path, &[], Some(bytes.to_vec()));
    let encoded = || STANDARD.encode(bytes);
    Ok(match object {
        Object::Cosignature => {
            post("/feeds/owner.example/public/cosignatures").await?.status == StatusCode::NO_CONTENT
        }
        Object::AddCheckpoint => post(paths::ADD_CHECKPOINT).await?.status == StatusCode::OK,
        Object::Bundle => {
            let Ok(contents) = Contents::of(&**bytes) else { return Ok(false) };
            let carrier = BundleCarrier::new("a stick", NodeName::parse(OWNER)?, &contents, bytes);
            victim.feeds().sync_feed(&carrier, &world.origin()?, None, &Quiet).await.is_ok()
        }
        Object::Fault => matches!(victim.feeds().take_fault(bytes).await?, TakenFault::Kept(_)),
        Object::NetworkFile => {
            let true_one = world.loot.now.get(&object).context("no file")?;
            let told = json!({ "file": String::from_utf8_lossy(bytes), "fingerprint": fingerprint(true_one) });
            told::operate(victim, paths::API_NETWORK_PIN, &told).await?.status == StatusCode::OK
        }
        Object::JoinRequest => {
            let asked = told::registering(bytes);
            told::operate(victim, paths::API_NETWORK_DECIDE, &asked).await?.status == StatusCode::OK
        }
        Object::JoinAnswer => {
            let told = json!({ "bundle": encoded() });
            told::operate(victim, paths::API_NETWORK_TAKE, &told).await?.status == StatusCode::OK
        }
        _ => anyhow::bail!("{object:?} is fetched"),
    })
}

/// Hands the victim the truth about an object, and makes sure that it believes it.
async fn hand_truth(world: &World, victim: &Node, object: Object) -> Result<()> {
    let mut truth = world.loot.now.get(&object).cloned().context("no truth")?;
    let origin = world.origin()?;
    if object == Object::AddCheckpoint {
        let key = victim.member().secret().key(KeyUse::Witness, 1)?.public();
        let key = VerifierKey::cosignature(KeyName::witness_of(victim.member().name()), key);
        let held = victim.feeds().cosigned_by(&origin, &key).map_or(0, |(size, _)| size);
        truth = world.owner()?.feeds().submission(&origin, held).await?.request;
    }
    let taken = hand(world, victim, object, &truth).await?;
    let believed = match object {
        Object::Cosignature => return world.has_arrived(victim).await,
        Object::Bundle => victim.feeds().view(&origin).context("nothing")?.size() == world.newest(),
        Object::Fault => victim.feeds().fault(&Member::of(CROOK)?.origin()).is_some(),
        Object::JoinRequest => {
            let network = victim.feeds().network(&victim.member().origin()).context("none")?;
            let owner = network.participant(origin.node()).context("not registered")?;
            owner.record.version() == 3
        }
        Object::NetworkFile => {
            victim.feeds().network_file(&origin).is_some_and(|file| *file.bytes() == truth)
        }
        _ => taken,
    };
    ensure!(believed, "the truth is not believed");
    Ok(())
}

/// The victim as it is when it meets the liar.
async fn prepare(world: &World, victim: &Node, object: Object, attack: Attack) -> Result<()> {
    let (before, now) = (&world.loot.before, &world.loot.now);
    match object {
        Object::Bundle => world.bring(victim, before).await?,
        Object::NetworkFile => {}
        Object::JoinAnswer => world.pin_network(victim).await?,
        Object::JoinRequest => {
            told::begin_network(victim).await?;
            let first = before.get(&object).context("no request")?;
            ensure!(hand(world, victim, object, first).await?, "not registered");
        }
        Object::Cosignature | Object::AddCheckpoint | Object::Fault => {
            world.bring(victim, now).await?;
            let crook = Member::of(CROOK)?;
            victim.pin(&crook).await?;
            victim.sync_by(&crook, &world.crook.carrier()?).await?;
        }
        _ => {
            world.pin_network(victim).await?;
            world.bring(victim, before).await?;
        }
    }
    // There is nothing to roll back from before it is up to date.
    match (attack, object.fetched_at()) {
        (Attack::Rollback, Some(_)) => honest_round(world, victim).await,
        (Attack::Rollback, None) => hand_truth(world, victim, object).await,
        _ => Ok(()),
    }
}

/// What the liar answers where the object is fetched.
fn answered(attack: Attack, answer: Response<Bytes>, lie: Bytes) -> Response {
    match attack {
        Attack::EndlessData => liar::endless(answer),
        Attack::MirrorPreventsUpdates => {
            let mut answer = liar::with(answer, Bytes::new());
            *answer.status_mut() = StatusCode::NOT_FOUND;
            answer
        }
        Attack::SlowRetrieval => {
            let (mut parts, bytes) = answer.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            let first = bytes.slice(..bytes.len().min(10));
            let slow = stream::iter([Ok::<_, Infallible>(first)]).chain(stream::pending());
            Response::from_parts(parts, Body::from_stream(slow))
        }
        _ => {
            let mut answer = liar::with(answer, lie);
            *answer.status_mut() = StatusCode::OK;
            answer
        }
    }
}

/// One cell of the table.
pub(crate) async fn attempt(world: &World, object: Object, attack: Attack) -> Result<()> {
    let federation = world.victim().await?;
    let victim = federation.node(VICTIM)?;
    prepare(world, victim, object, attack).await?;
    let lie = lie(world, object, attack)?;
    let origin = world.origin()?;
    let truth = world.loot.now.get(&object).context("no truth")?;
    ensure!(lie != *truth, "the lie is the truth");
    match object.fetched_at() {
        None => {
            let size = || victim.feeds().view(&origin).map_or(0, |view| view.size());
            let held = size();
            let taken = hand(world, victim, object, &lie).await?;
            ensure!(size() >= held, "a feed was rolled back");
            // What only looks newer, or is somebody else's, must not be taken for anything.
            let harmless = matches!(
                attack,
                Attack::IndefiniteFreeze
                    | Attack::MixAndMatch
                    | Attack::KeyCompromise
                    | Attack::FastForward
            );
            // The same answer once more is no news, and no error.
            let again = attack == Attack::Rollback && object == Object::JoinAnswer;
            let harmless = harmless || again || object == Object::JoinRequest;
            ensure!(!taken || harmless, "the lie was taken");
        }
        Some(part) => {
            let lies = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&lies);
            let server = liar::before(world.owner()?.router(), move |path, answer| {
                if !path.ends_with(part) {
                    return liar::honest(answer);
                }
                counted.fetch_add(1, Ordering::Relaxed);
                answered(attack, answer, lie.clone())
            });
            let server = server.await?;
            let signs = Some(Arc::clone(victim.feeds()) as _);
            let liar = carrier(&server.url())?.signed_by(signs);
            round(world, victim, &liar).await?;
            ensure!(lies.load(Ordering::Relaxed) > 0, "nobody asked for it");
        }
    }
    let forked = world.is_true(victim, attack).await?;
    let other = world.federation.node(OTHER)?;
    victim.pin(other.member()).await?;
    victim.sync(other.member(), &other.url()).await?;
    if forked {
        // Two histories signed by one key: the copy stays as it was until a person decides.
        return Ok(());
    }
    match object.fetched_at() {
        None => hand_truth(world, victim, object).await?,
        Some(_) => {
            honest_round(world, victim).await?;
            world.has_arrived(victim).await?;
        }
    }
    world.is_true(victim, attack).await?;
    Ok(())
}
