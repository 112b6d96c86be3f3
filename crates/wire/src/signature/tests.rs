//! The vector of RFC 9421, and whatever is not exactly a request that its signer made.

mod negatives;

use std::collections::BTreeMap;
use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tlog::ed25519::{PublicKey, Signature, SigningKey};

use super::{Fields, Headers, Refused, Terms, base, digest, sign, target_uri};

const NOW: u64 = 1_795_435_200;
const URI: &str = "https://a.example/feeds/b.example/public/since/7?a=1&b=2";
const BODY: &[u8] = br#"{"hello": "world"}"#;

/// A request as it arrives.
#[derive(Clone)]
struct Trial {
    method: String,
    uri: String,
    input: Vec<Vec<u8>>,
    signature: Vec<Vec<u8>>,
    digest: Vec<Vec<u8>>,
    body: Vec<u8>,
}

/// What a signer writes, right or wrong; whatever it is, it is truly signed.
#[derive(Clone)]
struct Written {
    label: String,
    covered: Vec<(String, String)>,
    params: String,
}

/// Trials that must be refused, counted by what is wrong with them.
#[derive(Default)]
struct Refusals(BTreeMap<&'static str, usize>);

fn key() -> SigningKey {
    SigningKey::from_seed(&[3; 32]).unwrap()
}

fn params(created: u64, expires: u64) -> String {
    let keyid = key().public().to_did();
    format!("created={created};expires={expires};nonce=\"n-1\";keyid=\"{keyid}\";tag=\"jopoi\"")
}

impl Written {
    fn good(trial: &Trial) -> Self {
        let mut covered = vec![
            ("\"@method\"".to_owned(), trial.method.clone()),
            ("\"@target-uri\"".to_owned(), trial.uri.clone()),
        ];
        if !trial.body.is_empty() {
            covered.push(("\"content-digest\"".to_owned(), digest(&trial.body)));
        }
        Self { label: "jopoi".to_owned(), covered, params: params(NOW, NOW + 300) }
    }

    fn with_params(&self, params: impl Into<String>) -> Self {
        Self { params: params.into(), ..self.clone() }
    }

    /// Signs what is written, whatever it is, into `trial`.
    fn onto(&self, trial: &Trial) -> Trial {
        let names: Vec<_> = self.covered.iter().map(|(name, _)| name.as_str()).collect();
        let params = format!("({});{}", names.join(" "), self.params);
        let lines: String =
            self.covered.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let signature = key().sign(format!("{lines}\"@signature-params\": {params}").as_bytes());
        let signature = format!("{}=:{}:", self.label, STANDARD.encode(signature.as_bytes()));
        Trial {
            input: vec![format!("{}={params}", self.label).into_bytes()],
            signature: vec![signature.into_bytes()],
            ..trial.clone()
        }
    }
}

impl Trial {
    fn get() -> Self {
        let bare = Self {
            method: "GET".to_owned(),
            uri: URI.to_owned(),
            input: Vec::new(),
            signature: Vec::new(),
            digest: Vec::new(),
            body: Vec::new(),
        };
        Written::good(&bare).onto(&bare)
    }

    fn post() -> Self {
        let digest = vec![digest(BODY).into_bytes()];
        let bare = Self { method: "POST".to_owned(), body: BODY.to_vec(), digest, ..Self::get() };
        Written::good(&bare).onto(&bare)
    }

    fn judge(&self) -> Result<PublicKey, Refused> {
        let all = |values: &'_ [Vec<u8>]| -> Vec<Vec<u8>> { values.to_vec() };
        let (input, signature, digest) =
            (all(&self.input), all(&self.signature), all(&self.digest));
        let fields = Fields {
            signature_input: input.iter().map(Vec::as_slice).collect(),
            signature: signature.iter().map(Vec::as_slice).collect(),
            content_digest: digest.iter().map(Vec::as_slice).collect(),
        };
        let presented = fields.read(!self.body.is_empty())?;
        presented.check_time(NOW)?;
        presented.check_signature(&self.method, &self.uri)?;
        presented.check_body(&self.body)?;
        Ok(*presented.key())
    }
}

impl Refusals {
    fn refuse(&mut self, why: &'static str, trial: &Trial) {
        let judged = trial.judge();
        let shown =
            trial.input.iter().chain(&trial.signature).map(|value| String::from_utf8_lossy(value));
        assert!(judged.is_err(), "{why}: taken: {:?}", shown.collect::<Vec<_>>());
        *self.0.entry(why).or_default() += 1;
    }

    fn total(&self) -> usize {
        self.0.values().sum()
    }
}

#[test]
fn the_signature_of_the_standard_verifies_over_the_base_we_make() {
    let vector = include_str!("../../tests/vectors/rfc9421-b26.json");
    let vector: Value = serde_json::from_str(vector).unwrap();
    let headers: BTreeMap<String, String> = vector["request"]["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            (pair[0].as_str().unwrap().to_lowercase(), pair[1].as_str().unwrap().to_owned())
        })
        .collect();
    let params = headers["signature-input"].strip_prefix("sig-b26=").unwrap();
    let covered = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
    let lines: Vec<(&str, &str)> = covered
        .iter()
        .map(|name| match *name {
            "@method" => (*name, "POST"),
            "@path" => (*name, "/foo"),
            "@authority" => (*name, "example.com"),
            name => (name, headers[name].as_str()),
        })
        .collect();
    let made = base(&lines, params);
    assert_eq!(made, vector["signature_base"].as_str().unwrap());
    let bytes = |hex: &str| -> [u8; 32] {
        tlog::hash::Hash::from_hex(hex).map(|hash| *hash.as_bytes()).unwrap()
    };
    let public = PublicKey::from_bytes(&bytes(vector["public_hex"].as_str().unwrap())).unwrap();
    let signature = headers["signature"].strip_prefix("sig-b26=:").unwrap().trim_end_matches(':');
    let signature = Signature::from_slice(&STANDARD.decode(signature).unwrap()).unwrap();
    public.verify_strict(made.as_bytes(), &signature).unwrap();
    let secret =
        SigningKey::from_seed(&bytes(vector["secret_seed_hex"].as_str().unwrap())).unwrap();
    assert_eq!(secret.sign(made.as_bytes()).as_bytes(), signature.as_bytes());
}

