//! States, profiles side by side, topics, groups, withdrawals and the network's status.

use std::collections::BTreeMap;
use std::sync::Arc;

use feed::feeds::{Publication, Published};
use feed::search::{Facet, Hit, Hits, Progress, Query, Search, SearchError, Withdrawn};
use http::StatusCode;
use practice::kind::Kind;
use serde_json::{Value, json};
use tlog::name::{FeedName, Origin};
use wire::paths;

use crate::stand::{Answered, Stand, practice};

/// An index of a few records, that filters and counts as the real one does.
#[derive(Default)]
struct Shelved(Vec<(Hit, Vec<(Facet, String)>)>);

impl Search for Shelved {
    fn search(&self, query: &Query) -> Result<Hits, SearchError> {
        let chosen = |facet: Facet, facets: &[(Facet, String)]| {
            let mut wanted = query.facets.iter().filter(|(known, _)| *known == facet).peekable();
            wanted.peek().is_none() || wanted.any(|one| facets.contains(one))
        };
        let fits = |(hit, facets): &&(Hit, Vec<(Facet, String)>)| {
            let state = match query.withdrawn {
                Withdrawn::Without => !hit.withdrawn,
                Withdrawn::With => true,
                Withdrawn::Only => hit.withdrawn,
            };
            state && Facet::ALL.into_iter().all(|facet| chosen(facet, facets))
        };
        let found: Vec<_> = self.0.iter().filter(fits).collect();
        let mut counts: BTreeMap<Facet, Vec<(String, usize)>> = BTreeMap::new();
        for (facet, value) in found.iter().flat_map(|(_, facets)| facets) {
            let values = counts.entry(*facet).or_default();
            match values.iter_mut().find(|(known, _)| known == value) {
                Some((_, count)) => *count += 1,
                None => values.push((value.clone(), 1)),
            }
        }
        counts.retain(|facet, _| query.count.contains(facet));
        let hits = found.iter().map(|(hit, _)| hit.clone());
        let hits = hits.skip(query.offset).take(query.limit).collect();
        Ok(Hits { total: found.len(), hits, counts, without: Vec::new() })
    }

    fn progress(&self) -> Progress {
        Progress { sequence: 3, of: 3 }
    }
}

/// A node whose records are found.
struct Library {
    stand: Stand,
    index: Shelved,
}

impl Library {
    async fn new() -> Self {
        Self { stand: Stand::new().await, index: Shelved::default() }
    }

    async fn add(&mut self, kind: Kind, subject: Value, facets: &[(Facet, &str)]) -> Published {
        let name = kind.as_str().to_owned();
        let publication = Publication { kind, id: None, subject, expected: None };
        let feed = FeedName::public();
        let published = self.stand.feeds.publish(&feed, vec![publication]).await.unwrap();
        let published = published.into_iter().next().unwrap();
        let facets = facets.iter().map(|(facet, value)| (*facet, (*value).to_owned()));
        let facets = facets.chain([(Facet::Kind, name)]).collect();
        self.index.0.push((hit(&self.stand.origin, &published), facets));
        published
    }

    /// A profile about a State, which the record names.
    async fn profile(&mut self, state: &str, more: Value) -> Published {
        let mut subject = practice(&format!("Mecanismo {state}"));
        subject["states"] = json!([state]);
        for (name, value) in more.as_object().unwrap() {
            subject[name] = value.clone();
        }
        self.add(Kind::MECHANISM_PROFILE, subject, &[(Facet::State, state)]).await
    }

    fn open(mut self) -> Stand {
        self.stand.app.search = Some(Arc::new(self.index));
        self.stand
    }
}

fn hit(origin: &Origin, published: &Published) -> Hit {
    Hit {
        origin: origin.clone(),
        index: published.index,
        id: published.id,
        language: "es".to_owned(),
        title: Vec::new(),
        excerpt: Vec::new(),
        states: Vec::new(),
        withdrawn: false,
        changed: 1_795_435_200,
        score: 0.0,
    }
}

/// Where each part stands, all of which must be there.
fn places<const N: usize>(page: &Answered, parts: [&str; N]) -> [usize; N] {
    let place = |part: &str| {
        page.text().find(part).unwrap_or_else(|| panic!("no `{part}` in {}", page.text()))
    };
    parts.map(place)
}

async fn three_states() -> Stand {
    let mut library = Library::new().await;
    library.profile("ET", json!({})).await;
    library.profile("ES", json!({})).await;
    library.profile("PY", json!({})).await;
    library.profile("PS", json!({})).await;
    library.open()
}

