//! OAI-PMH as a harvester meets it: everything, then what changed, across revisions, withdrawals and restarts.

use std::collections::BTreeSet;

use axum::body::Body;
use feed::feeds::{Publication, Published};
use feed::ports::Quiet;
use http::Method;
use practice::id::RecordId;
use practice::kind::Kind;
use serde_json::{Value, json};
use tlog::name::FeedName;
use web::routes;
use wire::paths;

use crate::stand::{Answered, NOW, Stand, ask, practice};

/// The second at which a test begins, as harvesters write it.
const BEGIN: &str = "2026-11-23T12:00:00Z";

async fn oai(stand: &Stand, query: &str) -> String {
    let answer = stand.get(&format!("/oai?{query}")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, "text/xml; charset=utf-8")
    );
    answer.text().to_owned()
}

/// The texts of every element of this name.
fn texts<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let end = format!("</{name}>");
    let starts = [format!("<{name}>"), format!("<{name} ")];
    let parts = xml.split(&end).filter_map(|part| {
        let at = starts.iter().filter_map(|start| part.rfind(start.as_str())).max()?;
        part[at..].split_once('>').map(|(_, text)| text)
    });
    parts.collect()
}

fn code(xml: &str) -> &str {
    let error = xml.split_once("<error code=\"").map(|(_, rest)| rest);
    error.and_then(|rest| rest.split('"').next()).unwrap_or("none")
}

fn identifier(id: &RecordId) -> String {
    format!("oai:mechanism.test:public/{}", id.to_string().replace("urn:uuid:", ""))
}

fn filed(title: &str, states: &[&str], topics: &[&str]) -> Value {
    let mut subject = practice(title);
    subject["states"] = json!(states);
    subject["topics"] = json!(topics);
    subject
}

async fn publish_all(stand: &Stand, subjects: Vec<Value>) -> Vec<Published> {
    let publication =
        |subject| Publication { kind: Kind::GOOD_PRACTICE, id: None, subject, expected: None };
    let publications = subjects.into_iter().map(publication).collect();
    stand.feeds.publish(&FeedName::public(), publications).await.unwrap()
}

async fn revise(stand: &Stand, id: RecordId, title: &str) {
    let publication = Publication {
        kind: Kind::GOOD_PRACTICE,
        id: Some(id),
        subject: practice(title),
        expected: None,
    };
    stand.feeds.publish(&FeedName::public(), vec![publication]).await.unwrap();
}

/// Every identifier of a list, over all its pages, with the number of pages.
async fn harvest(stand: &Stand, verb: &str, arguments: &str) -> (Vec<String>, usize) {
    let mut query = format!("verb={verb}&{arguments}");
    let (mut found, mut pages) = (Vec::new(), 0);
    loop {
        let xml = oai(stand, &query).await;
        assert_eq!(code(&xml), "none", "{query}: {xml}");
        found.extend(texts(&xml, "identifier").into_iter().map(str::to_owned));
        pages += 1;
        match texts(&xml, "resumptionToken").first().filter(|token| !token.is_empty()) {
            Some(token) => query = format!("verb={verb}&resumptionToken={token}"),
            None => return (found, pages),
        }
    }
}

#[tokio::test]
async fn all_six_verbs_answer_what_the_protocol_asks_for() {
    let stand = Stand::new().await;
    let published = stand.publish(filed("Mesa", &["PY"], &["legal-basis"])).await;
    let identify = oai(&stand, "verb=Identify").await;
    for (name, text) in [
        ("responseDate", BEGIN),
        ("repositoryName", "Mechanism of Xanadu"),
        ("protocolVersion", "2.0"),
        ("adminEmail", "no-address@mechanism.test"),
        ("earliestDatestamp", BEGIN),
        ("deletedRecord", "persistent"),
        ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
    ] {
        assert_eq!(texts(&identify, name), [text]);
    }
    let formats = oai(&stand, "verb=ListMetadataFormats").await;
    assert_eq!(texts(&formats, "metadataPrefix"), ["oai_dc", "practice"]);
    let name = identifier(&published.id);
    assert_eq!(
        code(&oai(&stand, &format!("verb=ListMetadataFormats&identifier={name}")).await),
        "none"
    );
    let sets = oai(&stand, "verb=ListSets").await;
    for set in
        ["state", "state:PY", "region:grulac", "topic:legal-basis", "language:es", "kind:event"]
    {
        assert!(texts(&sets, "setSpec").contains(&set), "{set}");
    }
    let record =
        oai(&stand, &format!("verb=GetRecord&identifier={name}&metadataPrefix=oai_dc")).await;
    assert_eq!(texts(&record, "dc:title"), ["Mesa", "آلية", "Mesa (en)"]);
    assert_eq!(texts(&record, "dc:coverage"), ["Paraguay"]);
    let sets = ["kind:good-practice", "language:ar", "language:en", "language:es", "region:grulac"];
    assert_eq!(texts(&record, "setSpec"), [&sets[..], &["state:PY", "topic:legal-basis"]].concat());
    for verb in ["ListRecords", "ListIdentifiers"] {
        assert_eq!(harvest(&stand, verb, "metadataPrefix=oai_dc").await, (vec![name.clone()], 1));
    }
}

