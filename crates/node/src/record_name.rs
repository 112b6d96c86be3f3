//! Which record a person means: an id, an id in a feed, or the address of its page.

use anyhow::bail;
use practice::id::RecordId;
use tlog::name::Origin;
use wire::api::{Feeds, Record};
use wire::paths;

use crate::control::{Control, NotFound};
use crate::output::Usage;

/// A record as somebody named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordName {
    /// The feed, if it was named.
    pub origin: Option<Origin>,
    /// The record.
    pub id: RecordId,
}

impl RecordName {
    /// Reads `urn:uuid:…`, a bare UUID, `NODE/FEED/UUID`, or the path or URL of a record's page.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let path =
            text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
        let path = path.unwrap_or(text).split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_start_matches('/').trim_start_matches("api/v1/");
        let (origin, id) = match path.trim_start_matches("records/").rsplit_once('/') {
            Some((origin, id)) => (Some(Origin::parse(origin)?), id),
            None => (None, path),
        };
        let urn =
            if id.starts_with("urn:uuid:") { id.to_owned() } else { format!("urn:uuid:{id}") };
        let Ok(id) = RecordId::parse(&urn) else {
            return Err(Usage(format!(
                "`{text}` names no record: give urn:uuid:…, NODE/FEED/UUID, or the address of its page"
            ))
            .into());
        };
        Ok(Self { origin, id })
    }

    /// The record as the node holds it; looked for in every feed if none was named, our own first.
    pub async fn find(&self, control: &Control) -> anyhow::Result<Record> {
        if let Some(origin) = &self.origin {
            return control.get(&paths::api_record(origin, &self.id)).await;
        }
        let held: Feeds = control.get(paths::API_FEEDS).await?;
        for feed in held.feeds {
            match control.get(&paths::api_record(&feed.origin, &self.id)).await {
                Err(error) if error.is::<NotFound>() => {}
                found => return found,
            }
        }
        bail!("no feed held here has a record {}; `jopoi list` shows what there is", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "abababab-abab-4bab-abab-abababababab";

    #[test]
    fn a_record_can_be_named_in_every_way_a_person_meets_it() {
        let plain = RecordName::parse(UUID).unwrap();
        assert_eq!(RecordName::parse(&format!("urn:uuid:{UUID}")).unwrap(), plain);
        let full = RecordName::parse(&format!("simore.gov.py/public/{UUID}")).unwrap();
        assert_eq!(full.origin.as_ref().unwrap().as_str(), "simore.gov.py/public");
        for address in
            ["http://localhost:80/records", "/records", "https://a.example/api/v1/records"]
        {
            let text = format!("{address}/simore.gov.py/public/{UUID}?lang=es");
            assert_eq!(RecordName::parse(&text).unwrap(), full, "{text}");
        }
        assert!(RecordName::parse("practice-1").is_err());
    }
}