#[tokio::test]
async fn states_stand_under_their_regional_groups_and_by_the_alphabet_of_the_reader() {
    let stand = three_states().await;
    let page = stand.get("/states").await;
    assert_eq!(page.status, StatusCode::OK);
    places(
        &page,
        [
            "<h2>African States</h2>",
            "id=\"grulac\"",
            "<h2>In no regional group</h2>",
            "State of Palestine",
        ],
    );
    let names = |page: &Answered, names: [&str; 3]| {
        places(page, names.map(|name| format!("\">{name}</a></li>")).each_ref().map(String::as_str))
    };
    let english = stand.get("/states?order=name").await;
    assert!(names(&english, ["Ethiopia", "Paraguay", "Spain"]).is_sorted());
    let french = stand.get("/states?order=name&lang=fr").await;
    assert!(names(&french, ["Espagne", "Éthiopie", "Paraguay"]).is_sorted());
    // Both stand under E.
    assert_eq!(french.text().matches("<h2>E</h2>").count(), 1);
    let chinese = stand.get("/states?lang=zh").await;
    places(&chinese, ["巴拉圭", "href=\"/states/PY?lang=zh\""]);
    // Nothing is counted beside a State.
    assert!(
        !english.text().contains("record</small>") && !english.text().contains("records</small>")
    );
}

#[tokio::test]
async fn a_state_shows_its_profile_in_sections_and_in_the_readers_language() {
    let mut library = Library::new().await;
    let text = |text: &str| json!({ "es": text, "en": format!("{text} (en)") });
    let told = json!({
        "tools": [{ "text": text("Herramienta") }],
        "official_name": text("Nombre oficial"),
        "focal_points": { "count": 170, "text": text("Puntos focales") },
        "challenges": [{ "text": text("Desafío") }],
        "translations": { "en": { "made_by": "machine" } },
        "contact": { "unit": text("Unidad"), "email": "unidad@example.org" },
    });
    library.profile("PY", told).await;
    let facets = [(Facet::State, "PY")];
    library.add(Kind::GOOD_PRACTICE, practice("Una práctica"), &facets).await;
    let stand = library.open();
    let page = stand.get("/states/PY").await;
    assert_eq!(page.status, StatusCode::OK);
    let order = [
        "Latin American and Caribbean States",
        "<h1>Paraguay</h1>",
        "Mecanismo PY (en)</a></h2>",
        "Described by the mechanism itself; not assessed by the network.",
        "Institutional set-up",
        "Nombre oficial (en)",
        "Composition and secretariat",
        "Puntos focales (en)",
        "Information management tools",
        "Herramienta (en)",
        "Desafío (en)",
        "Unidad (en)",
        "/states/PY/profile.docx",
        "<h2>Good practices</h2>",
        "Una práctica (en)",
        "href=\"/search?state=PY&#38;kind=good-practice\"",
    ];
    assert!(places(&page, order).is_sorted(), "{}", page.text());
    places(&page, ["translated from: Spanish, made by a machine"]);
    for spanish in ["Herramienta<", "Puntos focales<"] {
        assert!(!page.text().contains(spanish), "one language stands here: {spanish}");
    }
    let original = stand.get("/states/PY?lang=es").await;
    places(&original, ["Herramienta<", "<h1>Paraguay</h1>"]);
    assert!(!original.text().contains("traducido de"));
}

#[tokio::test]
async fn of_a_profile_that_others_compiled_it_is_said_that_nobody_assessed_it() {
    let mut library = Library::new().await;
    library.profile("PY", json!({ "basis": "compiled-from-public-sources" })).await;
    library.profile("ES", json!({})).await;
    let stand = library.open();
    let words = "Not assessed by the network.";
    let told = |page: &Answered| page.text().matches(words).count();
    places(&stand.get("/states/PY").await, [words, "Compiled from public sources"]);
    // An own statement says it in its own words.
    assert_eq!(told(&stand.get("/states/ES").await), 0);
    assert_eq!(told(&stand.get("/compare?state=PY&state=ES").await), 1);
}

#[tokio::test]
async fn names_stand_in_the_alphabet_of_the_reader_in_every_list() {
    let stand = Library::new().await.open();
    for texts in web::texts::Texts::all() {
        let code = texts.code();
        let page = stand.get(&format!("/topics?lang={code}")).await;
        let terms = practice::vocabulary::Vocabulary::get("practice-topics").unwrap().terms();
        let mut names: Vec<&str> = terms.iter().map(|term| term.label(code)).collect();
        texts.sort_by_name(&mut names, |name| name);
        let stands = |name: &&str| page.text().find(&format!(">{name}</a>"));
        let places: Vec<Option<usize>> = names.iter().map(stands).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{code}: {names:?}");
    }
}