#[tokio::test]
async fn our_own_format_carries_the_signed_bytes() {
    use base64::Engine as _;
    let stand = Stand::new().await;
    let published = stand.publish(practice("Mesa")).await;
    let name = identifier(&published.id);
    let xml =
        oai(&stand, &format!("verb=GetRecord&identifier={name}&metadataPrefix=practice")).await;
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(texts(&xml, "credential")[0]).unwrap();
    let path = paths::body(&stand.origin, published.index);
    assert_eq!(stand.get(&path).await.bytes, bytes);
    assert!(xml.contains(&published.body.unwrap().to_hex()));
    let schema = stand.get("/oai/practice.xsd").await;
    assert!(schema.text().contains("targetNamespace=\"https://w3id.org/jopoi/oai/v1\""));
}

#[tokio::test]
async fn each_fault_of_a_harvester_has_its_code() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("Mesa")).await;
    let known = identifier(&published.id);
    let unknown = known.replace("mechanism", "nowhere");
    let cases = [
        ("", "badVerb"),
        ("verb=Harvest", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=%FF", "badVerb"),
        ("verb=Identify&set=state", "badArgument"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-24&until=2026-11-23", "badArgument"),
        (
            "verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-23&until=2026-11-24T00:00:00Z",
            "badArgument",
        ),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=a::b", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=%22%3E", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=state:ZZ", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2030-01-01", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=1999-01-01", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=x&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=a%20b", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:x", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=oai:x", "idDoesNotExist"),
    ];
    for (query, expected) in cases {
        let xml = oai(&stand, query).await;
        assert_eq!(code(&xml), expected, "{query}: {xml}");
        let repeated = xml.contains("<request verb=");
        assert_eq!(repeated, !["badVerb", "badArgument"].contains(&expected), "{query}: {xml}");
    }
    for (name, prefix, expected) in
        [(&known, "marc21", "cannotDisseminateFormat"), (&unknown, "oai_dc", "idDoesNotExist")]
    {
        let query = format!("verb=GetRecord&identifier={name}&metadataPrefix={prefix}");
        assert_eq!(code(&oai(&stand, &query).await), expected);
    }
    let long = "x".repeat(9_000);
    assert_eq!(posted(&stand, &long).await.status.as_u16(), 413);
}

async fn posted(stand: &Stand, form: &str) -> Answered {
    let form_type = [("content-type", "application/x-www-form-urlencoded")];
    let router = routes::public(stand.app.clone());
    ask(router, Method::POST, "/oai", &form_type, Body::from(form.to_owned())).await
}

#[tokio::test]
async fn a_form_is_answered_as_an_address_is() {
    let stand = Stand::new().await;
    stand.publish(practice("Mesa")).await;
    for query in [
        "verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-23T12%3A00%3A00Z",
        "verb=Nothing",
        "",
        "a b<c>",
    ] {
        let plain = query.replace([' ', '<', '>'], "");
        assert_eq!(posted(&stand, query).await.text(), oai(&stand, &plain).await, "{query}");
    }
}