#[test]
fn what_is_signed_here_is_taken_with_and_without_a_body() {
    let terms = Terms { key: key().public(), created: NOW, nonce: [7; 16] };
    for body in [None, Some(BODY)] {
        let Ok(Headers { signature_input, signature, content_digest }) =
            sign("GET", URI, body, &terms, |message| Ok::<_, Infallible>(key().sign(message)));
        let trial = Trial {
            input: vec![signature_input.into_bytes()],
            signature: vec![signature.into_bytes()],
            digest: content_digest.into_iter().map(String::into_bytes).collect(),
            body: body.unwrap_or_default().to_vec(),
            ..Trial::get()
        };
        assert_eq!(trial.judge(), Ok(key().public()));
    }
}

#[test]
fn parameters_may_come_in_any_order_as_other_libraries_write_them() {
    let keyid = key().public().to_did();
    let mut all = [
        format!("created={NOW}"),
        format!("keyid=\"{keyid}\""),
        format!("expires={}", NOW + 60),
        "nonce=\"x\"".to_owned(),
        "tag=\"jopoi\"".to_owned(),
    ];
    for _ in 0..5 {
        all.rotate_left(1);
        let trial = Trial::get();
        assert!(Written::good(&trial).with_params(all.join(";")).onto(&trial).judge().is_ok());
    }
}

#[test]
fn an_address_is_written_in_one_way() {
    for base in ["https://a.example/", "https://A.Example", "HTTPS://a.example:443/"] {
        assert_eq!(target_uri(base, "/heads?x=Y"), "https://a.example/heads?x=Y", "{base}");
    }
    assert_eq!(target_uri("http://127.0.0.1:8080/", "/"), "http://127.0.0.1:8080/");
    assert_eq!(target_uri("http://a.example:80/In/", "/heads"), "http://a.example/In/heads");
    assert_eq!(target_uri("https://a.example:80/", "/heads"), "https://a.example:80/heads");
}

#[test]
fn a_request_that_its_signer_did_not_make_exactly_so_is_refused() {
    let mut refusals = Refusals::default();
    for good in [Trial::get(), Trial::post()] {
        assert!(good.judge().is_ok());
        negatives::other_components(&mut refusals, &good);
        negatives::other_parameters(&mut refusals, &good);
        negatives::other_times(&mut refusals, &good);
        negatives::other_requests(&mut refusals, &good);
        negatives::other_spellings(&mut refusals, &good);
        negatives::other_labels(&mut refusals, &good);
        negatives::other_signatures(&mut refusals, &good);
    }
    negatives::other_bodies(&mut refusals, &Trial::post());
    let made = refusals.total();
    assert!(made >= 250, "only {made} cases");
    for good in [Trial::get(), Trial::post()] {
        negatives::mutated_bytes(&mut refusals, &good);
    }
    println!(
        "{made} signed requests that are not of the profile, and {} with one byte changed, all refused: {:?}",
        refusals.total() - made,
        refusals.0
    );
}