#[tokio::test]
async fn a_state_of_which_nothing_is_held_is_told_of_in_neutral_words() {
    let stand = Library::new().await.open();
    let page = stand.get("/states/NP").await;
    assert_eq!(page.status, StatusCode::OK);
    places(
        &page,
        ["<h1>Nepal</h1>", "That says nothing else about it.", "Landlocked developing countries"],
    );
    // Its node speaks for an invented State; others are not there.
    assert_eq!(stand.get("/states/XA").await.status, StatusCode::OK);
    for unknown in ["/states/XB", "/states/ZZ", "/states/py", "/states/%3Cb%3E"] {
        assert_eq!(stand.get(unknown).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let nobody = stand.get("/compare").await;
    places(&nobody, ["No profile of a mechanism is held here yet."]);
}

#[tokio::test]
async fn profiles_stand_side_by_side_without_marks() {
    let mut library = Library::new().await;
    let text = |text: &str| json!({ "en": text });
    library.profile("PY", json!({ "secretariat": text("Three persons") })).await;
    library
        .profile("ES", json!({ "secretariat": text("An office"), "mandate": text("By law") }))
        .await;
    let stand = library.open();
    let page = stand.get("/compare?state=ES&state=PY&state=ES&state=").await;
    assert_eq!(page.status, StatusCode::OK);
    let order =
        ["<th scope=\"col\"><a href=\"/states/PY\">", "<th scope=\"col\"><a href=\"/states/ES\">"];
    assert!(places(&page, order).is_sorted(), "Paraguay stands before Spain");
    assert!(
        places(&page, ["Composition and secretariat", "Three persons", "An office", "By law"])
            .is_sorted()
    );
    // What one does not tell is an empty place.
    assert_eq!(page.text().matches("<td></td>").count(), 2, "{}", page.text());
    for mark in ["✓", "✔", "✗", "%", "score", "missing"] {
        let table = page.text().split("<table").nth(1).unwrap().split("</table>").next().unwrap();
        assert!(!table.contains(mark), "{mark}");
    }
    let spanish = stand.get("/compare?state=ES&state=PY&lang=es").await;
    assert!(places(&spanish, [">España</a></th>", ">Paraguay</a></th>"]).is_sorted());
    places(&stand.get("/compare?state=ES").await, ["Choose at least two States."]);
    let many = stand.get("/compare?state=ES&state=PY&state=AR&state=BO&state=CL").await;
    places(&many, ["Four States at most", "No profile received here yet"]);
    assert_eq!(stand.get("/compare?state=%22").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_filed_under_a_subject_stands_on_its_page_with_units_to_ask() {
    let mut library = Library::new().await;
    let mut subject = practice("Una práctica");
    subject["contact"] = json!({ "unit": { "es": "Unidad" }, "email": "unidad@example.org?bcc=x" });
    let facets = [
        (Facet::Topic, "secretariat"),
        (Facet::Sdg, "16"),
        (Facet::Sdg, "16.6"),
        (Facet::HumanRightsMechanism, "upr"),
    ];
    library.add(Kind::GOOD_PRACTICE, subject, &facets).await;
    let stand = library.open();
    for (list, page, name) in [
        ("/topics", "/topics/secretariat", "Secretariat"),
        ("/sdgs", "/sdgs/16", "Peace, justice and strong institutions"),
        ("/human-rights-mechanisms", "/human-rights-mechanisms/upr", "Universal periodic review"),
    ] {
        let href = format!("href=\"{page}\"");
        places(&stand.get(list).await, [&href, name, "1 record<"]);
        let page = stand.get(page).await;
        assert_eq!(page.status, StatusCode::OK);
        places(
            &page,
            ["Una práctica (en)", "Units that can be asked", "lang=\"es\" dir=\"ltr\">Unidad<"],
        );
        assert!(!page.text().contains("mailto:"), "an address that adds to the message is no link");
    }
    places(&stand.get("/sdgs/16").await, ["href=\"/sdgs/16.6\""]);
    assert!(!stand.get("/sdgs/16").await.text().contains("href=\"/sdgs/16.7\""));
    places(&stand.get("/sdgs/16.6").await, ["Una práctica (en)"]);
    let families = [
        "Treaty body",
        "Charter-based body",
        "Universal periodic review",
        "Special procedure",
        "Regional mechanism",
    ];
    places(&stand.get("/human-rights-mechanisms").await, families);
    places(&stand.get("/topics/prevention").await, ["Nothing has been filed under this here yet."]);
    assert_eq!(stand.get("/topics/nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_group_shows_its_members_and_what_they_publish() {
    let mut library = Library::new().await;
    let begun = library.stand.post(paths::API_NETWORK_INIT, &json!({})).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text());
    let names = json!({ "en": "Andean group" });
    let group = json!({ "change": { "what": "group", "names": names, "members": [] } });
    let made = library.stand.post(paths::API_NETWORK_DECIDE, &group).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    let network = library.stand.feeds.network(&library.stand.origin).unwrap();
    let group = network.groups().next().unwrap().id;
    let path = paths::site::group(library.stand.feeds.node(), &group);
    let value = path.strip_prefix("/groups/").unwrap().to_owned();
    library.add(Kind::GOOD_PRACTICE, practice("Una práctica"), &[(Facet::Group, &value)]).await;
    let stand = library.open();
    let page = stand.get(&path).await;
    assert_eq!(page.status, StatusCode::OK);
    let shown = ["<h1>Andean group</h1>", "This group has no members.", "Una práctica (en)"];
    places(&page, shown);
    for unknown in ["/groups/other.test/1", "/groups/mechanism.test/1"] {
        assert_eq!(stand.get(unknown).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
}

#[tokio::test]
async fn the_log_of_withdrawals_tells_when_by_whom_and_why_and_no_word_of_the_text() {
    let mut library = Library::new().await;
    for title in ["Secreta", "Otra"] {
        library.add(Kind::GOOD_PRACTICE, practice(title), &[]).await;
    }
    places(
        &Library::new().await.open().get("/withdrawals").await,
        ["No record has been withdrawn."],
    );
    let id = library.index.0[0].0.id;
    library.stand.withdraw(&id, true).await;
    for (hit, _) in &mut library.index.0 {
        hit.withdrawn = true;
    }
    let stand = library.open();
    let page = stand.get("/withdrawals").await;
    assert_eq!(page.status, StatusCode::OK);
    let href = paths::record(&stand.origin, &id);
    places(
        &page,
        [
            &href,
            "Good practice",
            "text erased",
            "Outdated",
            "Mechanism of Xanadu",
            "23 November 2026",
        ],
    );
    assert!(!page.text().contains("Secreta"));
    // The index is behind: the other one is not withdrawn.
    assert_eq!(page.text().matches("<tr>").count(), 2);
    for bad in ["/withdrawals?page=0", "/withdrawals?page=x", "/withdrawals?page=99999999"] {
        assert_eq!(stand.get(bad).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn the_status_of_the_network_is_about_nodes_and_names_no_state() {
    let stand = three_states().await;
    let page = stand.get("/network-status").await;
    assert_eq!(page.status, StatusCode::OK);
    places(
        &page,
        [
            "mechanism.test/public",
            "Last received",
            "0 copies",
            "Published here",
            "The search covers everything",
        ],
    );
    for state in ["Paraguay", "Spain", "fork", "fault", "fail", "offline"] {
        assert!(!page.text().replace("x-default", "").contains(state), "{state}");
    }
    let arabic = stand.get("/network-status?lang=ar").await;
    places(&arabic, ["حالة الشبكة", "dir=\"rtl\""]);
}

#[tokio::test]
async fn nothing_that_a_stranger_wrote_becomes_markup_in_directories() {
    const PAYLOAD: &str = "\"><script>alert(1)</script>'&\u{202e}";
    let mut library = Library::new().await;
    let text = json!({ "en": PAYLOAD });
    let told = json!({
        "title": text, "summary": text, "official_name": text, "secretariat": PAYLOAD, "tools": [PAYLOAD, { "text": text, "url": PAYLOAD }],
        "basis": PAYLOAD, "contact": { "unit": text, "email": PAYLOAD }, "composition": [{ "sector": PAYLOAD, PAYLOAD: 1 }],
    });
    library.profile("PY", told.clone()).await;
    library.profile("ES", told).await;
    library.index.0[0].1.push((Facet::Topic, "secretariat".to_owned()));
    let stand = library.open();
    for path in [
        "/states/PY",
        "/compare?state=PY&state=ES",
        "/topics/secretariat",
        "/states?order=%22%3E%3Cscript",
    ] {
        let page = stand.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.text().contains("<script") && !page.text().contains('\u{202e}'), "{path}");
    }
}

#[tokio::test]
async fn while_the_index_is_being_made_the_lists_say_when_to_come_back() {
    let mut stand = Stand::new().await;
    stand.app.search = None;
    for path in ["/states", "/states/PY", "/compare", "/topics", "/sdgs/16", "/withdrawals"] {
        let page = stand.get(path).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!page.header("retry-after").is_empty(), "{path}");
    }
    let status = stand.get("/network-status").await;
    places(&status, ["The search does not yet cover everything"]);
}