#[tokio::test]
async fn a_token_never_expires_and_needs_no_memory_of_this_node() {
    let stand = Stand::new().await;
    let subjects = (0..230).map(|number| practice(&format!("Mesa {number}"))).collect();
    let published = publish_all(&stand, subjects).await;
    let (found, pages) = harvest(&stand, "ListRecords", "metadataPrefix=oai_dc").await;
    assert_eq!((found.len(), pages), (230, 3));
    let expected: BTreeSet<String> = published.iter().map(|one| identifier(&one.id)).collect();
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
    let first = oai(&stand, "verb=ListRecords&metadataPrefix=oai_dc").await;
    let query = format!("verb=ListRecords&resumptionToken={}", texts(&first, "resumptionToken")[0]);
    let second = oai(&stand, &query).await;
    assert!(second.contains("<resumptionToken cursor=\"100\">"), "{second}");
    stand.clock.set(NOW + 3_600_000);
    let restarted = stand.restarted();
    let path = format!("/oai?{query}");
    let later = ask(routes::public(restarted), Method::GET, &path, &[], Body::empty()).await;
    assert_eq!(texts(later.text(), "identifier"), texts(&second, "identifier"));
    let (headers, pages) = harvest(&stand, "ListIdentifiers", "metadataPrefix=practice").await;
    assert_eq!((headers.len(), pages), (230, 1));
}

#[tokio::test]
async fn what_changes_while_somebody_harvests_is_not_lost() {
    let stand = Stand::new().await;
    let subjects = (0..150).map(|number| practice(&format!("Mesa {number}"))).collect();
    let published = publish_all(&stand, subjects).await;
    let first = oai(&stand, "verb=ListRecords&metadataPrefix=oai_dc").await;
    // In the same second: one that was given, one that was not yet, and a new one.
    revise(&stand, published[3].id, "Mesa tres").await;
    revise(&stand, published[140].id, "Mesa ciento cuarenta").await;
    let new = stand.publish(practice("Nueva")).await;
    let token = texts(&first, "resumptionToken")[0];
    let rest = oai(&stand, &format!("verb=ListRecords&resumptionToken={token}")).await;
    let rest_ids = texts(&rest, "identifier");
    assert_eq!(rest_ids.len(), 52);
    for id in [published[3].id, published[140].id, new.id] {
        assert_eq!(rest_ids.iter().filter(|name| **name == identifier(&id)).count(), 1);
    }
    assert!(rest.contains("<resumptionToken cursor=\"100\"></resumptionToken>"), "{rest}");
}

#[tokio::test]
async fn whoever_asks_again_gets_what_changed_since_and_nothing_else() {
    let stand = Stand::new().await;
    let published =
        publish_all(&stand, (0..5).map(|_| filed("Mesa", &["PY"], &["legal-basis"])).collect())
            .await;
    stand.clock.set(NOW + 60);
    let query = "metadataPrefix=oai_dc&from=2026-11-23T12:00:30Z";
    assert_eq!(code(&oai(&stand, &format!("verb=ListRecords&{query}")).await), "noRecordsMatch");
    revise(&stand, published[1].id, "Mesa renovada").await;
    stand.withdraw(&published[2].id, false).await;
    stand.withdraw(&published[3].id, true).await;
    let xml = oai(&stand, &format!("verb=ListRecords&{query}")).await;
    let changed: Vec<_> = [1, 2, 3].map(|number| identifier(&published[number].id)).into();
    assert_eq!(texts(&xml, "identifier"), changed);
    assert_eq!(texts(&xml, "datestamp"), ["2026-11-23T12:01:00Z"; 3]);
    assert_eq!(xml.matches("<header status=\"deleted\">").count(), 2);
    assert_eq!(texts(&xml, "dc:title")[0], "Mesa renovada");
    // The topics of what was erased are told no more, and whoever harvests the topic still learns of it.
    for (set, count) in
        [("topic:legal-basis", 2), ("state:PY", 2), ("topic", 2), ("kind", 3), ("language:ru", 1)]
    {
        let (found, _) = harvest(&stand, "ListIdentifiers", &format!("{query}&set={set}")).await;
        assert_eq!(found.len(), count, "{set}");
    }
    let name = identifier(&published[3].id);
    let erased =
        oai(&stand, &format!("verb=GetRecord&identifier={name}&metadataPrefix=practice")).await;
    assert_eq!(texts(&erased, "setSpec"), ["kind:good-practice", "state:XA"]);
    assert!(!erased.contains("<metadata>"), "{erased}");
    let until =
        oai(&stand, "verb=ListIdentifiers&metadataPrefix=oai_dc&until=2026-11-23T12:00:59Z").await;
    assert_eq!(texts(&until, "identifier").len(), 2);
    let day =
        oai(&stand, "verb=ListIdentifiers&metadataPrefix=oai_dc&from=2026-11-23&until=2026-11-23")
            .await;
    assert_eq!(texts(&day, "identifier").len(), 5);
    stand.clock.set(NOW + 120);
    revise(&stand, published[2].id, "Mesa de vuelta").await;
    let name = identifier(&published[2].id);
    let revived =
        oai(&stand, &format!("verb=GetRecord&identifier={name}&metadataPrefix=oai_dc")).await;
    assert_eq!(texts(&revived, "datestamp"), ["2026-11-23T12:02:00Z"]);
    assert!(revived.contains("<metadata>"));
}

#[tokio::test]
async fn a_rebuild_dates_records_later_and_never_earlier() {
    let stand = Stand::new().await;
    let published = publish_all(&stand, vec![practice("Una"), practice("Dos")]).await;
    stand.withdraw(&published[0].id, true).await;
    let all = "metadataPrefix=oai_dc";
    assert_eq!(harvest(&stand, "ListRecords", all).await.0.len(), 2);
    stand.clock.set(NOW + 60);
    stand.feeds.rebuild(&Quiet).await.unwrap();
    let again =
        harvest(&stand, "ListRecords", "metadataPrefix=oai_dc&from=2026-11-23T12:01:00Z").await;
    assert_eq!(again.0.len(), 2);
    let xml = oai(&stand, "verb=ListRecords&metadataPrefix=oai_dc").await;
    assert_eq!(xml.matches("status=\"deleted\"").count(), 1);
}

#[tokio::test]
async fn nothing_of_a_restricted_feed_or_of_trust_is_harvested() {
    let stand = Stand::new().await;
    let record = stand.feeds.node_record(stand.feeds.node()).unwrap();
    let name = FeedName::parse("r-aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    stand.feeds.begin(&name, record).await.unwrap();
    let publication = Publication {
        kind: Kind::GOOD_PRACTICE,
        id: None,
        subject: practice("Secreta"),
        expected: None,
    };
    let secret = stand.feeds.publish(&name, vec![publication]).await.unwrap();
    assert_eq!(
        code(&oai(&stand, "verb=ListRecords&metadataPrefix=oai_dc").await),
        "noRecordsMatch"
    );
    let hidden = identifier(&secret[0].id).replace("public", name.as_str());
    let xml =
        oai(&stand, &format!("verb=GetRecord&identifier={hidden}&metadataPrefix=oai_dc")).await;
    assert_eq!(code(&xml), "idDoesNotExist");
    assert!(!xml.contains("Secreta"));
}

#[tokio::test]
async fn whatever_a_record_says_it_stays_well_formed_text() {
    let stand = Stand::new().await;
    let mut subject = practice("]]> <script>&\u{1}\u{fffe}\u{202e}");
    subject["states"] = json!(["PY", "a<b", "ZZ"]);
    subject["topics"] = json!(["legal-basis"]);
    let published = stand.publish(subject).await;
    let name = identifier(&published.id);
    let xml = oai(&stand, &format!("verb=GetRecord&identifier={name}&metadataPrefix=oai_dc")).await;
    assert_eq!(texts(&xml, "dc:title")[0], "]]&gt; &lt;script&gt;&amp;\u{fffd}\u{fffd}");
    let states: Vec<_> =
        texts(&xml, "setSpec").into_iter().filter(|set| set.starts_with("state")).collect();
    assert_eq!(states, ["state:PY"]);
}

#[tokio::test]
async fn marks_that_turn_words_round_stand_in_the_signed_record_alone() {
    let stand = Stand::new().await;
    let published = stand.publish(practice("Mesa \u{202e}asem\u{2067}")).await;
    let name = identifier(&published.id);
    for (format, element) in [("oai_dc", "dc:title"), ("practice", "title")] {
        let query = format!("verb=GetRecord&identifier={name}&metadataPrefix={format}");
        let record = oai(&stand, &query).await;
        assert!(texts(&record, element).contains(&"Mesa asem"), "{record}");
        assert!(!record.contains(['\u{202e}', '\u{2067}']), "{record}");
    }
    let body = stand.get(&paths::body(&stand.origin, published.index)).await;
    assert!(body.text().contains('\u{202e}'));
}
